"""The settings of publication: those of every service, and the two figures that the rules leave to the conference."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.publication.domain.facts import Limits
from shared.settings import ServiceSettings


class CatalogueSettings(BaseSettings):
    """What the conference may change without a new version; every value has a default, so that it can be read alone."""

    model_config = SettingsConfigDict(env_prefix="POEC_", extra="ignore", frozen=True)

    ais_overbooking_percent: int = Field(
        20,
        ge=0,
        le=100,
        description="Percent of the seats of a session that its AIS may exceed them by.",
    )
    avis_shift_days: int = Field(
        30,
        ge=0,
        le=365,
        description="Days a start may lie from the one the avis was given on before it lapses (rule 8); the same as validation's.",
    )

    def limits(self) -> Limits:
        """Return these figures as the domain takes them."""
        return Limits(self.ais_overbooking_percent, self.avis_shift_days)


class Settings(CatalogueSettings, ServiceSettings):
    """Everything a process of publication reads from its environment."""
