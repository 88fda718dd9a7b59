"""Parts of the heart measured alone, on servers of their own: relay, inbox, rebuild. Real processes of the services, no imports of them."""

import asyncio
import datetime as dt
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.bench.flow import future_content
from deploy.bench.raw import raw_kafka
from deploy.local.children import Child, run_once
from deploy.local.databases import DatabaseUrls, provision
from deploy.local.kafka import EmbeddedKafka
from deploy.local.kafka_users import ensure_users
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.postgres_account import remove_data
from deploy.local.processes import Ports, Surroundings, describe_issuer, issuer_process
from deploy.local.secrets import load_secrets
from deploy.local.servers import describe_kafka
from deploy.local.topics import create_missing
from shared.contracts.events import Event
from shared.contracts.fiche import fiche_id, session_id
from shared.contracts.flow import FICHES
from shared.contracts.publication import AisRecorded, SessionPublished
from shared.contracts.submission import FicheSubmitted, SessionEngaged
from shared.contracts.validation import FicheValidated
from shared.messaging.clients import KafkaAccess, kafka_settings

_OPCO = "akto"
_AIS = 9
_PATIENCE_SECONDS = 300.0
_OUTBOX = (
    "INSERT INTO outbox (event_id, shard, topic, key, headers, value, sequence)"
    " SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::bigint[])"
)


@dataclass
class Bare:
    """Kafka and PostgreSQL with one service's database, and nothing running."""

    home: Path
    kafka: EmbeddedKafka
    around: Surroundings
    urls: DatabaseUrls
    service: str

    @asynccontextmanager
    async def process(self, role: str) -> AsyncIterator[None]:
        """Run one role of the service for the length of the block."""
        environment = self.around.environment(self.service, f"{self.service}-bench", role)
        port = Ports(self.home).of(f"{self.service}.{role}")
        command = ("-m", f"services.{self.service}", role)
        child = Child(f"{self.service}.{role}", command, environment, self.home / "logs" / "bench.log", port, "/readyz")
        await child.start()
        try:
            yield
        finally:
            await child.stop(20)


@asynccontextmanager
async def bare(service: str) -> AsyncIterator[Bare]:
    """Start both servers in a folder of their own and migrate one service's database; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="poec-bench-") as folder:
        home = Path(folder)
        kafka, postgres = EmbeddedKafka(home), EmbeddedPostgres(home)
        try:
            for server in (postgres, kafka):
                await asyncio.to_thread(server.prepare)
                server.start()
            await asyncio.to_thread(postgres.wait_ready, 60)
            await asyncio.to_thread(kafka.wait_ready, 60)
            create_missing(kafka.access)
            ensure_users(kafka.access, load_secrets(home).kafka)
            urls = await provision(postgres.admin_url, load_secrets(home))
            issuer = describe_issuer(issuer_process(home, Ports(home)))
            around = Surroundings(describe_kafka(kafka, home), issuer, urls)
            migrate = ("-m", f"services.{service}", "migrate")
            environment = around.environment(service, "bench", owner=True)
            await run_once("migrate", migrate, environment, home / "logs" / "migrate.log")
            yield Bare(home, kafka, around, urls[service], service)
        finally:
            kafka.stop()
            postgres.stop()
            remove_data(home)


async def relay(rows: int = 40_000) -> dict[str, Any]:
    """Return rows per second that one relay carries from a full outbox to the log, beside raw produce of the same size."""
    async with bare("submission") as ground:
        event = _submitted(0)
        await _fill_outbox(ground.urls.owner, event, rows)
        size = len(event.model_dump_json())
        raw = await raw_kafka(ground.kafka.access, rows, size)
        connection = await asyncpg.connect(ground.urls.owner)
        began = time.perf_counter()
        async with ground.process("relay"):
            began = await _first(connection, "SELECT 1 FROM outbox WHERE published_at IS NOT NULL LIMIT 1")
            left = await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            await _until(connection, "SELECT NOT EXISTS (SELECT 1 FROM outbox WHERE published_at IS NULL)")
            per_second = left / (time.perf_counter() - began)
        await connection.close()
    ratios = {f"ratio_to_raw_{how}": round(per_second / raw[f"{how}_per_s"], 2) for how in ("sent", "produced")}
    return {"rows": rows, "bytes": size, "relayed_per_s": round(per_second), "raw": raw, **ratios}


async def inbox(fiches: int = 2_000, *, rebuild: bool = False) -> dict[str, Any]:
    """Return events per second that analytics applies from a full log; with `rebuild`, once more from nothing, to the same counts."""
    async with bare("analytics") as ground:
        events = [event for number in range(fiches) for event in _story(number)]
        await _produce(ground.kafka.access, events)
        found = [await _applied(ground, len(events))]
        if rebuild:
            before = await _counts(ground.urls.owner)
            await _forget(ground)
            found.append(await _applied(ground, len(events)))
            assert await _counts(ground.urls.owner) == before, "a rebuild must end in the same counts"
    return {
        "events": len(events),
        "fiches": fiches,
        "applied_per_s": [round(rate) for rate in found],
        "counts_equal": rebuild or None,
    }


async def _applied(ground: Bare, events: int) -> float:
    connection = await asyncpg.connect(ground.urls.owner)
    total = "SELECT coalesce(sum(received), 0) FROM position"
    try:
        async with ground.process("worker"):
            began = await _first(connection, "SELECT 1 FROM position LIMIT 1")
            already = int(await connection.fetchval(total))
            await _until(connection, f"SELECT ({total}) >= {events}")
            return float((events - already) / (time.perf_counter() - began))
    finally:
        await connection.close()


async def _forget(ground: Bare) -> None:
    """Empty the projection and its memory, and take the group back to the beginning. The trail cannot be emptied: it holds nothing."""
    from deploy.local.topics import admin_client

    connection = await asyncpg.connect(ground.urls.owner)
    kept = ("alembic_version", "clock_offset", "outbox_shard", "known_topic", "audit_entry", "anchor", "anchored_head")
    tables = [
        row["tablename"]
        for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    await connection.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in tables if table not in kept))
    await connection.close()
    admin = admin_client(ground.kafka.access)
    async with asyncio.timeout(90):
        while True:
            try:
                await asyncio.to_thread(admin.delete_consumer_groups(["analytics"])["analytics"].result, 30)
            except Exception as busy:
                if "NON_EMPTY" not in str(busy):
                    raise
                await asyncio.sleep(0.5)
            else:
                return


async def _counts(owner_url: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(owner_url)
    try:
        rows = await connection.fetch(
            "SELECT measure, opco, month, value FROM running_count WHERE value <> 0 ORDER BY 1, 2, 3"
        )
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


async def _first(connection: asyncpg.Connection, query: str) -> float:
    """Return the time at which a query first finds something: starting the process is not measured."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await connection.fetchval(query):
            await asyncio.sleep(0.005)
    return time.perf_counter()


