"""The list of fiches: what waits for an answer first, filters in the address."""

from fastapi import Request, Response

from services.submission import use_cases as story
from services.submission.domain.fiche import LABELS
from services.submission.pages.words import BADGES
from services.submission.store import Wanted
from shared.http import database, signed_in
from shared.web.pages import page_router, render

router = page_router()


@router.get("/fiches")
async def fiches_page(request: Request) -> Response:
    """Show the fiches that one may see."""
    principal = await signed_in(request)
    rows = await story.read_fiches(database(request), principal, Wanted(), None, 50)
    return render(request, "fiches.html", rows=rows, labels=LABELS, badges=BADGES)
