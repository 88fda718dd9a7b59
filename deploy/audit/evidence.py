"""What one look of the audit rests on: a snapshot of each database, the log up to an end, the clients' journals."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar, cast

import asyncpg

from deploy.audit.anchors import Anchor
from deploy.audit.log import Bounds, Fold, LogReader
from deploy.audit.verdict import CouldNotLook
from deploy.journal import Entry
from shared.contracts.flow import TOPICS
from shared.messaging.clients import KafkaAccess

F = TypeVar("F")
Row: TypeAlias = asyncpg.Record
_STATEMENT_SECONDS: Final = 300.0
_CHUNK: Final = 5_000
_STAMP = (
    "SELECT (SELECT coalesce(max(id), 0) FROM outbox), (SELECT count(*) FROM outbox WHERE published_at IS NULL),"
    " (SELECT coalesce(sum(received + released), 0)::bigint FROM position)"
)


@dataclass(frozen=True)
class Sources:
    """Where the audit looks: service name to the URL of its audit role, the brokers, the journals' entries, anchors taken away."""

    databases: Mapping[str, str] = field(repr=False)
    kafka: KafkaAccess
    journal: Sequence[Entry] = ()
    anchors: Sequence[Anchor] = ()


class Evidence:
    """One look: all rows of one database come from one snapshot, the log is read up to where it ended just before.

    `began` is each database's own time before that, `ends` where the log ended after the snapshots were taken: what the log holds
    was in the outboxes before, what was published before `began` is in the log, no position in the snapshots lies beyond `ends`.
    """

    def __init__(
        self,
        snapshots: Mapping[str, asyncpg.Connection],
        folds: Mapping[type, Fold],
        journal: Sequence[Entry],
        began: Mapping[str, dt.datetime],
        ends: Bounds,
        anchors: Sequence[Anchor] = (),
    ) -> None:
        """Take what was read; `snapshots` are connections with an open read-only transaction."""
        self._snapshots, self._folds = snapshots, folds
        self.journal, self.began, self.ends, self.anchors = journal, began, ends, anchors

    async def rows(self, service: str, query: str, *args: Any) -> list[Row]:
        """Return the rows of a query over one service's snapshot."""
        return await asked(self._snapshots[service], query, *args)

    async def stream(self, service: str, query: str, *args: Any) -> AsyncIterator[Row]:
        """Yield the rows of a query that may have very many."""
        async for row in self._snapshots[service].cursor(query, *args, prefetch=_CHUNK, timeout=_STATEMENT_SECONDS):
            yield row

    def fold(self, wanted: type[F]) -> F:
        """Return a fold that has read the whole log."""
        return cast(F, self._folds[wanted])


async def asked(connection: asyncpg.Connection, query: str, *args: Any) -> list[Row]:
    """Return the rows of a query. Raises `CouldNotLook`, without the query's arguments."""
    try:
        return list(await connection.fetch(query, *args, timeout=_STATEMENT_SECONDS))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as wrong:
        raise CouldNotLook(f"A database could not be read ({type(wrong).__name__}): {wrong}") from wrong


@asynccontextmanager
async def connected(sources: Sources) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    """Open one connection per database, with the audit role. Raises `CouldNotLook` naming the service."""
    async with AsyncExitStack() as stack:
        connections = {}
        for service, url in sources.databases.items():
            connection = await _connect(service, url)
            stack.push_async_callback(_close, connection)
            connections[service] = connection
        yield connections


async def _close(connection: asyncpg.Connection) -> None:
    await connection.close(timeout=5)


async def _connect(service: str, url: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(
            url, timeout=15, server_settings={"application_name": "poec-audit", "timezone": "UTC"}
        )
    except (asyncpg.PostgresError, OSError, TimeoutError, ValueError) as wrong:
        # The driver's message may quote the URL; only the kind of failure is told.
        raise CouldNotLook(f"The database of {service} cannot be reached ({type(wrong).__name__}).") from None


@asynccontextmanager
async def evidence(sources: Sources, fold_types: Sequence[type]) -> AsyncIterator[Evidence]:
    """Note where the log ends, take the snapshots, read the log up to that end, and lend it all."""
    folds = {kind: cast(Fold, kind()) for kind in fold_types}
    topics = [topic.name for topic in TOPICS]
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(connected(sources))
        reader = await stack.enter_async_context(LogReader(sources.kafka))
        began = {name: (await asked(one, "SELECT clock_timestamp()"))[0][0] for name, one in connections.items()}
        bounds = await reader.bounds(topics)
        await asyncio.gather(*(_snapshot(connection, stack) for connection in connections.values()))
        ends = await reader.bounds(topics)
        if folds:
            await reader.read(bounds, list(folds.values()))
        yield Evidence(connections, folds, sources.journal, began, ends, sources.anchors)


async def _snapshot(connection: asyncpg.Connection, stack: AsyncExitStack) -> None:
    transaction = connection.transaction(isolation="repeatable_read", readonly=True)
    await transaction.start()
    stack.push_async_callback(transaction.rollback)
    await asked(connection, "SELECT 1")


async def stamp(sources: Sources) -> tuple[tuple[int, ...], ...]:
    """Return numbers that change whenever a service writes, relays or hears something: two equal stamps, a still system."""
    async with connected(sources) as connections:
        return tuple([tuple((await asked(connection, _STAMP))[0]) for connection in connections.values()])
