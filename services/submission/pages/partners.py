"""The directory of partners: who accompanies people towards a POEC, by employment zone; the form of a fiche chooses from it."""

from typing import Final

from fastapi import Query, Request, Response

from services.submission import partners_cases as story
from services.submission.pages.form_choices import words_of
from services.submission.partners_store import Wanted
from services.submission.reference.lists import ListName
from shared.contracts.labels import LABELS
from shared.contracts.references import PartnerKind
from shared.http import database, signed_in
from shared.identity import Principal
from shared.web.entry import Entry
from shared.web.pages import page_router, render

router = page_router()
SHOWN: Final = 50
CHOSEN_FROM: Final = 200
"""So many partners at most stand beside a fiche as boxes; beyond these a zone is chosen first."""


@router.get("/partenaires")
async def partners_page(
    request: Request,
    zone: str = Query("", max_length=4),
    reseau: str = Query("", max_length=40),
    recherche: str = Query("", max_length=100),
    apres: str = Query("", max_length=80),
) -> Response:
    """Show the partners of a zone, of a network, or whose name begins so."""
    principal = await signed_in(request)
    kind = PartnerKind(reseau) if reseau in list(PartnerKind) else None
    wanted = Wanted(zone or None, kind, recherche)
    found = await story.read_partners(database(request), principal, wanted, apres or None, SHOWN + 1)
    return render(
        request,
        "partners.html",
        partners=found[:SHOWN],
        entry=Entry.of({"zone": zone, "reseau": reseau, "recherche": recherche}),
        filtered=bool(zone or reseau or recherche),
        following=request.url.include_query_params(apres=found[SHOWN - 1].code).query if len(found) > SHOWN else None,
        zones=words_of(ListName.ZONES),
        kinds=LABELS[PartnerKind],
        manages="region_reviewer" in principal.roles,
    )


async def partners_of(request: Request, principal: Principal, zone: str) -> list[tuple[str, str]]:
    """Return the partners that a fiche of a zone may choose, by name; of every zone where none is known yet."""
    found = await story.read_partners(database(request), principal, Wanted(zone or None), None, CHOSEN_FROM)
    shown = [(str(one.id), f"{one.sheet.name} ({LABELS[PartnerKind][one.sheet.kind]})") for one in found]
    return sorted(shown, key=lambda one: one[1])
