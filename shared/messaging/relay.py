"""The relay: carries the outbox to Kafka, in order per key, any number of replicas.

One pass = one transaction: lock the free shards that have something (`FOR UPDATE SKIP LOCKED`), read their unpublished rows by id,
produce explicit batches per partition, mark with the place in the log, commit. Rows are chosen by their missing mark, never by a
cursor, so a row that becomes visible late is not skipped. A crash anywhere means sending again, which the inboxes forgive.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

import asyncpg
import orjson
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from shared.crash import crash_point
from shared.database import CONNECTION_LOST, Database
from shared.logs import log
from shared.messaging.clients import AIOKafkaProducer, KafkaAccess, cancelled_from_outside, may_mean, new_producer
from shared.metrics import RELAY_REMADE, RELAYED

_LOCK = (
    "SELECT shard FROM outbox_shard s"
    " WHERE EXISTS (SELECT 1 FROM outbox o WHERE o.shard = s.shard AND o.published_at IS NULL)"
    " ORDER BY shard FOR UPDATE SKIP LOCKED"
)
_READ = (
    "SELECT id, topic, key, headers::text AS headers, value FROM outbox"
    " WHERE published_at IS NULL AND shard = ANY($1::smallint[]) ORDER BY id LIMIT $2"
)
_MARK = (
    "UPDATE outbox o SET published_at = clock_timestamp(), kafka_partition = u.p, kafka_offset = u.o"
    " FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS u(id, p, o) WHERE o.id = u.id"
)
_CHUNKS_PER_PASS = 5
"""After so many chunks the pass commits: what is marked becomes visible, and other relays get their turn."""
TRANSIENT: Final = (KafkaError, *CONNECTION_LOST, asyncpg.PostgresError)
_LOG = log("relay")
_partition_of = DefaultPartitioner()
Place = tuple[int, int, int]


class Relay:
    """Sends what the outbox holds; `wake` it after a commit, it also looks by itself every `poll` seconds."""

    def __init__(
        self, database: Database, access: KafkaAccess, *, batch: int = 1000, poll: float = 0.5, timeout: float = 20.0
    ) -> None:
        self._database, self._access = database, access
        self._batch, self._poll, self._timeout = batch, poll, timeout
        self._woken = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self.remade = 0
        self._stale = False
        self.last_pass_ok = False

    def wake(self) -> None:
        """Say that the outbox has something; many wakes before the next pass are one."""
        self._woken.set()

    def renew(self) -> None:
        """Use a new producer from the next pass on: the old one does not notice that topics were made anew."""
        self._stale = True
        self.wake()

    async def run(self) -> None:
        """Relay until cancelled; no failure of broker or database ends it."""
        delay = 0.1
        try:
            while True:
                try:
                    await self._until_woken()
                    while await self.relay_once():
                        pass
                    delay = 0.1
                except (asyncio.CancelledError, *TRANSIENT) as failure:
                    if cancelled_from_outside():
                        raise
                    self.last_pass_ok = False
                    meaning = may_mean(failure, self._access)
                    _LOG.warning("relay_pass_failed", error=type(failure).__name__, may_mean=meaning, retry_in=delay)
                    await self._drop_producer()
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, 3.0)
                    self.wake()
        finally:
            await asyncio.shield(self._drop_producer())

    async def _until_woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll):
                await self._woken.wait()

    async def relay_once(self) -> bool:
        """Do one pass; return whether there may be more to do at once."""
        self._woken.clear()
        if self._stale:
            self._stale = False
            await self._drop_producer()
        producer = await self._ready_producer()
        async with self._database.connection() as connection, connection.transaction():
            shards = [row["shard"] for row in await connection.fetch(_LOCK)]
            sent = await self._chunks(connection, producer, shards) if shards else 0
        self.last_pass_ok = True
        if sent:
            await crash_point("relay.after_commit")
            RELAYED.inc(sent)
        return bool(sent) and (sent >= self._batch or self._woken.is_set())

    async def _chunks(self, connection: asyncpg.Connection, producer: AIOKafkaProducer, shards: Sequence[int]) -> int:
        """Send and mark what the locked shards hold, chunk by chunk; return how many rows.

        While the broker acknowledges one chunk, the one before is marked and the next one read: the two servers work at once.
        A chunk is sent only when the one before is acknowledged, so a failure never lets a later row overtake an earlier one.
        """
        sent, marking = 0, list[Place]()
        rows: Sequence[asyncpg.Record] = await connection.fetch(_READ, shards, self._batch)
        for _ in range(_CHUNKS_PER_PASS):
            if not rows:
                break
            await crash_point("relay.before_send")
            sending = asyncio.create_task(self._acknowledged(producer, rows))
            try:
                await _mark(connection, marking)
                following = await self._following(connection, shards, rows)
                marking = await sending
            finally:
                sending.cancel()
            await crash_point("relay.after_send")
            sent, rows = sent + len(rows), following
        await _mark(connection, marking)
        await crash_point("relay.after_mark")
        return sent

    async def _following(
        self, connection: asyncpg.Connection, shards: Sequence[int], on_their_way: Sequence[asyncpg.Record]
    ) -> Sequence[asyncpg.Record]:
        """Read the chunk after the one on its way: again all that is unpublished, never `id > last`.

        A row with a lower id may have become visible meanwhile, and a later row of its key with it.
        """
        if len(on_their_way) < self._batch:
            return []
        ids = {row["id"] for row in on_their_way}
        rows = await connection.fetch(_READ, shards, self._batch + len(ids))
        return [row for row in rows if row["id"] not in ids][: self._batch]

    async def _acknowledged(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> list[Place]:
        async with asyncio.timeout(self._timeout):
            return await send_all(producer, rows)

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = new_producer(self._access, self._database.service)
            try:
                async with asyncio.timeout(self._timeout):
                    await producer.start()
            except BaseException:
                await _close(producer)
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        """Close the producer and its client: one that is only abandoned would still deliver what it holds, later."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self.remade += 1
            RELAY_REMADE.inc()
            await _close(producer)


