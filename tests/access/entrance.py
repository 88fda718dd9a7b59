"""A service as a process puts it together, on a database of its own: its routes, its real tokens, its table of principals; no broker."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx
from fastapi import FastAPI
from joserfc.jwk import KeySet
from starlette.concurrency import run_in_threadpool

from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPERATIONS, REGION
from shared.database import Database
from shared.identity import service_principal
from shared.messaging.hearing import Hearing
from shared.messaging.inbox import Inbox
from shared.messaging.news import News
from shared.messaging.records import Received
from shared.migrations import upgrade
from shared.policy import ROLES
from shared.principals import Registration, register
from shared.service import Process
from tests.support.ears import service
from tests.support.fiches import golden_json
from tests.support.servers import Servers
from tests.support.tokens import ISSUER, Issuer

OWN, OTHER = "opco-2i", "akto"
"""Whose objects are the OPCO's of the tests, and whose are another one's."""
OWN_SIRET: Final[str] = golden_json()["provider"]["siret"]
OTHER_SIRET: Final = "99988877900017"
ORGANISATIONS: Final[Mapping[str, str]] = {
    "opco": OWN,
    "region_reviewer": REGION,
    "pole_emploi_reviewer": FRANCE_TRAVAIL,
    "entries": FRANCE_TRAVAIL,
    "carif_oref": CARIF_OREF,
    "training_provider": OWN_SIRET,
    "agency": "agence-caen",
    "dreets": DREETS,
    "operations": OPERATIONS,
    "administrator": OPERATIONS,
}
"""A caller for each role, called like it."""
assert set(ORGANISATIONS) == set(ROLES)
OTHERS: Final = {"other_opco": OTHER, "other_provider": OTHER_SIRET}
NO_ROLE, DISABLED, WORKER_ROW, STRANGER, NOBODY = "no_role", "disabled", "worker_row", "stranger", "nobody"
CALLERS: Final = (*ORGANISATIONS, NO_ROLE, DISABLED, WORKER_ROW, STRANGER, NOBODY)
"""Every caller of the matrix: one per role, a row without a role, one that was disabled, one that claims to be a worker, somebody with
a good token and no row, somebody without a token."""
_ROW: Final = (
    "INSERT INTO principal (id, kind, organisation, roles, state, version, audit_hash, changed_at)"
    " VALUES ($1, 'machine', $2, $3::jsonb, 'active', 1, '', now())"
)


class KeyServer:
    """An issuer whose keys are served over HTTP on this machine."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        keys = json.dumps(KeySet(list(self.issuer.keys)).as_dict(private=False)).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(keys)))
                self.end_headers()
                self.wfile.write(keys)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class Answered:
    """What was answered; `headers` as they would go over the wire."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def code(self) -> str:
        """Return the code of a problem, or the first objection's where there is one; empty for any other answer."""
        if not any(value.startswith(b"application/problem+json") for _, value in self.headers):
            return ""
        found = json.loads(self.body)
        return str((found["objections"] or found["warnings"] or [found])[0]["code"])

    @property
    def whole(self) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
        """Return all there is, to be compared with another one."""
        return self.status, self.headers, self.body


