"""A toy service around the real heart: one aggregate that counts, without any guard of its own against hearing twice.

What it counts is right only if delivery is: duplicates, gaps, poison and crashes would all show in the number.
"""

import asyncio
import contextlib
import datetime as dt
import itertools
import json
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import asyncpg
import sqlalchemy as sa
from confluent_kafka.admin import NewTopic

from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from deploy.local.topics import admin_client
from shared.audit_trail import Change, Head
from shared.contracts.flow import SERVICES
from shared.contracts.submission import FicheWithdrawn
from shared.database import Database, UnitOfWork
from shared.errors import Impossible
from shared.identity import service_principal
from shared.messaging.clients import KafkaAccess, new_producer, new_reader
from shared.messaging.hearing import Hearing
from shared.messaging.inbox import Inbox
from shared.messaging.records import Received, outgoing_event, shard_of
from shared.messaging.retention_schema import retention_v1
from shared.messaging.schema import delivery_v1, delivery_v2
from shared.messaging.trail_schema import trail_v1
from shared.principals_schema import principals_v1, principals_v2
from shared.rates_schema import rates_v1
from shared.web_sessions_schema import web_sessions_v1
from shared.working_set import WorkingSet
from tests.support.servers import Servers

TALLY = sa.Table(
    "tally",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("audit_hash", sa.Text),
    sa.Column("seen", sa.Integer),
)
_OWN = (
    "CREATE TABLE tally (id uuid PRIMARY KEY, version int NOT NULL, sequence bigint NOT NULL, audit_hash text NOT NULL, seen int NOT NULL)",
    "GRANT SELECT, INSERT, UPDATE ON tally TO validation",
)
TOPIC = FicheWithdrawn.topic
BEYOND = 10**12
"""A number that the column of tallies cannot hold: asyncpg itself refuses to send it."""
_numbers = itertools.count(1)
WORKER = service_principal("validation", "worker")


@dataclass
class Refusing:
    """Keys that the toy refuses for the moment."""

    keys: set[UUID] = field(default_factory=set)
    defects: set[UUID] = field(default_factory=set)
    beyond: set[UUID] = field(default_factory=set)


async def open_tallies(unit: UnitOfWork, ids: Collection[UUID]) -> WorkingSet[int]:
    """Load the counters of some keys."""
    rows = await unit.read("SELECT id, version, sequence, audit_hash, seen FROM tally WHERE id = ANY($1::uuid[])", list(ids))
    return WorkingSet({row["id"]: (Head(row["version"], row["sequence"], row["audit_hash"]), row["seen"]) for row in rows})


def write_tallies(tallies: WorkingSet[int], unit: UnitOfWork) -> None:
    """Write the changed ones."""
    tallies.write(unit, TALLY, lambda seen: {"seen": seen})


def hearing(refusing: Refusing) -> Hearing[WorkingSet[int]]:
    """Count withdrawals per key, one by one."""

    def hear(tallies: WorkingSet[int], event: FicheWithdrawn, at: dt.datetime) -> None:
        if event.fiche_id in refusing.keys:
            raise Impossible("REFUSED", "told to refuse")
        if event.fiche_id in refusing.defects:
            raise ZeroDivisionError
        seen = (tallies.get(event.fiche_id) or 0) + (BEYOND if event.fiche_id in refusing.beyond else 1)
        tallies.put(event.fiche_id, seen, Change("hear_event", WORKER.id, None, "counted"))

    return Hearing("validation", open_tallies, write_tallies, lambda event: [event.fiche_id], {FicheWithdrawn: hear})


def withdrawn(key: UUID) -> FicheWithdrawn:
    """Return a small event about a key."""
    return FicheWithdrawn.model_validate({"fiche_id": key, "opco": "akto", "revision": 1, "reason": "AUTRE"})


def record(key: UUID, sequence: int, *, offset: int | None = None, partition: int = 0) -> Received:
    """Return an event's record as if read from the log."""
    out = outgoing_event(withdrawn(key), sequence, "submission", dt.datetime.now(dt.UTC))
    headers = tuple((name, value.encode()) for name, value in out.headers.items())
    place = next(_numbers) if offset is None else offset
    return Received(TOPIC, partition, place, out.key.encode(), headers, (out.value or "").encode())


