"""HTTP in: every write of every service goes through `Door.command`; errors are RFC 9457 and never echo what was sent."""

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import UnionType
from typing import Any, Final, Generic, Protocol, TypeVar, cast
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from shared.crash import crash_point
from shared.database import Database, IdempotencyKey, RightsChanged, UnitOfWork, retried
from shared.errors import (
    Busy,
    InvalidInput,
    KeyMissing,
    KeyReused,
    NotAllowedNow,
    NotFound,
    Objection,
    RevisionRequired,
    Stale,
    TooMany,
)
from shared.identity import Principal
from shared.intake import Load
from shared.messaging.hearing import Open, Write
from shared.messaging.news import News
from shared.metrics import ANSWER_SECONDS, ANSWERS
from shared.parsing import MAX_BYTES, parse_json
from shared.problems import MEDIA_TYPE, Problem

B = TypeVar("B", bound=BaseModel)
W = TypeVar("W")
T = TypeVar("T")
_KEY: Final = re.compile(r"^[\x21-\x7e]{1,200}$")
_REVISION: Final = re.compile(r'^"([0-9]{1,9})"$')
_WAIT: Final = re.compile(r"(?:^|,)\s*wait=([0-9]{1,3})\s*(?:,|$)")
_LONGEST_WAIT_SECONDS: Final = 20


@dataclass(frozen=True)
class Ask(Generic[B]):
    """A write request once it is known to be well formed: who asks, for what, when, on which revision."""

    principal: Principal
    body: B
    at: datetime
    if_match: int | None

    def required_revision(self) -> int:
        """Return the revision of `If-Match`; raises `RevisionRequired` where it is missing."""
        if self.if_match is None:
            raise RevisionRequired(
                Objection("IF_MATCH", "Indiquez la révision lue dans l’en-tête If-Match (l’ETag de la lecture).")
            )
        return self.if_match


@dataclass(frozen=True)
class Sent(Generic[B]):
    """A write as it came in, from a program by headers or from a page by hidden fields: `raw` is what the key stands for."""

    body: B
    raw: bytes
    key: IdempotencyKey
    if_match: int | None
    wait_seconds: int = 0


@dataclass(frozen=True)
class Kept:
    """The answer that is kept with a write's effect: its status, its JSON, its headers; the same at every repetition of its key."""

    status: int
    text: str
    headers: Mapping[str, str]

    def response(self) -> Response:
        """Return it as it goes to a program."""
        return _json(self.status, self.text, self.headers)