async def _until(connection: asyncpg.Connection, query: str) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await connection.fetchval(query):
            await asyncio.sleep(0.02)


async def _fill_outbox(owner_url: str, event: Event, rows: int) -> None:
    connection = await asyncpg.connect(owner_url)
    headers, value = json.dumps(_headers(event, 1)), event.model_dump_json()
    for first in range(0, rows, 5_000):
        keys = [uuid4() for _ in range(min(5_000, rows - first))]
        shards = [key.int % 8 for key in keys]
        n = len(keys)
        columns = [[FICHES] * n, [str(key) for key in keys], [headers] * n, [value] * n, [1] * n]
        await connection.execute(_OUTBOX, keys, shards, *columns)
    await connection.execute("ANALYZE outbox")
    await connection.close()


async def _produce(access: KafkaAccess, events: Sequence[tuple[Event, int]]) -> None:
    producer = AIOKafkaProducer(
        **kafka_settings(access, "bench"),
        enable_idempotence=True,
        acks="all",
        max_batch_size=262_144,
        linger_ms=5,
    )
    await producer.start()
    try:
        for first in range(0, len(events), 5_000):
            sent = []
            for event, sequence in events[first : first + 5_000]:
                headers = [(name, value.encode()) for name, value in _headers(event, sequence).items()]
                value = event.model_dump_json().encode()
                sent.append(await producer.send(event.topic, value, event.key.encode(), headers=headers))
            await asyncio.gather(*sent)
    finally:
        await producer.stop()


def _headers(event: Event, sequence: int) -> dict[str, str]:
    """Return the headers an emitter would write: CloudEvents, binary mode."""
    return {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": event.wire_type,
        "ce_source": "/poec/bench",
        "ce_subject": event.key,
        "ce_time": dt.datetime.now(dt.UTC).isoformat(),
        "content-type": "application/json",
        "traceparent": f"00-{uuid4().hex}-{uuid4().hex[:16]}-01",
        "ce_sequence": str(sequence),
    }


def _submitted(number: int) -> FicheSubmitted:
    fiche = fiche_id(_OPCO, f"BENCH-{number}")
    return FicheSubmitted(fiche_id=fiche, opco=_OPCO, revision=1, reference=f"BENCH-{number}", content=_CONTENT)


_CONTENT = future_content()


def _story(number: int) -> list[tuple[Event, int]]:
    """Return the events of one fiche that analytics hears, with their sequences: filed, validated, published, engaged, its AIS."""
    filed = _submitted(number)
    fiche, plan = filed.fiche_id, _CONTENT.sessions[0]
    session, today = session_id(fiche, 1), dt.datetime.now(dt.UTC).date()
    same: dict[str, Any] = {"fiche_id": fiche, "opco": _OPCO, "revision": 1}
    place: dict[str, Any] = {"session_id": session, "fiche_id": fiche, "opco": _OPCO}
    engaged = SessionEngaged(
        **same,
        session_id=session,
        number=1,
        start=plan.start,
        end=plan.end,
        seats=plan.seats,
        hours=350,
        committed=4_800_000,
    )
    validated = FicheValidated(
        **same, reference=f"PE-{number}", validated_on=today, validated_by="France Travail", against_avis=False
    )
    published = SessionPublished(**place, reference=f"PE-{number}", start=plan.start, end=plan.end, seats=plan.seats)
    entries = [
        (AisRecorded(**place, ais_id=_ais(session, n), recorded_on=today, net=n), n + 1) for n in range(1, _AIS + 1)
    ]
    return [(filed, 1), (engaged, 2), (validated, 1), (published, 1), *entries]


def _ais(session: UUID, number: int) -> UUID:
    return UUID(int=(session.int + number) % 2**128)
