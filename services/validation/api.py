"""HTTP in: the reviewers' commands and the reads of the queue. Every command carries the revision it was decided on."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from services.validation import use_cases as story
from services.validation.domain.adaptation import AskedAdaptation
from services.validation.domain.avis import AskedAvis
from services.validation.domain.decision import AskedRefusal
from services.validation.domain.dossier import LABELS, Dossier, Outcome, Status
from services.validation.store import Listed, Place
from services.validation.use_cases import Dossiers
from shared.contracts.days import Day
from shared.contracts.fiche import FicheContent, Value
from shared.contracts.ingress import Codes
from shared.contracts.opco_names import Opco
from shared.contracts.references import OPCOS, AvisKind, AvisReason, RefusalReason
from shared.contracts.text import FREE
from shared.contracts.validation import Adaptation, CompletionItem
from shared.errors import InvalidInput, Objection
from shared.http import Answer, Ask, answers, database, door, ok, signed_in, takes
from shared.policy import authorize

Comment = Annotated[str, StringConstraints(max_length=2000), FREE]
Explained = Annotated[str, StringConstraints(min_length=1, max_length=2000), FREE]
AvisReasons = Annotated[tuple[AvisReason, ...], Field(max_length=len(AvisReason))]
B = TypeVar("B", bound=BaseModel)
router = APIRouter(prefix="/dossiers", tags=["dossiers"])


class CompletionIn(Value):
    """What the OPCO is asked to complete."""

    items: Annotated[tuple[CompletionItem, ...], Field(min_length=1, max_length=50)]
    acknowledged: Codes = ()


class AdaptationIn(Value):
    """Other dates or another place proposed to the OPCO, and the last day to answer."""

    adaptation: Adaptation
    reasons: Annotated[AvisReasons, Field(min_length=1)]
    comment: Comment = ""
    expires_on: Day
    acknowledged: Codes = ()


class AvisIn(Value):
    """The Région's avis; `prf_committed`: it rests on a session of the PRF that is structuring or engaged."""

    avis: AvisKind
    reasons: AvisReasons = ()
    comment: Comment = ""
    prf_committed: bool = False
    acknowledged: Codes = ()


class ValidationIn(Value):
    """Pôle emploi's yes; `reason` is needed against an avis CONCURRENT."""

    reason: Explained | None = None
    acknowledged: Codes = ()


class RefusalIn(Value):
    """Pôle emploi's no: coded reasons, and words for the OPCO."""

    reasons: Annotated[tuple[RefusalReason, ...], Field(min_length=1, max_length=len(RefusalReason))]
    comment: Explained
    acknowledged: Codes = ()


class OutcomeOut(Value):
    """Where a command left the dossier; `validation_reference` once it is validated."""

    fiche_id: UUID
    status: Status
    status_label: str
    revision: int
    avis: AvisKind | None = None
    validation_reference: str | None = None


class AvisOut(Value):
    """The avis, the revision it was given on, and whether it lapsed since."""

    kind: AvisKind
    reasons: tuple[AvisReason, ...]
    comment: str
    prf_committed: bool
    revision: int
    given_on: dt.date
    lapsed: bool


class ProposalOut(Value):
    """The last adaptation proposed and the OPCO's answer, if any."""

    adaptation: Adaptation
    reasons: tuple[AvisReason, ...]
    comment: str
    expires_on: dt.date
    revision: int
    outcome: Outcome | None
    answer: str


class ValidationOut(Value):
    """A validation of Pôle emploi."""

    reference: str
    on: dt.date
    by: str
    revision: int
    against_avis: bool
    reason: str | None


class RefusalOut(Value):
    """A refusal of Pôle emploi."""

    reasons: tuple[RefusalReason, ...]
    comment: str
    on: dt.date
    by: str
    revision: int


