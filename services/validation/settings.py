"""The settings of validation: those of every service, and the two figures that the rules leave to the conference."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.validation.domain.hearing import Limits
from shared.settings import ServiceSettings


class ReviewSettings(BaseSettings):
    """What the conference may change without a new version; every value has a default, so that it can be read alone."""

    model_config = SettingsConfigDict(env_prefix="POEC_", extra="ignore", frozen=True)

    avis_delay_days: int = Field(
        15,
        ge=1,
        le=365,
        description="Days from the opening of a dossier until the avis is due (domain rule 5, a proposal).",
    )
    avis_shift_days: int = Field(
        30,
        ge=0,
        le=365,
        description="Days a start may lie from the one the avis was given on before the avis lapses (domain rule 8).",
    )

    def limits(self) -> Limits:
        """Return these figures as the domain takes them."""
        return Limits(self.avis_delay_days, self.avis_shift_days)


class Settings(ReviewSettings, ServiceSettings):
    """Everything a process of validation reads from its environment."""
