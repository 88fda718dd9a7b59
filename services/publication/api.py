"""HTTP in: the catalogue in LHÉO, the check of a validation, sessions, and AIS and AES from France Travail's systems."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.publication import lheo
from services.publication import use_cases as story
from services.publication.domain.facts import Limits, Standing
from services.publication.domain.lifecycle import SCREEN_WORDS, SessionStatus
from services.publication.domain.session import CatalogueSession
from services.publication.store import (
    Checked,
    Shown,
    checked_place,
    checked_reference,
    listed_fiches,
    one_session,
    sessions_page,
)
from services.publication.use_cases import Batch
from shared.contracts.days import Day
from shared.contracts.fiche import Value
from shared.contracts.ingress import AesRow, AisRow, RowOut
from shared.errors import InvalidInput, NotFound, Objection
from shared.http import Answer, answers, database, door, ok, signed_in, takes
from shared.identity import Principal, service_principal
from shared.policy import authorize, limited_to

router = APIRouter(tags=["publication"])
API: Final = service_principal("publication", "api")
"""Reads what is public to everybody who is signed in: the catalogue, and what was validated."""


class AisIn(Value):
    """AIS to record: up to 500, each with an id of its own."""

    rows: Annotated[tuple[AisRow, ...], Field(min_length=1, max_length=500)]


class CancellationsIn(Value):
    """AIS to cancel, by their ids: up to 500."""

    ais_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]


class AesIn(Value):
    """Effective entries to record: up to 500, each with an id of its own."""

    rows: Annotated[tuple[AesRow, ...], Field(min_length=1, max_length=500)]


class BatchOut(BaseModel):
    """What a batch led to: the session's status and counts after it, and an answer per row, in order."""

    session_id: UUID
    status: str
    ais: int
    aes: int
    rows: tuple[RowOut, ...]


class SessionOut(BaseModel):
    """A session in the catalogue; `ais` is net of cancelled ones, `reference` the validation's."""

    session_id: UUID
    fiche_id: UUID
    opco: str
    number: int
    status: str
    label: str
    reason: str | None
    reference: str | None
    start: dt.date
    end: dt.date
    seats: int
    ais: int
    aes: int


class SessionsOut(BaseModel):
    """A page of sessions by id; `next` is the `after` of the next page, None on the last one."""

    sessions: list[SessionOut]
    next: UUID | None


class CheckOut(BaseModel):
    """Whether a fiche is validated now, by whom, when, under which reference; else what holds instead.

    `standing`: `unknown`, or what holds of the fiche (`submitted`, `validated`, `confirmed`, `to_renew`, `refused`, `withdrawn`),
    `superseded` for a reference that a newer validation replaced, `session_removed` where only the session is gone.
    """

    validated: bool
    standing: str
    message: str
    validated_by: str | None = None
    validated_on: dt.date | None = None
    reference: str | None = None
    opco: str | None = None
    fiche_id: UUID | None = None
    sessions: list[UUID] = []


@router.post("/sessions/{session_id}/ais", openapi_extra=takes(AisIn), responses=answers(BatchOut))
async def post_ais(request: Request, session_id: UUID) -> Response:
    """Record AIS of a session that recruits."""
    limits = _limits(request)
    return await door(request).command(
        request,
        AisIn,
        lambda _, body: [session_id, *(row.ais_id for row in body.rows)],
        lambda listing, ask: _done(story.record_ais(listing, ask.principal, session_id, ask.body.rows, ask.at, limits)),
    )


@router.post(
    "/sessions/{session_id}/ais-cancellations", openapi_extra=takes(CancellationsIn), responses=answers(BatchOut)
)
async def post_ais_cancellations(request: Request, session_id: UUID) -> Response:
    """Cancel AIS of a session."""
    limits = _limits(request)
    return await door(request).command(
        request,
        CancellationsIn,
        lambda _, body: [session_id, *body.ais_ids],
        lambda listing, ask: _done(
            story.cancel_ais(listing, ask.principal, session_id, ask.body.ais_ids, ask.at, limits)
        ),
    )


@router.post("/sessions/{session_id}/aes", openapi_extra=takes(AesIn), responses=answers(BatchOut))
async def post_aes(request: Request, session_id: UUID) -> Response:
    """Record effective entries of a session."""
    limits = _limits(request)
    return await door(request).command(
        request,
        AesIn,
        lambda _, body: [session_id, *(i for row in body.rows for i in (row.aes_id, row.ais_id) if i)],
        lambda listing, ask: _done(story.record_aes(listing, ask.principal, session_id, ask.body.rows, ask.at, limits)),
    )


@router.get("/sessions", responses=answers(SessionsOut))
async def get_sessions(
    request: Request,
    status: SessionStatus | None = None,
    fiche_id: UUID | None = None,
    after: UUID = UUID(int=0),  # noqa: B008  # immutable
    limit: int = Query(100, ge=1, le=500),
) -> Response:
    """List sessions, an OPCO its own, the others all."""
    principal = await signed_in(request)
    authorize(principal, "read_sessions")
    only = limited_to(principal, "read_sessions")
    named = status.value if status else None
    found = await sessions_page(database(request), _seer(principal), named, fiche_id, only, after, limit)
    following = found[-1].session.id if len(found) == limit else None
    return ok(SessionsOut(sessions=[_session_out(shown) for shown in found], next=following))


