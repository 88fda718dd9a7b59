"""A service's pages: their routes, their templates, their navigation, and how one is written; see README.md for the ten lines.

Every page is HTML that works alone; htmx fetches the same addresses and takes the part it needs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from shared.identity import Principal
from shared.policy import POLICY, limited_to
from shared.web.entry import Entry
from shared.web.templates import environment
from shared.web.words import organisation_of, roles_of
from shared.who_asks import session_of

PREFIX: Final = "/espace"
"""Where the pages of a service are; beside them there are `/` and the frame's own."""
_ABOUT: Final = "Les préparations opérationnelles à l’emploi collectives en Normandie."
_LOCAL: Final = re.compile(r"^/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}$")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'{}; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Link:
    """One entry of the navigation: what it is called, where it leads, and the operation that one must be allowed to see it.

    `own` is what it is called for those whom that operation shows their own only; empty: the same.
    """

    label: str
    path: str
    operation: str
    own: str = ""


@dataclass(frozen=True)
class Pages:
    """The pages of one service: its templates' folder, its name and what it is in French, its navigation, its routes.

    The navigation is shown by what one may do; routers come from `page_router`.
    """

    folder: Path
    title: str
    about: str
    nav: tuple[Link, ...] = ()
    routers: tuple[APIRouter, ...] = ()

    @property
    def templates(self) -> Environment:
        """Return the service's templates, and those of the frame behind them."""
        return environment(self.folder)


def page_router() -> APIRouter:
    """Return a router for pages, all under `/espace` and in no OpenAPI document."""
    return APIRouter(prefix=PREFIX, include_in_schema=False, default_response_class=HTMLResponse)


def render(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> Response:
    """Return a page. `context` is what the template names, beside what every page has (`visitor`, `csrf_token`, `nav`…)."""
    pages: Pages | None = request.app.state.pages
    templates = pages.templates if pages else environment()
    visitor, session = _visitor(request), session_of(request)
    shown = {
        "path": request.url.path,
        "service": pages.title if pages else "",
        "about": pages.about if pages else _ABOUT,
        "nav": _nav(pages, visitor),
        "visitor": visitor,
        "csrf_token": session.csrf if session else "",
        "sign_in_path": sign_in_path(request),
        "can_sign_in": getattr(request.app.state, "sign_in", None) is not None,
    }
    entry, page = context.get("entry"), templates.get_template(template)
    text = page.render({**shown, **context})
    if isinstance(entry, Entry) and (entry.objections or entry.warnings):
        text = page.render({**shown, **context})  # what is said above the form names its fields, which are known by now
    answer = HTMLResponse(text, status)
    answer.headers["content-security-policy"] = _policy(request)
    answer.headers["referrer-policy"] = "same-origin"  # under no-referrer a form's Origin is null, and no write passes
    answer.headers["vary"] = "Accept, Cookie"
    answer.headers.update(headers or {})
    return answer


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page, in the words of the header."""

    principal: Principal
    organisation: str
    roles: str
    by_session: bool


def see_other(path: str, **query: str | int | None) -> Response:
    """Return where a browser goes after a form was taken (POST, redirect, GET); `query` is added to the path."""
    given = {name: value for name, value in query.items() if value is not None}
    return RedirectResponse(f"{path}?{urlencode(given)}" if given else path, 303)


def sign_in_path(request: Request) -> str:
    """Return where one signs in and comes back to the address asked for; to the start page from what is no GET."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = here if request.method in ("GET", "HEAD") and not request.url.path.startswith("/sign-") else "/"
    return f"/sign-in?next={quote(back, safe='/')}" if len(back) <= 500 else "/sign-in?next=/"


def current_path(request: Request) -> str:
    """Return the path and query of the page that htmx asks from; the start page where it does not say one of ours."""
    parts = urlsplit(request.headers.get("hx-current-url", ""))
    here = parts.path + (f"?{parts.query}" if parts.query else "")
    return here if _LOCAL.fullmatch(here) else "/"


def _visitor(request: Request) -> Visitor | None:
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        return None
    by_session = session_of(request) is not None
    return Visitor(principal, organisation_of(principal.organisation), roles_of(principal), by_session)


def _nav(pages: Pages | None, visitor: Visitor | None) -> list[Link]:
    """Return the entries whose operation one of the visitor's roles may do."""
    if pages is None or visitor is None:
        return []
    shown = [link for link in pages.nav if POLICY[link.operation].keys() & visitor.principal.roles]
    return [
        replace(link, label=link.own) if link.own and limited_to(visitor.principal, link.operation) else link
        for link in shown
    ]


def _policy(request: Request) -> str:
    """Return the Content-Security-Policy of a page; its sign-out form may lead on to the provider that people sign in with."""
    settings = getattr(request.app.state, "settings", None)
    parts = urlsplit(getattr(settings, "oidc_issuer", ""))
    return _POLICY.format(f" {parts.scheme}://{parts.netloc}" if parts.netloc else "")