@dataclass(frozen=True)
class Answer:
    """What is answered to a write that had its effect."""

    status: int
    body: BaseModel
    revision: int | None = None
    location: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to the answer, content type apart."""
        etag = {"ETag": f'"{self.revision}"'} if self.revision is not None else {}
        return etag | ({"Location": self.location} if self.location else {})


class WhoAsks(Protocol):
    """Says who sent a request; raises `Unauthenticated` or `Forbidden`."""

    async def principal(self, request: Request) -> Principal:
        """Return who asks."""
        ...

    async def again(self, request: Request) -> Principal:
        """Return who asks by the rights of this moment: what is remembered of them has just turned out to be old."""
        ...


class Door(Generic[W]):
    """The way in for writes: identity, form, idempotency, one unit of work, one answer kept with its effect; under one load."""

    def __init__(
        self,
        database: Database,
        open_set: Open[W],
        write: Write[W],
        who: WhoAsks,
        news: News,
        in_flight_per_principal: int = 1000,
        load: Load | None = None,
    ) -> None:
        self.database, self.who, self.news = database, who, news
        self._open, self._write = open_set, write
        self.load = load or Load()
        self.intake = self.load.intake
        self.in_flight_per_principal = in_flight_per_principal

    async def command(
        self,
        request: Request,
        body_type: type[B],
        ids: Callable[[Principal, B], Collection[UUID]],
        act: Callable[[W, Ask[B]], Answer],
        *,
        limit: int = MAX_BYTES,
    ) -> Response:
        """Carry one write out. Everything that can be refused is raised as `Refused` and answered by `problem`."""
        began = time.perf_counter()
        principal = await self.who.principal(request)
        with self.in_flight(principal):
            async with self.intake.body(request, limit) as raw:
                key = idempotency_key(request.headers.get("idempotency-key"), principal)
                body = parse_json(raw or b"{}", body_type, limit=limit)
                sent = Sent(body, raw, key, _if_match(request), _wait_seconds(request))
                kept = await self.carry_out(request, principal, sent, ids, act)
        await crash_point("http.before_answer")
        operation = request.scope["route"].name
        ANSWERS.labels(operation, kept.status).inc()
        ANSWER_SECONDS.labels(operation).observe(time.perf_counter() - began)
        return kept.response()

    async def carry_out(
        self,
        request: Request,
        principal: Principal,
        sent: Sent[B],
        ids: Callable[[Principal, B], Collection[UUID]],
        act: Callable[[W, Ask[B]], Answer],
    ) -> Kept:
        """Carry out what was read already, by somebody who is known; raises `Refused` as `command` does."""
        if self.load.full:
            text = "Trop de messages attendent leur envoi\u202f: réessayez dans quelques instants."
            raise Busy(Objection("OUTBOX_FULL", text))
        attempt = _Attempt(self, request, principal, sent, ids, act)
        try:
            return await self._waiting(attempt)
        except RightsChanged:
            return await self._waiting(replace(attempt, principal=await self.who.again(request)))

    @contextmanager
    def in_flight(self, principal: Principal) -> Iterator[None]:
        """Count a write under way; one principal's flood must leave room for the others."""
        under_way = self.load.under_way
        if under_way[principal.id] >= self.in_flight_per_principal:
            text = f"Plus de {self.in_flight_per_principal} demandes sont déjà en cours\u202f: attendez leurs réponses."
            raise TooMany(Objection("IN_FLIGHT", text, facts={"limit": self.in_flight_per_principal}))
        under_way[principal.id] += 1
        try:
            yield
        finally:
            under_way[principal.id] -= 1
            if not under_way[principal.id]:
                del under_way[principal.id]

    async def _waiting(self, attempt: "_Attempt[W, Any]") -> Kept:
        """Try; with `Prefer: wait`, a command that comes too early is tried again when news of its object arrive."""
        if not attempt.sent.wait_seconds:
            return await retried(attempt.once)
        until = time.monotonic() + attempt.sent.wait_seconds
        identifier = next(iter(attempt.ids(attempt.principal, attempt.sent.body)))
        try:
            while True:
                event = self.news.expect(identifier)
                try:
                    return await retried(attempt.once)
                except (NotAllowedNow, NotFound):
                    left = until - time.monotonic()
                    if left <= 0:
                        raise
                    await self.news.wait(event, left)
        finally:
            self.news.forget(identifier)

    async def open(self, unit: UnitOfWork, ids: Collection[UUID]) -> W:
        """Open the working set of a unit."""
        return await self._open(unit, ids)

    def write(self, working: W, unit: UnitOfWork) -> None:
        """Hand a working set to its unit."""
        self._write(working, unit)


@dataclass(frozen=True)
class _Attempt(Generic[W, B]):
    """One command, as often as it has to be tried."""

    door: Door[W]
    request: Request
    principal: Principal
    sent: Sent[B]
    ids: Callable[[Principal, B], Collection[UUID]]
    act: Callable[[W, Ask[B]], Answer]

    async def once(self) -> Kept:
        sent, asked = self.sent, f"{self.request.method} {self.request.url.path}\n".encode()
        digest = hashlib.sha256(asked + sent.raw).hexdigest()
        async with self.door.database.unit(self.principal, sent.key) as unit:
            working = await self.door.open(unit, list(self.ids(self.principal, sent.body)))
            if unit.remembered is not None:
                if unit.remembered.body_hash != digest:
                    raise KeyReused(
                        Objection("IDEMPOTENCY_KEY", "Choisissez une nouvelle clé\u202f: le contenu a changé.")
                    )
                return Kept(unit.remembered.status, unit.remembered.body, unit.remembered.headers)
            answer = self.act(working, Ask(self.principal, sent.body, unit.now, sent.if_match))
            text, headers = answer.body.model_dump_json(), answer.headers()
            self.door.write(working, unit)
            unit.remember(digest, answer.status, headers, text)
            await unit.flush()
        return Kept(answer.status, text, headers)


def door(request: Request, name: str = "") -> Door[Any]:
    """Return the service's door, or the one by this name to what it keeps besides."""
    state = request.app.state
    return cast("Door[Any]", state.doors[name] if name else state.door)


def database(request: Request) -> Database:
    """Return the service's database, for reads."""
    return door(request).database


async def signed_in(request: Request) -> Principal:
    """Return who asks, for reads; a page of the same request shows who that is."""
    request.state.principal = await door(request).who.principal(request)
    return cast("Principal", request.state.principal)


