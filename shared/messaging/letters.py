"""Dead letters: what could not be applied, kept whole, to be replayed or discarded by operations; both audited, both idempotent."""

import contextlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.audit_trail import Change, Head, chained
from shared.crash import crash_point
from shared.database import AUDIT_ENTRY, Database, UnitOfWork
from shared.errors import NotAllowedNow, NotFound, Objection
from shared.identity import Principal
from shared.messaging.inbox import Inbox
from shared.messaging.ledger import Ledger, headers_of
from shared.messaging.records import Received
from shared.policy import authorize

_LIST = (
    "SELECT id, topic, kafka_partition, kafka_offset, event_id, code, detail, state, attempts, parks, created_at,"
    " closed_at, closed_by, reason, octet_length(value) AS bytes FROM dead_letter"
    " WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR (created_at, id) >"
    " (SELECT created_at, id FROM dead_letter WHERE id = $2)) ORDER BY created_at, id LIMIT $3"
)
PAGE: Final = 100
"""Letters on a page; a shorter page is the last one."""
_ONE = "SELECT *, headers::text AS headers_text FROM dead_letter WHERE id = $1"
_TRAIL = "SELECT n, hash FROM audit_entry WHERE aggregate = $1 ORDER BY n DESC LIMIT 1"
_CLOSE = (
    "UPDATE dead_letter SET state = $2, closed_at = $3::timestamptz, closed_by = $4, reason = $5,"
    " attempts = attempts + $6::int WHERE id = $1::uuid"
)
_AGAIN = "UPDATE dead_letter SET attempts = attempts + 1, code = $2, detail = $3 WHERE id = $1::uuid"


@dataclass(frozen=True)
class Settled:
    """What became of a dead letter: `replayed`, `discarded`, or still `dead` with the reason of the last try."""

    id: UUID
    state: str
    attempts: int
    code: str | None = None
    detail: str | None = None


