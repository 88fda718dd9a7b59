"""HTTP in: the OPCO's commands on its fiches, and the reads of all who may see them.

A command that changes the content says in If-Match which revision it was written on, as does one that files what is prepared;
the others may.
"""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from services.submission import use_cases as story
from services.submission.bodies import (
    AcceptanceIn,
    CancellationIn,
    ContentIn,
    CounterProposalIn,
    DeclineIn,
    EngagementIn,
    FicheIn,
    FicheOut,
    FichesOut,
    FiledOut,
    PlacementsIn,
    PostponementIn,
    PreparationOut,
    ProgrammationIn,
    StatusCountsOut,
    WithdrawalIn,
    counts_out,
    filed_out,
    held_out,
    listed_out,
)
from services.submission.domain.case import Given
from services.submission.domain.decisions import Decision, Filing
from services.submission.domain.preparing import Prepared
from services.submission.domain.sessions import NewDates
from services.submission.list_bodies import FILTERS, wanted_fiches
from services.submission.list_cases import read_counts
from services.submission.preparation_cases import read_renewed, revision_named
from services.submission.store import Fiches, Listed, Place, Wanted
from services.submission.use_cases import Asker
from shared.contracts.fiche import fiche_id as id_of
from shared.errors import InvalidInput, Objection
from shared.http import Answer, Ask, answers, database, door, ok, signed_in, takes
from shared.identity import Principal
from shared.policy import authorize

B = TypeVar("B", bound=BaseModel)
Number = Annotated[int, Path(ge=1, le=99)]
Act = Callable[[Fiches, Asker, Ask[B]], Decision | Prepared]
router = APIRouter(prefix="/fiches", tags=["fiches"])


@router.post("", status_code=201, openapi_extra=takes(FicheIn), responses=answers(FiledOut, 201))
async def post_fiche(request: Request) -> Response:
    """File a new fiche under the OPCO's own reference (OPCO; If-Match where a draft or an intention has it)."""
    given = _given(request)

    def ids(principal: Principal, body: FicheIn) -> list[UUID]:
        return [id_of(principal.organisation, body.reference), *story.partners_named(body)]

    def act(fiches: Fiches, ask: Ask[FicheIn]) -> Answer:
        authorize(ask.principal, "submit_fiche")
        body = ask.body
        revision = revision_named(fiches, ask.principal, body.reference, ask.if_match)
        filing = Filing(body.content, body.acknowledged, ask.at, body.outside_campaign)
        return _answer(story.submit_fiche(fiches, ask.principal, body.reference, filing, given, revision), 201)

    return await door(request).command(request, FicheIn, ids, act)


Chosen = Annotated[Wanted, Depends(wanted_fiches)]