@dataclass
class Heart:
    """One scratch database with its pool and inbox."""

    servers: Servers
    url: str
    owner_url: str
    database: Database
    refusing: Refusing
    inbox: Inbox[WorkingSet[int]]

    @classmethod
    async def make(cls, servers: Servers) -> "Heart":
        """Make a database of its own."""
        name = f"heart_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(servers.postgres.admin_url)
        await admin.execute(f"CREATE DATABASE {name} OWNER validation_owner")
        await admin.close()
        secrets = load_secrets(servers.home)
        owner_url, url = (
            database_url(servers.postgres.admin_url, name, role, secrets.roles[role]) for role in ("validation_owner", "validation")
        )
        await _migrate(owner_url)
        database = await Database.open(url, "validation", 6)
        refusing = Refusing()
        return cls(servers, url, owner_url, database, refusing, Inbox(database, hearing(refusing)))

    async def close(self) -> None:
        """Close the pool; the database goes with the session."""
        await self.database.close()

    async def apply(self, *records: Received) -> None:
        """Apply one batch."""
        await self.inbox.apply(TOPIC, records)

    async def seen(self, key: UUID) -> int:
        """Return how often a key was counted."""
        async with self.database.connection() as connection:
            return await connection.fetchval("SELECT seen FROM tally WHERE id = $1", key) or 0

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Return rows of the scratch database, as its worker sees them; the idempotency rows are each caller's own."""
        return await self.database.query(WORKER, query, *args)

    async def positions_add_up(self) -> bool:
        """Return whether every record received has exactly one outcome."""
        rows = await self.fetch("SELECT received, applied + ignored + duplicates + parked + dead + answered AS outcomes FROM position")
        return bool(rows) and all(row["received"] == row["outcomes"] for row in rows)

    @property
    def access(self) -> KafkaAccess:
        """Where the broker is; the administrator's, as the toy's topics are in no table."""
        return replace(self.servers.kafka.access, session_timeout_ms=6000)


async def _migrate(owner_url: str) -> None:
    statements: list[str] = []

    class Collect:
        def execute(self, sqltext: str) -> None:
            statements.append(sqltext)

    delivery_v1(Collect(), "validation")
    delivery_v2(Collect(), "validation")
    trail_v1(Collect(), "validation")
    principals_v1(Collect(), "validation")
    principals_v2(Collect(), SERVICES)
    web_sessions_v1(Collect(), "validation")
    retention_v1(Collect(), "validation")
    rates_v1(Collect(), "validation")
    connection = await asyncpg.connect(owner_url)
    for statement in (*statements, *_OWN):
        await connection.execute(statement)
    await connection.close()


def make_topic(heart: Heart, name: str, partitions: int = 3) -> None:
    """Make a topic and wait until the broker says it is there."""
    admin = admin_client(heart.access)
    for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        future.result(20)


def drop_topic(heart: Heart, name: str) -> None:
    """Delete a topic."""
    admin = admin_client(heart.access)
    for future in admin.delete_topics([name]).values():
        future.result(20)


async def read_log(heart: Heart, topic: str, count: int, seconds: float = 20) -> list[tuple[str, str, int]]:
    """Return (key, ce_id, partition) of a topic's records from the beginning, waiting for `count` of them."""
    found: list[tuple[str, str, int]] = []
    reader = new_reader(heart.access, "test")
    reader.subscribe([topic])
    await reader.start()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(found) < count:
                    for records in (await reader.getmany(timeout_ms=200)).values():
                        found += [(r.key.decode(), dict(r.headers)["ce_id"].decode(), r.partition) for r in records]
    finally:
        await reader.stop()
    return found


async def emit(heart: Heart, topic: str, keys: Sequence[str], per_key: int) -> None:
    """Put rows into the outbox for a topic: `per_key` for each key, in order, several in a transaction."""
    async with heart.database.connection() as connection:
        for n in range(1, per_key + 1):
            ids = [(uuid4(), key) for key in keys]
            rows = [(i, shard_of(key), topic, key, json.dumps({"ce_id": str(i), "n": str(n)}), "{}", n) for i, key in ids]
            await connection.executemany(
                "INSERT INTO outbox (event_id, shard, topic, key, headers, value, sequence) VALUES ($1, $2, $3, $4, $5, $6, $7)", rows
            )


@contextlib.asynccontextmanager
async def running(*jobs: asyncio.Task[None]) -> AsyncIterator[None]:
    """Keep tasks running for the length of a block."""
    try:
        yield
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def eventually(condition: object, seconds: float = 20) -> None:
    """Wait until an async condition holds; fail after `seconds`."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


__all__ = ["Heart", "drop_topic", "emit", "eventually", "make_topic", "new_producer", "read_log", "record", "running", "withdrawn"]
