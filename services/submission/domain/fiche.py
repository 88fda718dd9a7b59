"""The fiche projet as its OPCO sees it: what it says, where it stands, what was asked and decided about it.

Everything is frozen: a decision returns a new fiche.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.contracts.fiche import FicheContent, OutsideCampaign, SessionPlan
from shared.contracts.placements import Placements
from shared.contracts.references import (
    AvisKind,
    AvisReason,
    PlacementMoment,
    RefusalReason,
    SessionMotive,
    SourcingCause,
    WithdrawalReason,
)
from shared.contracts.validation import Adaptation, CompletionItem

CHANGES_KEPT: Final = 20
"""How many revisions back a fiche can say what changed; a reader further behind has to read all of it again."""


class Status(StrEnum):
    """Where a fiche stands: first as an intention or a draft (`Preparation`), then as what was filed (`Fiche`)."""

    PREPROGRAMMED = "preprogrammed"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    TO_COMPLETE = "to_complete"
    TO_ADAPT = "to_adapt"
    AVIS_LAPSED = "avis_lapsed"
    VALIDATED = "validated"
    CONFIRMED = "confirmed"
    REVIEWED = "reviewed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


LABELS: Final[dict[Status, str]] = {
    Status.PREPROGRAMMED: "Intention",
    Status.DRAFT: "Brouillon",
    Status.SUBMITTED: "Déposée",
    Status.TO_COMPLETE: "À compléter",
    Status.TO_ADAPT: "Adaptation proposée",
    Status.AVIS_LAPSED: "Avis à renouveler",
    Status.VALIDATED: "Validée",
    Status.CONFIRMED: "Programmée",
    Status.REVIEWED: "Bilan rendu",
    Status.REFUSED: "Refusée",
    Status.WITHDRAWN: "Retirée",
    Status.CANCELLED: "Annulée",
}
"""What screens and answers call a status."""

FINAL: Final = frozenset({Status.REFUSED, Status.WITHDRAWN, Status.CANCELLED})
"""Statuses that nothing leaves: a correction is a new fiche. What people call « sans suite », in every count of a year."""

CLOSED: Final = FINAL | {Status.REVIEWED}
"""Statuses in which nothing is waited for any more: FINAL, and what came to its end. What people call « closes »."""

PREPARED: Final = frozenset({Status.PREPROGRAMMED, Status.DRAFT})
"""Statuses of what was not filed yet: nobody decides on it, and it counts nowhere as firm."""


class SessionState(StrEnum):
    """Where a session of a fiche stands; `engaged` is the session engagée of the minutes (L107)."""

    PLANNED = "planned"
    ENGAGED = "engaged"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


SESSION_LABELS: Final[dict[SessionState, str]] = {
    SessionState.PLANNED: "Prévue",
    SessionState.ENGAGED: "Engagée",
    SessionState.POSTPONED: "Reportée",
    SessionState.CANCELLED: "Annulée",
}


@dataclass(frozen=True)
class Session:
    """What the OPCO said of one session: people enrolled and reason if forced when engaged, motive if postponed or cancelled.

    `cause` is why too few people came forward, where that is the motive; `returned` what became of the group, by moment.
    """

    state: SessionState = SessionState.PLANNED
    enrolled: int | None = None
    forced_reason: str | None = None
    motive: SessionMotive | None = None
    cause: SourcingCause | None = None
    returned: Mapping[PlacementMoment, Placements] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """The adaptation that waits for the OPCO's answer until the end of `expires_on`; made on `revision`."""

    adaptation: Adaptation
    reasons: tuple[AvisReason, ...]
    comment: str
    expires_on: dt.date
    revision: int


@dataclass(frozen=True)
class Validation:
    """Pôle emploi's yes: the reference that a session is checked against, the day, the revision it was given on."""

    reference: str
    validated_on: dt.date
    validated_by: str
    revision: int


@dataclass(frozen=True)
class Refusal:
    """Pôle emploi's no, with its coded reasons."""

    reasons: tuple[RefusalReason, ...]
    comment: str


@dataclass(frozen=True)
class Changed:
    """Names of the members of the content that a revision changed."""

    revision: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Fiche:
    """A fiche; `revision` counts its contents from 1, `reference` is the OPCO's own name for it.

    `completion` and `proposal` are
    what waits for an answer. `avis_lapsed` says that an avis was given and no longer holds,
    whatever else is pending. `filed_digest` is that of the content first filed, `renews` the fiche taken up again.
    `outside_campaign` says why it was filed after the deadline of its quarter, None where it came in time.
    `validation` stays after a lapse, as a fact; `confirmed_revision` is 0 until the OPCO confirmed.
    """

    id: UUID
    opco: str
    reference: str
    status: Status
    revision: int
    content: FicheContent
    submitted_at: dt.datetime
    sessions: Mapping[int, Session]
    acknowledged: tuple[str, ...] = ()
    avis_due_on: dt.date | None = None
    avis: AvisKind | None = None
    avis_lapsed: bool = False
    completion: tuple[CompletionItem, ...] = ()
    proposal: Proposal | None = None
    validation: Validation | None = None
    refusal: Refusal | None = None
    confirmed_revision: int = 0
    withdrawal: WithdrawalReason | None = None
    changes: tuple[Changed, ...] = ()
    filed_digest: str = ""
    renews: UUID | None = None
    outside_campaign: OutsideCampaign | None = None

    @property
    def standing(self) -> Status:
        """Return the status of a fiche from which nothing is asked and which is not decided: filed, or its avis to renew."""
        return Status.AVIS_LAPSED if self.avis_lapsed else Status.SUBMITTED

    def to(self, status: Status) -> "Fiche":
        """Return this fiche in another status."""
        return replace(self, status=status)

    def plan(self, number: int) -> SessionPlan | None:
        """Return the plan of a session, None where the content has none of that number."""
        return next((plan for plan in self.content.sessions if plan.number == number), None)

    def with_session(self, number: int, session: Session) -> "Fiche":
        """Return this fiche with one session changed."""
        return replace(self, sessions={**self.sessions, number: session})

    @property
    def live_sessions(self) -> tuple[SessionPlan, ...]:
        """Return the plans of the sessions that are not cancelled."""
        return tuple(plan for plan in self.content.sessions if not is_cancelled(self.sessions, plan.number))


def is_cancelled(sessions: Mapping[int, Session], number: int) -> bool:
    """Return whether the session of this number is cancelled."""
    return sessions.get(number, Session()).state is SessionState.CANCELLED