async def by_rights_of_now(request: Request, asker: Principal, attempt: Callable[[Principal], Awaitable[T]]) -> T:
    """Do what `asker` asked for; where the rights they came with turn out to be old, once more with those they have now.

    `attempt` asks the policy, and opens its unit of work with the asker; it is tried again where another transaction was first.
    """
    try:
        return await retried(lambda: attempt(asker))
    except RightsChanged:
        now = await door(request).who.again(request)
        return await retried(lambda: attempt(now))


def ok(body: BaseModel, *, revision: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer to a read."""
    return _json(200, body.model_dump_json(), {**Answer(200, body, revision).headers(), **(headers or {})})


def _json(status: int, body: str, headers: Mapping[str, str]) -> Response:
    return Response(body, status, dict(headers), "application/json")


def idempotency_key(key: str | None, principal: Principal) -> IdempotencyKey:
    """Return a caller's key. Raises `KeyMissing` where there is none, `InvalidInput` for one that is not written like a key."""
    if key is None:
        message = "Ajoutez un en-tête Idempotency-Key (par exemple un UUID) que vous répéterez si vous renvoyez la même demande."
        raise KeyMissing(Objection("IDEMPOTENCY_KEY", message))
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            Objection("IDEMPOTENCY_KEY", "La clé est faite de 1 à 200 caractères ASCII visibles, sans espace.")
        )
    return IdempotencyKey(principal.id, key)


def _if_match(request: Request) -> int | None:
    text = request.headers.get("if-match")
    if text is None:
        return None
    found = _REVISION.fullmatch(text.strip())
    if not found:
        raise Stale(Objection("IF_MATCH", "L’en-tête If-Match doit reprendre l’ETag lu, guillemets compris."))
    return int(found[1])


def _wait_seconds(request: Request) -> int:
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(found[1]), _LONGEST_WAIT_SECONDS) if found else 0


def takes(body: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says of a body that the door parses: its schema, and the headers of a write."""
    _BODIES.add(body)
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    headers = [
        _header(
            "Idempotency-Key",
            "Clé choisie par l’appelant ; la même clé et le même contenu reçoivent la même réponse.",
            True,
        ),
        _header("If-Match", "Révision lue (ETag), exigée pour une décision ou un nouveau contenu.", False),
        _header("Prefer", "wait=N : attendre jusqu’à N secondes que l’état permette la commande.", False),
    ]
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "parameters": headers,
    }


def takes_body(body: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says of a body alone, for what is idempotent by nature and needs no key."""
    return {"requestBody": takes(body)["requestBody"]}


def _header(name: str, description: str, required: bool) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }


def answers(body: type[BaseModel] | UnionType, status: int = 200, *also: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the answers: the good one, and the problems every write or read may have."""
    codes = (400, 401, 403, 404, 408, 409, 412, 413, 414, 415, 421, 422, 428, 429, 431, 503, *also)
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    problems: dict[int | str, dict[str, Any]] = {
        code: {"description": _PROBLEMS.get(code, "Problème"), "content": {MEDIA_TYPE: {"schema": schema}}}
        for code in codes
    }
    for code, name in _SAID_WITH.items():
        problems[code]["headers"] = {name: {"required": True, "schema": {"type": "string"}}}
    return {status: {"model": body}, **problems}


_BODIES: set[type[BaseModel]] = {Problem}
_SAID_WITH: Final = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
_PROBLEMS: Final = {
    400: "Demande illisible, ou clé d’idempotence absente",
    401: "Jeton absent ou refusé",
    403: "Rôle insuffisant",
    404: "Objet inconnu, ou d’une autre organisation",
    408: "La demande n’est pas arrivée à temps",
    409: "L’état actuel ne permet pas la commande, ou des avertissements attendent une réponse",
    412: "La révision a changé",
    413: "Demande trop volumineuse",
    414: "Adresse trop longue",
    415: "Contenu d’un autre type que application/json, ou compressé",
    421: "Nom d’hôte inconnu",
    422: "Forme ou règles non respectées",
    428: "Révision manquante (If-Match)",
    429: "Trop de demandes du même appelant, à la fois ou par seconde (Retry-After)",
    431: "En-têtes trop volumineux",
    503: "Service momentanément saturé",
}


def body_schemas() -> dict[str, Any]:
    """Return the schemas of every body declared with `takes`, and of problems, for the OpenAPI components."""
    components: dict[str, Any] = {}
    for body in sorted(_BODIES, key=lambda model: model.__name__):
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        components.update(schema.pop("$defs", {}))
        components[body.__name__] = schema
    return components


async def sleep_until_cancelled() -> None:
    """Wait for ever; for a role that has nothing to do but to serve its health."""
    await asyncio.Event().wait()
