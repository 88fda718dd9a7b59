"""The worker: a member of the service's group that reads batches and hands them to the inbox.

Never goes past a record that has no outcome. A transient failure (database away, deadlock) is tried again with jittered back-off,
nothing being read meanwhile; when that does not help, the consumer is closed and begins again from what is committed.
Offsets are committed at most once a second: the inbox makes what is read again harmless.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import asyncpg
from aiokafka.errors import CommitFailedError, KafkaError, UnknownError, UnsupportedCodecError

from shared.crash import crash_point
from shared.database import CONNECTION_LOST, UnitOfWork
from shared.errors import Conflict
from shared.logs import log
from shared.messaging.clients import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    KafkaAccess,
    TopicPartition,
    cancelled_from_outside,
    may_mean,
    new_group_consumer,
    received,
)
from shared.messaging.inbox import Inbox
from shared.messaging.ingress import defect_answer, is_ingress
from shared.messaging.known import decoded
from shared.messaging.ledger import Ledger
from shared.messaging.records import Heard, Received
from shared.messaging.rescue import read_raw
from shared.metrics import INBOX_BATCH, INBOX_LAG, INBOX_RETRIES, INBOX_SECONDS

TRANSIENT: Final = (
    *CONNECTION_LOST,
    Conflict,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectInUseError,
)
_TRIES: Final = 6
_COMMIT_SECONDS: Final = 1.0
_DRAIN_SECONDS: Final = 45.0
_LINGER_FROM: Final = 3
_STUCK_SECONDS: Final = 60.0
_FENCED_AFTER: Final = 20
_RESETS: Final = "SELECT DISTINCT topic FROM position_reset WHERE at > clock_timestamp() - interval '10 minutes'"
_LOG = log("worker")


class Fenced(RuntimeError):
    """Another process took this instance's place in the group: this one must end (its name was not unique)."""


