"""The routes of people's sign-in, the same in every service: to the provider, back from it, out again, and who one is."""

from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from pydantic import BaseModel

from shared.database import Database
from shared.errors import NotFound, Objection, Unauthenticated
from shared.http import answers, database, ok, signed_in
from shared.openid_provider import OpenIdClient, OpenIdProvider
from shared.policy import authorize
from shared.rates import Limit, Rates
from shared.settings import ServiceSettings
from shared.sign_in import MINUTES, Returned, SignIn
from shared.web.forms import FORM, posted
from shared.web.pages import render
from shared.web.refusals import wants_page
from shared.who_asks import cookies, session_of

router = APIRouter(tags=["sign-in"])
_SMALL: Final = 4096


class MeOut(BaseModel):
    """Who is signed in; `csrf_token` goes into the header X-CSRF-Token of every write by session, null with a bearer token."""

    id: str
    kind: str
    organisation: str
    roles: list[str]
    csrf_token: str | None
    session_ends_at: str | None


_PROBLEMS: Final = {code: answer for code, answer in answers(MeOut).items() if code != 200}
_REDIRECTS: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "Vers le fournisseur d’identité, ou de retour"},
    **_PROBLEMS,
}


def cookie_name(service: str) -> str:
    """Return the name of a service's session cookie: `__Host-` cookies are sent to this very host alone, over https."""
    return f"__Host-poec-{service}"


def origin_of(public_url: str) -> str:
    """Return scheme, host and port of the address under which people reach a service."""
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def sign_in_of(settings: ServiceSettings, where: Database, rates: Rates) -> SignIn | None:
    """Return how people sign in to a service; None where no provider is set."""
    if not settings.oidc_issuer or settings.oidc_client_secret is None:
        return None
    origin = origin_of(settings.public_url)
    client = OpenIdClient(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        redirect_uri=f"{origin}/sign-in/callback",
        signed_out_uri=f"{origin}/sign-out",
        scope=settings.oidc_scope,
        acr_values=tuple(settings.oidc_acr_values.split()),
        authentication=settings.oidc_client_auth,
        pkce=settings.oidc_pkce,
        no_dev_keys=settings.mode == "production",
    )
    per_minute = settings.sign_ins_per_minute
    return SignIn(where, OpenIdProvider(client), rates, Limit(per_minute / 60, per_minute))


@router.get("/sign-in", status_code=303, responses=_REDIRECTS)
async def sign_in(request: Request, next: Annotated[str, Query(max_length=501)] = "/") -> Response:
    """Send a browser to the identity provider; it comes back to `next`, a path of this service."""
    address = request.client.host if request.client else ""
    begun = await _sign_in(request).begin(address, next, _only(request, _browser_cookie(request)))
    answer = RedirectResponse(begun.url, 303)
    _set_cookie(answer, _browser_cookie(request), begun.browser, max_age=MINUTES * 60)
    return answer


@router.get("/sign-in/callback", status_code=303, responses=_REDIRECTS)
async def sign_in_callback(
    request: Request,
    state: str | None = None,
    code: str | None = None,
    iss: str | None = None,
    error: str | None = None,
) -> Response:
    """Take the identity provider’s answer: a new session, in a cookie, and on to where the browser wanted to go."""
    name = cookie_name(database(request).service)
    browser, before = _only(request, _browser_cookie(request)), _only(request, name)
    completed = await _sign_in(request).complete(Returned(state, None if error else code, iss, browser, before))
    answer = RedirectResponse(completed.next, 303)
    _set_cookie(answer, name, completed.session)
    _delete_cookie(answer, _browser_cookie(request))
    return answer


@router.post("/sign-out", status_code=303, responses=_REDIRECTS)
async def sign_out(request: Request) -> Response:
    """End the session, here at once, then at the identity provider, where the browser is sent."""
    where = _sign_in(request)
    if request.headers.get("content-type", "").startswith(FORM):
        async with posted(request, _SMALL):
            pass  # the secret of the session was in the form
    else:
        await signed_in(request)
    name = cookie_name(database(request).service)
    session = _only(request, name)
    if session_of(request) is None or session is None:
        raise Unauthenticated(Objection("SESSION", "Il n’y a pas de session à fermer\u202f: un jeton n’en ouvre pas."))
    answer = RedirectResponse(await where.end(session), 303)
    _delete_cookie(answer, name)
    return answer


@router.get("/sign-out", response_class=PlainTextResponse, responses=_PROBLEMS)
async def signed_out(request: Request) -> Response:
    """Say that the session is over; the identity provider sends browsers here."""
    if wants_page(request.scope):
        return render(request, "frame/signed_out.html")
    return PlainTextResponse("Votre session est fermée. Vous pouvez fermer cette page.\n")


@router.get("/me", responses=answers(MeOut))
async def get_me(request: Request) -> Response:
    """Say who is signed in, with which roles, and what a write by session needs."""
    principal = await signed_in(request)
    authorize(principal, "read_own_account")
    session = session_of(request)
    me = MeOut(
        id=principal.id,
        kind=principal.kind,
        organisation=principal.organisation,
        roles=sorted(principal.roles),
        csrf_token=session.csrf if session else None,
        session_ends_at=session.ends_at.isoformat() if session else None,
    )
    return ok(me)


def _sign_in(request: Request) -> SignIn:
    found: SignIn | None = getattr(request.app.state, "sign_in", None)
    if found is None:
        text = "Ce service n’a pas de fournisseur d’identité\u202f: seuls des systèmes s’y connectent, avec un jeton."
        raise NotFound(Objection("NO_SIGN_IN", text))
    return found


def _browser_cookie(request: Request) -> str:
    return f"{cookie_name(database(request).service)}-sign-in"


def _only(request: Request, name: str) -> str | None:
    """Return a cookie's value; two of one name are none: somebody put one beside ours."""
    given = cookies(request, name)
    return given[0] if len(given) == 1 else None


def _set_cookie(answer: Response, name: str, value: str, max_age: int | None = None) -> None:
    answer.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax")


def _delete_cookie(answer: Response, name: str) -> None:
    answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