async def _mark(connection: asyncpg.Connection, places: Sequence[Place]) -> None:
    if places:
        await connection.execute(_MARK, *map(list, zip(*places, strict=True)))


async def _close(producer: AIOKafkaProducer) -> None:
    """End a producer without letting it deliver what it still holds: its connections first, then itself.

    Its own `stop` flushes: rows that another relay has meanwhile sent, and newer ones, would be followed by old copies.
    """
    for end in (producer.client.close, producer.stop):
        try:
            async with asyncio.timeout(3):
                await end()
        except (Exception, asyncio.CancelledError):
            # Whatever a dying producer raises, its client must be closed next; nothing it still held was marked as published.
            if cancelled_from_outside():
                raise


async def send_all(producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> list[Place]:
    """Send rows (id, topic, key, headers, value) in their order per partition; return (row id, partition, offset) of each."""
    lanes: dict[tuple[str, int], list[asyncpg.Record]] = {}
    known = {topic: sorted(await producer.partitions_for(topic)) for topic in {row["topic"] for row in rows}}
    for row in rows:
        partitions = known[row["topic"]]
        lane = (row["topic"], _partition_of(row["key"].encode(), partitions, partitions))
        lanes.setdefault(lane, []).append(row)
    sent = await asyncio.gather(
        *(_send_lane(producer, topic, partition, lane) for (topic, partition), lane in lanes.items())
    )
    return [place for places in sent for place in places]


async def _send_lane(
    producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[asyncpg.Record]
) -> list[Place]:
    places: list[Place] = []
    waiting = []
    ids: list[int] = []
    batch = producer.create_batch()
    for row in rows:
        record = _record(row)
        if batch.append(**record) is None:
            waiting.append((ids, await producer.send_batch(batch, topic, partition=partition)))
            batch, ids = producer.create_batch(), []
            if batch.append(**record) is None:
                raise ValueError(f"outbox row {row['id']} is larger than a batch: the unit of work must refuse it")
        ids.append(row["id"])
    waiting.append((ids, await producer.send_batch(batch, topic, partition=partition)))
    for numbers, acknowledged in waiting:
        first = (await acknowledged).offset
        places.extend((number, partition, first + i) for i, number in enumerate(numbers))
    return places


def _record(row: asyncpg.Record) -> dict[str, object]:
    headers = [(name, value.encode()) for name, value in orjson.loads(row["headers"]).items()]
    value = row["value"].encode() if row["value"] is not None else None
    return {"key": row["key"].encode(), "value": value, "timestamp": None, "headers": headers}
