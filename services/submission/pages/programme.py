"""The programme of a year as the conference adopts it: the form of its targets, and what every revision changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from services.submission import yearbook_read_cases as reads
from services.submission import yearbook_use_cases as story
from services.submission.domain.dates import civil_date
from services.submission.domain.targets import Adopted, Adopting, Programme
from services.submission.pages.figures import known_year, most_rows
from services.submission.pages.form_choices import words_of
from services.submission.pages.year_forms import MOVED, at_revision, take
from services.submission.reference.lists import ListName
from services.submission.yearbook_answers import programme_out
from services.submission.yearbook_bodies import AdoptionIn
from services.submission.yearbook_place_answers import cut
from services.submission.yearbook_store import Yearbook
from shared.contracts.campaigns import Target, programme_id
from shared.contracts.references import OPCOS
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize, limited_to
from shared.web.entry import Entry
from shared.web.forms import Posted
from shared.web.pages import page_router, render

router = page_router()
PAGE: Final = 10
"""Revisions on one page, each with what it changed."""
SPARE: Final = 5
"""Empty lines under the targets that there are."""
MOST: Final = 400
"""Targets that a form takes (a form has 2,000 fields at most); a longer programme is revised by the API."""
_FIELDS: Final = ("opco", "rome", "number", "words")


@dataclass(frozen=True)
class Changed:
    """A target that a revision added, changed or took away: before and after in words, None where there is none."""

    opco: str
    rome: str
    before: str | None
    after: str | None


@router.get("/programmes/{year}/revisions")
async def revisions_page(
    request: Request, year: int, apres: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Response:
    """Show what each revision of a programme changed, the last one first; an OPCO sees its own targets."""
    principal = await signed_in(request)
    found = await _revisions(request, principal, known_year(year), apres)
    page, last = cut(found, PAGE)
    here = f"/espace/programmes/{year}/revisions"
    return render(
        request,
        "year/revisions.html",
        year=year,
        shown=[
            (one, _changed(before.targets if before else (), one.targets)) for one, before in _with_before(found, page)
        ],
        first=here if apres else None,
        following=f"{here}?apres={last.revision}" if last else None,
        own=limited_to(principal, "read_yearbook"),
        rome=words_of(ListName.ROME),
        opcos=OPCOS,
    )


async def _revisions(request: Request, principal: Principal, year: int, before: int | None) -> list[Adopted]:
    """Return one revision more than a page has: what the oldest of the page changed is seen beside it. None where none was adopted."""
    if await reads.read_programme(database(request), principal, year) is None:
        return []
    return await reads.read_revisions(database(request), principal, year, before, PAGE + 1)


def _with_before(found: Sequence[Adopted], page: Sequence[Adopted]) -> list[tuple[Adopted, Adopted | None]]:
    """Return each revision of a page beside the one before it."""
    return list(zip(page, [*found[1:], None][: len(page)], strict=True))


@router.get("/programmes/{year}/adoption")
async def adoption_page(request: Request, year: int) -> Response:
    """Show the targets of a year in a form, as they were adopted last."""
    principal = await signed_in(request)
    authorize(principal, "manage_yearbook")
    held = await _held(request, principal, known_year(year))
    typed: dict[str, object] = {
        f"targets.{n}.{name}": getattr(target, name)
        for n, target in enumerate(held.now.targets if held else ())
        for name in _FIELDS
    }
    typed["adopted_on"] = civil_date(await database(request).now())
    return _page(request, year, held, Entry.of(typed, revision=held.revision if held else None))


@router.post("/programmes/{year}/adoption")
async def post_adoption_page(request: Request, year: int) -> Response:
    """Adopt the programme of a year, or revise it: the whole of it."""
    rome = request.app.state.settings.given().references.rome

    def document(sent: Posted) -> Mapping[str, Any]:
        known_year(year)
        lines = [_line(sent, f"targets.{n}") for n in range(_rows(sent.values))]
        typed = [one for one in lines if any(value is not None for value in one.values())]
        return {"adopted_on": sent.given("adopted_on"), "targets": typed, "acknowledged": sent.acknowledged}

    def ids(_principal: Principal, _body: AdoptionIn) -> list[UUID]:
        return [programme_id(year)]

    def act(book: Yearbook, ask: Ask[AdoptionIn]) -> Answer:
        body = ask.body
        read = ask.required_revision() if book.programmes.get(programme_id(year)) else ask.if_match
        aimed = tuple(Target(**target.model_dump()) for target in body.targets)
        adopting = Adopting(body.adopted_on, aimed, body.acknowledged, ask.at, rome)
        made = story.adopt_programme(book, ask.principal, year, read, adopting)
        return Answer(200, programme_out(made.state, made.warnings), revision=made.state.revision)

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        held = await _held(request, principal, year)
        return _page(request, year, held, at_revision(entry, held.revision if held else None, status), status)

    async def more(principal: Principal, entry: Entry, status: int) -> Response:
        return _page(request, year, await _held(request, principal, year), entry, status)

    done = f"/espace/programmes/{year}?fait=adopte"
    return await take(request, "manage_yearbook", AdoptionIn, document, ids, act, again, done, more=more)


def _line(sent: Posted, at: str) -> dict[str, Any]:
    typed = {name: sent.given(f"{at}.{name}") for name in ("opco", "rome", "words")}
    return {**typed, "number": sent.whole(f"{at}.number")}


def _rows(values: Mapping[str, Sequence[str]]) -> int:
    """Return how many lines a form of targets has; no more than it takes."""
    places = [name.split(".")[1] for name in values if name.startswith("targets.")]
    return most_rows(places, MOST + SPARE)


async def _held(request: Request, principal: Principal, year: int) -> Programme | None:
    return await reads.read_programme(database(request), principal, year)


def _page(request: Request, year: int, held: Programme | None, entry: Entry, status: int = 200) -> Response:
    return render(
        request,
        "year/adoption.html",
        status=status,
        year=year,
        held=held,
        entry=entry,
        rows=min(_rows(entry.values), MOST) + SPARE,
        most=MOST + SPARE,
        too_long=held is not None and len(held.now.targets) > MOST,
        moved=status in MOVED,
        opcos=sorted(OPCOS.items(), key=lambda one: one[1]),
        rome=sorted(words_of(ListName.ROME).items(), key=lambda one: one[1]),
    )


def _changed(before: Sequence[Target], after: Sequence[Target]) -> list[Changed]:
    """Return in which targets two revisions differ."""
    was, now = ({(one.opco, one.rome): one for one in targets} for targets in (before, after))
    return [
        Changed(*key, _said(was.get(key)), _said(now.get(key)))
        for key in sorted({*was, *now})
        if _said(was.get(key)) != _said(now.get(key))
    ]


def _said(target: Target | None) -> str | None:
    """Return a target in words; its number beside them, since that is what is counted with."""
    if target is None:
        return None
    return f"{target.words} ({target.number})" if target.words else str(target.number)
