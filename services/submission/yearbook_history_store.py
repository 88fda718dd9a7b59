"""What was on record before: every revision of a programme, and the history of every other record, page by page, the last first."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from services.submission.domain.campaigns import Dated
from services.submission.domain.conferences import Minutes
from services.submission.domain.declarations import Declared
from services.submission.domain.deliveries import Delivered
from services.submission.domain.targets import Adopted, Programme
from services.submission.store import OWN_TARGET
from shared.contracts.campaigns import programme_id
from shared.database import Database
from shared.identity import Principal

S = TypeVar("S")
_DATED: Final = TypeAdapter(list[Dated])
_MINUTES: Final = TypeAdapter(list[Minutes])
_ADOPTED: Final = TypeAdapter(list[Adopted])
_DELIVERED: Final = TypeAdapter(Delivered)
_DECLARED: Final = TypeAdapter(Declared)


async def find_programme(database: Database, principal: Principal, year: int, opco: str | None) -> Programme | None:
    """Return a year's programme with the revision that holds alone, of its targets those of `opco` (None: all); None: none was adopted."""
    rows = await database.query(principal, _HOLDS, year, opco)
    found = _ADOPTED.validate_json(rows[0]["said"]) if rows else []
    return Programme(programme_id(year), year, found[0].revision, tuple(found)) if found else None


_OWN: Final = f"""
SELECT (SELECT jsonb_agg(one.said || jsonb_build_object('targets', coalesce((SELECT jsonb_agg(t ORDER BY n)
      FROM jsonb_array_elements(one.said->'targets') WITH ORDINALITY x(t, n) WHERE {OWN_TARGET.format(opco="$2")}), '[]'))
    ORDER BY one.revision DESC) FROM ({{}}) one)::text AS said
FROM programme WHERE year = $1
"""
_HOLDS: Final = _OWN.format("SELECT document->'revisions'->-1 AS said, 0 AS revision")
_REVISIONS: Final = _OWN.format(
    "SELECT said, (said->>'revision')::int AS revision FROM jsonb_array_elements(document->'revisions') said"
    " WHERE $3::int IS NULL OR (said->>'revision')::int < $3 ORDER BY 2 DESC LIMIT $4"
)


async def programme_revisions(
    database: Database, principal: Principal, year: int, opco: str | None, before: int | None, limit: int
) -> list[Adopted] | None:
    """Return the next `limit` revisions of a programme, the last one first, of their targets those of `opco` (None: all).

    `before` is the last revision seen; None is returned where no programme was adopted for the year.
    """
    found = await database.query(principal, _REVISIONS, year, opco, before, limit)
    return _ADOPTED.validate_json(found[0]["said"] or "[]") if found else None


_HISTORY: Final = """
SELECT (SELECT jsonb_agg(one.said ORDER BY one.revision DESC)
  FROM (SELECT said, (said->>'revision')::int AS revision FROM jsonb_array_elements(document->'history') said
    WHERE $2::int IS NULL OR (said->>'revision')::int < $2 ORDER BY 2 DESC LIMIT $3) one)::text AS said
FROM {} WHERE id = $1
"""


async def campaign_history(
    database: Database, principal: Principal, identifier: UUID, before: int | None, limit: int
) -> list[Dated] | None:
    """Return the next `limit` decisions on the dates of a campaign; `before` is the last revision seen. None: no such campaign."""
    found = await database.query(principal, _HISTORY.format("campaign"), identifier, before, limit)
    return _DATED.validate_json(found[0]["said"] or "[]") if found else None


async def conference_history(
    database: Database, principal: Principal, identifier: UUID, before: int | None, limit: int
) -> list[Minutes] | None:
    """Return the next `limit` versions of the record of a conference; `before` is the last revision seen. None: no such conference."""
    found = await database.query(principal, _HISTORY.format("conference"), identifier, before, limit)
    return _MINUTES.validate_json(found[0]["said"] or "[]") if found else None


@dataclass(frozen=True)
class Told(Generic[S]):
    """What an OPCO told once about a year; `month` is that in which it delivered, None for a declaration."""

    opco: str
    month: str | None
    said: S


_TOLD: Final = """
SELECT opco, {month} AS month, said::text AS said FROM {table}, jsonb_array_elements(document->'history') said
WHERE year = $1 AND ($2::text IS NULL OR opco = $2)
"""
_DELIVERIES: Final = (
    _TOLD.format(month="month", table="delivery")
    + " AND ($3::text IS NULL OR (month, opco, (said->>'revision')::int) < ($3, $4::text, $5::int))"
    " ORDER BY month DESC, opco DESC, (said->>'revision')::int DESC LIMIT $6"
)
_DECLARATIONS: Final = (
    _TOLD.format(month="NULL", table="declaration")
    + " AND ($3::text IS NULL OR (opco, (said->>'revision')::int) < ($3, $4::int))"
    " ORDER BY opco DESC, (said->>'revision')::int DESC LIMIT $5"
)


async def delivery_history(
    database: Database,
    principal: Principal,
    year: int,
    opco: str | None,
    before: tuple[str, str, int] | None,
    limit: int,
) -> list[Told[Delivered]]:
    """Return the next `limit` versions of what was delivered for a year, the latest month first; `before`: month, OPCO, revision seen."""
    place = before or (None, None, None)
    rows = await database.query(principal, _DELIVERIES, year, opco, *place, limit)
    return [Told(row["opco"], row["month"], _DELIVERED.validate_json(row["said"])) for row in rows]


async def declaration_history(
    database: Database, principal: Principal, year: int, opco: str | None, before: tuple[str, int] | None, limit: int
) -> list[Told[Declared]]:
    """Return the next `limit` declarations for a year, of each OPCO the last first; `before`: OPCO and revision seen."""
    place = before or (None, None)
    rows = await database.query(principal, _DECLARATIONS, year, opco, *place, limit)
    return [Told(row["opco"], None, _DECLARED.validate_json(row["said"])) for row in rows]
