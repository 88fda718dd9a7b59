"""The FastAPI application every process serves: health, metrics, errors, dead letters, and the service's own routes."""

import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import iter_route_contexts
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.contracts.text import FREE
from shared.database import CONNECTION_LOST, RightsChanged
from shared.edge import Application, Doorway
from shared.errors import Busy, Conflict, InvalidInput, MethodNotAllowed, NotFound, Objection, Refused
from shared.http import answers, body_schemas, by_rights_of_now, door, signed_in, takes_body
from shared.logs import log
from shared.messaging.letters import DeadLetters
from shared.parsing import objections_from, parse_json
from shared.persons_door import router as persons
from shared.principals_door import router as principals
from shared.problems import defect_problem, problem
from shared.sign_in_door import router as sign_in
from shared.trace import follow
from shared.web.pages import Pages
from shared.web.refusals import defect_page, refusal_page, wants_page
from shared.web.routes import router as frame

_LOG = log("http")
Ready = Callable[[], Awaitable[dict[str, bool]]]


def new_app(
    service: str,
    version: str,
    ready: Ready,
    router: APIRouter | None,
    doorway: Doorway | None = None,
    pages: Pages | None = None,
) -> FastAPI:
    """Return the application of one process; a process without the role `api` has no business routes and no pages."""
    title = f"POEC {service}"
    app = Application(title=title, version=version, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.doorway = doorway or Doorway()
    app.refusal = lambda scope, refused: _answered(Request(scope), refused)
    app.state.pages, app.state.has_pages = pages, router is not None
    app.add_middleware(_Trace)
    _handle_errors(app)
    app.include_router(_health(ready))
    if router is not None:
        app.include_router(router)
        app.include_router(_dead_letters())
        app.include_router(principals)
        app.include_router(persons)
        app.include_router(sign_in)
        app.include_router(frame)
        for router_of_pages in pages.routers if pages else ():
            app.include_router(router_of_pages)
    _complete_openapi(app)
    return app


def _health(ready: Ready) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/livez", response_class=PlainTextResponse)
    async def livez() -> str:
        """Say that the process turns; nothing else is asked of it."""
        return "ok"

    @router.get("/readyz", responses={503: {"description": "Pas encore prêt"}})
    async def readyz() -> JSONResponse:
        """Say whether database, broker and partitions are there, each by name."""
        parts = await ready()
        return JSONResponse({"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


class DiscardIn(BaseModel):
    """Why a dead letter is given up."""

    reason: Annotated[str, Field(min_length=3, max_length=500), FREE]


class NothingIn(BaseModel):
    """An empty body."""


class LetterOut(BaseModel):
    """What became of a dead letter."""

    id: UUID
    state: str
    attempts: int
    code: str | None = None
    detail: str | None = None


class LettersOut(BaseModel):
    """Dead letters, oldest first."""

    dead_letters: list[dict[str, Any]]


def _dead_letters() -> APIRouter:
    router = APIRouter(prefix="/dead-letters", tags=["operations"])

    def letters(request: Request) -> DeadLetters:
        found: DeadLetters = request.app.state.letters
        return found

    @router.get("", responses=answers(LettersOut))
    async def list_letters(
        request: Request,
        state: str | None = Query(None, pattern="^(dead|replayed|discarded)$"),
        after: UUID | None = None,
    ) -> Response:
        """List dead letters without their content, 100 at a time; `after` names the last one of the page before."""
        rows = await letters(request).listed(await signed_in(request), state, after)
        return _ok(LettersOut(dead_letters=rows))

    @router.get("/{letter}", responses=answers(LettersOut))
    async def show_letter(request: Request, letter: UUID) -> Response:
        """Show one dead letter with its content."""
        return _ok(LettersOut(dead_letters=[await letters(request).shown(await signed_in(request), letter)]))

    @router.post("/{letter}/replay", responses=answers(LetterOut))
    async def replay_letter(request: Request, letter: UUID) -> Response:
        """Apply the record again; idempotent by nature: a settled letter is only reported."""
        found = letters(request)
        settled = await by_rights_of_now(request, await signed_in(request), lambda by: found.replay(by, letter))
        return _ok(LetterOut(**settled.__dict__))

    @router.post("/{letter}/discard", responses=answers(LetterOut), openapi_extra=takes_body(DiscardIn))
    async def discard_letter(request: Request, letter: UUID) -> Response:
        """Give a record up, with a reason; what waited behind it goes on."""
        principal = await signed_in(request)
        async with door(request).intake.body(request) as raw:
            body = parse_json(raw, DiscardIn)
        found = letters(request)
        settled = await by_rights_of_now(request, principal, lambda by: found.discard(by, letter, body.reason))
        return _ok(LetterOut(**settled.__dict__))

    return router


def _ok(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json")


def _handle_errors(app: FastAPI) -> None:
    busy = Busy(
        Objection(
            "UNAVAILABLE", "Un serveur dont ce service dépend ne répond pas\u202f: réessayez dans quelques instants."
        )
    )

    async def refused(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, Refused), "registered for Refused"
        return _answered(request, failure)

    async def unavailable(request: Request, failure: Exception) -> Response:
        _LOG.warning("unavailable", error=type(failure).__name__)
        return _answered(request, busy)

    async def malformed(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, RequestValidationError), "registered for RequestValidationError"
        return _answered(request, InvalidInput(*objections_from(failure.errors())))

    async def framework(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, HTTPException), "registered for HTTPException"
        if failure.status_code == 405:
            other = MethodNotAllowed(Objection("METHOD", "Cette adresse ne connaît pas cette méthode."))
            other.headers |= {
                "Allow": ", ".join(_methods_at(request.app, request.url.path, (failure.headers or {}).get("Allow", "")))
            }
            return _answered(request, other)
        known = NotFound(Objection("UNKNOWN", "Aucune ressource à cette adresse."))
        known.status = failure.status_code
        if request.app.state.has_pages and wants_page(request.scope, unknown=True):
            await _recognised(request)
        return _answered(request, known, unknown=True)

    async def defect(request: Request, failure: Exception) -> Response:
        _LOG.error("defect", error=type(failure).__name__, exc_info=failure)
        by_browser = request.app.state.has_pages and wants_page(request.scope)
        return defect_page(request) if by_browser else defect_problem()

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, framework)
    away = (
        *CONNECTION_LOST,
        Conflict,
        RightsChanged,
        asyncpg.InsufficientResourcesError,
        asyncpg.TransactionRollbackError,
    )
    for failure in away:
        app.add_exception_handler(failure, unavailable)
    app.add_exception_handler(Exception, defect)


async def _recognised(request: Request) -> None:
    """Let the page of an address that nothing is at show who is signed in; it is answered where that cannot be found out, too."""
    with contextlib.suppress(Refused, *CONNECTION_LOST):
        await signed_in(request)


def _answered(request: Request, refused: Refused, *, unknown: bool = False) -> Response:
    """Return a refusal as who asked can read it: a page to a browser that wants one, else a problem."""
    if request.app.state.has_pages and wants_page(request.scope, unknown):
        return refusal_page(request, refused)
    return problem(refused)


def _methods_at(app: FastAPI, path: str, known: str) -> list[str]:
    """Return the methods of an address: those `known`, which are of the first route there, and those of every other one."""
    found = {method.strip() for method in known.split(",") if method.strip()}
    for route in iter_route_contexts(app.routes):
        if route.path and compile_path(route.path)[0].match(path):
            found |= route.methods or set()
    return sorted(found)


def _complete_openapi(app: FastAPI) -> None:
    """Add the schemas of the bodies that the door parses itself."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        text = str(document["paths"])
        used = body_schemas()
        known = document.setdefault("components", {}).setdefault("schemas", {})
        wanted = [name for name in used if f"/{name}'" in text]
        while wanted:
            name = wanted.pop()
            if name not in known:
                known[name] = used[name]
                wanted += [other for other in used if f"/{other}'" in str(used[name])]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


class _Trace:
    """Follows the caller's trace and logs one line per answer, with the fiche it is about, never with a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        header = dict(scope["headers"]).get(b"traceparent", b"")
        follow(header.decode("latin-1"))
        began = time.perf_counter()

        async def logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "name", None)
                ms = round((time.perf_counter() - began) * 1000, 1)
                if route not in ("livez", "readyz", "metrics"):
                    about = _about(scope.get("path_params", {}).get("fiche_id"))
                    status = message["status"]
                    _LOG.info("answered", method=scope["method"], operation=route, status=status, ms=ms, **about)
            await send(message)

        await self._app(scope, receive, logged)


def _about(identifier: object) -> dict[str, str]:
    """Return the fiche a request is about, for its line in the log: an address may hold anything, an identifier alone is logged."""
    try:
        return {"fiche": str(UUID(str(identifier)))}
    except ValueError:
        return {}
