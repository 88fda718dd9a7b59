"""The settings of submission: those of every service, and the figures of the warnings."""

from dataclasses import replace
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.submission.domain.case import Given, Limits
from services.submission.domain.yearbook import opco_is_known
from services.submission.reference import references
from shared.settings import ServiceSettings

_IN_ORDER: Final = (("lead_days_critical", "lead_days"), ("cost_low_cents", "cost_high_cents"))


class OpcoFigures(BaseModel):
    """The figures of one OPCO where they are not those of all (rule 44; minutes L474-477)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lead_days: int | None = Field(None, ge=0, le=365)
    lead_days_critical: int | None = Field(None, ge=0, le=365)
    gap_days: int | None = Field(None, ge=0, le=365)
    cost_low_cents: int | None = Field(None, ge=0)
    cost_high_cents: int | None = Field(None, ge=1)


class WarningSettings(BaseSettings):
    """What the conference may change without a new version; every value has a default, so that it can be read alone.

    The caps on hours are not among them: they are in the deliberations.
    """

    model_config = SettingsConfigDict(env_prefix="POEC_", extra="ignore", frozen=True)

    lead_days: int = Field(
        42,
        ge=0,
        le=365,
        description="Days between filing and start below which the OPCO is warned: six weeks for a group.",
    )
    lead_days_critical: int = Field(
        21,
        ge=0,
        le=365,
        description="Days between filing and start below which the OPCO is warned that a group will hardly be there.",
    )
    gap_days: int = Field(
        30,
        ge=0,
        le=365,
        description="Days between the training and a work-study contract above which the OPCO is warned.",
    )
    cost_low_cents: int = Field(
        800, ge=0, description="Cents per hour and trainee below which the OPCO is warned about the teaching cost."
    )
    cost_high_cents: int = Field(
        2500, ge=1, description="Cents per hour and trainee above which the OPCO is warned about the teaching cost."
    )

    opco_figures: dict[str, OpcoFigures] = Field(
        {},
        description='Figures of single OPCOs in place of those of all, as JSON (an OPCO to its figures): {"akto": {"lead_days": 56}}.',
    )

    @field_validator("opco_figures")
    @classmethod
    def _of_the_eleven_in_their_order(
        cls, figures: dict[str, OpcoFigures], info: ValidationInfo
    ) -> dict[str, OpcoFigures]:
        if any(map(opco_is_known, figures)):
            raise ValueError("an OPCO is none of the eleven")
        for one in figures.values():
            own = {**info.data, **one.model_dump(exclude_none=True)}  # those of all are read before
            if any(own[low] > own[high] for low, high in _IN_ORDER if {low, high} <= own.keys()):
                raise ValueError(
                    "figures of an OPCO are not in order, with those of all where it has none of its own:"
                    " lead_days_critical up to lead_days, cost_low_cents up to cost_high_cents"
                )
        return figures

    def given(self) -> Given:
        """Return what the rules are given: the lists, and these figures."""
        limits = Limits(
            lead_days=self.lead_days,
            lead_days_critical=self.lead_days_critical,
            gap_days=self.gap_days,
            cost_low_cents=self.cost_low_cents,
            cost_high_cents=self.cost_high_cents,
        )
        own = {opco: replace(limits, **one.model_dump(exclude_none=True)) for opco, one in self.opco_figures.items()}
        return Given(references(), limits, own_limits=own)


class Settings(WarningSettings, ServiceSettings):
    """Everything a process of submission reads from its environment."""

    retain_imports_days: int = Field(
        90,
        ge=1,
        le=3_660,
        description="Days after its last fiche for which a file that was sent in is kept with its report; the fiches stay.",
    )
