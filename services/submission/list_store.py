"""The list of fiches as people look for them: filters, what is due first, true counts; each page is one query by keyset."""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.submission.domain.fiche import Status
from services.submission.store import OF_ITS_KIND, Wanted
from shared.database import Database, Row
from shared.identity import Principal

NO_DAY: Final = dt.date(9000, 1, 1)
"""Where a fiche with no day stands among those that have one: after them. The last date of all would be infinity to the driver."""


@dataclass(frozen=True)
class Spot:
    """Where a page of the list ended: the next one begins after it."""

    due_on: dt.date
    submitted_at: dt.datetime
    fiche_id: UUID


@dataclass(frozen=True)
class Shown:
    """A fiche in the list; `due_on` is the last day of what is waited for, seats are those of all sessions that are left."""

    fiche_id: UUID
    opco: str
    reference: str
    title: str
    status: Status
    revision: int
    due_on: dt.date | None
    first_start: dt.date | None
    last_end: dt.date | None
    sessions: int
    seats: int | None
    hours: int | None
    city: str | None
    insee: str | None
    validation_reference: str | None
    avis_given: bool
    submitted_at: dt.datetime

    @property
    def spot(self) -> Spot:
        """Return where the list is after this fiche."""
        return Spot(self.due_on or NO_DAY, self.submitted_at, self.fiche_id)


@dataclass(frozen=True)
class Count:
    """How many fiches of a status there are, how many of them are late, how many the filters leave."""

    held: int
    late: int
    found: int


_SEEN: Final = "({}::text IS NULL OR opco = {}) AND (filed OR intended OR opco = {})"
"""Whose fiches are meant (None: all), and whose preparations are their own business."""
_DAY: Final = "coalesce(due_on, '9000-01-01')"
_ORDER: Final = f"ORDER BY {_DAY}, submitted_at DESC, id DESC"
_COLUMNS: Final = """
SELECT id AS fiche_id, opco, reference, title, status, revision, due_on, first_start, submitted_at, validation_reference, insee,
  (document->'content'->'hours'->>'total')::int AS hours, document->'content'->'place'->'address'->>'city' AS city,
  document->>'avis' IS NOT NULL AS avis_given, plans.last_end, plans.sessions, plans.seats
"""
_PLANS: Final = """
SELECT max((plan->>'end')::date) AS last_end, count(*) AS sessions, sum((plan->>'seats')::int) AS seats
FROM jsonb_array_elements(coalesce(document->'content'->'sessions', '[]')) plan
WHERE coalesce(document->'sessions'->(plan->>'number')->>'state', '') <> 'cancelled' OR status = 'cancelled'
"""


class _Query:
    """Conditions with their arguments, numbered as they come."""

    def __init__(self) -> None:
        self.args: list[object] = []

    def asks(self, condition: str, *values: object) -> str:
        """Return a condition with its arguments' numbers for its `{}`."""
        first = len(self.args) + 1
        self.args += values
        return condition.format(*(f"${n}" for n in range(first, len(self.args) + 1)))

    def of(self, wanted: Wanted) -> str:
        """Return what the filters ask of a row, whatever its status."""
        conditions, values = wanted.conditions()
        asked = [self.asks(condition, value) for condition, value in zip(conditions, values, strict=True)]
        return " AND ".join(asked) or "true"

    def seen(self, principal: Principal, only: str | None) -> str:
        """Return whose fiches are seen."""
        return f"{self.asks(_SEEN, only, only, principal.organisation)} AND {OF_ITS_KIND}"


async def count_by_status(
    database: Database, principal: Principal, only: str | None, wanted: Wanted, today: dt.date | None
) -> dict[Status, Count]:
    """Return the counts by status, in one query, of the fiches of `only` (None: of all); a status without any is not there.

    Without `today` none is late.
    """
    query = _Query()
    late = query.asks("due_on < {}", today)
    text = (
        f"SELECT status, count(*) AS held, count(*) FILTER (WHERE {late}) AS late,"
        f" count(*) FILTER (WHERE {query.of(wanted)}) AS found FROM fiche WHERE {query.seen(principal, only)} GROUP BY status"
    )
    rows = await database.query(principal, text, *query.args)
    return {Status(row["status"]): Count(row["held"], row["late"], row["found"]) for row in rows}


async def page_by_due_day(
    database: Database, principal: Principal, only: str | None, wanted: Wanted, after: Spot | None, limit: int
) -> list[Shown]:
    """Return the next `limit` fiches after a spot: what is due first, then the newest; no statuses are all of them."""
    query = _Query()
    where = [query.seen(principal, only), query.of(wanted)]
    if wanted.statuses:
        where.append(query.asks("status = ANY({}::text[])", [status.value for status in wanted.statuses]))
    if after:
        same = f"({_DAY} = {{}} AND (submitted_at, id) < ({{}}, {{}}::uuid))"
        place = (after.due_on, after.due_on, after.submitted_at, after.fiche_id)
        where.append(query.asks(f"({_DAY} > {{}} OR {same})", *place))
    page = f"SELECT * FROM fiche WHERE {' AND '.join(where)} {_ORDER} {query.asks('LIMIT {}', limit)}"
    rows = await database.query(
        principal, f"{_COLUMNS} FROM ({page}) fiche, LATERAL ({_PLANS}) plans {_ORDER}", *query.args
    )
    return [_shown(row) for row in rows]


def _shown(row: Row) -> Shown:
    return Shown(**{**row, "status": Status(row["status"])})
