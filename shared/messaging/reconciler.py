"""The reconciler: the log is audited against the outbox, and what is missing is sent again.

It turns 'acknowledged but lost' (data folder wiped or rolled back, topic deleted and made anew) into a delay.
Each published row knows its place (partition, offset). A pass compares, chunk by chunk, the ids found in the log with the rows that
should stand there; what it has compared once it does not compare again, unless the record before its mark is no longer the same.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from shared.contracts.flow import TOPICS, Topic
from shared.crash import crash_point
from shared.database import Database
from shared.logs import log
from shared.messaging.clients import (
    AIOKafkaConsumer,
    KafkaAccess,
    TopicPartition,
    cancelled_from_outside,
    may_mean,
    new_reader,
)
from shared.messaging.relay import TRANSIENT, Relay
from shared.metrics import OUTBOX_PENDING, RECONCILED

_LOCK: Final = 5_117_013_551
"""Advisory lock of a pass: replicas take turns."""
_CHUNK: Final = 5_000
_TOPICS_USED = "SELECT DISTINCT topic FROM outbox WHERE published_at IS NOT NULL"
_ROWS = (
    "SELECT id, event_id, kafka_offset FROM outbox"
    " WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset >= $3 AND kafka_offset < $4 AND published_at < $5"
)
_AGAIN = (
    "UPDATE outbox o SET published_at = NULL, kafka_partition = NULL, kafka_offset = NULL WHERE id = ANY($1::bigint[])"
    " AND NOT ($2 AND EXISTS (SELECT 1 FROM outbox n WHERE n.topic = o.topic AND n.key = o.key AND n.id > o.id))"
)
_MARK = "INSERT INTO reconciled VALUES ($1, $2, $3) ON CONFLICT (topic, kafka_partition) DO UPDATE SET next_offset = excluded.next_offset"
_PAST_ANY_END: Final = 2**62
_LOG = log("reconciler")


class Reconciler:
    """Compares on a schedule and when told to (`soon`): after a broker's return, a new cluster id or topic id."""

    def __init__(self, database: Database, access: KafkaAccess, relay: Relay, every: float) -> None:
        self._database, self._access, self._relay, self._every = database, access, relay, every
        self._due = asyncio.Event()
        self.passes = 0
        self.sent_again = 0

    def soon(self) -> None:
        """Ask for a pass without waiting for the schedule."""
        self._due.set()

    async def run(self) -> None:
        """Reconcile until cancelled; a pass that fails is tried again."""
        while True:
            try:
                async with asyncio.timeout(self._every):
                    await self._due.wait()
            except TimeoutError:
                pass  # nothing happened: this is the scheduled pass
            self._due.clear()
            try:
                await self.reconcile()
            except (asyncio.CancelledError, *TRANSIENT) as failure:
                if cancelled_from_outside():
                    raise
                _LOG.warning("reconcile_failed", error=type(failure).__name__, may_mean=may_mean(failure, self._access))
                await asyncio.sleep(1)
                self._due.set()

    async def reconcile(self) -> int:
        """Do one pass over every topic this service has written to; return how many rows are to be sent again."""
        async with self._database.connection() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                return 0
            try:
                found = await self._all_topics(connection)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
            pending = await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")
        OUTBOX_PENDING.set(pending)
        self.passes += 1
        self.sent_again += found
        if found:
            RECONCILED.inc(found)
            _LOG.warning("rows_missing_in_log", rows=found)
            self._relay.renew()
        return found

    async def _all_topics(self, connection: asyncpg.Connection) -> int:
        used = {row["topic"] for row in await connection.fetch(_TOPICS_USED)}
        if not used:
            return 0  # and no reader: aiokafka's consumer ends in a CancelledError when it is stopped before it ran
        reader = new_reader(self._access, self._database.service)
        try:
            async with asyncio.timeout(20):
                await reader.start()
            return sum([await self._topic(connection, reader, topic) for topic in TOPICS if topic.name in used])
        finally:
            await reader.stop()

    async def _topic(self, connection: asyncpg.Connection, reader: AIOKafkaConsumer, topic: Topic) -> int:
        began = await connection.fetchval("SELECT clock_timestamp()")
        places = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
        reader.assign(places)
        ends = await reader.end_offsets(places)
        begins = await reader.beginning_offsets(places)
        logs = [_Log(topic, place, begins[place], ends[place], began) for place in places]
        return sum([await self._partition(connection, reader, one) for one in logs])

    async def _partition(self, connection: asyncpg.Connection, reader: AIOKafkaConsumer, found: "_Log") -> int:
        topic, place, end = found.topic, found.place, found.end
        query = "SELECT next_offset FROM reconciled WHERE topic = $1 AND kafka_partition = $2"
        start = await connection.fetchval(query, topic.name, place.partition) or 0
        if not await self._still_the_same(connection, reader, found, start):
            _LOG.warning("log_is_not_what_it_was", topic=topic.name, partition=place.partition)
            start = 0
        missing: list[int] = []
        position = start
        while position < end:
            until = min(position + _CHUNK, end)
            ids = await _ids(reader, place, max(position, found.begin), until)
            rows = await connection.fetch(_ROWS, topic.name, place.partition, position, until, found.began)
            missing += [row["id"] for row in rows if ids.get(row["kafka_offset"]) != row["event_id"]]
            position = until
        rows = await connection.fetch(_ROWS, topic.name, place.partition, end, _PAST_ANY_END, found.began)
        return await self._send_again(connection, topic, place, [*missing, *(row["id"] for row in rows)], end)

    async def _send_again(
        self, connection: asyncpg.Connection, topic: Topic, place: TopicPartition, missing: Sequence[int], end: int
    ) -> int:
        again = 0
        async with connection.transaction():
            if missing:
                done = await connection.execute(_AGAIN, list(missing), topic.compacted)
                again = int(done.split()[-1])
            await connection.execute(_MARK, topic.name, place.partition, end)
            await crash_point("reconciler.before_mark")
        await crash_point("reconciler.after_mark")
        return again

    async def _still_the_same(
        self, connection: asyncpg.Connection, reader: AIOKafkaConsumer, found: "_Log", start: int
    ) -> bool:
        """Return whether the last record compared before still stands where it stood."""
        if start > found.end:
            return False
        if start <= found.begin:
            return True
        query = "SELECT event_id FROM outbox WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3 AND published_at IS NOT NULL"
        expected = await connection.fetchval(query, found.place.topic, found.place.partition, start - 1)
        ids = await _ids(reader, found.place, start - 1, start)
        return expected is None or (start - 1) not in ids or ids[start - 1] == expected


@dataclass(frozen=True)
class _Log:
    """One partition as a pass finds it: first offset, end, and when the pass looked (database time)."""

    topic: Topic
    place: TopicPartition
    begin: int
    end: int
    began: dt.datetime


async def _ids(reader: AIOKafkaConsumer, place: TopicPartition, start: int, end: int) -> dict[int, UUID | None]:
    """Return the event ids between two offsets by offset; offsets that compaction removed are absent."""
    found: dict[int, UUID | None] = {}
    if start >= end:
        return found
    reader.seek(place, start)
    async with asyncio.timeout(30):
        while True:
            fetched: dict[TopicPartition, list[Any]] = await reader.getmany(
                place, timeout_ms=500, max_records=end - start
            )
            for record in fetched.get(place, ()):
                if record.offset < end:
                    found[record.offset] = _event_id(record.headers)
            if await reader.position(place) >= end:
                return found


def _event_id(headers: Sequence[tuple[str, bytes | None]]) -> UUID | None:
    """Return a record's id; None for a record that no outbox has written."""
    try:
        return UUID((next((raw for name, raw in headers if name == "ce_id"), None) or b"").decode())
    except ValueError:
        return None
