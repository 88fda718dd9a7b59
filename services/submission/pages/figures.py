"""What a year is to be and what it is: the programme by OPCO and métier, monthly deliveries, projects declared and fiches received."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response

from services.submission import yearbook_read_cases as reads
from services.submission import yearbook_use_cases as story
from services.submission.domain.dates import civil_date
from services.submission.domain.declarations import Figure
from services.submission.domain.deliveries import Delivery, Estimate, delivery_id, months_around
from services.submission.pages.form_choices import words_of
from services.submission.pages.year_forms import may, take
from services.submission.reference.lists import ListName
from services.submission.yearbook_answers import (
    comparison_out,
    declaration_out,
    declared_out,
    delivery_out,
    reconciliation_out,
)
from services.submission.yearbook_bodies import DeclarationIn, DeliveryIn
from services.submission.yearbook_place_answers import cut, told_of
from services.submission.yearbook_store import Yearbook
from shared.contracts.campaigns import declaration_id
from shared.contracts.labels import LABELS
from shared.contracts.references import OPCOS, DeclarationSource
from shared.errors import NotFound, Objection
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize, limited_to
from shared.web.entry import Entry
from shared.web.forms import Posted
from shared.web.pages import page_router, render, see_other

router = page_router()
YEARS: Final = range(2018, 2101)
"""Years that are kept here, as over the API."""
PAGE: Final = 10
"""Declarations of an OPCO on one page."""
SPARE: Final = 3
"""Empty lines under what an OPCO delivered."""


@router.get("/programmes")
async def this_years_programme_page(request: Request) -> Response:
    """Go to the programme of this year."""
    authorize(await signed_in(request), "read_yearbook")
    return see_other(f"/espace/programmes/{await _this_year(request)}")


@router.get("/programmes/{year}")
async def programme_page(request: Request, year: int, fait: str = "") -> Response:
    """Show target, known, intended and estimated of a year, kept apart; an OPCO sees its own lines."""
    principal = await signed_in(request)
    authorize(principal, "read_yearbook")
    now, programme, lines = await reads.compare_programme(database(request), principal, known_year(year))
    return render(
        request,
        "year/programme.html",
        year=year,
        found=comparison_out(year, now, programme, lines),
        rome=words_of(ListName.ROME),
        own=limited_to(principal, "read_yearbook"),
        beside=_beside(year),
        delivers=may(principal, "declare_projects"),
        manages=may(principal, "manage_yearbook"),
        done=fait,
    )


@router.get("/programmes/{year}/livraison")
async def delivery_page(request: Request, year: int) -> Response:
    """Show the form of what is expected for the months to come, as it was told last."""
    principal = await signed_in(request)
    authorize(principal, "declare_projects")
    told = await _told(request, principal, known_year(year))
    estimates = told.now.estimates if told else ()
    typed = {
        f"estimates.{n}.{name}": getattr(one, name)
        for n, one in enumerate(estimates)
        for name in ("rome", "month", "projects")
    }
    return _delivery(request, year, told, Entry.of(typed))


@router.post("/programmes/{year}/livraison")
async def post_delivery_page(request: Request, year: int) -> Response:
    """Tell what is expected for the months to come."""
    now = await database(request).now()
    rome = request.app.state.settings.given().references.rome

    def document(sent: Posted) -> Mapping[str, Any]:
        known_year(year)
        found = [_line(sent, f"estimates.{n}") for n in range(_rows(sent.values))]
        return {"estimates": [one for one in found if any(value is not None for value in one.values())]}

    def ids(principal: Principal, _body: DeliveryIn) -> list[UUID]:
        return [delivery_id(principal.organisation, year, month) for month in months_around(now)]

    def act(book: Yearbook, ask: Ask[DeliveryIn]) -> Answer:
        estimates = tuple(Estimate(**vars(one)) for one in ask.body.estimates)
        decided = story.deliver_estimates(book, ask.principal, year, estimates, ask.at, rome)
        return Answer(200, delivery_out(decided.state), revision=decided.state.revision)

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        return _delivery(request, year, await _told(request, principal, year), entry, status)

    done = f"/espace/programmes/{year}?fait=livree"
    return await take(request, "declare_projects", DeliveryIn, document, ids, act, again, done, more=again)


def _line(sent: Posted, at: str) -> dict[str, Any]:
    typed = {name: sent.given(f"{at}.{name}") for name in ("rome", "month")}
    return {**typed, "projects": sent.whole(f"{at}.projects")}


def _delivery(request: Request, year: int, told: Delivery | None, entry: Entry, status: int = 200) -> Response:
    return render(
        request,
        "year/delivery.html",
        status=status,
        year=year,
        told=told,
        entry=entry,
        rows=_rows(entry.values) + SPARE,
        rome=sorted(words_of(ListName.ROME).items(), key=lambda one: one[1]),
    )


def _rows(values: Mapping[str, Any]) -> int:
    """Return how many lines a form of a delivery has; no more than the contract takes."""
    places = [name.split(".")[1] for name in values if name.startswith("estimates.")]
    return most_rows(places, 2000)


def most_rows(places: Iterable[str], most: int) -> int:
    """Return how many rows a form has, by the places in the names of its fields; what is no place counts for nothing."""
    known = (int(one) + 1 for one in places if one.isascii() and one.isdigit() and len(one) <= 4)
    return min(max(known, default=0), most)


async def _told(request: Request, principal: Principal, year: int) -> Delivery | None:
    found = await reads.read_deliveries(database(request), principal, year, None, 1)
    return found[0] if found and found[0].opco == principal.organisation else None


@router.get("/declarations")
async def this_years_declarations_page(request: Request) -> Response:
    """Go to what is declared for this year."""
    authorize(await signed_in(request), "read_yearbook")
    return see_other(f"/espace/declarations/{await _this_year(request)}")


@router.get("/declarations/{year}")
async def declarations_page(request: Request, year: int, fait: str = "", apres: str = "") -> Response:
    """Show projects declared beside fiches received, and the form of one's own figure."""
    principal = await signed_in(request)
    entry = Entry.of({"as_of": civil_date(await database(request).now())})
    return await _declarations(request, principal, known_year(year), entry, done=fait, after=apres)


