"""The log as the audit reads it: its own consumer without a group, every partition from its beginning to where it ends now.

Records are handed to folds one by one and forgotten; a fold keeps identifiers and digests, never values.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, Self, TypeAlias
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from deploy.audit.verdict import CouldNotLook
from shared.messaging.clients import KafkaAccess, kafka_settings

Batches: TypeAlias = "dict[TopicPartition, list[ConsumerRecord[Any, Any]]]"
PATIENCE_SECONDS: Final = 60.0
"""How long the broker may give nothing before the audit says that it could not look."""


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Return the place as `topic/partition@offset`."""
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of the log, undecoded."""

    place: Place
    key: bytes | None
    headers: Mapping[str, bytes | None]
    value: bytes | None

    def header(self, name: str) -> str | None:
        """Return a header as text, or None where it is absent or no UTF-8."""
        return text_of(self.headers.get(name))

    @property
    def text_key(self) -> str | None:
        """Return the key as text, or None."""
        return text_of(self.key)

    @property
    def sequence(self) -> int | None:
        """Return what `ce_sequence` counts, or None where it is absent or no positive number."""
        text = self.header("ce_sequence") or ""
        return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 18 else None

    def json(self) -> dict[str, Any] | None:
        """Return the value as a JSON object, or None where it is none."""
        try:
            found = orjson.loads(self.value or b"null")
        except orjson.JSONDecodeError:
            return None
        return found if isinstance(found, dict) else None


def text_of(raw: bytes | None) -> str | None:
    """Return bytes as text, or None where they are absent or no UTF-8."""
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def compact_id(text: str) -> bytes:
    """Return an event id in few bytes: 16 for a UUID as services write it, else its UTF-8; in capitals it is another id."""
    try:
        found = UUID(text)
    except ValueError:
        return text.encode()
    return found.bytes if str(found) == text else text.encode()


class Fold(Protocol):
    """Something that reads the whole log record by record; made anew for each look."""

    def take(self, record: LogRecord) -> None:
        """Take one record into account."""


@dataclass(frozen=True)
class Bounds:
    """First and next offset of every partition of the log, as they were when reading began."""

    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will have; 0 for a partition that does not exist."""
        return self.ends.get(TopicPartition(topic, partition), 0)


class LogReader:
    """A consumer of the audit's own; use as an async context manager."""

    def __init__(self, access: KafkaAccess) -> None:
        """Take where the brokers are, and as whom to sign in; nothing is connected yet."""
        self._settings = kafka_settings(access, "audit")
        self._consumer = AIOKafkaConsumer(
            **self._settings,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=1_500_000,
        )

    async def __aenter__(self) -> Self:
        """Connect. Raises `CouldNotLook`."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._consumer.start()
        except (KafkaError, OSError, TimeoutError) as wrong:
            await self._consumer.stop()
            raise CouldNotLook(f"The broker does not answer ({type(wrong).__name__}).") from wrong
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def bounds(self, topics: Iterable[str]) -> Bounds:
        """Return where every partition of those topics of the flow table that exist begins and ends now."""
        try:
            partitions = await self._partitions(sorted(set(topics)))
            # Assigned at once, the client asks for the metadata of all topics at once; else for one after the other.
            self._consumer.assign(partitions)
            begins = await self._consumer.beginning_offsets(partitions)
            ends = await self._consumer.end_offsets(partitions)
        except (KafkaError, OSError, TimeoutError) as wrong:
            raise CouldNotLook(f"The broker does not say how long the log is ({type(wrong).__name__}).") from wrong
        return Bounds(begins, ends)

    async def _partitions(self, topics: list[str]) -> list[TopicPartition]:
        """Return the partitions that the broker really has; of a topic that does not exist, none."""
        admin = AIOKafkaAdminClient(**self._settings)
        await admin.start()
        try:
            described = await admin.describe_topics(topics)
        finally:
            await admin.close()
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            if not topic["error_code"]
            for partition in topic["partitions"]
        ]

    async def read(self, bounds: Bounds, folds: Sequence[Fold]) -> int:
        """Hand every record within the bounds to every fold, in order per partition; return how many there were."""
        left = {p for p, end in bounds.ends.items() if end > bounds.begins[p]}
        count = 0
        if not left:
            return count
        self._consumer.assign(sorted(left))
        for partition in left:
            self._consumer.seek(partition, bounds.begins[partition])
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while left:
            if loop.time() > deadline:
                raise CouldNotLook(f"The broker gave nothing for {PATIENCE_SECONDS:.0f} s, before the end of the log.")
            found = await self._some(left)
            for partition, records in found.items():
                within = [record for record in records if record.offset < bounds.ends[partition]]
                count += len(within)
                _hand(within, folds)
            still = {p for p in left if await self._consumer.position(p) < bounds.ends[p]}
            if found or still != left:
                deadline = loop.time() + PATIENCE_SECONDS
            left = still
        return count

    async def _some(self, left: set[TopicPartition]) -> Batches:
        try:
            found: Batches = await self._consumer.getmany(*left, timeout_ms=500)
        except KafkaError as wrong:
            raise CouldNotLook(f"The log could not be read to its end ({type(wrong).__name__}).") from wrong
        return found


def _hand(records: "list[ConsumerRecord[Any, Any]]", folds: Sequence[Fold]) -> None:
    for record in records:
        place = Place(record.topic, record.partition, record.offset)
        ours = LogRecord(place, record.key, dict(reversed(record.headers)), record.value)
        for fold in folds:
            fold.take(ours)
