"""Submission around a real database: its own migration, its own routes and pages, records applied by the real inbox; no broker."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import asyncpg
import httpx
from starlette.concurrency import run_in_threadpool

from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from services.submission.app import ROUTES, SERVICE
from services.submission.consumers import hearing
from services.submission.settings import WarningSettings
from services.submission.store import Fiches
from shared.contracts.events import FicheEvent
from shared.contracts.flow import DOSSIERS, ingress_topic
from shared.contracts.ingress import Command, CommandAnswered
from shared.database import Database
from shared.http import Door
from shared.identity import Principal
from shared.messaging.inbox import Inbox
from shared.messaging.news import News
from shared.messaging.records import Received, outgoing_event
from shared.migrations import upgrade
from shared.web_app import new_app
from tests.support.callers import KnownCallers
from tests.support.servers import Servers

PEOPLE = {
    "opco-2i": Principal("opco-2i", "opco-2i", "machine", frozenset({"opco"})),
    "akto": Principal("akto", "akto", "machine", frozenset({"opco"})),
    "region": Principal("region", "region", "machine", frozenset({"region_reviewer"})),
    "dreets": Principal("dreets", "dreets", "machine", frozenset({"dreets"})),
}


JSON = {"content-type": "application/json"}


@dataclass
class Room:
    """One scratch database with submission's tables, its inbox and its routes."""

    database: Database
    inbox: Inbox[Fiches]
    client: httpx.AsyncClient
    news: News
    offset: int = 0

    @classmethod
    async def make(cls, servers: Servers) -> "Room":
        """Make a database of its own and migrate it as its owner."""
        name = f"submission_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(servers.postgres.admin_url)
        await admin.execute(f"CREATE DATABASE {name} OWNER submission_owner")
        await admin.close()
        roles = load_secrets(servers.home).roles
        owner, process = (
            database_url(servers.postgres.admin_url, name, role, roles[role])
            for role in ("submission_owner", "submission")
        )
        await run_in_threadpool(upgrade, SERVICE.folder / "migrations", owner)
        database = await Database.open(process, "submission", 4)
        settings, news = WarningSettings(), News()
        ears = hearing(settings.given())
        app = new_app("submission", "0", _ready, ROUTES, pages=SERVICE.pages)
        app.state.door, app.state.settings = Door(database, ears.open, ears.write, KnownCallers(PEOPLE), news), settings
        app.state.doors = {
            name: Door(database, opened, written, KnownCallers(PEOPLE), news, load=app.state.door.load)
            for name, (opened, written) in SERVICE.doors.items()
        }
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://submission", headers=JSON)
        return cls(database, Inbox(database, ears, news.tell), client, news)

    async def close(self) -> None:
        """Close what was opened; the database goes with the session."""
        await self.client.aclose()
        await self.database.close()

    async def hear(self, *said: tuple[FicheEvent, int]) -> None:
        """Apply events of validation, each with its sequence, in one batch."""
        records = []
        for event, sequence in said:
            out = outgoing_event(event, sequence, "validation", dt.datetime.now(dt.UTC))
            records.append(self._received(DOSSIERS, out.key, out.headers, out.value or ""))
        await self.inbox.apply(DOSSIERS, records)

    async def tell(
        self, opco: str, reference: str, *commands: Command, claims: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> list[CommandAnswered]:
        """Let an OPCO's system write commands to its ingress topic; return the answers to them.

        `claims` are headers besides, `more` are fields besides.
        """
        topic, first = ingress_topic(opco), self.offset + 1
        records = []
        for command in commands:
            headers = {"ce_id": uuid4().hex, "ce_type": command.wire_type, **(claims or {})}
            value = json.dumps(command.model_dump(mode="json") | dict(more or {}))
            records.append(self._received(topic, reference, headers, value))
        await self.inbox.apply(topic, records)
        rows = await self.fetch(
            "SELECT value FROM outbox WHERE topic = $1 ORDER BY id", f"poec.submission.results.{opco}"
        )
        answers = [CommandAnswered.model_validate_json(row["value"]) for row in rows]
        return [answer for answer in answers if answer.topic == topic and answer.offset >= first]

    def _received(self, topic: str, key: str, headers: Any, value: str) -> Received:
        self.offset += 1
        raw = tuple((name, text.encode()) for name, text in headers.items())
        return Received(topic, 0, self.offset, key.encode(), raw, value.encode())

    async def post(
        self, who: str, path: str, body: object, revision: int | None = None, key: str | None = None
    ) -> httpx.Response:
        """Give a command on fiches; `path` follows `/fiches`, `revision` None leaves If-Match out."""
        return await self.command(who, f"/fiches{path}", body, revision, key)

    async def command(
        self, who: str, path: str, body: object, revision: int | None = None, key: str | None = None
    ) -> httpx.Response:
        """Give a command on anything, by its whole path."""
        headers = {"authorization": who, "idempotency-key": key or uuid4().hex}
        if revision is not None:
            headers["if-match"] = f'"{revision}"'
        return await self.client.post(path, content=json.dumps(body), headers=headers)

    async def form(self, who: str, path: str, fields: Mapping[str, str | Sequence[str]]) -> httpx.Response:
        """Send a form of a page, under a key of its own unless one is among its fields."""
        headers = {"authorization": who, "content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
        body = urlencode({"idempotency_key": uuid4().hex, **fields}, doseq=True)
        return await self.client.post(path, content=body, headers=headers)

    async def get(self, who: str, path: str = "", query: dict[str, str | int] | None = None) -> httpx.Response:
        """Read."""
        return await self.read(who, f"/fiches{path}", query)

    async def read(self, who: str, path: str, query: dict[str, str | int] | None = None) -> httpx.Response:
        """Read anything, by its whole path."""
        return await self.client.get(path, params=query or None, headers={"authorization": who})

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Return rows as the process sees them for every OPCO."""
        return await self.database.query(PEOPLE["region"], query, *args)

    async def said(self, fiche: UUID) -> list[str]:
        """Return the types of the events about a fiche, in their order."""
        rows = await self.fetch(
            "SELECT headers->>'ce_type' AS type FROM outbox WHERE topic = 'poec.submission.fiches' AND key = $1 ORDER BY id",
            str(fiche),
        )
        return [row["type"] for row in rows]


async def _ready() -> dict[str, bool]:
    return {}
