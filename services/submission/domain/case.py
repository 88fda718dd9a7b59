"""What a rule of admissibility looks at: the content, whose it is, the day it is filed, what it replaces, lists, figures, the desk."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from services.submission.domain.content import first_start
from services.submission.domain.desk import Campaign, Desk
from services.submission.domain.fiche import Fiche, Session, SessionState
from shared.contracts.fiche import FicheContent, OutsideCampaign, SessionPlan
from shared.errors import Objection


@dataclass(frozen=True)
class NationalDerogation:
    """A decision that lets every training for one job (ROME) run to `cap_hours`, from one day on."""

    reference: str
    title: str
    rome: str
    cap_hours: int
    since: dt.date


@dataclass(frozen=True)
class References:
    """Lists too long to be code, and the check of a SIRET.

    INSEE communes of Normandie, the employment zone (ZE2020) and the postal codes of each, ROME and NSF codes, national derogations.
    """

    communes: frozenset[str]
    rome: frozenset[str]
    nsf: frozenset[str]
    siret_valid: Callable[[str], bool]
    zones: Mapping[str, str]
    postal_codes: Mapping[str, tuple[str, ...]]
    derogations: tuple[NationalDerogation, ...]

    def derogation_for(self, rome: str, on: dt.date) -> NationalDerogation | None:
        """Return the national derogation for a job that is in force on a day, the one that goes furthest; None without one."""
        standing = [one for one in self.derogations if one.rome == rome and one.since <= on]
        return max(standing, key=lambda one: one.cap_hours, default=None)


@dataclass(frozen=True)
class Limits:
    """The figures that the rules compare with.

    Hours of one trainee; days; cents per hour and trainee. Only the warnings' figures are settings: the caps are in
    deliberations 2018-48 and 2021-44, what goes beyond them is in `References.derogations`.
    """

    cap_hours: int = 400
    lead_days: int = 42
    lead_days_critical: int = 21
    gap_days: int = 30
    cost_low_cents: int = 800
    cost_high_cents: int = 2500


@dataclass(frozen=True)
class Given:
    """What the rules are given: once, at start, lists and figures; with every command what lies on the desk.

    `own_limits` are the figures of OPCOs that have others than all (minutes L474-477).
    """

    references: References
    limits: Limits = field(default_factory=Limits)
    desk: Desk = field(default_factory=Desk)
    own_limits: Mapping[str, Limits] = field(default_factory=dict)

    def beside(self, desk: Desk) -> "Given":
        """Return the same with what lies on the desk now."""
        return replace(self, desk=desk)


@dataclass(frozen=True)
class Case:
    """One content under examination; `before` is the fiche whose content it would replace, None for a new one.

    `outside_campaign` is what its OPCO says of a new fiche that comes after the deadline of its quarter.
    """

    content: FicheContent
    opco: str
    filed_on: dt.date
    given: Given
    before: Fiche | None = None
    outside_campaign: OutsideCampaign | None = None

    @property
    def references(self) -> References:
        """Return the lists."""
        return self.given.references

    @property
    def limits(self) -> Limits:
        """Return the figures, the OPCO's own where it has some."""
        return self.given.own_limits.get(self.opco, self.given.limits)

    @property
    def desk(self) -> Desk:
        """Return what people keep on the desk."""
        return self.given.desk

    def state(self, number: int) -> SessionState:
        """Return where the session of this number stands; one that is not there yet is planned."""
        sessions = self.before.sessions if self.before else {}
        return sessions.get(number, Session()).state

    @property
    def live(self) -> tuple[tuple[int, SessionPlan], ...]:
        """Return the sessions that are not cancelled, each with its place in the content (from 0)."""
        return tuple(
            (index, plan)
            for index, plan in enumerate(self.content.sessions)
            if self.state(plan.number) is not SessionState.CANCELLED
        )

    @property
    def campaign(self) -> Campaign | None:
        """Return the campaign of the quarter in which the first session starts, None where none is on record."""
        return self.desk.campaign_for(first_start(tuple(plan for _, plan in self.live) or self.content.sessions))

    @property
    def in_campaign(self) -> bool:
        """Return whether there is a campaign for the fiche, and it is open to its OPCO on the day of filing."""
        return self.campaign is not None and self.filed_on <= self.campaign.last_day(self.opco)

    @property
    def rescheduled(self) -> tuple[tuple[int, SessionPlan], ...]:
        """Return the live sessions whose dates are not those of the content before: only they can come too early."""
        return tuple((index, plan) for index, plan in self.live if not self._same_dates(plan))

    def _same_dates(self, plan: SessionPlan) -> bool:
        old = self.before.plan(plan.number) if self.before else None
        return old is not None and (old.start, old.end) == (plan.start, plan.end)


Facts: TypeAlias = dict[str, str | int | bool | None]
Rule: TypeAlias = Callable[[Case], Objection | None]
