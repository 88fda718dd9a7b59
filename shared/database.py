"""The unit of work: one PostgreSQL transaction that opens as a principal, reads once, and writes everything in one statement.

A command is four round trips: begin with its principal, one read, one statement that writes state (with its version check), audit,
outbox and idempotency rows, commit. Consumers write the same way, one `unnest` per table and batch.
The statement is a chain of data-modifying CTEs: they see one snapshot and stand or fall together.
"""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from shared.audit_trail import Change, Head, Link, chained
from shared.clock import business_time
from shared.contracts.events import Event
from shared.contracts.flow import topic_named
from shared.crash import crash_point
from shared.errors import Conflict
from shared.identity import Principal
from shared.messaging.records import Outgoing, outgoing_event
from shared.policy import tenant_of
from shared.statements import Rows, Statement, outbox_statement

Columns: TypeAlias = Mapping[str, Any]
Row: TypeAlias = asyncpg.Record
T = TypeVar("T")

CONNECTION_LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a query raises whose server went away: asyncpg then may also find that it does not know where it stands."""


class RightsChanged(Exception):
    """The principal's row is another one than its roles were read from: the command is asked again with what it says now."""


@dataclass(frozen=True)
class Remembered:
    """The answer given before to the same Idempotency-Key: to be given again byte for byte, if the body is the same."""

    body_hash: str
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class IdempotencyKey:
    """What makes two HTTP writes the same one: who asks, and the key they chose."""

    principal: str
    key: str


