"""The pages that every service has: where one starts, what is accessible, who is responsible, and the files that screens load."""

from fastapi import APIRouter, Request, Response

from shared.errors import Unauthenticated
from shared.http import signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.pages import render
from shared.web.static_files import served

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start_page(request: Request) -> Response:
    """Say what this service is, as whom one is signed in, and what one may do here; or let one sign in."""
    principal = await _somebody(request)
    if principal is not None:
        authorize(principal, "read_own_account")
    return render(request, "frame/start.html")


@router.get("/accessibilite")
async def accessibility_page(request: Request) -> Response:
    """Say what was checked and what was not."""
    await _somebody(request)
    return render(request, "frame/accessibility.html")


@router.get("/mentions-legales")
async def legal_page(request: Request) -> Response:
    """Say whose service this is, what is kept of its visitors, and whose work it is made of."""
    await _somebody(request)
    return render(request, "frame/legal.html")


@router.get("/static/{name}")
async def static_file(request: Request, name: str) -> Response:
    """Return a file that pages load."""
    return served(request, name)


async def _somebody(request: Request) -> Principal | None:
    """Return who asks, None for who is not signed in: these pages are for both."""
    try:
        return await signed_in(request)
    except Unauthenticated:
        return None