class Worker:
    """Consumes every topic its service hears. `linger_always` waits before each read: bigger batches, where nobody waits for the answer."""

    def __init__(
        self, inbox: Inbox[Any], access: KafkaAccess, topics: Collection[str], instance: str, *, batch: int = 500, linger_ms: int = 8,
        linger_always: bool = False,
    ) -> None:  # fmt: skip
        self._inbox, self._access, self._topics, self._instance = inbox, access, tuple(topics), instance
        self._batch, self._linger, self._linger_always = batch, linger_ms / 1000, linger_always
        self._busy = asyncio.Lock()
        self._done: dict[TopicPartition, int] = {}
        self._committed_at = 0.0
        self._generation = 0
        self._restart = asyncio.Event()
        self._anew: set[str] = set()
        self._went_back: set[TopicPartition] = set()
        self.assigned = False
        self.last_turn = time.monotonic()

    def turns(self) -> bool:
        """Return whether the loop went round lately: a batch that hangs does not look healthy."""
        return time.monotonic() - self.last_turn < _STUCK_SECONDS

    def begin_again(self, topics: Collection[str]) -> None:
        """Close the consumer, and read these topics from their beginnings: their logs were made anew under it.

        What was read of a new log at an old position, and committed, says nothing of the records before it.
        """
        self._anew.update(topics)
        self._went_back = {place for place in self._went_back if place.topic not in topics}
        self._restart.set()

    async def run(self) -> None:
        """Consume until cancelled. Raises `Fenced` only."""
        while True:
            consumer = new_group_consumer(self._access, self._inbox.hearing.service, self._instance)
            self._restart.clear()
            try:
                await self._remember_resets()
                consumer.subscribe(self._topics, listener=_Listener(self, consumer))
                await consumer.start()
                await self._consume(consumer)
            except (KafkaError, asyncio.CancelledError, *TRANSIENT) as failure:
                if cancelled_from_outside():
                    raise
                _LOG.warning(
                    "consumer_restarts", error=type(failure).__name__, may_mean=may_mean(failure, self._access)
                )
                await asyncio.sleep(random.uniform(0.2, 1.0))
            finally:
                self.assigned = False
                await asyncio.shield(self._close(consumer))

    async def _remember_resets(self) -> None:
        """Take over what a process before this one may have known: it may have died before it went back itself."""
        async with self._inbox.database.connection() as connection:
            self._anew.update(row["topic"] for row in await connection.fetch(_RESETS))

    def _go_back(self, consumer: AIOKafkaConsumer) -> None:
        """Go to the beginning of each partition whose log was made anew, once; the inbox knows what is read twice."""
        for place in consumer.assignment() - self._went_back:
            if place.topic in self._anew:
                consumer.seek(place, 0)
                self._done[place] = 0
            self._went_back.add(place)

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        unknown = 0
        while not self._restart.is_set():
            self.last_turn = time.monotonic()
            self._go_back(consumer)
            try:
                fetched = await consumer.getmany(timeout_ms=1000, max_records=self._batch)
                unknown = 0
            except UnknownError as failure:
                # aiokafka does not know FENCED_INSTANCE_ID: it shows as an unknown error at every read, for ever.
                unknown += 1
                if unknown >= _FENCED_AFTER:
                    raise Fenced(
                        "this instance's place in the group was taken by another process of the same name"
                    ) from failure
                await asyncio.sleep(0.1)
                continue
            except (UnsupportedCodecError, ValueError, TypeError) as failure:
                await self._rescue(consumer, failure)
                return
            size = await self._handle(consumer, fetched) if fetched else 0
            await self._commit_when_due(consumer)
            waits = size >= _LINGER_FROM or self._linger_always
            if self._linger and waits and size < self._batch // 2:  # half a batch and more: there is a backlog, go on
                await asyncio.sleep(self._linger)

    async def _rescue(self, consumer: AIOKafkaConsumer, failure: Exception) -> None:
        """Let the other client read what aiokafka cannot (a codec it lacks, a header name that is not UTF-8), then begin again.

        aiokafka fails at the whole batch and forgets what it had taken out of others: nothing it gave is relied upon.
        """
        _LOG.warning("records_unreadable_for_client", error=type(failure).__name__)
        async with self._busy:
            await self._commit_when_due(consumer, now=True)
            places = sorted(consumer.assignment())
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            starts = {place: (await consumer.committed(place)) or begins[place] for place in places}
            found = await asyncio.to_thread(read_raw, self._access, self._inbox.hearing.service, starts, ends)
            for place, records in found.items():
                for first in range(0, len(records), self._batch):
                    await self.apply_with_retries(place.topic, records[first : first + self._batch])
                self._done[place] = records[-1].offset + 1
            await self._commit_when_due(consumer, now=True)

    async def _handle(self, consumer: AIOKafkaConsumer, fetched: dict[TopicPartition, list[Any]]) -> int:
        generation, size = self._generation, 0
        by_topic: dict[str, dict[TopicPartition, list[Received]]] = {}
        for place, records in fetched.items():
            by_topic.setdefault(place.topic, {})[place] = [received(record) for record in records]
        for topic, places in by_topic.items():
            async with self._busy:
                if generation != self._generation:
                    return size  # revoked meanwhile: what is left belongs to somebody else now
                records = [record for partition in places.values() for record in partition]
                await self.apply_with_retries(topic, records)
                self._done.update({place: lot[-1].offset + 1 for place, lot in places.items()})
                size += len(records)
        self._measure(consumer, fetched)
        return size

    def _measure(self, consumer: AIOKafkaConsumer, places: Iterable[TopicPartition]) -> None:
        for place in places:
            end = consumer.highwater(place)
            if end is not None and place in self._done:
                INBOX_LAG.labels(place.topic).set(max(0, end - self._done[place]))

    async def apply_with_retries(self, topic: str, records: Sequence[Received]) -> None:
        """Apply a batch; a failure that is not transient is narrowed down to the record that causes it."""
        for attempt in range(_TRIES):
            try:
                with INBOX_SECONDS.time():
                    await self._inbox.apply(topic, records)
                INBOX_BATCH.observe(len(records))
                return
            except TRANSIENT as failure:
                if attempt == _TRIES - 1:
                    raise
                INBOX_RETRIES.inc()
                delay = random.uniform(0.5, 1.0) * min(0.1 * 3**attempt, 5.0)
                _LOG.warning("batch_retried", topic=topic, error=type(failure).__name__, delay=round(delay, 3))
                await asyncio.sleep(delay)
            except Exception as failure:  # not transient: some record makes the whole batch fail, and must be found
                await self._one_by_one(topic, records, failure)
                return

    async def _one_by_one(self, topic: str, records: Sequence[Received], failure: Exception) -> None:
        if len(records) > 1:
            for record in records:
                await self.apply_with_retries(topic, [record])
            return
        _LOG.error("record_unappliable", topic=topic, error=type(failure).__name__)
        record, service = records[0], self._inbox.hearing.service
        item, ledger = decoded(record), Ledger(service, topic)
        event_id, key = (item.event_id, item.key) if isinstance(item, Heard) else (None, None)
        ledger.received(records)
        ledger.die(record, event_id, "DEFECT", type(failure).__name__, parks=key is not None and not is_ingress(topic))

        async def answer(unit: UnitOfWork, _: Ledger) -> None:
            if is_ingress(topic):
                unit.send(defect_answer(service, record, unit.now))

        await self._inbox.settle(topic, [], ledger, None, answer)

    async def _commit_when_due(self, consumer: AIOKafkaConsumer, *, now: bool = False) -> None:
        if self._done and (now or time.monotonic() - self._committed_at > _COMMIT_SECONDS):
            done = {place: offset for place, offset in self._done.items() if place in consumer.assignment()}
            self._done, self._committed_at = {}, time.monotonic()
            if done:
                await self._commit(consumer, done)
                await crash_point("inbox.after_ack")

    async def _commit(self, consumer: AIOKafkaConsumer, done: dict[TopicPartition, int]) -> None:
        """Commit; what a broker that is away did not take goes with the next commit."""
        try:
            async with asyncio.timeout(10):
                await consumer.commit(done)
        except CommitFailedError:
            pass  # the partitions went to another member: its inbox knows these records
        except TimeoutError:
            self._done = {**done, **self._done}

    async def drain(self, consumer: AIOKafkaConsumer) -> None:
        """Finish the batch at hand and commit, before partitions are given away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async with self._busy:
                    self._generation += 1
                    with contextlib.suppress(KafkaError):
                        await self._commit_when_due(consumer, now=True)

    async def _close(self, consumer: AIOKafkaConsumer) -> None:
        # A consumer that cannot say goodbye is left to its session time-out; what it did is in the database.
        with contextlib.suppress(KafkaError, TimeoutError, asyncio.CancelledError):
            await self._commit_when_due(consumer, now=True)
        with contextlib.suppress(KafkaError, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(5):
                await consumer.stop()
        self._done = {}


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Drains before partitions are revoked: aiokafka itself rejoins without waiting for a batch that is running."""

    def __init__(self, worker: Worker, consumer: AIOKafkaConsumer) -> None:
        self._worker, self._consumer = worker, consumer

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish what runs; nothing to do at the very first join."""
        self._worker.assigned = False
        if revoked:
            await self._worker.drain(self._consumer)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note that the member has its part; never seek here (aiokafka delivers before the seek)."""
        self._worker.assigned = True