@router.get("", responses=answers(FichesOut))
async def get_fiches(
    request: Request,
    wanted: Chosen,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """Return a page of the fiches the caller may see, the newest first; `Link` names the next page."""
    principal = await signed_in(request)
    place = _place(after) if after else None
    found = await story.read_fiches(database(request), principal, wanted, place, limit + 1)
    page = found[:limit]
    following = _cursor(page[-1]) if len(found) > limit else None
    links = {"Link": f'<{_next_page(request, following, limit)}>; rel="next"'} if following else {}
    return ok(FichesOut(fiches=tuple(map(listed_out, page)), next=following), headers=links)


@router.get("/counts", responses=answers(StatusCountsOut))
async def get_counts(request: Request, wanted: Chosen) -> Response:
    """Return how many fiches the caller may see in each status, by the same filters as the list; `status` changes nothing."""
    return ok(counts_out(await read_counts(database(request), await signed_in(request), wanted)))


@router.get("/{fiche_id}", responses=answers(FicheOut | PreparationOut))
async def get_fiche(request: Request, fiche_id: UUID) -> Response:
    """Return a fiche, filed or prepared; its ETag is what a command repeats in If-Match."""
    principal = await signed_in(request)
    held = await story.read_fiche(database(request), principal, fiche_id)
    renewed = await read_renewed(database(request), principal, held)
    return ok(held_out(held, principal.organisation, renewed), revision=held.revision)


@router.post("/{fiche_id}/completion", openapi_extra=takes(ContentIn), responses=answers(FiledOut))
async def post_completion(request: Request, fiche_id: UUID) -> Response:
    """Answer a request for completion with the whole content (OPCO; If-Match)."""
    given = _given(request)

    def act(fiches: Fiches, asker: Asker, ask: Ask[ContentIn]) -> Decision:
        return story.complete_fiche(fiches, asker, Filing(ask.body.content, ask.body.acknowledged, ask.at), given)

    return await _decided(request, fiche_id, "complete_fiche", ContentIn, act, changes_content=True)


@router.post("/{fiche_id}/amendment", openapi_extra=takes(ContentIn), responses=answers(FiledOut))
async def post_amendment(request: Request, fiche_id: UUID) -> Response:
    """Change the content (OPCO; If-Match)."""
    given = _given(request)

    def act(fiches: Fiches, asker: Asker, ask: Ask[ContentIn]) -> Decision:
        return story.amend_fiche(fiches, asker, Filing(ask.body.content, ask.body.acknowledged, ask.at), given)

    return await _decided(request, fiche_id, "amend_fiche", ContentIn, act, changes_content=True)


@router.post("/{fiche_id}/adaptation/acceptance", openapi_extra=takes(AcceptanceIn), responses=answers(FiledOut))
async def post_adaptation_acceptance(request: Request, fiche_id: UUID) -> Response:
    """Take the proposed adaptation over as it is (OPCO; If-Match)."""
    given = _given(request)

    def act(fiches: Fiches, asker: Asker, ask: Ask[AcceptanceIn]) -> Decision:
        return story.accept_adaptation(fiches, asker, ask.body.acknowledged, given, ask.at)

    return await _decided(request, fiche_id, "accept_adaptation", AcceptanceIn, act, changes_content=True)


@router.post("/{fiche_id}/adaptation/refusal", openapi_extra=takes(DeclineIn), responses=answers(FiledOut))
async def post_adaptation_refusal(request: Request, fiche_id: UUID) -> Response:
    """Keep the content in spite of the proposed adaptation (OPCO)."""

    def act(fiches: Fiches, asker: Asker, ask: Ask[DeclineIn]) -> Decision:
        return story.decline_adaptation(fiches, asker, ask.body.reason, ask.body.acknowledged, ask.at)

    return await _decided(request, fiche_id, "decline_adaptation", DeclineIn, act)


@router.post(
    "/{fiche_id}/adaptation/counter-proposal", openapi_extra=takes(CounterProposalIn), responses=answers(FiledOut)
)
async def post_counter_proposal(request: Request, fiche_id: UUID) -> Response:
    """Answer a proposed adaptation with another content (OPCO; If-Match)."""
    given = _given(request)

    def act(fiches: Fiches, asker: Asker, ask: Ask[CounterProposalIn]) -> Decision:
        filing = Filing(ask.body.content, ask.body.acknowledged, ask.at)
        return story.counter_propose(fiches, asker, filing, ask.body.reason, given)

    return await _decided(request, fiche_id, "counter_propose", CounterProposalIn, act, changes_content=True)


@router.post("/{fiche_id}/programmation", openapi_extra=takes(ProgrammationIn), responses=answers(FiledOut))
async def post_programmation(request: Request, fiche_id: UUID) -> Response:
    """Say that the validated fiche is really programmed (OPCO)."""

    def act(fiches: Fiches, asker: Asker, ask: Ask[ProgrammationIn]) -> Decision:
        return story.confirm_programmation(fiches, asker)

    return await _decided(request, fiche_id, "confirm_programmation", ProgrammationIn, act)


@router.post("/{fiche_id}/withdrawal", openapi_extra=takes(WithdrawalIn), responses=answers(FiledOut))
async def post_withdrawal(request: Request, fiche_id: UUID) -> Response:
    """Take the fiche back for good, or drop what was prepared (OPCO)."""

    def act(fiches: Fiches, asker: Asker, ask: Ask[WithdrawalIn]) -> Decision | Prepared:
        return story.withdraw_fiche(fiches, asker, ask.body.reason, ask.at)

    return await _decided(request, fiche_id, "withdraw_fiche", WithdrawalIn, act)


@router.post("/{fiche_id}/sessions/{number}/engagement", openapi_extra=takes(EngagementIn), responses=answers(FiledOut))
async def post_engagement(request: Request, fiche_id: UUID, number: Number) -> Response:
    """Say go for a session (OPCO)."""

    def act(fiches: Fiches, asker: Asker, ask: Ask[EngagementIn]) -> Decision:
        body = ask.body
        return story.engage_session(fiches, asker, number, body.enrolled, body.forced_reason, body.acknowledged)

    return await _decided(request, fiche_id, "engage_session", EngagementIn, act)


@router.post(
    "/{fiche_id}/sessions/{number}/postponement", openapi_extra=takes(PostponementIn), responses=answers(FiledOut)
)
async def post_postponement(request: Request, fiche_id: UUID, number: Number) -> Response:
    """Give a session other dates (OPCO; If-Match)."""
    given = _given(request)

    def act(fiches: Fiches, asker: Asker, ask: Ask[PostponementIn]) -> Decision:
        body = ask.body
        to = NewDates(body.start, body.end, body.motive, body.acknowledged, body.cause)
        return story.postpone_session(fiches, asker, number, to, given, ask.at)

    return await _decided(request, fiche_id, "postpone_session", PostponementIn, act, changes_content=True)


@router.post(
    "/{fiche_id}/sessions/{number}/cancellation", openapi_extra=takes(CancellationIn), responses=answers(FiledOut)
)
async def post_cancellation(request: Request, fiche_id: UUID, number: Number) -> Response:
    """Say that a session will not take place (OPCO)."""

    def act(fiches: Fiches, asker: Asker, ask: Ask[CancellationIn]) -> Decision:
        return story.cancel_session(fiches, asker, number, ask.body.motive, ask.body.cause)

    return await _decided(request, fiche_id, "cancel_session", CancellationIn, act)


@router.post("/{fiche_id}/sessions/{number}/placements", openapi_extra=takes(PlacementsIn), responses=answers(FiledOut))
async def post_placements(request: Request, fiche_id: UUID, number: Number) -> Response:
    """Say what became of the group of a session, at its end or three months after; again: correct it (OPCO)."""

    def act(fiches: Fiches, asker: Asker, ask: Ask[PlacementsIn]) -> Decision:
        return story.return_placements(fiches, asker, number, ask.body.placements, ask.at)

    return await _decided(request, fiche_id, "return_placements", PlacementsIn, act)


async def _decided(
    request: Request,
    fiche_id: UUID,
    operation: str,
    body_type: type[B],
    act: Act[B],
    *,
    changes_content: bool = False,
) -> Response:
    """Carry a command out on one fiche; who may not do it is told so before being asked for a revision."""

    def answer(fiches: Fiches, ask: Ask[B]) -> Answer:
        authorize(ask.principal, operation)
        revision = ask.required_revision() if changes_content else ask.if_match
        return _answer(act(fiches, Asker(ask.principal, fiche_id, revision), ask), 200)

    def ids(_principal: Principal, body: B) -> list[UUID]:
        return [fiche_id, *story.partners_named(body)]

    return await door(request).command(request, body_type, ids, answer)


def _answer(decision: Decision | Prepared, status: int) -> Answer:
    fiche = decision.fiche
    location = f"/fiches/{fiche.id}" if status == 201 else None
    return Answer(status, filed_out(decision), revision=fiche.revision, location=location)


def _given(request: Request) -> Given:
    given: Given = request.app.state.settings.given()
    return given


def _next_page(request: Request, cursor: str, limit: int) -> str:
    """Return the address of the next page: the same filters, from here on; what is no filter is not repeated."""
    chosen = [(name, value) for name, value in request.query_params.multi_items() if name in FILTERS]
    return f"/fiches?{urlencode([*chosen, ('limit', limit), ('after', cursor)])}"


def _cursor(listed: Listed) -> str:
    return base64.urlsafe_b64encode(f"{listed.submitted_at.isoformat()} {listed.fiche_id}".encode()).decode()


def _place(cursor: str) -> Place:
    """Return the place a cursor names; raises `InvalidInput` for one that this service did not make."""
    try:
        at, identifier = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii").split(" ")
        moment = dt.datetime.fromisoformat(at)
        place = Place(moment.astimezone(dt.UTC), UUID(identifier)) if moment.tzinfo else None
    except (ValueError, OverflowError):  # a moment at the end of the calendar may have none in UTC
        place = None
    if place is None:
        message = "Reprenez la valeur «\u202fnext\u202f» de la page précédente."
        raise InvalidInput(Objection("CURSOR_UNFIT", message, field="after"))
    return place
