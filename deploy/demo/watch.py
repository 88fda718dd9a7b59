"""What a partner sees: one reader of the business and results topics, and a way to wait for what must appear there.

It has no group and starts at the log's end, so that it sees what the play leads to and nothing else. Nobody polls and nobody
sleeps: whoever waits is woken by the record.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson

from shared.contracts.flow import CATALOGUE, INGRESS_SERVICE, TOPICS, ingress_topic
from shared.contracts.ingress import CommandAnswered
from shared.messaging.clients import AIOKafkaConsumer, KafkaAccess, TopicPartition, new_reader

PATIENCE: Final = 60.0  # seconds that anything may take, a restart of a process included
ANSWERED: Final = CommandAnswered.wire_type
LETTER: Final = "fr.poec.dead-letter.v1"
WATCHED: Final = tuple(
    t for t in TOPICS if t.writer in ("submission", "validation", "publication", "analytics") and t.name != CATALOGUE
)
"""Every topic that a service writes to; the catalogue apart, which repeats what the sessions' topic says."""


class NothingCame(Exception):
    """What had to appear on a topic did not within the time given."""


@dataclass(frozen=True)
class Seen:
    """A record as it was read: its CloudEvents type and id, its key, its value with its bytes, and when (monotonic seconds)."""

    type: str
    id: str
    key: str
    value: dict[str, Any]
    raw: bytes
    at: float


Test = Callable[[Seen], bool]
Place = tuple[str, str]


def _any(_: Seen) -> bool:
    return True


@dataclass
class _Nth:
    """Passes at the `left`-th record that passes the test."""

    test: Test
    left: int

    def __call__(self, seen: Seen) -> bool:
        self.left -= self.test(seen)
        return self.left <= 0


class Watch:
    """Reads on while it is open (`async with`); keeps what it saw, each record id once."""

    def __init__(self, access: KafkaAccess, principal: str = "operations", *, from_start: bool = False) -> None:
        """`from_start` reads the log from its beginning: for a play that is taken up again."""
        self._from_start = from_start
        self._consumer: AIOKafkaConsumer = new_reader(access, principal)
        self._seen: dict[Place, list[Seen]] = defaultdict(list)
        self._ids: set[str] = set()
        self._waiting: dict[Place, list[tuple[Test, asyncio.Future[Seen]]]] = defaultdict(list)
        self._reading: asyncio.Task[None] | None = None
        self._lost: list[str] = []
        self.count = 0

    async def __aenter__(self) -> Self:
        """Start at the end of every watched topic (or its beginning); what is written from here on is seen."""
        await self._consumer.start()
        partitions = [TopicPartition(topic.name, n) for topic in WATCHED for n in range(topic.partitions)]
        self._consumer.assign(partitions)
        if self._from_start:
            await self._consumer.seek_to_beginning(*partitions)
        else:
            await self._consumer.seek_to_end(*partitions)
        for partition in partitions:
            await self._consumer.position(partition)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._consumer.stop()

    async def _read(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=1000, max_records=2000)).values():
                for record in records:
                    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
                    self.take(headers, (record.key or b"").decode("utf-8", "replace"), record.value)

    def take(self, headers: dict[str, str], key: str, value: bytes | None) -> None:
        """Take one record in; one that was delivered twice is taken once."""
        identifier = headers.get("ce_id", "")
        if identifier in self._ids or value is None:
            return
        self._ids.add(identifier)
        self.count += 1
        seen = Seen(headers.get("ce_type", ""), identifier, key, orjson.loads(value), value, time.monotonic())
        place = place_of(seen)
        if seen.type == LETTER and not is_ingress(str(seen.value["topic"])):
            self._give_up(f"an event became a dead letter ({place[1]}, {seen.value['code']}): `poec dlq list`")
        self._seen[place].append(seen)
        self._wake(place, seen)

    def _give_up(self, why: str) -> None:
        """An event that its hearer could not apply will never lead to anything: nobody needs to wait."""
        self._lost.append(why)
        for entries in self._waiting.values():
            for _, waiting in entries:
                if not waiting.done():
                    waiting.set_exception(NothingCame(why))

    def _wake(self, place: Place, seen: Seen) -> None:
        for test, waiting in self._waiting.get(place, ()):
            if not waiting.done() and test(seen):
                waiting.set_result(seen)

    async def until(self, kind: str, key: str, test: Test = _any, *, nth: int = 1, patience: float = PATIENCE) -> Seen:
        """Return the `nth` record of this type and key that passes the test, past or to come; `NothingCame` after `patience` seconds."""
        place = (kind, key)
        found = [seen for seen in self._seen.get(place, ()) if test(seen)]
        if len(found) >= nth:
            return found[nth - 1]
        if self._lost:
            raise NothingCame(self._lost[0])
        waiting: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
        entry = (_Nth(test, nth - len(found)), waiting)
        self._waiting[place].append(entry)
        try:
            async with asyncio.timeout(patience):
                return await self._or_reader_ended(waiting)
        except TimeoutError:
            raise NothingCame(f"{kind} {key}: nothing after {patience:.0f} s") from None
        finally:
            self._waiting[place].remove(entry)

    async def _or_reader_ended(self, waiting: "asyncio.Future[Seen]") -> Seen:
        """Wait for the record, but not behind a reader that failed."""
        reading = self._reading
        ends: set[asyncio.Future[Any]] = {waiting} if reading is None else {waiting, reading}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() and reading is not None:
            reading.result()
        return waiting.result()

    def all(self, kind: str, key: str) -> list[Seen]:
        """Return what was seen so far of this type and key."""
        return list(self._seen.get((kind, key), ()))

    def of_type(self, kind: str) -> Iterable[Seen]:
        """Yield what was seen so far of this type, whatever its key."""
        for (found, _), records in self._seen.items():
            if found == kind:
                yield from records


_INGRESS: Final = frozenset(map(ingress_topic, INGRESS_SERVICE))


def is_ingress(topic: str) -> bool:
    """Return whether a topic is an organisation's way in: what dies there is answered to its sender."""
    return topic in _INGRESS


def place_of(seen: Seen) -> Place:
    """Return under which name a record can be waited for.

    An event: its key. An answer, a dead letter: the place in the log of the record that it is about.
    """
    said = seen.value
    if seen.type not in (ANSWERED, LETTER):
        return (seen.type, seen.key)
    return (seen.type, f"{said['topic']}/{said['partition']}/{said['offset']}")
