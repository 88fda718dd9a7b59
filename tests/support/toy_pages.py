"""Pages of the toy service: every macro of the frame in its states, and a form that goes through the real door."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from shared.audit_trail import Change
from shared.errors import Objection, Refused, RulesRefused, Stale, WarningsUnanswered
from shared.http import Answer, Ask, signed_in
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import UPLOAD, posted
from shared.web.pages import Link, Pages, page_router, render, see_other
from shared.working_set import WorkingSet
from tests.support.heart import withdrawn
from tests.support.toy_app import CountIn, TallyOut

TALLY: Final = UUID(int=7)
router = page_router()
ROWS: Final[list[dict[str, Any]]] = [
    {"name": "Conducteur routier de marchandises", "number": "POEC-2018-0183", "opco": "Opco Mobilités", "start": dt.date(2018, 9, 5),
     "end": dt.date(2018, 12, 9), "hours": 445, "seats": 12, "status": ("danger", "En retard d’un jour")},
    {"name": "Employé polyvalent de restauration", "number": "POEC-2018-0179", "opco": "AKTO", "start": dt.date(2018, 6, 20),
     "end": dt.date(2018, 8, 26), "hours": 371, "seats": 10, "status": ("warning", "3 jours ouvrés")},
    {"name": "Coffreur-bancheur", "number": "POEC-2018-0187", "opco": "Constructys", "start": dt.date(2018, 9, 26),
     "end": dt.date(2018, 9, 28), "hours": 399, "seats": 10, "status": ("ok", "Avis rendu")},
]  # fmt: skip


@router.get("/liste")
async def list_page(
    request: Request, opco: Annotated[list[str], Query(default_factory=list)], q: str = "", fait: str = ""
) -> Response:
    """Show a list with filters, tabs, pages, a notice."""
    authorize(await signed_in(request), "read_fiche")
    rows = [row for row in ROWS if q.lower() in row["name"].lower() and (not opco or row["opco"] in opco)]
    return render(request, "liste.html", rows=rows, entry=Entry.of({"q": q, "opco": opco}), done=fait)


@router.get("/formulaire")
async def form_page(request: Request) -> Response:
    """Show a form with every kind of field."""
    authorize(await signed_in(request), "read_fiche")
    return render(request, "formulaire.html", entry=Entry.of({"note": "Bonjour", "kind": "b", "many": ["x", "y"]}, revision=3))


@router.post("/formulaire")
async def post_form(request: Request) -> Response:
    """Count through the real door; `refuse` names how it is refused."""
    async with posted(request) as sent:

        def act(tallies: WorkingSet[int], ask: Ask[CountIn]) -> Answer:
            authorize(ask.principal, "read_fiche")
            _refuse(ask.body.refuse, ask)
            seen = (tallies.get(TALLY) or 0) + ask.body.by
            tallies.put(TALLY, seen, Change("count", ask.principal.id, None, "counted", (withdrawn(TALLY),)))
            return Answer(201, TallyOut(id=TALLY, seen=seen, drawn=TALLY), seen, f"/tallies/{TALLY}")

        by = sent.text("by")
        document = {"by": int(by) if by.isdigit() else by, "refuse": sent.given("refuse"), "note": sent.text("note")}
        outcome = await sent.command(CountIn, document, lambda _principal, _body: [TALLY], act)
        if isinstance(outcome, Refused):
            return render(request, "formulaire.html", status=outcome.status, entry=sent.entry(outcome))
        return see_other("/espace/liste", fait="compte")


def _refuse(how: str | None, ask: Ask[CountIn]) -> None:
    if how == "rules":
        first = Objection("FIRST", "Indiquez au plus 400 h : la durée dépasse le plafond.", "minutes L1", "by", {"by": 7})
        raise RulesRefused(first, Objection("SECOND", "Choisissez un genre.", field="kind"), Objection("THIRD", "Rien d’autre."))
    if how == "warnings":
        raise WarningsUnanswered(warnings=(Objection("CAREFUL", "Le délai est court : six semaines sont d’usage.", "minutes L2", "start"),))
    if how == "stale":
        raise Stale(Objection("REVISION", "Relisez la fiche : elle a changé.", facts={"asked": ask.if_match}))


@router.post("/brouillon")
async def post_draft(request: Request) -> Response:
    """Keep nothing, and say that it was kept; what a draft's address answers is a line of text."""
    async with posted(request) as sent:
        authorize(sent.principal, "read_fiche")
        return Response("Brouillon enregistré à 14\u00a0h\u00a002.", media_type="text/plain")


@router.post("/fichier")
async def post_file(request: Request) -> Response:
    """Say what a file is."""
    async with posted(request, 100_000, UPLOAD) as sent:
        authorize(sent.principal, "read_fiche")
        found = sent.files.get("table")
        return Response(f"{found.name} {len(found.content)}" if found else "rien", media_type="text/plain")


@router.get("/panne")
async def broken_page(request: Request) -> Response:
    """Break."""
    authorize(await signed_in(request), "read_fiche")
    raise ZeroDivisionError("secret-7qz")


@router.get("/comptes")
async def forbidden_page(request: Request) -> Response:
    """Be for others."""
    authorize(await signed_in(request), "manage_principals")
    raise AssertionError("unreachable")


TOY_PAGES: Final = Pages(
    folder=Path(__file__).parent / "toy_templates",
    title="Service d’essai",
    about="Il compte : rien d’autre.",
    nav=(
        Link("Liste", "/espace/liste", "read_fiche"),
        Link("Formulaire", "/espace/formulaire", "read_fiche"),
        Link("Comptes", "/espace/comptes", "manage_principals"),
    ),
    routers=(router,),
)
