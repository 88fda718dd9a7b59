"""HTTP in: what an OPCO prepares before it files. A draft or an intention that is there already is changed on the revision read."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.submission import preparation_cases as story
from services.submission.bodies import (
    DraftIn,
    FiledOut,
    IntentionIn,
    RenewalIn,
    RetroplanningOut,
    filed_out,
    retroplanning_out,
)
from services.submission.domain.dates import civil_date
from services.submission.domain.preparation import Preparation
from services.submission.domain.preparing import Prepared
from services.submission.domain.retroplanning import retroplanning
from services.submission.form_fields import fields_of, typed_start, unfit_fields
from services.submission.preparation_cases import Renewal
from services.submission.store import Fiches
from services.submission.use_cases import read_fiche
from services.submission.working_days import is_working_day
from shared.contracts.fiche import fiche_id as id_of
from shared.errors import InvalidInput
from shared.http import Answer, Ask, answers, database, door, ok, signed_in, takes
from shared.identity import Principal
from shared.policy import authorize

router = APIRouter(prefix="/fiches", tags=["préparation"])


@router.post("/intentions", status_code=201, openapi_extra=takes(IntentionIn), responses=answers(FiledOut, 201))
async def post_intention(request: Request) -> Response:
    """Announce what is meant, before provider and content are known (OPCO; If-Match where it is announced anew)."""
    given = request.app.state.settings.given()

    def act(fiches: Fiches, ask: Ask[IntentionIn]) -> Answer:
        authorize(ask.principal, "preprogramme_fiche")
        body, revision = ask.body, _revision(fiches, ask, ask.body.reference)
        done = story.preprogramme_fiche(
            fiches, ask.principal, body.reference, body.intention, body.acknowledged, given, ask.at, revision
        )
        return _answer(done)

    return await door(request).command(request, IntentionIn, _named, act)


@router.post("/drafts", status_code=201, openapi_extra=takes(DraftIn), responses=answers(FiledOut, 201))
async def post_draft(request: Request) -> Response:
    """Keep what stands in the form, half-typed as it may be (OPCO; If-Match where the draft is there already)."""

    def act(fiches: Fiches, ask: Ask[DraftIn]) -> Answer:
        authorize(ask.principal, "draft_fiche")
        body, revision = ask.body, _revision(fiches, ask, ask.body.reference)
        if unfit := list(unfit_fields(body.fields)):
            raise InvalidInput(*unfit)
        return _answer(story.draft_fiche(fiches, ask.principal, body.reference, body.fields, ask.at, revision))

    return await door(request).command(request, DraftIn, _named, act)


@router.post("/{fiche_id}/renewal", status_code=201, openapi_extra=takes(RenewalIn), responses=answers(FiledOut, 201))
async def post_renewal(request: Request, fiche_id: UUID) -> Response:
    """Take a fiche of an earlier year up again: a draft with its fields and the dates of the new year (OPCO)."""

    def ids(principal: Principal, body: RenewalIn) -> list[UUID]:
        return [fiche_id, id_of(principal.organisation, body.reference)]

    def act(fiches: Fiches, ask: Ask[RenewalIn]) -> Answer:
        renewal = Renewal(fiche_id, ask.body.reference, ask.body.programme_year, fields_of)
        return _answer(story.renew_fiche(fiches, ask.principal, renewal, ask.at))

    return await door(request).command(request, RenewalIn, ids, act)


@router.get("/{fiche_id}/retroplanning", responses=answers(RetroplanningOut))
async def get_retroplanning(request: Request, fiche_id: UUID) -> Response:
    """Say from the first start back what has to be done by when, and what is late today."""
    principal = await signed_in(request)
    held = await read_fiche(database(request), principal, fiche_id)
    today = civil_date(await database(request).now())
    start = typed_start(held.fields) if isinstance(held, Preparation) else None
    return ok(retroplanning_out(held, today, retroplanning(held, today, is_working_day, start)))


def _named(principal: Principal, body: IntentionIn | DraftIn) -> list[UUID]:
    return [id_of(principal.organisation, body.reference)]


def _revision(fiches: Fiches, ask: Ask[IntentionIn] | Ask[DraftIn], reference: str) -> int | None:
    """Return the revision that was read: needed where something is prepared, so that two people do not overwrite each other."""
    return story.revision_named(fiches, ask.principal, reference, ask.if_match)


def _answer(done: Prepared) -> Answer:
    return Answer(201, filed_out(done), revision=done.fiche.revision, location=f"/fiches/{done.fiche.id}")
