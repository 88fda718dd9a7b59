"""What a service already knows about the records of a batch: one read before anything is applied."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shared.contracts.events import Event
from shared.contracts.flow import EVENT_TYPES
from shared.database import Row, UnitOfWork
from shared.errors import Impossible
from shared.messaging.ledger import headers_of, letter_id
from shared.messaging.records import Heard, Received, decode_event

_KNOWN = """
SELECT 'seen' AS kind, event_id AS a, kafka_partition AS p, kafka_offset AS n FROM inbox WHERE topic = $1 AND event_id = ANY($2::text[])
UNION ALL SELECT 'last', key, NULL, last_sequence FROM stream WHERE topic = $1 AND key = ANY($3::text[])
UNION ALL SELECT 'held', encode(key, 'hex'), NULL, NULL FROM dead_letter
  WHERE topic = $1 AND state = 'dead' AND parks AND key = ANY($4::bytea[]) AND id IS DISTINCT FROM $6::uuid
UNION ALL SELECT 'discarded', encode(key, 'hex'), NULL, sequence FROM dead_letter
  WHERE topic = $1 AND state = 'discarded' AND sequence IS NOT NULL AND key = ANY($4::bytea[])
UNION ALL SELECT 'parked', key, NULL, count(*) FROM parked WHERE topic = $1 AND key = ANY($3::text[]) GROUP BY key
UNION ALL SELECT 'letter', id::text, kafka_partition, kafka_offset FROM dead_letter
  WHERE topic = $1 AND kafka_offset BETWEEN $5 AND $7 AND id IS DISTINCT FROM $6::uuid
"""
_HOLD = "SELECT 1 FROM dead_letter WHERE topic = $1 AND state = 'dead' AND parks AND key = ANY($2::bytea[]) FOR SHARE"
_PARKED = (
    "SELECT key, sequence, event_id, kafka_partition, kafka_offset, headers::text AS headers, value FROM parked"
    " WHERE topic = $1 AND key = ANY($2::text[]) ORDER BY key, sequence"
)


@dataclass
class Known:
    """Ids seen (with their place), last sequence per key, keys held by a dead letter, parked events, dead letters."""

    seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    discarded: dict[str, set[int]] = field(default_factory=dict)
    parked: dict[str, list[Heard]] = field(default_factory=dict)
    letters: dict[tuple[int, int], set[UUID]] = field(default_factory=dict)

    def reach(self, key: str) -> int:
        """Return the highest sequence that may be applied next: the next one, or the one behind sequences that were given up."""
        following = self.last.get(key, 0) + 1
        while following in self.discarded.get(key, ()):
            following += 1
        return following

    def is_dead(self, record: Received) -> bool:
        """Return whether this record has its dead letter already; a place alone proves nothing, a topic may be made anew."""
        there = self.letters.get((record.partition, record.offset))
        return there is not None and letter_id(record) in there


async def read_known(
    unit: UnitOfWork,
    topic: str,
    ids: Collection[str],
    keys: Collection[str],
    records: Sequence[Received],
    replaying: UUID | None,
) -> Known:
    """Read what is known about these event ids, keys and records; parked records only where there are any."""
    raw_keys = [key.encode() for key in keys]
    offsets = [record.offset for record in records]
    first, last = min(offsets, default=0), max(offsets, default=-1)
    asked = (topic, list(ids), list(keys), raw_keys, first, replaying, last)
    rows = await unit.read(_KNOWN, *asked)
    if any(row["kind"] == "held" for row in rows):
        # Whoever settles such a letter waits until this batch is written, or this batch sees it settled.
        await unit.read(_HOLD, topic, raw_keys)
        rows = await unit.read(_KNOWN, *asked)
    known = _known(rows)
    waiting = [row["a"] for row in rows if row["kind"] == "parked"]
    if waiting:
        for row in await unit.read(_PARKED, topic, waiting):
            known.parked.setdefault(row["key"], []).append(parked_event(topic, row))
    return known


def _known(rows: Sequence[Row]) -> Known:
    known = Known()
    for row in rows:
        kind, what = row["kind"], row["a"]
        if kind == "seen":
            known.seen[what] = (row["p"], row["n"])
        elif kind == "last":
            known.last[what] = row["n"]
        elif kind == "held":
            known.held.add(bytes.fromhex(what).decode())
        elif kind == "discarded":
            known.discarded.setdefault(bytes.fromhex(what).decode(), set()).add(row["n"])
        elif kind == "letter":
            known.letters.setdefault((row["p"], row["n"]), set()).add(UUID(what))
    return known


def parked_event(topic: str, row: Row) -> Heard:
    """Return a parked event, decoded again; it was decodable when it was parked."""
    raw = Received(
        topic,
        row["kafka_partition"],
        row["kafka_offset"],
        row["key"].encode(),
        headers_of(row["headers"]),
        row["value"],
    )
    return decode_event(raw, EVENT_TYPES)


@dataclass(frozen=True)
class Unreadable:
    """A record that cannot be decoded: why, and its key if that much can be read."""

    record: Received
    code: str
    detail: str
    key: str | None


def decoded(record: Received) -> Heard | Unreadable:
    """Return a record's event, or why there is none."""
    try:
        return decode_event(record, EVENT_TYPES)
    except Impossible as reason:
        return Unreadable(record, reason.code, reason.detail, _key_of(record))


def _key_of(record: Received) -> str | None:
    try:
        return record.text_key
    except Impossible:
        return None


__all__ = ["Event", "Known", "Unreadable", "decoded", "read_known"]
