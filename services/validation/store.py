"""The table of dossiers and the queries of its readers: a dossier is one row, its document and the columns searched."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.validation.domain.dates import civil_date
from services.validation.domain.dossier import Dossier, Status
from shared.audit_trail import Head
from shared.clock import business_time
from shared.database import Database, UnitOfWork
from shared.identity import Principal
from shared.working_set import WorkingSet


class Base(SQLModel):
    """Base of this service's tables: their own metadata, so that no other service's tables are near."""

    metadata = sa.MetaData()


class DossierRow(Base, table=True):
    """A dossier as it is stored; `id` is the fiche's, `document` the whole state of the domain."""

    __tablename__ = "dossier"

    id: UUID = Field(primary_key=True)
    version: int
    sequence: int = Field(sa_type=sa.BigInteger)
    audit_hash: str = Field(sa_type=sa.Text)
    opco: str = Field(sa_type=sa.Text)
    status: str = Field(sa_type=sa.Text)
    revision: int
    opened_at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))
    avis_due_on: dt.date
    validation_reference: str | None = Field(default=None, sa_type=sa.Text)
    document: str = Field(sa_type=JSONB)


TABLE: Final[sa.Table] = Base.metadata.tables["dossier"]
_DOCUMENT: Final = TypeAdapter(Dossier)
_OPEN: Final = (
    "SELECT id, version, sequence, audit_hash, document::text AS document FROM dossier WHERE id = ANY($1::uuid[])"
)


async def open_dossiers(unit: UnitOfWork, ids: Collection[UUID]) -> WorkingSet[Dossier]:
    """Load the dossiers of these fiches in one read; a fiche without one is simply not in the set."""
    rows = await unit.read(_OPEN, list(ids))
    heads = {row["id"]: Head(row["version"], row["sequence"], row["audit_hash"]) for row in rows}
    return WorkingSet({row["id"]: (heads[row["id"]], parsed(row["document"])) for row in rows})


def write_dossiers(dossiers: WorkingSet[Dossier], unit: UnitOfWork) -> None:
    """Hand what changed to the unit of work."""
    dossiers.write(unit, TABLE, _columns)


def parsed(document: str) -> Dossier:
    """Return the dossier a document holds."""
    return _DOCUMENT.validate_json(document)


def written(dossier: Dossier) -> str:
    """Return the document of a dossier; `parsed` gives the same dossier back."""
    return _DOCUMENT.dump_json(dossier).decode()


def _columns(dossier: Dossier) -> Mapping[str, Any]:
    return {
        "opco": dossier.opco,
        "status": dossier.status.value,
        "revision": dossier.revision,
        "opened_at": dossier.opened_at,
        "avis_due_on": dossier.avis_due_on,
        "validation_reference": dossier.validation.reference if dossier.validation else None,
        "document": written(dossier),
    }


@dataclass(frozen=True)
class Place:
    """Where a page of the list ended: the next one starts after this dossier."""

    opened_at: dt.datetime
    fiche_id: UUID


@dataclass(frozen=True)
class Listed:
    """A dossier in the list; `age_days` are civil days since its opening, `late` when its first avis is overdue."""

    fiche_id: UUID
    opco: str
    reference: str
    title: str
    status: Status
    revision: int
    opened_at: dt.datetime
    avis_due_on: dt.date
    age_days: int
    late: bool
    validation_reference: str | None


_LIST: Final = """
SELECT d.id, d.opco, d.document ->> 'reference' AS reference, d.document #>> '{content,title}' AS title,
  d.status, d.revision, d.opened_at, d.avis_due_on, d.validation_reference, clock_timestamp() AS at, c.seconds
FROM dossier d CROSS JOIN clock_offset c
WHERE ($1::text IS NULL OR d.status = $1)
  AND ($2::text IS NULL OR d.opco = $2)
  AND ($3::timestamptz IS NULL OR (d.opened_at, d.id) > ($3::timestamptz, $4::uuid))
ORDER BY d.opened_at, d.id
LIMIT $5::int
"""


async def list_dossiers(
    database: Database, principal: Principal, status: Status | None, opco: str | None, after: Place | None, limit: int
) -> list[Listed]:
    """Return the next `limit` dossiers after a place, the oldest first: requests come in bursts and wait in line."""
    place = (after.opened_at, after.fiche_id) if after else (None, None)
    rows = await database.query(principal, _LIST, status.value if status else None, opco, *place, limit)
    return [_listed(row) for row in rows]


async def find_dossier(database: Database, principal: Principal, fiche_id: UUID) -> Dossier | None:
    """Return the dossier of a fiche, or None."""
    rows = await database.query(principal, "SELECT document::text AS document FROM dossier WHERE id = $1", fiche_id)
    return parsed(rows[0]["document"]) if rows else None


def _listed(row: Mapping[str, Any]) -> Listed:
    today = civil_date(business_time(row["at"], row["seconds"]))
    status = Status(row["status"])
    return Listed(
        fiche_id=row["id"],
        opco=row["opco"],
        reference=row["reference"],
        title=row["title"],
        status=status,
        revision=row["revision"],
        opened_at=row["opened_at"],
        avis_due_on=row["avis_due_on"],
        age_days=(today - civil_date(row["opened_at"])).days,
        late=status is Status.OPEN and today > row["avis_due_on"],
        validation_reference=row["validation_reference"],
    )
