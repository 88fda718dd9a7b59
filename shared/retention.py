"""What is kept for a time only: removed when its time is over, counted, and written down for those who look later.

Business records, their events and the audit trail are not among it: they are kept for as long as the administration's own rules
say, and hold pseudonyms. A thing that is kept for a time is one line of `KEEPINGS`, a setting, and its right in a migration.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

from shared.database import CONNECTION_LOST, Database
from shared.errors import Conflict
from shared.identity import service_principal
from shared.logs import log
from shared.messaging.clients import cancelled_from_outside
from shared.metrics import REMOVED
from shared.settings import ServiceSettings

_LOCK: Final = 5_117_013_553
"""Advisory lock of a transaction that removes: of several replicas one does it, the others have nothing to do."""
_BATCH: Final = 1_000
_MINE = "SELECT pg_try_advisory_xact_lock($1) AS mine, (SELECT seconds FROM clock_offset) AS moved"
_REMOVE = """
WITH edge AS MATERIALIZED (SELECT clock_timestamp() - $1::interval AS before), gone AS ({statement})
INSERT INTO removal (what, before, rows)
SELECT $3::text, edge.before, counted.n FROM edge, (SELECT count(*) AS n FROM gone) counted WHERE counted.n > 0
RETURNING rows
"""
_TRANSIENT: Final = (Conflict, *CONNECTION_LOST, asyncpg.PostgresError)
_LOG = log("retention")


@dataclass(frozen=True)
class Keeping:
    """One thing that is kept for a time: its name in `removal` and in the metric, for how long, and the statement that removes it.

    The statement removes rows older than `edge.before`, at most `$2` of them, and returns one row for each. `at_once` says how many
    go in one transaction where others go with each of them; None: as many as usual.
    """

    what: str
    kept_for: Callable[[Any], timedelta]
    statement: str
    at_once: int | None = None


KEEPINGS: Final[tuple[Keeping, ...]] = (
    Keeping(
        "answers",
        lambda settings: timedelta(hours=settings.retain_answers_hours),
        "DELETE FROM idempotency WHERE (principal, key) IN (SELECT principal, key FROM idempotency, edge"
        " WHERE created_at < edge.before LIMIT $2) RETURNING 1",
    ),
    # The row stays: its place accounts for the record. The key stays where it is one of the product's own, which the order is
    # checked by; a partner's may be anything.
    Keeping(
        "letters",
        lambda settings: timedelta(days=settings.retain_letters_days),
        "UPDATE dead_letter SET value = NULL, headers = '[]', key = CASE WHEN parks THEN key END, emptied_at = clock_timestamp()"
        " WHERE id IN (SELECT id FROM dead_letter, edge WHERE state <> 'dead' AND emptied_at IS NULL"
        " AND closed_at < edge.before LIMIT $2) RETURNING 1",
    ),
    Keeping(
        "sessions",
        lambda settings: timedelta(hours=24),
        "DELETE FROM web_session WHERE id_hash IN (SELECT id_hash FROM web_session, edge"
        " WHERE created_at < edge.before LIMIT $2) RETURNING 1",
    ),
    Keeping(
        "sign_ins",
        lambda settings: timedelta(hours=1),
        "DELETE FROM sign_in WHERE state_hash IN (SELECT state_hash FROM sign_in, edge"
        " WHERE created_at < edge.before LIMIT $2) RETURNING 1",
    ),
)


class Retention:
    """Removes what is out of its time, batch by batch, each in one transaction; killed anywhere, the next pass goes on."""

    def __init__(self, database: Database, settings: ServiceSettings, keepings: Sequence[Keeping] = KEEPINGS) -> None:
        self._database, self._settings, self._keepings = database, settings, keepings

    async def run(self) -> None:
        """Make a pass every `retain_every_seconds` until cancelled; what fails is tried again with the next one."""
        while True:
            try:
                await self.pass_once()
            except (asyncio.CancelledError, *_TRANSIENT) as failure:
                if cancelled_from_outside():
                    raise
                _LOG.warning("retention_failed", error=type(failure).__name__)
            await asyncio.sleep(self._settings.retain_every_seconds)

    async def pass_once(self) -> dict[str, int]:
        """Remove everything that is out of its time; return how much of each thing."""
        removed = dict.fromkeys((keeping.what for keeping in self._keepings), 0)
        for keeping in self._keepings:
            while n := await self._batch(keeping):
                removed[keeping.what] += n
                if n < (keeping.at_once or _BATCH):
                    break
        return removed

    async def _batch(self, keeping: Keeping) -> int:
        """Remove one batch with the line that says so; 0 where nothing is left, or another replica is at it.

        While the business clock is moved (the embedded demo alone) nothing is: a row of yesterday would be a year old.
        """
        async with self._database.unit(service_principal(self._database.service, "retention")) as unit:
            (found,) = await unit.read(_MINE, _LOCK)
            if not found["mine"] or found["moved"]:
                return 0
            query = _REMOVE.format(statement=keeping.statement)
            rows = await unit.read(query, keeping.kept_for(self._settings), keeping.at_once or _BATCH, keeping.what)
        n: int = rows[0]["rows"] if rows else 0
        if n:
            REMOVED.labels(keeping.what).inc(n)
            _LOG.info("removed", what=keeping.what, rows=n)
        return n