class DossierOut(Value):
    """A whole dossier; the ETag is its revision, `cancelled` the numbers of the sessions that will not take place."""

    fiche_id: UUID
    opco: str
    reference: str
    status: Status
    status_label: str
    revision: int
    opened_at: dt.datetime
    avis_due_on: dt.date
    content: FicheContent
    avis: AvisOut | None
    items: tuple[CompletionItem, ...]
    proposal: ProposalOut | None
    validation: ValidationOut | None
    refusal: RefusalOut | None
    past_validations: tuple[ValidationOut, ...]
    cancelled: tuple[int, ...]


class ListedOut(Value):
    """A dossier in the queue."""

    fiche_id: UUID
    opco: str
    reference: str
    title: str
    status: Status
    status_label: str
    revision: int
    opened_at: dt.datetime
    avis_due_on: dt.date
    age_days: int
    late: bool
    validation_reference: str | None


class QueueOut(Value):
    """A page of the queue, the oldest first; `next` is the value of `after` that continues it."""

    dossiers: tuple[ListedOut, ...]
    next: str | None = None


@router.get("", responses=answers(QueueOut))
async def get_dossiers(
    request: Request,
    status: Status | None = None,
    opco: Opco | None = None,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Return a page of the dossiers, by status and OPCO where asked."""
    principal = await signed_in(request)
    if opco is not None and opco not in OPCOS:
        raise InvalidInput(
            Objection("OPCO_UNKNOWN", "Indiquez un des onze OPCO par son nom ou son identifiant.", field="opco")
        )
    place = _place(after) if after else None
    found = await story.read_dossiers(database(request), principal, status, opco, place, limit + 1)
    page = found[:limit]
    return ok(
        QueueOut(
            dossiers=tuple(_shown(listed) for listed in page), next=_cursor(page[-1]) if len(found) > limit else None
        )
    )


@router.get("/{fiche_id}", responses=answers(DossierOut))
async def get_dossier(request: Request, fiche_id: UUID) -> Response:
    """Return the dossier of a fiche; its ETag is what a command repeats in If-Match."""
    dossier = await story.read_dossier(database(request), await signed_in(request), fiche_id)
    named = {**dossier.__dict__, "status_label": LABELS[dossier.status]}
    return ok(DossierOut.model_validate(named, from_attributes=True), revision=dossier.revision)


@router.post("/{fiche_id}/completion-request", openapi_extra=takes(CompletionIn), responses=answers(OutcomeOut))
async def post_completion_request(request: Request, fiche_id: UUID) -> Response:
    """Ask the OPCO to complete its fiche (Région, Pôle emploi)."""

    def act(dossiers: Dossiers, ask: Ask[CompletionIn], revision: int) -> Dossier:
        return story.ask_completion(dossiers, ask.principal, fiche_id, revision, ask.body.items, ask.body.acknowledged)

    return await _decided(request, fiche_id, "ask_completion", CompletionIn, act)


@router.post("/{fiche_id}/adaptation", openapi_extra=takes(AdaptationIn), responses=answers(OutcomeOut))
async def post_adaptation(request: Request, fiche_id: UUID) -> Response:
    """Propose an adaptation to the OPCO (Région)."""

    def act(dossiers: Dossiers, ask: Ask[AdaptationIn], revision: int) -> Dossier:
        body = ask.body
        asked = AskedAdaptation(body.adaptation, body.reasons, body.comment, body.expires_on, body.acknowledged)
        return story.propose_adaptation(dossiers, ask.principal, fiche_id, revision, asked, ask.at)

    return await _decided(request, fiche_id, "propose_adaptation", AdaptationIn, act)


@router.post("/{fiche_id}/avis", openapi_extra=takes(AvisIn), responses=answers(OutcomeOut))
async def post_avis(request: Request, fiche_id: UUID) -> Response:
    """Give the avis (Région)."""

    def act(dossiers: Dossiers, ask: Ask[AvisIn], revision: int) -> Dossier:
        return story.give_avis(dossiers, ask.principal, fiche_id, revision, _asked_avis(ask.body), ask.at)

    return await _decided(request, fiche_id, "give_avis", AvisIn, act)


@router.post("/{fiche_id}/avis/correction", openapi_extra=takes(AvisIn), responses=answers(OutcomeOut))
async def post_avis_correction(request: Request, fiche_id: UUID) -> Response:
    """Replace the avis by another one before the decision (Région)."""

    def act(dossiers: Dossiers, ask: Ask[AvisIn], revision: int) -> Dossier:
        return story.correct_avis(dossiers, ask.principal, fiche_id, revision, _asked_avis(ask.body), ask.at)

    return await _decided(request, fiche_id, "correct_avis", AvisIn, act)


@router.post("/{fiche_id}/validation", openapi_extra=takes(ValidationIn), responses=answers(OutcomeOut))
async def post_validation(request: Request, fiche_id: UUID) -> Response:
    """Validate the fiche (Pôle emploi)."""

    def act(dossiers: Dossiers, ask: Ask[ValidationIn], revision: int) -> Dossier:
        reason, acknowledged = ask.body.reason, ask.body.acknowledged
        return story.validate_fiche(dossiers, ask.principal, fiche_id, revision, reason, acknowledged, ask.at)

    return await _decided(request, fiche_id, "validate_fiche", ValidationIn, act)


@router.post("/{fiche_id}/refusal", openapi_extra=takes(RefusalIn), responses=answers(OutcomeOut))
async def post_refusal(request: Request, fiche_id: UUID) -> Response:
    """Refuse the fiche for good (Pôle emploi)."""

    def act(dossiers: Dossiers, ask: Ask[RefusalIn], revision: int) -> Dossier:
        asked = AskedRefusal(ask.body.reasons, ask.body.comment, ask.body.acknowledged)
        return story.refuse_fiche(dossiers, ask.principal, fiche_id, revision, asked, ask.at)

    return await _decided(request, fiche_id, "refuse_fiche", RefusalIn, act)


async def _decided(
    request: Request,
    fiche_id: UUID,
    operation: str,
    body_type: type[B],
    act: Callable[[Dossiers, Ask[B], int], Dossier],
) -> Response:
    """Carry a command out on one dossier; who may not do it is told so before being asked for a revision."""

    def answer(dossiers: Dossiers, ask: Ask[B]) -> Answer:
        authorize(ask.principal, operation)
        return _outcome(act(dossiers, ask, ask.required_revision()))

    return await door(request).command(request, body_type, lambda _principal, _body: [fiche_id], answer)


def _outcome(dossier: Dossier) -> Answer:
    body = OutcomeOut(
        fiche_id=dossier.fiche_id,
        status=dossier.status,
        status_label=LABELS[dossier.status],
        revision=dossier.revision,
        avis=dossier.avis.kind if dossier.avis else None,
        validation_reference=dossier.validation.reference if dossier.validation else None,
    )
    return Answer(200, body, revision=dossier.revision)


def _asked_avis(body: AvisIn) -> AskedAvis:
    return AskedAvis(body.avis, body.reasons, body.comment, body.prf_committed, body.acknowledged)


def _shown(listed: Listed) -> ListedOut:
    return ListedOut(**listed.__dict__, status_label=LABELS[listed.status])


def _cursor(listed: Listed) -> str:
    return base64.urlsafe_b64encode(f"{listed.opened_at.isoformat()} {listed.fiche_id}".encode()).decode()


def _place(cursor: str) -> Place:
    """Return the place a cursor names; raises `InvalidInput` for one that this service did not make."""
    try:
        at, identifier = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii").split(" ")
        place = Place(dt.datetime.fromisoformat(at), UUID(identifier))
    except ValueError:
        place = None
    if place is None or place.opened_at.tzinfo is None:
        message = "Reprenez la valeur «\u202fnext\u202f» de la page précédente."
        raise InvalidInput(Objection("CURSOR_UNFIT", message, field="after"))
    return place
