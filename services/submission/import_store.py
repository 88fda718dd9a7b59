"""The tables of imports: a file that was read is one row, each of its fiches another one, until its report is out of its time."""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.submission.store import Base
from shared.database import Database, Row, UnitOfWork
from shared.identity import Principal

PAGE: Final = 500


class ImportRow(Base, table=True):
    """A file: whose it is, who sent it, which warnings it acknowledges for all its fiches, how many they are, where it stands.

    `accepted`, `unchanged`, `warned`, `refused` are its fiches by what became of them, counted with each that is carried out.
    """

    __tablename__ = "fiche_import"

    id: UUID = Field(primary_key=True)
    opco: str = Field(sa_type=sa.Text)
    principal: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    acknowledged: str = Field(sa_type=JSONB)
    fiches: int
    state: str = Field(sa_type=sa.Text)
    received_at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))
    finished_at: dt.datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))
    accepted: int = 0
    unchanged: int = 0
    warned: int = 0
    refused: int = 0


class ImportLineRow(Base, table=True):
    """One fiche of a file: `document` is what is to be filed, until it was; `objections` what was said about it."""

    __tablename__ = "fiche_import_line"

    import_id: UUID = Field(primary_key=True)
    n: int = Field(primary_key=True)
    opco: str = Field(sa_type=sa.Text)
    line: int
    reference: str | None = Field(default=None, sa_type=sa.Text)
    document: str | None = Field(default=None, sa_type=sa.Text)
    objections: str = Field(sa_type=JSONB)
    outcome: str | None = Field(default=None, sa_type=sa.Text)
    fiche_id: UUID | None = None
    done_at: dt.datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))


IMPORTS: Final[sa.Table] = Base.metadata.tables["fiche_import"]


@dataclass(frozen=True)
class Waiting:
    """A fiche of a file that was not carried out yet; `objections` were found when the file was read."""

    n: int
    line: int
    reference: str | None
    document: str | None
    objections: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Carried:
    """What became of a fiche of a file: `accepted`, `unchanged` (it was there already), `warned` or `refused`, and what was said."""

    n: int
    outcome: str
    fiche_id: UUID | None
    objections: tuple[dict[str, Any], ...]
    reference: str | None


@dataclass(frozen=True)
class Import:
    """A file on its way in; `counts` are its fiches by outcome, those that wait not among them."""

    id: UUID
    opco: str
    principal: str
    kind: str
    acknowledged: tuple[str, ...]
    fiches: int
    state: str
    received_at: dt.datetime
    finished_at: dt.datetime | None
    counts: dict[str, int]

    @property
    def done(self) -> int:
        """Return how many of its fiches were carried out."""
        return sum(self.counts.values())


_PUT: Final = """
WITH put AS (INSERT INTO fiche_import_line (import_id, n, opco, line, reference, document, objections)
  SELECT $1::uuid, u.n, $2, u.line, u.reference, u.document, u.objections::jsonb
  FROM unnest($3::int[], $4::int[], $5::text[], $6::text[], $7::text[]) AS u(n, line, reference, document, objections)
  RETURNING 1)
SELECT count(*) AS put FROM put
"""


async def put_lines(unit: UnitOfWork, import_id: UUID, opco: str, lines: Sequence[Waiting]) -> None:
    """Write fiches of a file that is being read; the row of the file must be there."""
    columns = [
        [line.n for line in lines],
        [line.line for line in lines],
        [line.reference for line in lines],
        [line.document for line in lines],
        [orjson.dumps(line.objections).decode() for line in lines],
    ]
    await unit.read(_PUT, import_id, opco, *columns)


_BEGIN: Final = """
WITH put AS (INSERT INTO fiche_import (id, opco, principal, kind, acknowledged, fiches, state, received_at)
  VALUES ($1::uuid, $2, $3, $4, $5::jsonb, $6, 'running', $7::timestamptz) RETURNING 1)
SELECT count(*) AS put FROM put
"""


async def put_import(unit: UnitOfWork, asked: Import) -> None:
    """Write the row of a file."""
    acknowledged = orjson.dumps(asked.acknowledged).decode()
    await unit.read(
        _BEGIN,
        asked.id,
        asked.opco,
        asked.principal,
        asked.kind,
        acknowledged,
        asked.fiches,
        asked.received_at,
    )


async def count_running(unit: UnitOfWork, opco: str) -> int:
    """Return how many files of an organisation are not carried out yet."""
    (row,) = await unit.read("SELECT count(*) AS n FROM fiche_import WHERE opco = $1 AND state = 'running'", opco)
    return int(row["n"])


_CLAIM: Final = (
    "SELECT n, line, reference, document, objections::text AS objections FROM fiche_import_line"
    " WHERE import_id = $1 AND outcome IS NULL AND ($3::int IS NULL OR n = $3) ORDER BY n LIMIT $2 FOR UPDATE SKIP LOCKED"
)


async def claim_lines(unit: UnitOfWork, import_id: UUID, most: int, only: int | None = None) -> list[Waiting]:
    """Lock the next fiches of a file that nobody else is at, or the one of a number."""
    rows = await unit.read(_CLAIM, import_id, most, only)
    return [
        Waiting(row["n"], row["line"], row["reference"], row["document"], tuple(orjson.loads(row["objections"])))
        for row in rows
    ]


async def waiting_numbers(database: Database, principal: Principal, import_id: UUID, most: int) -> list[int]:
    """Return the numbers of the next fiches of a file that wait, whoever is at them."""
    query = "SELECT n FROM fiche_import_line WHERE import_id = $1 AND outcome IS NULL ORDER BY n LIMIT $2"
    return [row["n"] for row in await database.query(principal, query, import_id, most)]


