"""`poec tail`: the events as they come, one line each."""

import asyncio
import datetime as dt
import heapq
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.markup import escape

from deploy.cli.asked import Home, Json
from deploy.cli.console import stderr_console, stdout_console
from deploy.cli.gist import KINDS, Gist
from deploy.local.runfile import Run, home_folder
from shared.contracts.flow import CATALOGUE, SERVICES, TOPICS, dead_letters_topic
from shared.contracts.references import OPERATIONS
from shared.messaging.clients import AIOKafkaConsumer, TopicPartition, new_reader

FromStart = Annotated[
    bool, typer.Option("--from-start", help="Begin with the first event kept, in the order of their times.")
]
Count = Annotated[
    int | None, typer.Option("--count", "-n", min=1, help="End after so many events.", show_default=False)
]
_LETTERS: Final = {dead_letters_topic(name) for name in SERVICES}
TOLD: Final = tuple(
    t
    for t in TOPICS
    if (t.writer in SERVICES and t.readers[0] in SERVICES and t.name != CATALOGUE) or t.name in _LETTERS
)
"""The business topics, the catalogue apart (it repeats what the sessions' topic says), and the dead letters."""


def tail(from_start: FromStart = False, count: Count = None, as_json: Json = False, home: Home = None) -> None:
    """Follow the events as they come, one line each; with --json one JSON document per line.

    Exit codes: 0 ended by --count or Ctrl-C, 1 nothing runs or the broker cannot be reached.
    """
    run = Run.load(home_folder(home))
    try:
        asyncio.run(_tell(run, from_start, count, as_json))
    except (KeyboardInterrupt, BrokenPipeError):
        raise typer.Exit(0) from None


async def _tell(run: Run, from_start: bool, count: int | None, as_json: bool) -> None:
    out, gist, told = stdout_console(), Gist(), 0
    consumer = new_reader(run.kafka.access(OPERATIONS), OPERATIONS)
    await consumer.start()
    try:
        if not from_start:
            stderr_console().print("Events as they come (Ctrl-C to end)", style="dim")
        async for record in _records(consumer, from_start):
            if as_json:
                print(orjson.dumps(_document(record)).decode(), flush=True)
            else:
                out.print(_line(gist, record), soft_wrap=True)
            told += 1
            if told == count:
                return
    finally:
        await consumer.stop()


async def _records(consumer: AIOKafkaConsumer, from_start: bool) -> AsyncIterator[Any]:
    partitions = [TopicPartition(topic.name, n) for topic in TOLD for n in range(topic.partitions)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    if from_start:
        await consumer.seek_to_beginning(*partitions)
        async for record in _kept(consumer, ends):
            yield record
    for partition, end in ends.items():
        consumer.seek(partition, end)
    while True:
        found = await consumer.getmany(timeout_ms=1000)
        for record in sorted((r for records in found.values() for r in records), key=_moment):
            yield record


async def _kept(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncIterator[Any]:
    """Yield what the log has already, merged by time: one record of each partition is held at a time."""
    heap: list[tuple[int, int, Any]] = []
    places = list(ends)
    for number, place in enumerate(places):
        if await consumer.position(place) < ends[place]:
            record = await consumer.getone(place)
            heapq.heappush(heap, (record.timestamp, number, record))
    while heap:
        _, number, record = heapq.heappop(heap)
        yield record
        if record.offset + 1 < ends[places[number]]:
            following = await consumer.getone(places[number])
            heapq.heappush(heap, (following.timestamp, number, following))


def _moment(record: Any) -> int:
    moment: int = record.timestamp
    return moment


def _header(record: Any, name: str) -> str:
    return next((value.decode("utf-8", "replace") for found, value in record.headers if found == name and value), "")


def _value(record: Any) -> dict[str, Any]:
    try:
        value = orjson.loads(record.value or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _document(record: Any) -> dict[str, Any]:
    wire_type = _header(record, "ce_type")
    kind, _, text = Gist().tell(wire_type, _value(record))
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    named = {
        "id": _header(record, "ce_id"),
        "type": wire_type,
        "time": _header(record, "ce_time"),
        "gist": f"{kind.word} {text}",
    }
    return {**place, **named, "value": _value(record)}


_PARIS: Final = ZoneInfo("Europe/Paris")
_WIDTH: Final = max(len(kind.word) for kind in KINDS.values())


def _line(gist: Gist, record: Any) -> str:
    """Return a line: business time, what happened, which fiche, what it says."""
    kind, name, text = gist.tell(_header(record, "ce_type"), _value(record))
    return f"[dim]{_time(record)}[/]  [{kind.colour}]{kind.word:<{_WIDTH}}[/]  {escape(name):<22}  {escape(text)}"


def _time(record: Any) -> str:
    try:
        return dt.datetime.fromisoformat(_header(record, "ce_time")).astimezone(_PARIS).strftime("%d/%m/%Y %H:%M:%S")
    except ValueError:
        return " " * 19
