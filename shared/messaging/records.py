"""Kafka records as this product reads and writes them: CloudEvents 1.0, binary mode, JSON values.

Headers: `ce_specversion`, `ce_id`, `ce_type`, `ce_source`, `ce_subject`, `ce_time`, `ce_sequence`, `content-type`, `traceparent`.
"""

import datetime as dt
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

import orjson
from pydantic import ValidationError

from shared.contracts.events import Event
from shared.contracts.fiche import POEC_NAMESPACE, Value
from shared.errors import Impossible
from shared.trace import current_trace

SHARDS: Final = 8
"""Shards of every outbox, made by the first migration: more relays than this would wait in line."""

MAX_VALUE_BYTES: Final = 1_000_000
"""Largest value that the outbox takes: below the broker's own limit of 1 MiB, so that no row can ever block a relay."""

MAX_NAME_BYTES: Final = 500
"""Longest key or header that is read: two of them must fit into one entry of an index (2,704 bytes)."""

OUTBOX_COLUMNS: Final = (
    ("event_id", "uuid"),
    ("shard", "smallint"),
    ("topic", "text"),
    ("key", "text"),
    ("headers", "jsonb"),
    ("value", "text"),
    ("sequence", "bigint"),
)
V = TypeVar("V", bound=Value)
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""NUL as JSON writes it; PostgreSQL keeps it in no text."""


@dataclass(frozen=True)
class Outgoing:
    """A complete record on its way into the outbox; `value` None is a tombstone, `sequence` None where none is counted."""

    event_id: UUID
    topic: str
    key: str
    headers: Mapping[str, str]
    value: str | None
    sequence: int | None = None

    def __post_init__(self) -> None:
        """Refuse what the broker would refuse later, for ever: a row that cannot be sent would hold up its whole shard."""
        if self.value and len(self.value) * 4 > MAX_VALUE_BYTES and len(self.value.encode()) > MAX_VALUE_BYTES:
            raise ValueError("a record of more than 1,000,000 bytes does not enter the outbox")

    def as_row(self) -> tuple[Any, ...]:
        """Return the values of `OUTBOX_COLUMNS`."""
        shard = shard_of(self.key)
        headers = orjson.dumps(dict(self.headers)).decode()
        return (self.event_id, shard, self.topic, self.key, headers, self.value, self.sequence)


@dataclass(frozen=True)
class Tombstone:
    """The word that a key of a compacted topic is gone."""

    topic: str
    key: str
    wire_type: str

    def at(self, version: int, service: str, now: dt.datetime) -> Outgoing:
        """Return the tombstone's record; `version` is the version of the aggregate that took it out."""
        identifier = derived_id(self.topic, self.key, version, f"{self.wire_type}/tombstone")
        headers = cloud_headers(identifier, self.wire_type, service, self.key, now, version)
        return Outgoing(identifier, self.topic, self.key, headers, None, version)


def shard_of(key: str) -> int:
    """Return the outbox shard of a key: stable, so that what is said of one key stays in order."""
    return zlib.crc32(key.encode()) % SHARDS


def derived_id(topic: str, key: str, sequence: int, wire_type: str) -> UUID:
    """Return the id of an event: the same fact said again by a restored database gets the same id."""
    return uuid5(POEC_NAMESPACE, f"{topic}/{key}/{sequence}/{wire_type}")


def cloud_headers(
    identifier: UUID,
    wire_type: str,
    service: str,
    subject: str,
    at: dt.datetime,
    sequence: int | None,
    trace: str | None = None,
) -> dict[str, str]:
    """Return the CloudEvents headers of a record."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(identifier),
        "ce_type": wire_type,
        "ce_source": f"/poec/{service}",
        "ce_subject": subject,
        "ce_time": at.isoformat(),
        "content-type": "application/json",
        "traceparent": trace or current_trace(),
    }
    return headers if sequence is None else {**headers, "ce_sequence": str(sequence)}


def outgoing_event(event: Event, sequence: int, service: str, at: dt.datetime, trace: str | None = None) -> Outgoing:
    """Return the record of an event."""
    identifier = derived_id(event.topic, event.key, sequence, event.wire_type)
    headers = cloud_headers(identifier, event.wire_type, service, event.key, at, sequence, trace)
    return Outgoing(identifier, event.topic, event.key, headers, event.model_dump_json(), sequence)


class HeaderMissing(Impossible):
    """A record lacks a header that every one of its kind has, or it is empty; `name` is the header's."""

    def __init__(self, name: str) -> None:
        super().__init__("HEADER_MISSING", f"header {name} is missing or empty")
        self.name = name


