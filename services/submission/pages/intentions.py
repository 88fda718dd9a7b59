"""An intention: the job, the zone, the period and the seats, before provider and content are known; later it becomes a draft."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response

from services.submission import preparation_cases as story
from services.submission.bodies import IntentionIn, filed_out
from services.submission.domain.case import Given
from services.submission.domain.preparation import Preparation
from services.submission.domain.sources import ONE_NAME
from services.submission.pages.drafts import own_draft
from services.submission.pages.form_choices import words_of
from services.submission.pages.year_forms import MOVED, at_revision
from services.submission.reference.lists import ListName, reference_list
from services.submission.store import Fiches
from shared.contracts.fiche import fiche_id as id_of
from shared.errors import NotAllowedNow, NotFound, Objection, Refused
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted, posted
from shared.web.french import by_label
from shared.web.pages import page_router, render, see_other

router = page_router()
TYPED: Final = ("title", "rome", "main_formacode", "branch_idcc", "zone_emploi", "starts_from", "starts_until")
COUNTED: Final = ("programme_year", "seats", "sessions")


@router.get("/intentions/nouvelle")
async def new_intention_page(request: Request) -> Response:
    """Show the form of an intention."""
    principal = await signed_in(request)
    authorize(principal, "preprogramme_fiche")
    year = (await database(request).now()).year
    return _page(request, principal, None, Entry.of({"programme_year": year, "sessions": 1}))


@router.post("/intentions/nouvelle")
async def post_new_intention_page(request: Request) -> Response:
    """Announce what is meant."""
    async with posted(request) as sent:
        authorize(sent.principal, "preprogramme_fiche")
        outcome = await _announce(request, sent, sent.text("reference"), new=True)
        if isinstance(outcome, Refused):
            return _page(request, sent.principal, None, sent.entry(outcome, strip="intention."), outcome.status)
    return see_other(f"/espace/fiches/{id_of(sent.principal.organisation, sent.text('reference'))}", fait="intention")


@router.get("/intentions/{fiche_id}")
async def intention_page(request: Request, fiche_id: UUID) -> Response:
    """Show the form of an intention that was announced, to announce it anew."""
    principal = await signed_in(request)
    held = await _announced(request, principal, fiche_id)
    meant = held.intention.model_dump() if held.intention else {}
    return _page(request, principal, held, Entry.of(meant, revision=held.revision))


@router.post("/intentions/{fiche_id}")
async def post_intention_page(request: Request, fiche_id: UUID) -> Response:
    """Announce it anew."""
    async with posted(request) as sent:
        held = await _announced(request, sent.principal, fiche_id)
        outcome = await _announce(request, sent, held.reference)
        if isinstance(outcome, Refused):
            held = await _announced(request, sent.principal, fiche_id)
            entry = at_revision(sent.entry(outcome, strip="intention."), held.revision, outcome.status)
            return _page(request, sent.principal, held, entry, outcome.status)
    return see_other(f"/espace/fiches/{fiche_id}", fait="intention")


async def _announced(request: Request, principal: Principal, fiche_id: UUID) -> Preparation:
    authorize(principal, "preprogramme_fiche")
    held = await own_draft(request, principal, fiche_id)
    if held.intention is None:
        raise NotFound(Objection("NO_INTENTION", "Aucune intention n’est annoncée sous cette référence."))
    return held


async def _announce(request: Request, sent: Posted, reference: str, new: bool = False) -> Any:
    """Carry the announcement out through the door of the API; a new one takes no reference that is in use."""
    given: Given = request.app.state.settings.given()

    def ids(principal: Principal, body: IntentionIn) -> list[UUID]:
        return [id_of(principal.organisation, body.reference)]

    def act(fiches: Fiches, ask: Ask[IntentionIn]) -> Answer:
        body = ask.body
        if new and fiches.get(id_of(ask.principal.organisation, body.reference)) is not None:
            raise NotAllowedNow(
                Objection(
                    "REFERENCE_TAKEN",
                    "Cette référence est déjà prise\u202f: choisissez-en une autre.",
                    ONE_NAME,
                    "reference",
                )
            )
        revision = None if new else ask.required_revision()
        done = story.preprogramme_fiche(
            fiches, ask.principal, body.reference, body.intention, body.acknowledged, given, ask.at, revision
        )
        return Answer(201, filed_out(done), revision=done.fiche.revision, location=f"/fiches/{done.fiche.id}")

    return await sent.command(IntentionIn, _document(sent, reference), ids, act)


def _document(sent: Posted, reference: str) -> Mapping[str, Any]:
    typed = {name: sent.given(name) for name in TYPED} | {name: sent.whole(name) for name in COUNTED}
    said = {name: value for name, value in typed.items() if value is not None}
    return {"reference": reference, "intention": said, "acknowledged": sent.acknowledged}


def _page(
    request: Request, principal: Principal, held: Preparation | None, entry: Entry, status: int = 200
) -> Response:
    branches = reference_list(ListName.BRANCHES).entries.values()
    return render(
        request,
        "intention.html",
        status=status,
        held=held,
        entry=entry,
        moved=status in MOVED,
        rome=sorted(words_of(ListName.ROME).items(), key=lambda one: one[1]),
        zones=by_label(words_of(ListName.ZONES).items()),
        branches=[(one.code, one.label) for one in branches if one.opco == principal.organisation],
    )
