"""The client's own journal: what a demo, a bench or a test sent and was answered, kept where no service can touch it.

One file per writer, JSON lines, each line handed to the system before the next request leaves, so that it outlives a kill -9 of
the writer. Two kinds of line:

    {"id", "at", "kind", "principal", "idempotency_key", "operation", "reference", "body_sha256"}      what was sent
    {"id", "answered_at", "status", "answer_sha256", "fiche_id", "outcome"}                            what came back

The audit holds the databases against it (invariants I1, I2 and I17): what was answered must still be true.
"""

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self
from uuid import UUID, uuid4

Kind = Literal["http", "ingress"]
ACCEPTED: Final = "accepted"
FOLDER: Final = "journal"
SUFFIX: Final = ".jsonl"


class JournalUnreadable(Exception):
    """A journal that cannot be read: missing, or a line in its middle that is not one of ours."""


@dataclass(frozen=True)
class Entry:
    """One request and the last answer to it, if one came.

    `principal` is the id services know the sender by: the client id over HTTP, `topic:<organisation>` by Kafka.
    `key` is the Idempotency-Key, by Kafka the record's own `ce_id`. `reference` is what the sender calls the thing:
    the OPCO's reference of a fiche, else the id in the path. `status` is the HTTP status, None by Kafka.
    `outcome` is `accepted` for a 2xx, else the `code` of the problem; by Kafka the answer's `outcome`. `sent_at` is by the sender's clock.
    """

    id: str
    kind: Kind
    principal: str
    key: str
    operation: str
    reference: str | None
    body_sha256: str
    answered: bool = False
    status: int | None = None
    answer_sha256: str | None = None
    fiche_id: UUID | None = None
    outcome: str | None = None
    sent_at: dt.datetime | None = None

    @property
    def organisation(self) -> str:
        """Return the organisation the request was made for: a machine client of an OPCO bears its slug."""
        return self.principal.removeprefix("topic:")

    @property
    def accepted(self) -> bool:
        """Return whether the sender was told that it is done."""
        return self.answered and self.outcome == ACCEPTED


class Journal:
    """Writes one journal file; opened anew it goes on at the end."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, with its folder made if need be. OSError where that is not possible."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        _cut_torn_line(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def sent(
        self, kind: Kind, principal: str, key: str, operation: str, body: bytes | str, *, reference: str | None = None
    ) -> str:
        """Write down what is about to be sent, before it is; return the entry's id. Only the SHA-256 of `body` is kept."""
        entry_id = uuid4().hex
        line = {
            "id": entry_id,
            "at": _now(),
            "kind": kind,
            "principal": principal,
            "idempotency_key": key,
            "operation": operation,
            "reference": reference,
            "body_sha256": sha256(body),
        }
        self._write(line)
        return entry_id

    def answered(
        self,
        entry_id: str,
        status: int | None,
        answer: bytes | str,
        *,
        fiche_id: UUID | str | None = None,
        outcome: str,
    ) -> None:
        """Write down the answer to an entry: HTTP status (None by Kafka), the bytes of the body, what it says."""
        line = {
            "id": entry_id,
            "answered_at": _now(),
            "status": status,
            "answer_sha256": sha256(answer),
            "fiche_id": None if fiche_id is None else str(fiche_id),
            "outcome": outcome,
        }
        self._write(line)

    def close(self) -> None:
        """Close the file; further writing is an error."""
        os.close(self._file)

    def _write(self, line: dict[str, Any]) -> None:
        # One write call per line on an append-only descriptor: lines of several threads never mix.
        os.write(self._file, json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")


def _cut_torn_line(path: Path) -> None:
    """Take away what a killed writer left of a line, so that the next one begins at a line's start."""
    if path.exists() and (written := path.read_bytes()) and not written.endswith(b"\n"):
        os.truncate(path, written.rfind(b"\n") + 1)


def sha256(body: bytes | str) -> str:
    """Return the SHA-256 (hex) by which bodies and answers are known in a journal."""
    return hashlib.sha256(body if isinstance(body, bytes) else body.encode()).hexdigest()


def journal_path(home: Path, writer: str) -> Path:
    """Return where a writer keeps its journal under the data folder; `poec audit` reads every one that lies there."""
    return home / FOLDER / f"{writer}-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{os.getpid()}{SUFFIX}"


def journals_of(home: Path) -> list[Path]:
    """Return the journals kept under a data folder, oldest name first."""
    return sorted((home / FOLDER).glob(f"*{SUFFIX}"))


def read_journals(paths: Iterable[Path]) -> list[Entry]:
    """Return the entries of these journals. Raises `JournalUnreadable`; a torn last line is a killed writer's, and left out."""
    return [entry for path in paths for entry in _read(path)]


def _read(path: Path) -> list[Entry]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as wrong:
        raise JournalUnreadable(f"{path.name}: {type(wrong).__name__}") from wrong
    entries: dict[str, Entry] = {}
    for number, line in enumerate(lines, 1):
        if line and number < len(lines):
            _take(entries, line, f"{path.name}, line {number}")
    return list(entries.values())


def _take(entries: dict[str, Entry], line: bytes, where: str) -> None:
    try:
        found = json.loads(line)
        entry = _sent(found) if "kind" in found else _answered(entries[found["id"]], found)
    except (ValueError, KeyError, TypeError) as wrong:
        raise JournalUnreadable(f"{where}: not a line of a journal ({type(wrong).__name__})") from wrong
    entries[entry.id] = entry


def _sent(found: dict[str, Any]) -> Entry:
    return Entry(
        id=found["id"],
        kind=found["kind"],
        principal=found["principal"],
        key=found["idempotency_key"],
        operation=found["operation"],
        reference=found["reference"],
        body_sha256=found["body_sha256"],
        sent_at=dt.datetime.fromisoformat(found["at"]),
    )


def _answered(entry: Entry, found: dict[str, Any]) -> Entry:
    fiche = found["fiche_id"]
    known = {**entry.__dict__, "answered": True, "fiche_id": UUID(fiche) if fiche else None}
    return Entry(**{**known, **{name: found[name] for name in ("status", "answer_sha256", "outcome")}})