@router.get("/sessions/{session_id}", responses=answers(SessionOut))
async def get_session(request: Request, session_id: UUID) -> Response:
    """Show one session."""
    principal = await signed_in(request)
    authorize(principal, "read_sessions")
    shown = await one_session(database(request), _seer(principal), session_id)
    if shown is None:
        raise NotFound(story.UNKNOWN_SESSION)
    authorize(principal, "read_sessions", shown.session.opco, unknown=story.UNKNOWN_SESSION)
    return ok(_session_out(shown))


@router.get("/check", responses=answers(CheckOut))
async def get_check(
    request: Request,
    reference: str | None = Query(None, min_length=1, max_length=100),
    siret: str | None = Query(None, pattern=r"^[0-9]{14}$"),
    insee: str | None = Query(None, pattern=r"^[0-9AB]{5}$"),
    start: Day | None = None,
) -> Response:
    """Say whether what a provider shows is validated: by the validation's reference, or by SIRET, commune and first day."""
    principal = await signed_in(request)
    authorize(principal, "check_validation", siret)
    if reference is not None:
        found = await checked_reference(database(request), API, reference)
        return ok(_check_out(found if found and _may_check(principal, found) else None, reference))
    if siret is None or insee is None or start is None:
        message = "Donnez la référence de validation (reference), ou le SIRET, la commune et le premier jour (siret, insee, start)."
        raise InvalidInput(Objection("CHECK_BY", message))
    return ok(_check_out(await checked_place(database(request), API, siret, insee, start), None))


@router.get(
    "/catalogue.xml",
    response_class=Response,
    responses={
        **answers(BatchOut),
        200: {"content": {"application/xml": {"schema": {"type": "string"}}}, "description": "LHÉO 2.3"},
        204: {"description": "Le catalogue est vide\u202f: LHÉO 2.3 ne connaît pas de document sans formation"},
    },
)
async def get_catalogue(request: Request) -> Response:
    """Give the whole catalogue in LHÉO 2.3, streamed; 204 while it is empty, as LHÉO has no empty document."""
    authorize(await signed_in(request), "read_catalogue")
    formations = _formations(request)
    first = await anext(formations, None)
    if first is None:
        return Response(status_code=204)
    return StreamingResponse(_document(first, formations), media_type="application/xml")


def _seer(principal: Principal) -> Principal:
    """Return as whom sessions are read: an agency, which owns no row, sees the whole programme."""
    return API if "agency" in principal.roles else principal


def _may_check(principal: Principal, found: Checked) -> bool:
    """Return whether the caller may learn of this fiche: a training provider speaks for its own SIRET."""
    content = found.facts.content
    try:
        authorize(principal, "check_validation", content.provider.siret if content else "")
    except NotFound:
        return False
    return True


async def _formations(request: Request) -> AsyncIterator[bytes]:
    async for facts, sessions in listed_fiches(database(request), API):
        yield lheo.formation_xml(facts, sessions)


async def _document(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield lheo.PROLOGUE + first
    async for formation in others:
        yield formation
    yield lheo.EPILOGUE


def _limits(request: Request) -> Limits:
    limits: Limits = request.app.state.settings.limits()
    return limits


def _done(batch: Batch) -> Answer:
    session = batch.session
    body = BatchOut(
        session_id=session.id, status=session.status.value, ais=session.ais, aes=session.aes, rows=batch.rows
    )
    return Answer(200, body)


def _session_out(shown: Shown) -> SessionOut:
    session, plan = shown.session, shown.session.plan
    return SessionOut(
        session_id=session.id,
        fiche_id=session.fiche_id,
        opco=session.opco,
        number=session.number,
        status=session.status.value,
        label=SCREEN_WORDS[session.status],
        reason=session.reason.value if session.reason else None,
        reference=shown.reference,
        start=plan.start,
        end=plan.end,
        seats=plan.seats,
        ais=session.ais,
        aes=session.aes,
    )


_VALID: Final = frozenset({Standing.VALIDATED, Standing.CONFIRMED})
_NOT: Final = "Non validée\u202f: "
_MESSAGES: Final[dict[str, str]] = {
    "unknown": f"{_NOT}aucune validation ne répond à ces indications.",
    "superseded": f"{_NOT}cette référence a été remplacée par une validation plus récente.",
    "session_removed": f"{_NOT}la session a été annulée.",
    Standing.SUBMITTED: f"{_NOT}la fiche est déposée.",
    Standing.VALIDATED: "Validée.",
    Standing.CONFIRMED: "Validée, programmation confirmée par l’OPCO.",
    Standing.TO_RENEW: f"{_NOT}l’avis est à renouveler.",
    Standing.REFUSED: f"{_NOT}la fiche a été refusée.",
    Standing.WITHDRAWN: f"{_NOT}la fiche a été retirée par l’OPCO.",
}


def _check_out(found: Checked | None, reference: str | None) -> CheckOut:
    """Return what holds now of a fiche that was found; `reference` where it was found by one."""
    if found is None:
        return CheckOut(validated=False, standing="unknown", message=_MESSAGES["unknown"])
    facts, said = found.facts, found.facts.validation
    live = [session for session in found.sessions if session.status is not SessionStatus.REMOVED]
    standing = _standing(found, live, reference)
    return CheckOut(
        validated=standing in _VALID,
        standing=standing,
        message=_MESSAGES[standing],
        validated_by=said.validated_by,
        validated_on=said.validated_on,
        reference=said.reference,
        opco=facts.opco,
        fiche_id=facts.id,
        sessions=[session.id for session in live],
    )


def _standing(found: Checked, live: list[CatalogueSession], reference: str | None) -> str:
    holds = found.standing in _VALID
    if holds and reference is not None and reference != found.facts.validation.reference:
        return "superseded"
    if holds and found.sessions and not live:
        return "session_removed"
    return found.standing.value
