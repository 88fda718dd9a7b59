"""What a batch leaves behind besides its effects: inbox marks, sequences, parked records, dead letters, and a count that adds up.

Every record received has exactly one outcome: received = applied + ignored + duplicates + parked + dead + answered.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID, uuid5

import orjson

from shared.contracts.fiche import POEC_NAMESPACE
from shared.contracts.flow import dead_letters_topic
from shared.contracts.letters import DeadLetterAnnounced
from shared.database import UnitOfWork
from shared.logs import log
from shared.messaging.records import Heard, Outgoing, Received, cloud_headers
from shared.metrics import INBOX

_LOG = log("ledger")
_MARK: Final = "latin1:"
_ESCAPED: Final = re.compile(r"\\([\\0])")
_OUTCOMES = ("applied", "ignored", "duplicates", "parked", "released", "dead", "answered")


def letter_id(record: Received) -> UUID:
    """Return the id of a record's dead letter: the same record dies only once, also when it is delivered again.

    The whole record counts: after a log was made anew, another one may stand at its place.
    """
    parts = (record.key or b"", headers_json(record).encode(), record.value or b"")
    digest = hashlib.sha256(b"/".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    return uuid5(POEC_NAMESPACE, f"{record.topic}/{record.partition}/{record.offset}/{digest}")


class Ledger:
    """Collects the delivery rows of one batch of one topic. `replaying` is the dead letter being replayed, if any."""

    def __init__(self, service: str, topic: str, replaying: UUID | None = None) -> None:
        self._service, self._topic, self._replaying = service, topic, replaying
        self._marks: list[tuple[Any, ...]] = []
        self._last: dict[str, int] = {}
        self._parked: list[tuple[Any, ...]] = []
        self._released: list[tuple[str, int, str]] = []
        self._letters: list[tuple[Any, ...]] = []
        self._counts: dict[int, Counter[str]] = {}
        self._ends: dict[int, int] = {}
        self.replay_failed: tuple[str, str] | None = None

    def received(self, records: Iterable[Received]) -> None:
        """Count records read from the log; a replayed dead letter is not read from it."""
        for record in records:
            self._count(record, "received")
            self._ends[record.partition] = max(self._ends.get(record.partition, 0), record.offset + 1)

    def _count(self, record: Received, outcome: str) -> None:
        """Count an outcome. A dead letter was counted when it died: its replay only counts as released."""
        if self._replaying is not None:
            outcome = "released"
        self._counts.setdefault(record.partition, Counter())[outcome] += 1

    def outcomes(self) -> dict[str, int]:
        """Return how many records had which outcome, those that occurred."""
        total: Counter[str] = sum(self._counts.values(), Counter())
        return {name: total[name] for name in _OUTCOMES if total[name]}

    def mark(
        self, record: Received, event_id: str, key: str, sequence: int | None, outcome: str, *, released: bool = False
    ) -> None:
        """Remember that this record had its effect (or rightly none)."""
        self._marks.append((event_id, record.partition, record.offset, key, sequence, outcome))
        self._count(record, "released" if released else outcome)

    def advance(self, key: str, sequence: int) -> None:
        """Remember the last sequence applied of a key."""
        self._last[key] = sequence

    def duplicate(self, record: Received) -> None:
        """Count a record that had its outcome before."""
        self._count(record, "duplicates")

    def passed(self, record: Received) -> None:
        """Count a parked event whose sequence was reached without it: nothing is left for it to do."""
        self._count(record, "released")

    def park(self, heard: Heard, reason: str) -> None:
        """Keep an event until the gap before it is filled, or the dead letter before it is settled."""
        r = heard.record
        self._parked.append(
            (heard.key, heard.sequence, heard.event_id, r.partition, r.offset, headers_json(r), r.value, reason)
        )
        self._count(r, "parked")

    def release(self, key: str, sequence: int, event_id: str) -> None:
        """Take an event out of the parked ones; one parked in this very batch is not written at all (one statement, one snapshot)."""
        parked = [row for row in self._parked if (row[0], row[1], row[2]) == (key, sequence, event_id)]
        if parked:
            self._parked.remove(parked[0])
            return
        self._released.append((key, sequence, event_id))

    def die(
        self, record: Received, event_id: str | None, code: str, detail: str, *, parks: bool, released: bool = False
    ) -> None:
        """Write a dead letter, or note that the one being replayed failed again."""
        identifier = letter_id(record)
        _LOG.warning(
            "dead_letter", letter=str(identifier), topic=record.topic, event_id=event_id, code=code, detail=detail
        )
        if identifier == self._replaying:
            self.replay_failed = (code, detail)
            return
        row = (
            identifier,
            record.partition,
            record.offset,
            record.key,
            event_id,
            record.sequence,
            code,
            detail[:500],
            headers_json(record),
            record.value,
            parks,
        )
        self._letters.append(row)
        self._count(record, "released" if released else "dead")

    def write(self, unit: UnitOfWork) -> None:
        """Hand everything to the unit of work."""
        if self._marks:
            columns = "event_id, kafka_partition, kafka_offset, key, sequence, outcome"
            _insert(
                unit, "inbox", self._topic, columns, "text[], int[], bigint[], text[], bigint[], text[]", self._marks
            )
        if self._last:
            rows = sorted(self._last.items())
            tail = "ON CONFLICT (topic, key) DO UPDATE SET last_sequence = greatest(stream.last_sequence, excluded.last_sequence)"
            _insert(unit, "stream", self._topic, "key, last_sequence", "text[], bigint[]", rows, tail)
        self._write_parked(unit)
        if self._letters:
            self._write_letters(unit)
        self._write_positions(unit)

    def _write_parked(self, unit: UnitOfWork) -> None:
        if self._parked:
            columns = "key, sequence, event_id, kafka_partition, kafka_offset, headers, value, reason"
            types = "text[], bigint[], text[], int[], bigint[], jsonb[], bytea[], text[]"
            _insert(unit, "parked", self._topic, columns, types, self._parked, "ON CONFLICT DO NOTHING")
        if self._released:
            query = (
                "DELETE FROM parked p USING unnest($2::text[], $3::bigint[], $4::text[]) AS u(key, sequence, event_id)"
                " WHERE p.topic = $1::text AND p.key = u.key AND p.sequence = u.sequence AND p.event_id = u.event_id"
            )
            unit.add(query, self._topic, *map(list, zip(*self._released, strict=True)))

    def _write_letters(self, unit: UnitOfWork) -> None:
        columns = "id, kafka_partition, kafka_offset, key, event_id, sequence, code, detail, headers, value, parks, created_at"
        types = "uuid[], int[], bigint[], bytea[], text[], bigint[], text[], text[], jsonb[], bytea[], boolean[], timestamptz[]"
        rows = [(*letter, unit.now) for letter in self._letters]
        _insert(unit, "dead_letter", self._topic, columns, types, rows, "ON CONFLICT DO NOTHING")
        for identifier, partition, offset, _, _, _, code, detail, *_ in self._letters:
            said = DeadLetterAnnounced(
                id=identifier, topic=self._topic, partition=partition, offset=offset, code=code, detail=detail
            )
            headers = cloud_headers(identifier, said.wire_type, self._service, str(identifier), unit.now, None)
            topic = dead_letters_topic(self._service)
            unit.send(Outgoing(identifier, topic, str(identifier), headers, said.model_dump_json()))

    def _write_positions(self, unit: UnitOfWork) -> None:
        counted = sorted(self._counts.items())
        if not counted:
            return
        names = ("received", *_OUTCOMES)
        rows = [(p, self._ends.get(p, 0), *(counts[name] for name in names)) for p, counts in counted]
        sums = ", ".join(f"{name} = position.{name} + excluded.{name}" for name in names)
        tail = (
            "ON CONFLICT (topic, kafka_partition) DO UPDATE"
            f" SET next_offset = greatest(position.next_offset, excluded.next_offset), {sums}"
        )
        columns = f"kafka_partition, next_offset, {', '.join(names)}"
        _insert(unit, "position", self._topic, columns, "int[]" + ", bigint[]" * (len(names) + 1), rows, tail)
        for _, counts in counted:
            for name in _OUTCOMES:
                if counts[name]:
                    INBOX.labels(self._topic, name).inc(counts[name])


def _insert(
    unit: UnitOfWork, table: str, topic: str, columns: str, types: str, rows: list[tuple[Any, ...]], tail: str = ""
) -> None:
    casts = ", ".join(f"${i}::{kind.strip()}" for i, kind in enumerate(types.split(","), 2))
    source = f"unnest({casts}) WITH ORDINALITY AS u({columns}, _n) ORDER BY _n"
    query = f"INSERT INTO {table} (topic, {columns}) SELECT $1::text, {columns} FROM {source} {tail}"
    unit.add(query, topic, *map(list, zip(*rows, strict=True)))


def headers_json(record: Received) -> str:
    """Return a record's headers as a JSON list of pairs, as PostgreSQL takes them.

    What is no text, holds NUL or begins like the mark is kept as latin-1 with a mark; that goes for names as for values.
    """
    return orjson.dumps(
        [[_as_text(name.encode()), None if raw is None else _as_text(raw)] for name, raw in record.headers]
    ).decode()


def _as_text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    plain = "\x00" not in text and not text.startswith(_MARK) and bool(text or not raw)
    return text if plain else _MARK + raw.decode("latin-1").replace("\\", "\\\\").replace("\x00", "\\0")


def headers_of(text: str) -> tuple[tuple[str, bytes | None], ...]:
    """Return the headers that `headers_json` wrote, as they came by."""
    return tuple(
        (_as_bytes(name).decode(), None if value is None else _as_bytes(value)) for name, value in orjson.loads(text)
    )


def _as_bytes(text: str) -> bytes:
    if not text.startswith(_MARK):
        return text.encode()
    plain = _ESCAPED.sub(lambda found: "\x00" if found[1] == "0" else "\\", text.removeprefix(_MARK))
    return plain.encode("latin-1")
