"""The HTTP bodies of submission: what is taken in (`…In`) and what is answered (`…Out`)."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.submission.domain.decisions import REFERENCE_LENGTH, Decision
from services.submission.domain.fiche import LABELS, PREPARED, SESSION_LABELS, Fiche, Session, SessionState, Status
from services.submission.domain.preparation import Held
from services.submission.domain.preparing import Prepared
from services.submission.domain.retroplanning import Milestone, Standing, Step
from services.submission.form_fields import LONGEST_TEXT
from services.submission.list_store import Count
from services.submission.store import Listed
from shared.contracts.days import Day
from shared.contracts.fiche import FicheContent, Intention, OutsideCampaign, Value, session_id
from shared.contracts.ingress import Codes, ObjectionOut
from shared.contracts.placements import Placements
from shared.contracts.references import (
    AvisKind,
    AvisReason,
    RefusalReason,
    SessionMotive,
    SourcingCause,
    WithdrawalReason,
)
from shared.contracts.text import CODE, FREE, FreeText, Reason
from shared.contracts.validation import Adaptation, CompletionItem
from shared.errors import Objection

MOST_FIELDS = 2000
"""Fields of one form: more than the longest fiche has."""


class FicheIn(Value):
    """A new fiche under the OPCO's own reference; `acknowledged`: codes of the warnings that were read and are kept.

    `outside_campaign`: why it comes after the deadline of its quarter.
    """

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE]
    content: FicheContent
    acknowledged: Codes = ()
    outside_campaign: OutsideCampaign | None = None


class IntentionIn(Value):
    """What is meant, under the reference that the fiche will have."""

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE]
    intention: Intention
    acknowledged: Codes = ()


class DraftIn(Value):
    """What stands in the form: field path (`hours.total`, `sessions.0.start`) to text as it was typed, right or wrong."""

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE]
    fields: Annotated[
        dict[Annotated[str, Field(max_length=80)], Annotated[str, Field(max_length=LONGEST_TEXT), FREE]],
        Field(max_length=MOST_FIELDS),
    ]


class RenewalIn(Value):
    """Under which reference and for which year a fiche is taken up again."""

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE]
    programme_year: Annotated[int, Field(ge=2018, le=2100)]


class PlacementsIn(Value):
    """What became of a group: figures only."""

    placements: Placements


class ContentIn(Value):
    """The whole content, as it replaces the one before."""

    content: FicheContent
    acknowledged: Codes = ()


class AcceptanceIn(Value):
    """The adaptation as it was proposed."""

    acknowledged: Codes = ()


class DeclineIn(Value):
    """Why the content is kept."""

    reason: Reason
    acknowledged: Codes = ()


class CounterProposalIn(ContentIn):
    """Another content than the one proposed, and why."""

    reason: Reason


class ProgrammationIn(Value):
    """Nothing has to be said beside the command."""


class WithdrawalIn(Value):
    """Why the fiche is taken back."""

    reason: WithdrawalReason


class EngagementIn(Value):
    """People enrolled; below the minimum, why the session takes place all the same."""

    enrolled: Annotated[int, Field(ge=0, le=500)]
    forced_reason: Reason | None = None
    acknowledged: Codes = ()


class PostponementIn(Value):
    """Other first and last day, and why."""

    start: Day
    end: Day
    motive: SessionMotive
    cause: SourcingCause | None = None
    acknowledged: Codes = ()


class CancellationIn(Value):
    """Why the session will not take place; the motive SOURCING_INSUFFISANT, and no other, has a cause."""

    motive: SessionMotive
    cause: SourcingCause | None = None


class SessionOut(Value):
    """Where a session stands; `session_id` is what the catalogue and the entries call it."""

    session_id: UUID
    number: int
    state: SessionState
    state_label: str
    enrolled: int | None = None
    forced_reason: str | None = None
    motive: SessionMotive | None = None
    cause: SourcingCause | None = None
    returned: tuple[Placements, ...] = ()


class FiledOut(Value):
    """Where a command left the fiche; `warnings` are those that stand acknowledged."""

    fiche_id: UUID
    reference: str
    status: Status
    status_label: str
    revision: int
    sessions: tuple[SessionOut, ...]
    warnings: tuple[ObjectionOut, ...] = ()


class PendingAdaptationOut(Value):
    """The adaptation that waits for an answer until the end of `expires_on`."""

    adaptation: Adaptation
    reasons: tuple[AvisReason, ...]
    comment: str
    expires_on: dt.date
    revision: int


class ValidatedOut(Value):
    """Pôle emploi's yes; it stays as a fact when the avis lapses, the status says whether it holds."""

    reference: str
    validated_on: dt.date
    validated_by: str
    revision: int


class RefusedOut(Value):
    """Pôle emploi's no."""

    reasons: tuple[RefusalReason, ...]
    comment: str


class FicheOut(Value):
    """A whole fiche; the ETag is its revision."""

    fiche_id: UUID
    opco: str
    reference: str
    status: Status
    status_label: str
    revision: int
    submitted_at: dt.datetime
    avis_due_on: dt.date | None
    avis: AvisKind | None
    completion: tuple[CompletionItem, ...]
    proposal: PendingAdaptationOut | None
    validation: ValidatedOut | None
    refusal: RefusedOut | None
    withdrawal: WithdrawalReason | None
    confirmed_revision: int
    acknowledged: tuple[str, ...]
    sessions: tuple[SessionOut, ...]
    outside_campaign: OutsideCampaign | None
    content: FicheContent