@router.post("/declarations/{year}")
async def post_declaration_page(request: Request, year: int) -> Response:
    """Declare how many projects the OPCO has for the year; a correction is a new declaration."""

    def document(sent: Posted) -> Mapping[str, Any]:
        typed = {"as_of": sent.given("as_of"), "source": sent.given("source"), "number": sent.whole("number")}
        return {"year": year, **typed}

    def ids(principal: Principal, body: DeclarationIn) -> list[UUID]:
        return [declaration_id(principal.organisation, body.year)]

    def act(book: Yearbook, ask: Ask[DeclarationIn]) -> Answer:
        body = ask.body
        figure = Figure(body.as_of, body.number, body.source)
        decided = story.declare_projects(book, ask.principal, body.year, figure, ask.at)
        return Answer(
            201, declaration_out(decided.state), revision=decided.state.revision, location=f"/declarations/{year}"
        )

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        return await _declarations(request, principal, known_year(year), entry, status)

    done = f"/espace/declarations/{year}?fait=declare"
    return await take(request, "declare_projects", DeclarationIn, document, ids, act, again, done)


async def _declarations(
    request: Request,
    principal: Principal,
    year: int,
    entry: Entry,
    status: int = 200,
    done: str = "",
    after: str = "",
) -> Response:
    now, lines = await reads.reconcile(database(request), principal, year)
    found = reconciliation_out(year, now, lines)
    declares = may(principal, "declare_projects") and principal.organisation in OPCOS
    before = told_of(after) if after else None
    told = (
        await reads.read_declaration_history(database(request), principal, year, before, PAGE + 1) if declares else []
    )
    history, last = cut(told, PAGE)
    here = f"/espace/declarations/{year}"
    return render(
        request,
        "year/declarations.html",
        status=status,
        year=year,
        found=found,
        beside=_beside(year),
        entry=entry,
        own=next((one for one in found.lines if one.opco == principal.organisation), None),
        declares=declares,
        history=list(map(declared_out, history)),
        first=here if after else None,
        following=f"{here}?apres={last.opco}.{last.said.revision}" if last else None,
        sources=list(LABELS[DeclarationSource].items()),
        words=LABELS[DeclarationSource],
        done=done,
    )


def known_year(year: int) -> int:
    """Return a year that is kept here. Raises `NotFound`."""
    if year not in YEARS:
        raise NotFound(
            Objection("YEAR_UNKNOWN", "Cette année n’est pas suivie ici\u202f: choisissez-en une depuis 2018.")
        )
    return year


async def _this_year(request: Request) -> int:
    return civil_date(await database(request).now()).year


def _beside(year: int) -> list[int]:
    """Return the years before and after that are kept here."""
    return [one for one in (year - 1, year + 1) if one in YEARS]