_SETTLE: Final = (
    "UPDATE fiche_import_line t SET outcome = u.outcome, fiche_id = u.fiche_id, objections = u.objections::jsonb,"
    " reference = u.reference, document = NULL, done_at = $2::timestamptz"
    " FROM unnest($3::int[], $4::text[], $5::uuid[], $6::text[], $7::text[]) AS u(n, outcome, fiche_id, objections, reference)"
    " WHERE t.import_id = $1::uuid AND t.n = u.n"
)
_COUNT: Final = (
    "UPDATE fiche_import SET accepted = accepted + $2::int, unchanged = unchanged + $3::int, warned = warned + $4::int,"
    " refused = refused + $5::int WHERE id = $1::uuid"
)
OUTCOMES: Final = ("accepted", "unchanged", "warned", "refused")


def settle_lines(unit: UnitOfWork, import_id: UUID, carried: Sequence[Carried]) -> None:
    """Write what became of fiches together with the effect; what was to be filed is not needed any more.

    Each line was locked while it waited, and so is settled once: the file's counts move with its lines, and who reads a file counts
    none of them.
    """
    unit.add(
        _SETTLE,
        import_id,
        unit.now,
        [one.n for one in carried],
        [one.outcome for one in carried],
        [one.fiche_id for one in carried],
        [orjson.dumps(one.objections).decode() for one in carried],
        [one.reference for one in carried],
    )
    became = Counter(one.outcome for one in carried)
    unit.add(_COUNT, import_id, *(became[outcome] for outcome in OUTCOMES))


def finish_import(unit: UnitOfWork, import_id: UUID) -> None:
    """Close a file of which no fiche waits."""
    unit.add(
        "UPDATE fiche_import SET state = 'done', finished_at = $2::timestamptz WHERE id = $1::uuid AND state = 'running'"
        " AND NOT EXISTS (SELECT FROM fiche_import_line WHERE import_id = $1::uuid AND outcome IS NULL)",
        import_id,
        unit.now,
    )


def stop_import(unit: UnitOfWork, import_id: UUID) -> None:
    """Stop a file whose sender may no longer file: what waits is not carried out."""
    unit.add(
        "UPDATE fiche_import SET state = 'stopped', finished_at = $2::timestamptz WHERE id = $1::uuid AND state = 'running'",
        import_id,
        unit.now,
    )


_IMPORT: Final = (
    "SELECT i.id, i.opco, i.principal, i.kind, i.acknowledged::text AS acknowledged, i.fiches, i.state, i.received_at,"
    " i.finished_at, i.accepted, i.unchanged, i.warned, i.refused FROM fiche_import i"
)


def _import(row: Row) -> Import:
    return Import(
        **{
            name: row[name]
            for name in ("id", "opco", "principal", "kind", "fiches", "state", "received_at", "finished_at")
        },
        acknowledged=tuple(orjson.loads(row["acknowledged"])),
        counts={outcome: row[outcome] for outcome in OUTCOMES},
    )


async def find_import(database: Database, principal: Principal, import_id: UUID) -> Import | None:
    """Return a file with what became of it so far; None where there is none that the principal may see."""
    rows = await database.query(principal, f"{_IMPORT} WHERE i.id = $1", import_id)
    return _import(rows[0]) if rows else None


async def list_imports(
    database: Database, principal: Principal, opco: str | None, after: UUID | None, limit: int
) -> list[Import]:
    """Return the next files after one, the newest first."""
    query = (
        f"{_IMPORT} WHERE ($1::text IS NULL OR i.opco = $1) AND ($2::uuid IS NULL OR (i.received_at, i.id)"
        " < (SELECT received_at, id FROM fiche_import WHERE id = $2)) ORDER BY i.received_at DESC, i.id DESC LIMIT $3"
    )
    return [_import(row) for row in await database.query(principal, query, opco, after, limit)]


async def running_imports(database: Database, principal: Principal) -> list[tuple[UUID, str]]:
    """Return the files that are not finished, each with who sent it, in no order: a large one keeps no small one waiting."""
    query = "SELECT id, principal FROM fiche_import WHERE state = 'running' ORDER BY random() LIMIT 100"
    return [(row["id"], row["principal"]) for row in await database.query(principal, query)]


@dataclass(frozen=True)
class LineRead:
    """A fiche of a file as its report says it."""

    n: int
    line: int
    reference: str | None
    outcome: str | None
    fiche_id: UUID | None
    objections: tuple[dict[str, Any], ...]


_LINE: Final = "SELECT n, line, reference, outcome, fiche_id, objections::text AS objections FROM fiche_import_line"


async def list_lines(
    database: Database, principal: Principal, import_id: UUID, outcomes: Collection[str], after: int, limit: int
) -> list[LineRead]:
    """Return the next fiches of a file, those of some outcomes where any are named: a page of each by its index, then the first."""
    if outcomes:
        page = f"{_LINE} WHERE import_id = $1 AND outcome = wanted.outcome AND n > $2 ORDER BY n LIMIT $3"
        query = f"SELECT line.* FROM unnest($4::text[]) wanted(outcome), LATERAL ({page}) line ORDER BY n LIMIT $3"
        rows = await database.query(principal, query, import_id, after, limit, sorted(set(outcomes)))
    else:
        rows = await database.query(
            principal, f"{_LINE} WHERE import_id = $1 AND n > $2 ORDER BY n LIMIT $3", import_id, after, limit
        )
    return [LineRead(**{**row, "objections": tuple(orjson.loads(row["objections"]))}) for row in rows]


async def all_lines(database: Database, principal: Principal, import_id: UUID) -> AsyncIterator[LineRead]:
    """Yield every fiche of a file, read page by page."""
    after = 0
    while page := await list_lines(database, principal, import_id, (), after, PAGE):
        for line in page:
            yield line
        after = page[-1].n
