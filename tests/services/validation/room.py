"""Validation around a real database: its own migration, its own routes, events applied by the real inbox; no broker."""

import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import httpx
from starlette.concurrency import run_in_threadpool

from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from services.validation.api import router
from services.validation.app import SERVICE
from services.validation.consumers import hearing
from services.validation.use_cases import Dossiers
from shared.contracts.events import FicheEvent
from shared.contracts.flow import FICHES
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
    "region": Principal("region", "region", "machine", frozenset({"region_reviewer"})),
    "pole-emploi": Principal("pole-emploi", "france-travail", "machine", frozenset({"pole_emploi_reviewer"})),
    "opco-2i": Principal("opco-2i", "opco-2i", "machine", frozenset({"opco"})),
    "dreets": Principal("dreets", "dreets", "machine", frozenset({"dreets"})),
}


JSON = {"content-type": "application/json"}


@dataclass
class Room:
    """One scratch database with validation's tables, its inbox and its routes."""

    database: Database
    inbox: Inbox[Dossiers]
    client: httpx.AsyncClient
    owner_url: str
    audit_url: str
    offset: int = 0

    @classmethod
    async def make(cls, servers: Servers) -> "Room":
        """Make a database of its own and migrate it as its owner."""
        name = f"validation_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(servers.postgres.admin_url)
        await admin.execute(f"CREATE DATABASE {name} OWNER validation_owner")
        await admin.close()
        roles = load_secrets(servers.home).roles
        owner, process, audit = (
            database_url(servers.postgres.admin_url, name, role, roles[role])
            for role in ("validation_owner", "validation", "validation_audit")
        )
        await run_in_threadpool(upgrade, SERVICE.folder / "migrations", owner)
        database = await Database.open(process, "validation", 4)
        ears = hearing()
        app = new_app("validation", "0", _ready, router)
        app.state.door = Door(database, ears.open, ears.write, KnownCallers(PEOPLE), News())
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://validation", headers=JSON)
        return cls(database, Inbox(database, ears), client, owner, audit)

    async def close(self) -> None:
        """Close what was opened; the database goes with the session."""
        await self.client.aclose()
        await self.database.close()

    async def hear(self, *said: tuple[FicheEvent, int]) -> None:
        """Apply events of submission, each with its sequence, in one batch."""
        await self.inbox.apply(FICHES, [self._received(event, sequence) for event, sequence in said])

    def _received(self, event: FicheEvent, sequence: int) -> Received:
        out = outgoing_event(event, sequence, "submission", dt.datetime.now(dt.UTC))
        headers = tuple((name, value.encode()) for name, value in out.headers.items())
        self.offset += 1
        return Received(FICHES, 0, self.offset, out.key.encode(), headers, (out.value or "").encode())

    async def post(
        self, who: str, fiche: UUID, path: str, body: object, revision: int | None = 1, key: str | None = None
    ) -> httpx.Response:
        """Give a command; `revision` None leaves If-Match out."""
        headers = {"authorization": who, "idempotency-key": key or uuid4().hex}
        if revision is not None:
            headers["if-match"] = f'"{revision}"'
        return await self.client.post(f"/dossiers/{fiche}/{path}", content=json.dumps(body), headers=headers)

    async def get(self, who: str, path: str = "", query: dict[str, str | int] | None = None) -> httpx.Response:
        """Read."""
        return await self.client.get(f"/dossiers{path}", params=query or None, headers={"authorization": who})

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Return rows as the process sees them for every OPCO."""
        return await self.database.query(PEOPLE["region"], query, *args)


async def _ready() -> dict[str, bool]:
    return {}