class UnitOfWork:
    """One transaction. Read first (`read`), then collect (`save`, `insert`, `send`, `add`), then `flush` once.

    `now` is the business time of the transaction, known after the first read; `remembered` the earlier answer to the
    idempotency key it was opened with.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        principal: Principal,
        service: str,
        key: IdempotencyKey | None = None,
        asker: Principal | None = None,
    ) -> None:
        self._connection = connection
        self._asker = asker or principal
        self._key = key
        self._service = service
        self._now: dt.datetime | None = None
        self._statement = Statement()
        self._rows: dict[str, Rows] = {}
        self._outgoing: list[Outgoing] = []
        self.principal = principal
        self.remembered: Remembered | None = None

    @property
    def now(self) -> dt.datetime:
        """Return the business time of this transaction (timezone-aware, UTC); needs one read before it."""
        if self._now is None:
            raise RuntimeError("the unit of work knows its time after its first read")
        return self._now

    async def read(self, query: str, *args: Any) -> list[Row]:
        """Return the rows of a query; the first read of a unit also fetches its time and the remembered answer."""
        if self._now is not None:
            again: list[Row] = await self._connection.fetch(query, *args)
            return again
        rows = await self._connection.fetch(*self._first(query, args))
        first = rows[0]
        if first["_granted"] is not None and first["_granted"] != self._asker.version:
            raise RightsChanged(self._asker.id)
        self._now = business_time(first["_at"], first["_offset"])
        if first["_status"] is not None:
            headers = orjson.loads(first["_headers"])
            self.remembered = Remembered(first["_hash"], first["_status"], headers, first["_body"])
        return [row for row in rows if row["_found"]]

    def _first(self, query: str, args: Sequence[Any]) -> tuple[Any, ...]:
        key = (self._key.principal, self._key.key) if self._key else (None, None)
        n = len(args)
        wrapped = (
            f"SELECT clock_timestamp() AS _at, (SELECT seconds FROM clock_offset) AS _offset, {self._granted()} AS _granted,"
            " i.*, s.* FROM (SELECT 1) one"
            " LEFT JOIN (SELECT body_hash AS _hash, status AS _status, headers::text AS _headers, body AS _body"
            f" FROM idempotency WHERE principal = ${n + 1}::text AND key = ${n + 2}::text) i ON true"
            f" LEFT JOIN (SELECT true AS _found, q.* FROM ({query}) q) s ON true"
        )
        return (wrapped, *args, *key)

    def _granted(self) -> str:
        """Return the column that says which row of the table of principals holds now: 0 for none, null where none is asked for."""
        if self._asker.version is None:
            return "NULL::int"
        return f"coalesce((SELECT version FROM principal WHERE id = '{self._asker.id}' AND state = 'active'), 0)"

    def save(self, table: sa.Table, identifier: UUID, head: Head, columns: Columns, changes: Sequence[Change]) -> Head:
        """Write an aggregate's row as its changes left it, with their audit entries and events; return its new head.

        The row is inserted when `head` is empty, else updated only if its version is still `head.version`.
        """
        links = chained(str(identifier), head, changes, self.now)
        said = [event for change in changes for event in change.events]
        new = head.after(links, head.sequence + sum(not _compacted(event) for event in said))
        mode = "update" if head.version else "insert"
        rows = self._rows.setdefault(f"{table.name}:{mode}", Rows(table, update=bool(head.version)))
        row = {"id": identifier, **columns, "version": new.version, "sequence": new.sequence, "audit_hash": new.hash}
        rows.add(row, head.version)
        self.insert(AUDIT_ENTRY, [link.as_row() for link in links])
        self._say(links, changes, head.sequence)
        return new

    def _say(self, links: Sequence[Link], changes: Sequence[Change], sequence: int) -> None:
        """Put the changes' events and tombstones into the outbox; on a compacted topic the version is the sequence."""
        for link, change in zip(links, changes, strict=True):
            for event in change.events:
                sequence += not _compacted(event)
                number = link.n if _compacted(event) else sequence
                self.send(outgoing_event(event, number, self._service, self.now, change.traceparent))
            for tombstone in change.tombstones:
                self.send(tombstone.at(link.n, self._service, self.now))

    def send(self, record: Outgoing) -> None:
        """Put a complete Kafka record into the outbox; a record with an id that is already there is the same one."""
        self._outgoing.append(record)

    def insert(self, table: sa.Table, rows: Sequence[Columns], *, on_conflict: str = "") -> None:
        """Insert rows (all with the same columns) with the flush; `on_conflict` is the SQL clause, if any."""
        if rows:
            collected = self._rows.setdefault(f"{table.name}:{on_conflict}", Rows(table, on_conflict=on_conflict))
            for row in rows:
                collected.add(row)

    def add(self, statement: str, *args: Any) -> None:
        """Let one more statement (its own `$1..$n`) join the flush: a part of the same CTE chain, blind to the others' effects."""
        self._statement.part(statement, args)

    def remember(self, body_hash: str, status: int, headers: Mapping[str, str], body: str) -> None:
        """Keep the answer for the idempotency key this unit was opened with, in the same transaction as the effect."""
        if self._key is None:
            return
        row = {
            "principal": self._key.principal,
            "key": self._key.key,
            "body_hash": body_hash,
            "status": status,
            "headers": orjson.dumps(dict(headers)).decode(),
            "body": body,
            "created_at": self.now,
        }
        self.insert(IDEMPOTENCY, [row])

    @property
    def anything_to_write(self) -> bool:
        """Return whether a flush would write at all."""
        return bool(self._rows or self._outgoing or self._statement.parts)

    @property
    def sends(self) -> bool:
        """Return whether records wait in this unit for the relay."""
        return bool(self._outgoing)

    async def flush(self) -> None:
        """Send everything collected as one statement. Raises `Conflict` when another transaction was first."""
        expected = 0
        for rows in self._rows.values():
            query, args = rows.statement()
            expected += len(rows.values) if rows.update else 0
            self._statement.part(query, args, counted=rows.update)
        if self._outgoing:
            self._statement.part(*outbox_statement(self._outgoing))
        if not self._statement.parts:
            return
        await crash_point("unit.before_flush")
        try:
            written = await self._connection.fetchval(*self._statement.complete())
        except (asyncpg.UniqueViolationError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as lost:
            raise Conflict(type(lost).__name__) from lost
        if written != expected:
            raise Conflict("version")


def _compacted(event: Event) -> bool:
    return topic_named(event.topic).compacted


class Database:
    """The pool of one service's database; `after_commit` is called when a unit that sends was committed."""

    def __init__(self, pool: asyncpg.Pool, service: str) -> None:
        self._pool = pool
        self.service = service
        self.after_commit: Callable[[], None] = lambda: None

    @classmethod
    async def open(cls, url: str, service: str, size: int = 12) -> Self:
        """Connect; raises OSError or asyncpg errors when the server cannot be reached or refuses."""
        settings = {
            "application_name": f"poec-{service}",
            "timezone": "UTC",
            "jit": "off",
            # a process that hangs in a transaction must not hold its locks, nor commit what the trail's anchors no longer wait for
            "idle_in_transaction_session_timeout": "240s",
        }
        pool = await asyncpg.create_pool(
            url, min_size=1, max_size=size, server_settings=settings, command_timeout=60, reset=_clean
        )
        return cls(pool, service)

    async def close(self) -> None:
        """Close the pool, waiting a moment for what still runs."""
        await self._pool.close()

    @asynccontextmanager
    async def unit(
        self, principal: Principal, key: IdempotencyKey | None = None, *, asker: Principal | None = None
    ) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work as `principal`; commits what was flushed when the block ends well, else rolls back.

        Where a service's or a partner's own principal acts on somebody's request, that one is the `asker`: it is their rights
        that must still hold.
        """
        async with self._pool.acquire() as connection:
            await connection.execute(begin_as(principal, asker))
            unit = UnitOfWork(connection, principal, self.service, key, asker)
            try:
                yield unit
                await crash_point("unit.before_commit")
                await connection.execute("COMMIT")
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise
        await crash_point("unit.after_commit")
        if unit.sends:
            self.after_commit()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a bare connection: for the relay and the reconciler, which touch no business table."""
        async with self._pool.acquire() as connection:
            yield connection

    async def query(self, principal: Principal, query: str, *args: Any) -> list[Row]:
        """Return the rows of one read-only query, seen as `principal`."""
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(_as(principal))
            rows: list[Row] = await connection.fetch(query, *args)
            return rows

    async def now(self) -> dt.datetime:
        """Return the business time, for reads outside a unit of work."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow("SELECT clock_timestamp() AS at, seconds FROM clock_offset")
            return business_time(row["at"], row["seconds"])


async def _clean(connection: asyncpg.Connection) -> None:
    """Make a connection fit for the pool again: everything set is set for one transaction, so only an open one is undone.

    asyncpg's own way asks the server to reset the whole session: one more round trip for every command.
    """
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


def begin_as(principal: Principal, asker: Principal | None = None) -> str:
    """Return the one round trip that opens a transaction and says for whom; slugs only, checked by `Principal`."""
    asked = f"; SET LOCAL poec.asker = '{asker.id}'" if asker else ""
    return f"BEGIN; {_as(principal)}{asked}"


def _as(principal: Principal) -> str:
    return f"SET LOCAL poec.principal = '{principal.id}'; SET LOCAL poec.tenant = '{tenant_of(principal)}'"


async def retried(attempt: Callable[[], Awaitable[T]], tries: int = 4) -> T:
    """Run a whole command again when another transaction was first; the last `Conflict` is raised."""
    for left in range(tries - 1, -1, -1):
        try:
            return await attempt()
        except Conflict:
            if not left:
                raise
    raise AssertionError("unreachable: the loop returns or raises")


metadata = sa.MetaData()
AUDIT_ENTRY = sa.Table(
    "audit_entry",
    metadata,
    sa.Column("aggregate", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("actor", sa.Text),
    sa.Column("action", sa.Text),
    sa.Column("facts", postgresql.JSONB),
    sa.Column("previous_hash", sa.Text),
    sa.Column("hash", sa.Text),
)
IDEMPOTENCY = sa.Table(
    "idempotency",
    metadata,
    sa.Column("principal", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("body_hash", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Column("headers", postgresql.JSONB),
    sa.Column("body", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True)),
)