@dataclass
class Entrance:
    """One service, reached by its application: nothing stands in for the tokens, the table of principals or the database."""

    name: str
    app: FastAPI
    database: Database
    inbox: Inbox[Any]
    issuer: Issuer
    urls: Mapping[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    offset: int = 0

    @classmethod
    async def make(cls, servers: Servers, name: str, keys: KeyServer, *, as_role: str = "") -> "Entrance":
        """Make and migrate a database, put the process together, register everybody.

        `as_role` is the database role of the process, its own by default.
        """
        scratch = f"{name}_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(servers.postgres.admin_url)
        await admin.execute(f"CREATE DATABASE {scratch} OWNER {name}_owner")
        await admin.close()
        roles = load_secrets(servers.home).roles
        urls = {
            role: database_url(servers.postgres.admin_url, scratch, role, roles[role])
            for role in (name, f"{name}_owner", f"{name}_audit")
        }
        await run_in_threadpool(upgrade, service(name).folder / "migrations", urls[f"{name}_owner"])
        made = await cls._assembled(name, urls, urls[as_role or name], keys)
        await made._register()
        assert (await made.by("operations", "GET", "/principals")).status == 200  # and the issuer's keys are known from here on
        return made

    @classmethod
    async def _assembled(cls, name: str, urls: Mapping[str, str], url: str, keys: KeyServer) -> "Entrance":
        settings = service(name).settings.model_validate(
            {
                "mode": "local",
                "database_url": url,
                "kafka_bootstrap_servers": "127.0.0.1:1",
                "kafka_security_protocol": "PLAINTEXT",
                "issuer": ISSUER,
                "jwks_url": keys.url,
                "instance": f"{name}-test",
                "rate_per_second": 1e9,
                "rate_burst": 1e9,
                "in_flight_per_principal": 10**6,
            }
        )
        database = await Database.open(url, name, 4)
        hearing: Hearing[Any] = service(name).hearing(settings)
        inbox = Inbox(database, hearing)
        app = Process(service(name), settings, ("api",))._application(database, hearing, inbox, News())
        return cls(name, app, database, inbox, keys.issuer, urls)

    async def _register(self) -> None:
        everybody = {**ORGANISATIONS, **OTHERS, DISABLED: OWN}
        role = {DISABLED: "opco", "other_opco": "opco", "other_provider": "training_provider"}
        wanted = [
            Registration(who, "machine", organisation, (role.get(who, who),), "disabled" if who == DISABLED else "active")
            for who, organisation in everybody.items()
        ]
        async with self.database.unit(service_principal(self.name, "api")) as unit:
            await register(unit, wanted, "test")
            await unit.flush()
        owner = await asyncpg.connect(self.urls[f"{self.name}_owner"])
        await owner.execute(_ROW, NO_ROLE, OWN, "[]")
        await owner.execute(_ROW, WORKER_ROW, OPERATIONS, '["worker"]')
        await owner.close()

    async def close(self) -> None:
        """Close what was opened; the database goes with the session."""
        await self.database.close()

    def headers(self, who: str, **more: str) -> list[tuple[bytes, bytes]]:
        """Return the headers of a request by somebody, with an idempotency key of its own unless one is given."""
        if who not in self.tokens and who != NOBODY:
            self.tokens[who] = self.issuer.token(sub=who, exp=int(self.issuer.claims()["iat"]) + 3600)
        given = {"host": "localhost", "content-type": "application/json", "idempotency-key": uuid4().hex}
        if who != NOBODY:
            given["authorization"] = f"Bearer {self.tokens[who]}"
        return [(n.encode(), v.encode()) for n, v in {**given, **{k.replace("_", "-"): v for k, v in more.items()}}.items()]

    async def ask(self, method: str, target: str, headers: Sequence[tuple[bytes, bytes]], body: bytes = b"") -> Answered:
        """Send one request to the application, straight by ASGI."""
        path, _, query = target.partition("?")
        whole = [*headers, (b"content-length", str(len(body)).encode())] if body or method in ("POST", "PUT") else headers
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": httpx.URL(path).path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": list(whole), "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        }  # fmt: skip
        sent = False
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, send)
        return Answered(start["status"], tuple(start["headers"]), b"".join(parts))

    async def by(self, who: str, method: str, target: str, body: object = None, **headers: str) -> Answered:
        """Ask as somebody; a body becomes JSON."""
        raw = b"" if body is None else json.dumps(body).encode()
        return await self.ask(method, target, self.headers(who, **headers), raw)

    async def owner(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        """Run a statement as the owner of the database, who sees and may change everything."""
        connection = await asyncpg.connect(self.urls[f"{self.name}_owner"])
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *args)
            return rows
        finally:
            await connection.close()

    def received(self, topic: str, key: str, headers: Mapping[str, str], value: str) -> Received:
        """Return a record as if read from the log."""
        self.offset += 1
        raw = tuple((name, text.encode()) for name, text in headers.items())
        return Received(topic, 0, self.offset, key.encode(), raw, value.encode())

    @cached_property
    def routes(self) -> list[tuple[str, str]]:
        """Return every route as method and path, health among them."""
        paths = self.app.openapi()["paths"]
        return [(method.upper(), path) for path, methods in paths.items() for method in methods]
