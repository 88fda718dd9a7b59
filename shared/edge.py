"""The outermost layer of every process that speaks HTTP: which requests come in at all, and what every answer carries.

Refused here, before any route: another host name than ours, a header twice where two readers could each take another one, an
address that is no text. Every answer, of whatever route or error, says the same to browsers: run nothing, frame nothing, guess
nothing, keep nothing. There is no CORS: no other site's page has any business here.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import Message, Receive, Scope, Send

from shared.errors import AddressTooLong, Malformed, Objection, Refused, WrongHost
from shared.logs import log
from shared.problems import defect_problem, problem

API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy of what is no page; a page brings its own and is left with it."""
MAX_QUERY_BYTES: Final = 2048
MAX_QUERY_FIELDS: Final = 50
_ONCE: Final = frozenset(
    b"host authorization content-type content-length content-encoding idempotency-key if-match prefer traceparent"
    b" origin sec-fetch-site x-csrf-token".split()
)
_OPEN_TO_ANY_HOST: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked by probes at whatever address a container has; they tell nothing and do nothing for anybody."""
_LOG = log("http")


@dataclass(frozen=True)
class Doorway:
    """Under which host names a process answers (None: any, for a test), and whether its public address is https."""

    hosts: frozenset[str] | None = None
    https: bool = False

    @cached_property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return the headers of every answer."""
        always = {
            b"content-security-policy": API_POLICY.encode(),
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"no-referrer",
            b"cross-origin-opener-policy": b"same-origin",
            b"cross-origin-resource-policy": b"same-origin",
            b"cache-control": b"no-store",
        }
        secure = {b"strict-transport-security": b"max-age=31536000; includeSubDomains"} if self.https else {}
        return (*always.items(), *secure.items())

    def dressed(self, headers: Collection[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return an answer's headers with those that every answer has; what a route said itself stays."""
        said = {name for name, _ in headers}
        return [*headers, *(header for header in self.headers if header[0] not in said)]


class Application(FastAPI):
    """A FastAPI application behind its edge; the edge also answers what the framework's own layers let through."""

    doorway: Doorway
    refusal: Callable[[Scope, Refused], Response] = staticmethod(lambda _, refused: problem(refused))
    """How what is refused here is answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return  # nothing here speaks WebSocket, and a process has its own beginning and end
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = self.doorway.dressed(message.get("headers", []))
            await send(message)

        try:
            check_request(scope, self.doorway.hosts, self._repeatable)
        except Refused as refused:
            await self.refusal({**scope, "app": self}, refused)(scope, receive, dressed)
            return
        try:
            await super().__call__(scope, receive, dressed)
        except Exception as failure:
            if not started:  # an answer that was begun was logged where it went wrong
                _LOG.error("defect", error=type(failure).__name__, exc_info=failure)
                await defect_problem()(scope, receive, dressed)

    def _repeatable(self) -> frozenset[str]:
        """Return the query parameters that are lists: those of the OpenAPI document, which is made once, and those of pages."""
        operations = [op for path in self.openapi()["paths"].values() for op in path.values() if isinstance(op, dict)]
        named = [parameter for op in operations for parameter in op.get("parameters", ())]
        return self._of_pages | {p["name"] for p in named if p["in"] == "query" and "array" in str(p["schema"])}

    @cached_property
    def _of_pages(self) -> frozenset[str]:
        routes = [route for route in iter_route_contexts(self.routes) if isinstance(route.original_route, APIRoute)]
        given = [field for route in routes for field in route.dependant.query_params if not route.include_in_schema]
        return frozenset(field.alias for field in given if "list[" in str(field.field_info.annotation))


def check_request(scope: Scope, hosts: Collection[str] | None, repeatable: Callable[[], Collection[str]]) -> None:
    """Raise `Refused` for a request that two readers would read differently, or that is not meant for this host."""
    once = [name for name, _ in scope["headers"] if name in _ONCE]
    if len(set(once)) != len(once):
        raise Malformed(Objection("HEADER_TWICE", "Un en-tête qui ne vaut qu’une fois est répété\u202f: gardez-en un."))
    path: str = scope["path"]
    if hosts is not None and path not in _OPEN_TO_ANY_HOST:
        _check_host(scope, hosts)
    if not path.isprintable() or "\ufffd" in path:
        raise Malformed(
            Objection("PATH_UNFIT", "L’adresse contient des caractères qui n’en sont pas\u202f: corrigez-la.")
        )
    if scope["query_string"]:
        _check_query(scope["query_string"], repeatable)


def _check_host(scope: Scope, hosts: Collection[str]) -> None:
    host = next((value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"), None)
    if host is None:
        raise Malformed(Objection("HOST_MISSING", "L’en-tête Host manque."))
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    name = name if name and port.isdigit() else host
    if name.removeprefix("[").removesuffix("]") not in hosts:
        raise WrongHost(Objection("HOST_UNKNOWN", "Ce service ne répond pas sous ce nom\u202f: vérifiez son adresse."))


def _check_query(query: bytes, repeatable: Callable[[], Collection[str]]) -> None:
    if len(query) > MAX_QUERY_BYTES:
        raise AddressTooLong(
            Objection("QUERY_TOO_LONG", f"La requête dépasse {MAX_QUERY_BYTES} octets après «\u202f?\u202f».")
        )
    try:
        text = query.decode("ascii")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        fields = [("", "\x00")]
    if any("\x00" in name or "\x00" in value for name, value in fields):
        raise Malformed(
            Objection("QUERY_UNFIT", "La requête après «\u202f?\u202f» n’est pas lisible\u202f: corrigez-la.")
        )
    names = [name for name, _ in fields]
    if len(set(names)) != len(names) and any(names.count(n) > 1 for n in set(names) - set(repeatable())):
        raise Malformed(
            Objection("QUERY_TWICE", "Un paramètre qui ne vaut qu’une fois est répété\u202f: gardez-en un.")
        )


def answer_parts(response: Response, doorway: Doorway) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return status, headers and body of an answer that is written without an application."""
    return response.status_code, doorway.dressed(response.raw_headers), bytes(response.body)


def host_names(listed: str, public_url: str) -> frozenset[str]:
    """Return the host names of a setting's comma-separated list, and that of the public address."""
    names = [*listed.split(","), urlsplit(public_url).hostname or ""]
    return frozenset(name.strip().lower().removeprefix("[").removesuffix("]") for name in names if name.strip())