class RenewedOut(Value):
    """The fiche that a draft takes up again, with its results as far as they are known."""

    fiche_id: UUID
    reference: str
    status: Status
    status_label: str
    programme_year: int
    sessions: tuple[SessionOut, ...]


class MilestoneOut(Value):
    """One step of a retro-planning: its last day, how it stands today, what to do."""

    step: Step
    label: str
    last_day: dt.date
    standing: Standing
    sentence: str
    source: str


class RetroplanningOut(Value):
    """The steps before a fiche's first start, in the order of time, as they stand on a day."""

    fiche_id: UUID
    seen_on: dt.date
    late: int
    milestones: tuple[MilestoneOut, ...]


class PreparationOut(Value):
    """A fiche that was not filed yet: what was announced, and to its OPCO alone what stands in its form; the ETag is its revision."""

    fiche_id: UUID
    opco: str
    reference: str
    status: Status
    status_label: str
    revision: int
    saved_at: dt.datetime
    intention: Intention | None
    fields: dict[str, FreeText]
    renews: UUID | None
    renewed: RenewedOut | None = None
    withdrawal: WithdrawalReason | None = None


class ListedFicheOut(Value):
    """A fiche in the list."""

    fiche_id: UUID
    opco: str
    reference: str
    title: str
    status: Status
    status_label: str
    revision: int
    first_start: dt.date | None
    submitted_at: dt.datetime
    validation_reference: str | None


class FichesOut(Value):
    """A page of the list, the newest first; `next` is the value of `after` that continues it."""

    fiches: tuple[ListedFicheOut, ...]
    next: str | None = None


class StatusCountOut(Value):
    """Fiches in one status."""

    status: Status
    status_label: str
    count: int


class StatusCountsOut(Value):
    """Fiches by status, every status in its order; `filed` is the sum of those that were filed."""

    counts: tuple[StatusCountOut, ...]
    filed: int


def counts_out(found: Mapping[Status, Count]) -> StatusCountsOut:
    """Return the counts as they are answered."""
    left = {status: found[status].found if status in found else 0 for status in Status}
    counts = [StatusCountOut(status=one, status_label=LABELS[one], count=count) for one, count in left.items()]
    return StatusCountsOut(counts=tuple(counts), filed=sum(n for status, n in left.items() if status not in PREPARED))


def filed_out(decision: Decision | Prepared) -> FiledOut:
    """Return the answer to a command."""
    fiche = decision.fiche
    return FiledOut(
        fiche_id=fiche.id,
        reference=fiche.reference,
        status=fiche.status,
        status_label=LABELS[fiche.status],
        revision=fiche.revision,
        sessions=_sessions(fiche) if isinstance(fiche, Fiche) else (),
        warnings=objections_out(decision.warnings),
    )


def objections_out(objections: Iterable[Objection]) -> tuple[ObjectionOut, ...]:
    """Return objections or warnings as they are answered."""
    return tuple(
        ObjectionOut(code=one.code, field=one.field, message=one.message, source=one.source) for one in objections
    )


def fiche_out(fiche: Fiche) -> FicheOut:
    """Return a fiche as it is read."""
    shown = {
        **fiche.__dict__,
        "fiche_id": fiche.id,
        "status_label": LABELS[fiche.status],
        "sessions": _sessions(fiche),
    }
    return FicheOut.model_validate(shown, from_attributes=True)


def held_out(held: Held, reader: str, renewed: Fiche | None = None) -> FicheOut | PreparationOut:
    """Return what is held as an organisation reads it: the fields of a form, and what it renews, are for its OPCO alone."""
    if isinstance(held, Fiche):
        return fiche_out(held)
    own = {
        "fields": dict(held.fields) if reader == held.opco else {},
        "renewed": _renewed(renewed) if renewed and reader == held.opco else None,
    }
    shown = {**held.__dict__, **own, "fiche_id": held.id, "status_label": LABELS[held.status]}
    return PreparationOut.model_validate(shown)


def retroplanning_out(held: Held, seen_on: dt.date, milestones: tuple[Milestone, ...]) -> RetroplanningOut:
    """Return a retro-planning as it is read."""
    return RetroplanningOut(
        fiche_id=held.id,
        seen_on=seen_on,
        late=sum(one.standing is Standing.LATE for one in milestones),
        milestones=tuple(MilestoneOut(**one.__dict__) for one in milestones),
    )


def _renewed(fiche: Fiche) -> RenewedOut:
    return RenewedOut(
        fiche_id=fiche.id,
        reference=fiche.reference,
        status=fiche.status,
        status_label=LABELS[fiche.status],
        programme_year=fiche.content.programme_year,
        sessions=_sessions(fiche),
    )


def listed_out(listed: Listed) -> ListedFicheOut:
    """Return a fiche of the list."""
    return ListedFicheOut(**listed.__dict__, status_label=LABELS[listed.status])


def _sessions(fiche: Fiche) -> tuple[SessionOut, ...]:
    return tuple(_session(fiche.id, number, session) for number, session in sorted(fiche.sessions.items()))


def _session(fiche: UUID, number: int, session: Session) -> SessionOut:
    return SessionOut(
        session_id=session_id(fiche, number),
        number=number,
        state=session.state,
        state_label=SESSION_LABELS[session.state],
        enrolled=session.enrolled,
        forced_reason=session.forced_reason,
        motive=session.motive,
        cause=session.cause,
        returned=tuple(session.returned.values()),
    )