class DeadLetters:
    """The dead letters of one service; needs the inbox, because a replay goes the same way as the first delivery.

    Settling raises `RightsChanged` where who asks no longer has the rights they came with, `Conflict` where another transaction
    was first.
    """

    def __init__(self, inbox: Inbox[Any]) -> None:
        self._inbox = inbox
        self._database: Database = inbox.database

    async def listed(self, principal: Principal, state: str | None, after: UUID | None = None) -> list[dict[str, Any]]:
        """Return a page of dead letters, oldest first, without their content; `after` is the last one of the page before."""
        authorize(principal, "read_dead_letters")
        return [dict(row) for row in await self._database.query(principal, _LIST, state, after, PAGE)]

    async def shown(self, principal: Principal, letter: UUID) -> dict[str, Any]:
        """Return one dead letter with its headers; its content as text, as far as it is text."""
        authorize(principal, "read_dead_letters")
        row = await self._read(principal, letter)
        value, key = row["value"], row["key"]
        whole = {name: row[name] for name in row if name not in ("value", "key", "headers", "headers_text")}
        text = {
            "value": _readable(value),
            "key": _readable(key),
            "headers": [list(pair) for pair in _texts(row["headers_text"])],
        }
        return {**whole, **text}

    async def _read(self, principal: Principal, letter: UUID) -> dict[str, Any]:
        rows = await self._database.query(principal, _ONE, letter)
        if not rows:
            raise NotFound(Objection("UNKNOWN", "Aucun message mort de ce nom."))
        return dict(rows[0])

    async def replay(self, principal: Principal, letter: UUID) -> Settled:
        """Apply the record again, as it came by; replaying one that is settled changes nothing and says so."""
        authorize(principal, "replay_dead_letter")
        row, head = await self._read(principal, letter), await self._head(principal, letter)
        if row["state"] != "dead":
            return await self._settled(principal, row)
        ledger = Ledger(self._inbox.hearing.service, row["topic"], replaying=letter)

        async def settle(unit: UnitOfWork, ledger: Ledger) -> None:
            await self._claim(unit, letter)
            self._tried(unit, principal, letter, ledger, head)
            await crash_point("replay.before_commit")

        try:
            await self._inbox.settle(row["topic"], [_record(row)], ledger, letter, settle, principal)
        except _SettledMeanwhile:
            return await self._settled(principal, await self._read(principal, letter))
        await crash_point("replay.after_commit")
        return await self._settled(principal, await self._read(principal, letter))

    async def _settled(self, principal: Principal, row: dict[str, Any]) -> Settled:
        """Report a letter. What waited behind a settled one goes on, also if the process died before it could."""
        if row["state"] != "dead" and (key := _held_key(row)):
            await self._inbox.release(row["topic"], key, row["id"], None, _nothing, principal)
        failed = (row["code"], row["detail"]) if row["state"] == "dead" else (None, None)
        return Settled(row["id"], row["state"], row["attempts"], *failed)

    async def _claim(self, unit: UnitOfWork, letter: UUID) -> None:
        """Be the only one who settles this letter: the lock lasts until the transaction ends."""
        rows = await unit.read("SELECT state FROM dead_letter WHERE id = $1 FOR UPDATE", letter)
        if rows[0]["state"] != "dead":
            raise _SettledMeanwhile

    async def _head(self, principal: Principal, letter: UUID) -> Head:
        """Return the head of a letter's chain, read as who asks: a partner's record is applied in a unit that sees no trail."""
        rows = await self._database.query(principal, _TRAIL, _aggregate(letter))
        return Head(rows[0]["n"], 0, rows[0]["hash"]) if rows else Head()

    def _tried(self, unit: UnitOfWork, principal: Principal, letter: UUID, ledger: Ledger, head: Head) -> None:
        if ledger.replay_failed is not None:
            unit.add(_AGAIN, letter, *ledger.replay_failed)
        else:
            unit.add(_CLOSE, letter, "replayed", unit.now, principal.id, None, 1)
        after = "dead" if ledger.replay_failed else "replayed"
        _audit(unit, letter, head, Change("replay_dead_letter", principal.id, "dead", after))

    async def discard(self, principal: Principal, letter: UUID, reason: str) -> Settled:
        """Give a record up, with a reason; what was parked behind it goes on without it."""
        authorize(principal, "discard_dead_letter")
        row, head = await self._read(principal, letter), await self._head(principal, letter)
        if row["state"] == "dead":

            async def close(unit: UnitOfWork, _: Ledger) -> None:
                await self._claim(unit, letter)
                unit.add(_CLOSE, letter, "discarded", unit.now, principal.id, reason, 0)
                change = Change("discard_dead_letter", principal.id, "dead", "discarded", facts={"reason": reason})
                _audit(unit, letter, head, change)

            with contextlib.suppress(_SettledMeanwhile):
                await self._inbox.release(row["topic"], _held_key(row), letter, row["sequence"], close, principal)
            row = await self._read(principal, letter)
        if row["state"] == "replayed":
            text = "Ce message a déjà été rejoué\u202f: il n’y a rien à écarter."
            raise NotAllowedNow(Objection("ALREADY_REPLAYED", text))
        return Settled(letter, "discarded", row["attempts"])


def _aggregate(letter: UUID) -> str:
    return f"dead_letter/{letter}"


def _audit(unit: UnitOfWork, letter: UUID, head: Head, change: Change) -> None:
    """Add an entry to a letter's chain; where somebody else was first, the flush raises `Conflict`."""
    links = chained(_aggregate(letter), head, [change], unit.now)
    unit.insert(AUDIT_ENTRY, [link.as_row() for link in links])


async def _nothing(_: UnitOfWork, __: Ledger) -> None:
    """Settle nothing: the letter was settled before."""


def _record(row: dict[str, Any]) -> Received:
    headers = headers_of(row["headers_text"])
    return Received(row["topic"], row["kafka_partition"], row["kafka_offset"], row["key"], headers, row["value"])


def _held_key(row: dict[str, Any]) -> str:
    """Return the key that a letter holds back; empty where it holds none."""
    return row["key"].decode() if row["key"] and row["parks"] else ""


class _SettledMeanwhile(Exception):
    """Somebody else settled the letter first: nothing of this transaction stays."""


_SHOWN_BYTES: Final = 4000


def _readable(raw: bytes | None) -> str | None:
    return None if raw is None else raw[:_SHOWN_BYTES].decode("utf-8", "replace")


def _texts(headers: str) -> list[tuple[str, str | None]]:
    return [(name, _readable(value)) for name, value in headers_of(headers)]
