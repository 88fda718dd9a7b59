"""Analytics around a real database: its own migration, its own routes, events applied by the real inbox; no broker."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from starlette.concurrency import run_in_threadpool

from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from services.analytics.api import router
from services.analytics.app import SERVICE
from services.analytics.consumers import hearing
from services.analytics.store import FactSet
from shared.contracts.events import Event
from shared.database import Database
from shared.http import Door
from shared.identity import Principal, service_principal
from shared.messaging.inbox import Inbox
from shared.messaging.news import News
from shared.messaging.records import Received, outgoing_event
from shared.migrations import upgrade
from shared.web_app import new_app
from tests.support.callers import KnownCallers
from tests.support.servers import Servers

PEOPLE = {
    "akto": Principal("akto", "akto", "machine", frozenset({"opco"})),
    "dreets": Principal("dreets", "dreets", "machine", frozenset({"dreets"})),
    "operations": Principal("operations", "operations", "machine", frozenset({"operations"})),
    "nobody": Principal("nobody", "nobody", "machine", frozenset()),
}
WORKER = service_principal("analytics", "worker")
EMITTER = {
    "poec.submission.fiches": "submission",
    "poec.submission.campaigns": "submission",
    "poec.validation.fiches": "validation",
    "poec.publication.sessions": "publication",
}


@dataclass
class Room:
    """One scratch database with the tables of analytics, its inbox and its routes."""

    database: Database
    inbox: Inbox[FactSet]
    client: httpx.AsyncClient
    offset: int = 0

    @classmethod
    async def make(cls, servers: Servers) -> "Room":
        """Make a database of its own and migrate it as its owner."""
        name = f"analytics_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(servers.postgres.admin_url)
        await admin.execute(f"CREATE DATABASE {name} OWNER analytics_owner")
        await admin.close()
        roles = load_secrets(servers.home).roles
        owner, process = (
            database_url(servers.postgres.admin_url, name, role, roles[role])
            for role in ("analytics_owner", "analytics")
        )
        await run_in_threadpool(upgrade, SERVICE.folder / "migrations", owner)
        database = await Database.open(process, "analytics", 4)
        ears = hearing()
        app = new_app("analytics", "0", _ready, router)
        app.state.door = Door(database, ears.open, ears.write, KnownCallers(PEOPLE), News())
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://analytics")
        return cls(database, Inbox(database, ears), client)

    async def close(self) -> None:
        """Close what was opened; the database goes with the session."""
        await self.client.aclose()
        await self.database.close()

    async def hear(self, said: Iterable[tuple[Event, int]], batch: int = 500) -> None:
        """Apply events with their sequences in batches, each batch topic by topic as the worker does."""
        events = list(said)
        for n in range(0, len(events), batch):
            by_topic: dict[str, list[Received]] = {}
            for event, sequence in events[n : n + batch]:
                by_topic.setdefault(event.topic, []).append(self.received(event, sequence))
            for topic, records in by_topic.items():
                await self.inbox.apply(topic, records)

    def received(self, event: Event, sequence: int) -> Received:
        """Return an event's record as if read from the log."""
        out = outgoing_event(event, sequence, EMITTER[event.topic], dt.datetime.now(dt.UTC))
        headers = tuple((name, text.encode()) for name, text in out.headers.items())
        self.offset += 1
        return Received(event.topic, 0, self.offset, out.key.encode(), headers, (out.value or "").encode())

    async def get(self, who: str | None, path: str, query: Mapping[str, Any] | None = None) -> httpx.Response:
        """Read."""
        return await self.client.get(path, params=query or None, headers={"authorization": who} if who else {})

    async def rows(self, who: Principal, query: str) -> list[asyncpg.Record]:
        """Return rows as a principal's transaction sees them."""
        return await self.database.query(who, query)


async def _ready() -> dict[str, bool]:
    return {}
