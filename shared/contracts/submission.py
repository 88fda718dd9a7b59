"""What submission says: events on `poec.submission.fiches`, key fiche id."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.days import Day
from shared.contracts.events import FicheEvent
from shared.contracts.fiche import (
    Cents,
    Days,
    FicheContent,
    Hours,
    Intention,
    OutsideCampaign,
    SessionNumber,
    Total,
    Value,
)
from shared.contracts.placements import Placements
from shared.contracts.references import SessionMotive, SourcingCause, WithdrawalReason
from shared.contracts.text import FreeText


class _OnFiches(FicheEvent):
    topic: ClassVar[str] = "poec.submission.fiches"


class Shift(Value):
    """How far a new content lies from the one before: largest move of a start in days, and what else moved (rule 8)."""

    start_days: Days
    commune_moved: bool
    zone_moved: bool
    main_formacode_moved: bool


class FichePreprogrammed(_OnFiches):
    """An OPCO announced what it means to train for, or announced it anew: an intention, never counted as firm (minutes L384-391)."""

    wire_type: ClassVar[str] = "fr.poec.fiche.preprogrammed.v1"
    reference: FreeText
    intention: Intention


class IntentionDropped(_OnFiches):
    """What was announced will not be filed."""

    wire_type: ClassVar[str] = "fr.poec.intention.dropped.v1"
    reason: WithdrawalReason


class FicheSubmitted(_OnFiches):
    """An OPCO filed a fiche; revision 1. `outside_campaign`: why after the deadline of its quarter, where it was."""

    wire_type: ClassVar[str] = "fr.poec.fiche.submitted.v1"
    reference: FreeText
    content: FicheContent
    acknowledged: tuple[str, ...] = ()
    outside_campaign: OutsideCampaign | None = None


class FicheCompleted(_OnFiches):
    """The OPCO answered a request for completion with a new content."""

    wire_type: ClassVar[str] = "fr.poec.fiche.completed.v1"
    content: FicheContent
    shift: Shift


class FicheAmended(_OnFiches):
    """The OPCO changed the content of its own accord."""

    wire_type: ClassVar[str] = "fr.poec.fiche.amended.v1"
    content: FicheContent
    shift: Shift


class AdaptationAccepted(_OnFiches):
    """The OPCO took the proposed adaptation over: a new content."""

    wire_type: ClassVar[str] = "fr.poec.adaptation.accepted.v1"
    content: FicheContent
    shift: Shift


class AdaptationDeclined(_OnFiches):
    """The OPCO keeps its content; the avis stays to be given."""

    wire_type: ClassVar[str] = "fr.poec.adaptation.declined.v1"
    reason: FreeText


class CounterProposed(_OnFiches):
    """The OPCO answered a proposed adaptation with another content."""

    wire_type: ClassVar[str] = "fr.poec.adaptation.countered.v1"
    content: FicheContent
    shift: Shift
    reason: FreeText


class ProgrammationConfirmed(_OnFiches):
    """The OPCO says the validated fiche is really programmed: provider named, dates firm (minutes L502)."""

    wire_type: ClassVar[str] = "fr.poec.programmation.confirmed.v1"
    content: FicheContent


class SessionEngaged(_OnFiches):
    """The OPCO says go: the session engagée of the minutes (L107). Money in cents, hours per trainee."""

    wire_type: ClassVar[str] = "fr.poec.session.engaged.v1"
    session_id: UUID
    number: SessionNumber
    start: Day
    end: Day
    seats: Total
    hours: Hours
    committed: Cents
    forced_reason: FreeText | None = None


class SessionPostponed(_OnFiches):
    """A session got other dates: a new content; `shift_days` is the move of its start."""

    wire_type: ClassVar[str] = "fr.poec.session.postponed.v1"
    session_id: UUID
    number: SessionNumber
    start: Day
    end: Day
    shift_days: Days
    motive: SessionMotive
    content: FicheContent
    cause: SourcingCause | None = None


class SessionCancelled(_OnFiches):
    """A session will not take place; `cause` says why too few people came, where that is the motive."""

    wire_type: ClassVar[str] = "fr.poec.session.cancelled.v1"
    session_id: UUID
    number: SessionNumber
    motive: SessionMotive
    fiche_cancelled: bool
    cause: SourcingCause | None = None


class PlacementsReturned(_OnFiches):
    """What became of a group at one moment; a later return of the same moment takes its place. `fiche_reviewed`: none is missing."""

    wire_type: ClassVar[str] = "fr.poec.placements.returned.v1"
    session_id: UUID
    number: SessionNumber
    placements: Placements
    fiche_reviewed: bool


class FicheWithdrawn(_OnFiches):
    """The OPCO took the fiche back: final."""

    wire_type: ClassVar[str] = "fr.poec.fiche.withdrawn.v1"
    reason: WithdrawalReason


SUBMISSION_EVENTS: tuple[type[FicheEvent], ...] = (
    FichePreprogrammed,
    IntentionDropped,
    FicheSubmitted,
    FicheCompleted,
    FicheAmended,
    AdaptationAccepted,
    AdaptationDeclined,
    CounterProposed,
    ProgrammationConfirmed,
    SessionEngaged,
    SessionPostponed,
    SessionCancelled,
    FicheWithdrawn,
    PlacementsReturned,
)
