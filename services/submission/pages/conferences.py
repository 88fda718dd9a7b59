"""Conferences: when they were held, their agenda, what they decided; put on record and corrected by the DREETS, read by everybody."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from services.submission import yearbook_read_cases as reads
from services.submission import yearbook_use_cases as story
from services.submission.domain.conferences import Conference, Recording, conference_id
from services.submission.pages.year_forms import MOVED, at_revision, may, take
from services.submission.yearbook_answers import conference_out, resolutions
from services.submission.yearbook_bodies import ConferenceIn, CorrectionIn
from services.submission.yearbook_place_answers import cut, day_of
from services.submission.yearbook_store import Yearbook
from services.submission.yearbook_use_cases import On
from shared.errors import Refused
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted, posted
from shared.web.pages import page_router, render, see_other

router = page_router()
PAGE: Final = 10
"""Conferences, or versions of the record of one, on one page."""


@router.get("/conferences")
async def conferences_page(request: Request, fait: str = "", apres: str = "") -> Response:
    """Show the conferences on record, the latest first."""
    principal = await signed_in(request)
    before = day_of(apres) if apres else None
    found, last = cut(await reads.read_conferences(database(request), principal, before, PAGE + 1), PAGE)
    return render(
        request,
        "year/conferences.html",
        conferences=found,
        first="/espace/conferences" if apres else None,
        following=f"/espace/conferences?apres={last.held_on.isoformat()}" if last else None,
        manages=may(principal, "manage_yearbook"),
        done=fait,
    )


@router.get("/conferences/{conference_id}/versions")
async def conference_versions_page(
    request: Request, conference_id: UUID, apres: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Response:
    """Show how a conference stood on record, the last version first."""
    principal = await signed_in(request)
    held = await reads.read_conference(database(request), principal, conference_id)
    found = await reads.read_conference_history(database(request), principal, conference_id, apres, PAGE + 1)
    history, last = cut(found, PAGE)
    here = f"/espace/conferences/{conference_id}/versions"
    return render(
        request,
        "year/conference_versions.html",
        held=held,
        history=history,
        first=here if apres else None,
        following=f"{here}?apres={last.revision}" if last else None,
    )


@router.get("/conferences/nouvelle")
async def new_conference_page(request: Request) -> Response:
    """Show the form that puts a conference on record."""
    authorize(await signed_in(request), "manage_yearbook")
    return render(request, "year/conference_new.html", entry=Entry.of({}))


@router.post("/conferences/nouvelle")
async def post_new_conference_page(request: Request) -> Response:
    """Put a conference on record: a point of the agenda a line, a decision a line."""

    def document(sent: Posted) -> Mapping[str, Any]:
        return {
            "held_on": sent.given("held_on"),
            "agenda": _lines(sent.text("agenda")),
            "decisions": [{"text": line} for line in _lines(sent.text("decisions"))],
            "acknowledged": sent.acknowledged,
        }

    def ids(_principal: Principal, body: ConferenceIn) -> list[UUID]:
        return [conference_id(body.held_on)]

    def act(book: Yearbook, ask: Ask[ConferenceIn]) -> Answer:
        body = ask.body
        recording = Recording(body.agenda, resolutions(body.decisions), body.acknowledged, ask.at, story.linked(book))
        decided = story.record_conference(book, ask.principal, body.held_on, recording)
        made = decided.state
        return Answer(201, conference_out(made), revision=made.revision, location=f"/conferences/{made.id}")

    async def again(_principal: Principal, entry: Entry, status: int) -> Response:
        return render(request, "year/conference_new.html", status=status, entry=entry)

    return await take(
        request, "manage_yearbook", ConferenceIn, document, ids, act, again, "/espace/conferences?fait=inscrite"
    )


@router.get("/conferences/{conference_id}/correction")
async def correction_page(request: Request, conference_id: UUID) -> Response:
    """Show the record of a conference in a form."""
    principal = await signed_in(request)
    authorize(principal, "manage_yearbook")
    held = await reads.read_conference(database(request), principal, conference_id)
    typed = {"agenda": "\n".join(held.now.agenda), "decisions": "\n".join(one.text for one in held.now.decisions)}
    return _correction(request, held, Entry.of(typed, revision=held.revision))


@router.post("/conferences/{conference_id}/correction")
async def post_correction_page(request: Request, conference_id: UUID) -> Response:
    """Put something else on record; a decision whose words stay keeps what it is linked to."""
    async with posted(request) as sent:
        authorize(sent.principal, "manage_yearbook")
        held = await reads.read_conference(database(request), sent.principal, conference_id)

        def ids(_principal: Principal, body: CorrectionIn) -> list[UUID]:
            return [conference_id, *dict.fromkeys(one.decides for one in body.decisions if one.decides is not None)]

        def act(book: Yearbook, ask: Ask[CorrectionIn]) -> Answer:
            body, on = ask.body, On(ask.principal, conference_id, ask.required_revision())
            said = resolutions(body.decisions)
            recording = Recording(body.agenda, said, body.acknowledged, ask.at, story.linked(book), body.reason)
            made = story.correct_conference(book, on, recording).state
            return Answer(200, conference_out(made), revision=made.revision)

        outcome = await sent.command(CorrectionIn, _corrected(sent, held), ids, act, way="yearbook")
        if isinstance(outcome, Refused):
            now = await reads.read_conference(database(request), sent.principal, conference_id)
            entry = at_revision(sent.entry(outcome), now.revision, outcome.status)
            return _correction(request, now, entry, outcome.status)
    return see_other("/espace/conferences", fait="corrigee")


def _corrected(sent: Posted, held: Conference) -> Mapping[str, Any]:
    linked = {one.text: one for one in held.now.decisions if one.decides is not None}
    return {
        "agenda": _lines(sent.text("agenda")),
        "decisions": [_resolution(line, linked) for line in _lines(sent.text("decisions"))],
        "reason": sent.given("reason"),
        "acknowledged": sent.acknowledged,
    }


def _correction(request: Request, held: Conference, entry: Entry, status: int = 200) -> Response:
    return render(
        request, "year/conference_correction.html", status=status, held=held, entry=entry, moved=status in MOVED
    )


def _resolution(text: str, linked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision as a program sends it; one of the same words keeps its link."""
    kept = linked.get(text)
    return {"text": text, "decides": str(kept.decides), "revision": kept.revision} if kept else {"text": text}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
