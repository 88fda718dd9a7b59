"""The table of fiches and the queries of its readers: a fiche is one row, its document and the columns searched."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.submission.domain.content import first_start
from services.submission.domain.fiche import Fiche, Status
from shared.audit_trail import Head
from shared.database import Database, Row, UnitOfWork
from shared.identity import Principal
from shared.working_set import WorkingSet


class Base(SQLModel):
    """Base of this service's tables: their own metadata, so that no other service's tables are near."""

    metadata = sa.MetaData()


class FicheRow(Base, table=True):
    """A fiche as it is stored; `document` is the whole state of the domain, the other columns are searched."""

    __tablename__ = "fiche"

    id: UUID = Field(primary_key=True)
    version: int
    sequence: int = Field(sa_type=sa.BigInteger)
    audit_hash: str = Field(sa_type=sa.Text)
    opco: str = Field(sa_type=sa.Text)
    reference: str = Field(sa_type=sa.Text)
    status: str = Field(sa_type=sa.Text)
    revision: int
    title: str = Field(sa_type=sa.Text)
    first_start: dt.date
    submitted_at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))
    validation_reference: str | None = Field(default=None, sa_type=sa.Text)
    document: str = Field(sa_type=JSONB)


TABLE: Final[sa.Table] = Base.metadata.tables["fiche"]
_DOCUMENT: Final = TypeAdapter(Fiche)
_OPEN: Final = (
    "SELECT id, version, sequence, audit_hash, document::text AS document FROM fiche WHERE id = ANY($1::uuid[])"
)


async def open_fiches(unit: UnitOfWork, ids: Collection[UUID]) -> WorkingSet[Fiche]:
    """Load these fiches in one read; one that is not there, or not the caller's, is simply not in the set."""
    rows = await unit.read(_OPEN, list(ids))
    heads = {row["id"]: Head(row["version"], row["sequence"], row["audit_hash"]) for row in rows}
    return WorkingSet({row["id"]: (heads[row["id"]], parsed(row["document"])) for row in rows})


def write_fiches(fiches: WorkingSet[Fiche], unit: UnitOfWork) -> None:
    """Hand what changed to the unit of work."""
    fiches.write(unit, TABLE, _columns)


def parsed(document: str) -> Fiche:
    """Return the fiche a document holds."""
    return _DOCUMENT.validate_json(document)


def written(fiche: Fiche) -> str:
    """Return the document of a fiche; `parsed` gives the same fiche back."""
    return _DOCUMENT.dump_json(fiche).decode()


def _columns(fiche: Fiche) -> Mapping[str, Any]:
    return {
        "opco": fiche.opco,
        "reference": fiche.reference,
        "status": fiche.status.value,
        "revision": fiche.revision,
        "title": fiche.content.title,
        "first_start": first_start(fiche.live_sessions or fiche.content.sessions),
        "submitted_at": fiche.submitted_at,
        "validation_reference": fiche.validation.reference if fiche.validation else None,
        "document": written(fiche),
    }


@dataclass(frozen=True)
class Wanted:
    """Which fiches a list is asked for: by status, OPCO, year of the first start; None does not choose."""

    status: Status | None = None
    opco: str | None = None
    start_year: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a page of the list ended: the next one starts after this fiche."""

    submitted_at: dt.datetime
    fiche_id: UUID


@dataclass(frozen=True)
class Listed:
    """A fiche in the list."""

    fiche_id: UUID
    opco: str
    reference: str
    title: str
    status: Status
    revision: int
    first_start: dt.date
    submitted_at: dt.datetime
    validation_reference: str | None


_LIST: Final = """
SELECT id, opco, reference, title, status, revision, first_start, submitted_at, validation_reference FROM fiche
WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR opco = $2)
  AND ($3::date IS NULL OR (first_start >= $3 AND first_start < $4::date))
  AND ($5::timestamptz IS NULL OR (submitted_at, id) < ($5, $6::uuid))
ORDER BY submitted_at DESC, id DESC LIMIT $7
"""


async def list_fiches(
    database: Database, principal: Principal, wanted: Wanted, after: Place | None, limit: int
) -> list[Listed]:
    """Return the next `limit` fiches after a place, the newest first."""
    year = wanted.start_year
    span = (dt.date(year, 1, 1), dt.date(year + 1, 1, 1)) if year else (None, None)
    place = (after.submitted_at, after.fiche_id) if after else (None, None)
    status = wanted.status.value if wanted.status else None
    rows = await database.query(principal, _LIST, status, wanted.opco, *span, *place, limit)
    return [_listed(row) for row in rows]


async def find_fiche(database: Database, principal: Principal, fiche_id: UUID) -> Fiche | None:
    """Return a fiche, or None where there is none that the principal may see."""
    rows = await database.query(principal, "SELECT document::text AS document FROM fiche WHERE id = $1", fiche_id)
    return parsed(rows[0]["document"]) if rows else None


def _listed(row: Row) -> Listed:
    return Listed(
        fiche_id=row["id"],
        opco=row["opco"],
        reference=row["reference"],
        title=row["title"],
        status=Status(row["status"]),
        revision=row["revision"],
        first_start=row["first_start"],
        submitted_at=row["submitted_at"],
        validation_reference=row["validation_reference"],
    )
