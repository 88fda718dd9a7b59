"""What a partner sees on the topics, also while the broker is hurt: a reader that begins again where the log is another one."""

import asyncio
import contextlib
import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Self

import orjson
from aiokafka.errors import KafkaError

from shared.contracts.flow import CATALOGUE, SERVICES, TOPICS
from shared.contracts.ingress import CommandAnswered
from shared.messaging.clients import (
    AIOKafkaConsumer,
    KafkaAccess,
    TopicPartition,
    cancelled_from_outside,
    new_reader,
)

WATCHED: Final = tuple(t for t in TOPICS if t.writer in SERVICES and t.name != CATALOGUE)
PLACES: Final = tuple(TopicPartition(topic.name, p) for topic in WATCHED for p in range(topic.partitions))
LETTER: Final = "fr.poec.dead-letter.v1"


class Seen(NamedTuple):
    """A record seen for the first time: its type, its value with its bytes, when (monotonic seconds), and its CloudEvents time."""

    type: str
    value: dict[str, Any]
    raw: bytes
    at: float
    time: dt.datetime


class Progress:
    """Reads the business, results and dead-letter topics from where they end at first; each event id counts once."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._ids: set[str] = set()
        self._seen: dict[tuple[str, str], list[Seen]] = defaultdict(list)
        self._news = asyncio.Condition()
        self._again = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.copies = 0

    async def __aenter__(self) -> Self:
        """Begin to read at the end: what is written from here on is seen."""
        reader = new_reader(self._access, "operations")
        await reader.start()
        reader.assign(PLACES)
        await reader.seek_to_end(*PLACES)
        for place in PLACES:
            await reader.position(place)
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading."""
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    def begin_again(self) -> None:
        """Read from the beginning again: the log is another one. What was seen stays seen."""
        self._again.set()

    async def until(
        self, kind: str, key: str, seconds: float, test: Callable[[Seen], bool] = lambda _: True
    ) -> Seen | None:
        """Return the first record of a type about a key that passes a test, past or to come; None after `seconds`.

        Raises `RuntimeError` where nobody reads any more: what is waited for may be there, unread.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                while True:
                    for seen in self._seen[(kind, key)]:
                        if test(seen):
                            return seen
                    await self._news.wait()
        if self._reading is None or self._reading.done():
            raise RuntimeError("nobody reads the topics any more: what is waited for may be there")
        return None

    def count(self, kind: str) -> int:
        """Return how many records of a type were seen."""
        return sum(len(found) for (of, _), found in self._seen.items() if of == kind)

    async def _read(self, reader: AIOKafkaConsumer) -> None:
        while True:
            self._again.clear()
            try:
                while not self._again.is_set():
                    fetched = await reader.getmany(timeout_ms=500, max_records=1000)
                    async with self._news:
                        for records in fetched.values():
                            for record in records:
                                self._take(record)
                        self._news.notify_all()
            except (KafkaError, OSError, asyncio.CancelledError):
                if cancelled_from_outside():
                    raise
                await asyncio.sleep(0.5)
            finally:
                await _ended(reader)
            reader = await self._from_the_beginning()

    async def _from_the_beginning(self) -> AIOKafkaConsumer:
        while True:
            reader = new_reader(self._access, "operations")
            try:
                await reader.start()
            except (KafkaError, OSError, asyncio.CancelledError):
                await _ended(reader)
                if cancelled_from_outside():
                    raise
                await asyncio.sleep(0.5)
            else:
                reader.assign(PLACES)
                return reader

    def _take(self, record: Any) -> None:
        headers = {name: (raw or b"").decode("utf-8", "replace") for name, raw in record.headers}
        identifier, kind = headers.get("ce_id", ""), headers.get("ce_type", "")
        if identifier in self._ids:
            self.copies += 1
            return
        try:
            value = orjson.loads(record.value or b"")
            said = dt.datetime.fromisoformat(headers.get("ce_time", ""))
        except ValueError:
            return  # poison that a test wrote: nothing that a partner could read
        self._ids.add(identifier)
        seen = Seen(kind, value, record.value, time.monotonic(), said)
        if kind == CommandAnswered.wire_type:
            self._seen[(kind, str(value["command_id"]))].append(seen)
            self._seen[(kind, f"{value['topic']}/{value['partition']}/{value['offset']}")].append(seen)
        elif kind == LETTER:
            self._seen[(kind, f"{value['topic']}/{value['partition']}/{value['offset']}")].append(seen)
        else:
            self._seen[(kind, (record.key or b"").decode("utf-8", "replace"))].append(seen)


async def _ended(reader: AIOKafkaConsumer) -> None:
    try:
        await reader.stop()
    except (KafkaError, OSError, asyncio.CancelledError):
        if cancelled_from_outside():
            raise
