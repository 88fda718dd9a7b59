"""The settings of validation: those of every service, and the two figures that the rules leave to the conference."""

from pydantic import Field

from services.validation.domain.hearing import Limits
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything a process of validation reads from its environment."""

    avis_delay_days: int = Field(
        15,
        ge=1,
        le=365,
        description="Days from a dossier's opening until its avis is due; the minutes (L506-508) set no delay.",
    )
    avis_shift_days: int = Field(
        30, ge=0, le=365, description="Days a start may move after the avis before it lapses (minutes L254-262)."
    )

    def limits(self) -> Limits:
        """Return the figures as the domain takes them."""
        return Limits(self.avis_delay_days, self.avis_shift_days)