@dataclass(frozen=True)
class Received:
    """A record as it was read: nothing of it is trusted or decoded yet."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None

    @cached_property
    def _by_name(self) -> dict[str, bytes | None]:
        """Headers by name; of one that comes twice, the first."""
        return dict(reversed(self.headers))

    def header(self, name: str) -> str | None:
        """Return a header as text; None where it is absent. Raises `Impossible` where it is not UTF-8 or null."""
        return _text(self._by_name[name], f"HEADER_{name.upper()}") if name in self._by_name else None

    def needed(self, name: str) -> str:
        """Return a header that must be there."""
        value = self.header(name)
        if not value:
            raise HeaderMissing(name)
        return value

    @property
    def sequence(self) -> int | None:
        """Return `ce_sequence` where it is one, for records that cannot be decoded."""
        try:
            text = self.header("ce_sequence") or ""
        except Impossible:
            return None
        return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None

    @property
    def text_key(self) -> str:
        """Return the key as text; raises `Impossible` where there is none or it is not UTF-8."""
        if not self.key:
            raise Impossible("KEY_MISSING", "the record has no key")
        return _text(self.key, "KEY")


def _text(raw: bytes | None, what: str) -> str:
    if raw is None:
        raise Impossible(f"{what}_NULL", "null where text is due")
    try:
        text = raw.decode()
    except UnicodeDecodeError as wrong:
        raise Impossible(f"{what}_NOT_UTF8", "bytes that are not UTF-8") from wrong
    if "\x00" in text or len(raw) > MAX_NAME_BYTES:
        raise Impossible(f"{what}_UNFIT", f"NUL, or longer than {MAX_NAME_BYTES} bytes")
    return text


def parse_value(record: Received, model: type[V], *, strict: bool) -> V:
    """Return the record's value as `model`; `strict` (partners' commands) refuses unknown fields, events ignore them."""
    if record.value is None:
        raise Impossible("VALUE_EMPTY", "a tombstone where a value is due")
    if _NUL.search(record.value):
        raise Impossible("VALUE_UNFIT", "NUL in a text")
    try:
        return model.model_validate_json(record.value, extra="forbid" if strict else None)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100]
        raise Impossible(
            "VALUE_NOT_JSON" if first["type"] == "json_invalid" else "VALUE_UNFIT", f"{where}: {first['type']}"
        ) from wrong


@dataclass(frozen=True)
class Heard:
    """A decoded event with its place: emitter's sequence about the key, id, trace, and the record it came by."""

    event: Event
    event_id: str
    key: str
    sequence: int
    traceparent: str | None
    record: Received


def decode_event(record: Received, types: Mapping[str, type[Event]]) -> Heard:
    """Return the event a record carries. Raises `Impossible` with the reason; never quotes the record."""
    wire_type = record.needed("ce_type")
    event_type = types.get(wire_type)
    if event_type is None:
        raise Impossible("TYPE_UNKNOWN", "a type or version that this reader does not know")
    if event_type.topic != record.topic:
        raise Impossible("TYPE_MISPLACED", "a type that belongs to another topic")
    event_id, key = record.needed("ce_id"), record.text_key
    sequence = record.needed("ce_sequence")
    if not (sequence.isascii() and sequence.isdigit() and int(sequence[:18]) > 0 and len(sequence) < 18):
        raise Impossible("SEQUENCE_UNFIT", "ce_sequence is not a positive whole number")
    event = parse_value(record, event_type, strict=False)
    if event.key != key:
        raise Impossible("KEY_MISMATCH", "the key is not the one the value speaks of")
    return Heard(event, event_id, key, int(sequence), record.header("traceparent"), record)
