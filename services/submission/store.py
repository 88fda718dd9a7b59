"""The table of fiches and the queries of its readers: a fiche is one row, its document and the columns searched."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.submission.domain.content import first_start
from services.submission.domain.desk import Desk
from services.submission.domain.expectations import due_on
from services.submission.domain.fiche import Fiche, Status
from services.submission.domain.preparation import Held, Preparation
from shared.audit_trail import Head
from shared.database import Database, Row, UnitOfWork
from shared.identity import Principal
from shared.working_set import WorkingSet

TITLE_LENGTH: Final = 240


class Base(SQLModel):
    """Base of this service's tables: their own metadata, so that no other service's tables are near."""

    metadata = sa.MetaData()


class StateRow(Base):
    """What every row has whose changes are in the audit trail: the head of its chain, its status, `document` the whole state."""

    id: UUID = Field(primary_key=True)
    version: int
    sequence: int = Field(sa_type=sa.BigInteger)
    audit_hash: str = Field(sa_type=sa.Text)
    status: str = Field(sa_type=sa.Text)
    document: str = Field(sa_type=JSONB)


def last_word(history: str) -> str:
    """Return the column `document` of a record with the last member of its history alone: what reads it does not grow with time."""
    return f"jsonb_set(document, '{{{history}}}', jsonb_build_array(document->'{history}'->-1))::text AS document"


OWN_TARGET: Final = (
    "({opco}::text IS NULL OR t->>'opco' = {opco}) AND current_setting('poec.tenant', true) IN ('*', t->>'opco')"
)
"""Whose targets are read: those asked for, and never another OPCO's, whoever asks; the row of a programme holds those of all."""


def head_of(row: Row) -> Head:
    """Return the head of the chain of a row that was read."""
    return Head(row["version"], row["sequence"], row["audit_hash"])


class FicheRow(StateRow, table=True):
    """A fiche as it is stored; the columns beside its document are searched."""

    __tablename__ = "fiche"

    opco: str = Field(sa_type=sa.Text)
    reference: str = Field(sa_type=sa.Text)
    revision: int
    title: str = Field(sa_type=sa.Text)
    first_start: dt.date | None = None
    submitted_at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))
    validation_reference: str | None = Field(default=None, sa_type=sa.Text)
    programme_year: int | None = None
    rome: str | None = Field(default=None, sa_type=sa.Text)
    formacode: str | None = Field(default=None, sa_type=sa.Text)
    insee: str | None = Field(default=None, sa_type=sa.Text)
    zone_emploi: str | None = Field(default=None, sa_type=sa.Text)
    intended: bool = False
    filed: bool = True
    due_on: dt.date | None = None


class FicheVersionRow(Base, table=True):
    """One content of a fiche, kept whole and for ever: who filed it, by which command, when, which warnings it was filed with."""

    __tablename__ = "fiche_version"

    fiche_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    opco: str = Field(sa_type=sa.Text)
    action: str = Field(sa_type=sa.Text)
    actor: str = Field(sa_type=sa.Text)
    kept_at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))
    acknowledged: str = Field(sa_type=JSONB)
    content: str = Field(sa_type=JSONB)


TABLE: Final[sa.Table] = Base.metadata.tables["fiche"]
VERSIONS: Final[sa.Table] = Base.metadata.tables["fiche_version"]
_FILED: Final = TypeAdapter(Fiche)
_PREPARED: Final = TypeAdapter(Preparation)
_CODES: Final = TypeAdapter(tuple[str, ...])
_DESK: Final = TypeAdapter(Desk)
_OPEN: Final = """
SELECT id, version, sequence, audit_hash, filed, document::text AS document, 0 AS prepared
  FROM fiche WHERE id = ANY($1::uuid[])
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, json_build_object('campaigns', (
  SELECT coalesce(json_agg(json_build_object('year', year, 'quarter', quarter, 'deadline', deadline, 'extensions', extensions)), '[]')
  FROM campaign), 'partners', (
  SELECT coalesce(json_agg(id), '[]') FROM partner WHERE id = ANY($1::uuid[]) AND status = 'active'))::text,
  CASE WHEN EXISTS (SELECT FROM unnest($1::uuid[]) asked WHERE NOT EXISTS (SELECT FROM fiche WHERE id = asked)) THEN (
    SELECT count(*) FROM fiche WHERE opco = current_setting('poec.tenant', true) AND status IN ('preprogrammed', 'draft'))::int
  ELSE 0 END
"""
"""The fiches by these identifiers, and in one row without an identifier the desk (see `Desk`): one read, one round trip.

Where something asked for is not there and may be made, that row also says how many drafts and intentions the asking OPCO has open:
they are bounded, and the index is of them alone.
"""


@dataclass(frozen=True)
class Version:
    """A content that a command has just given a fiche: it is kept whole, whatever follows."""

    fiche: Fiche
    action: str
    actor: str


class Fiches(WorkingSet[Held]):
    """The fiches of a transaction, filed or prepared, the contents that it gave them, and what people keep on the desk.

    `prepared` is how many drafts and intentions the asking OPCO has open, counted where one more may be made.
    """

    def __init__(
        self, loaded: Mapping[UUID, tuple[Head, Held]] | None = None, desk: Desk | None = None, prepared: int = 0
    ) -> None:
        super().__init__(loaded)
        self.desk = desk or Desk()
        self.prepared = prepared
        self._versions: list[Version] = []

    def keep(self, version: Version) -> None:
        """Keep a new content with what is written."""
        self._versions.append(version)

    def write_versions(self, unit: UnitOfWork) -> None:
        """Hand the new contents to the unit of work."""
        unit.insert(VERSIONS, [_version_columns(version, unit.now) for version in self._versions])


async def open_fiches(unit: UnitOfWork, ids: Collection[UUID]) -> Fiches:
    """Load these fiches, and the partners among `ids`, in one read; what is not there, or not the caller's, is not in the set."""
    rows = await unit.read(_OPEN, list(ids))
    (beside,) = (row for row in rows if row["id"] is None)
    loaded = {row["id"]: _loaded(row) for row in rows if row["id"] is not None}
    return Fiches(loaded, _desk(beside["document"]), beside["prepared"])


@lru_cache(maxsize=32)
def _desk(text: str) -> Desk:
    """Return the desk that a text describes; it is the same one from command to command, until somebody changes a deadline."""
    return _DESK.validate_json(text)


def _loaded(row: Row) -> tuple[Head, Held]:
    return head_of(row), parsed(row["document"], row["filed"])


def write_fiches(fiches: Fiches, unit: UnitOfWork) -> None:
    """Hand what changed to the unit of work."""
    fiches.write(unit, TABLE, _columns)
    fiches.write_versions(unit)


def parsed(document: str, filed: bool) -> Held:
    """Return what a document holds: a fiche that was filed, or what was prepared."""
    return (_FILED if filed else _PREPARED).validate_json(document)


def written(held: Held) -> str:
    """Return the document of what is held; `parsed` gives the same back."""
    if isinstance(held, Fiche):
        return _FILED.dump_json(held).decode()
    return _PREPARED.dump_json(held).decode()


def _columns(held: Held) -> Mapping[str, Any]:
    """Return the searched columns of a row, and its document."""
    of_kind = _of_fiche(held) if isinstance(held, Fiche) else _of_preparation(held)
    return {
        "opco": held.opco,
        "reference": held.reference,
        "status": held.status.value,
        "revision": held.revision,
        **of_kind,
        "document": written(held),
    }


def _of_fiche(fiche: Fiche) -> Mapping[str, Any]:
    content = fiche.content
    return {
        "title": content.title,
        "first_start": first_start(fiche.live_sessions or content.sessions),
        "submitted_at": fiche.submitted_at,
        "validation_reference": fiche.validation.reference if fiche.validation else None,
        "programme_year": content.programme_year,
        "rome": content.rome,
        "formacode": content.formacodes[0],
        "insee": content.place.insee,
        "zone_emploi": content.place.zone_emploi,
        "intended": False,
        "filed": True,
        "due_on": due_on(fiche),
    }


def _of_preparation(prepared: Preparation) -> Mapping[str, Any]:
    """What was announced is searched, a draft's half-typed fields are not: they may be wrong, and are nobody else's business."""
    meant = prepared.intention
    return {
        "title": meant.title if meant else prepared.fields.get("title", "")[:TITLE_LENGTH],
        "first_start": meant.starts_from if meant else None,
        "submitted_at": prepared.saved_at,
        "validation_reference": None,
        "programme_year": meant.programme_year if meant else None,
        "rome": meant.rome if meant else None,
        "formacode": meant.main_formacode if meant else None,
        "insee": None,
        "zone_emploi": meant.zone_emploi if meant else None,
        "intended": meant is not None,
        "filed": False,
        "due_on": None,
    }


def _version_columns(version: Version, at: dt.datetime) -> Mapping[str, Any]:
    fiche = version.fiche
    return {
        "fiche_id": fiche.id,
        "revision": fiche.revision,
        "opco": fiche.opco,
        "action": version.action,
        "actor": version.actor,
        "kept_at": at,
        "acknowledged": _CODES.dump_json(fiche.acknowledged).decode(),
        "content": fiche.content.model_dump_json(),
    }


_WITH_WORDS: Final = (
    "NOT EXISTS (SELECT FROM unnest({}::text[]) word WHERE strpos(lower(title || ' ' || reference), lower(word)) = 0)"
)


@dataclass(frozen=True)
class Wanted:
    """Which fiches a list is asked for; what is empty or None does not choose.

    Without `statuses` those that were filed. `starts_from` and `starts_until` bound the first start, both days included;
    `words` must all stand in title or reference.
    """

    statuses: tuple[Status, ...] = ()
    opco: str | None = None
    programme_year: int | None = None
    starts_from: dt.date | None = None
    starts_until: dt.date | None = None
    zone_emploi: str | None = None
    department: str | None = None
    rome: str | None = None
    formacode: str | None = None
    words: tuple[str, ...] = ()

    def conditions(self) -> tuple[list[str], list[object]]:
        """Return what SQL asks of a row beside its status, each with one `{}` for its argument, and the arguments."""
        chosen: tuple[tuple[str, object], ...] = (
            ("opco = {}", self.opco),
            ("programme_year = {}", self.programme_year),
            ("first_start >= {}", self.starts_from),
            ("first_start <= {}", self.starts_until),
            ("zone_emploi = {}", self.zone_emploi),
            ("left(insee, 2) = {}", self.department),
            ("rome = {}", self.rome),
            ("formacode = {}", self.formacode),
            (_WITH_WORDS, list(self.words) or None),
        )
        given = [(condition, value) for condition, value in chosen if value is not None]
        return [condition for condition, _ in given], [value for _, value in given]


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
    first_start: dt.date | None
    submitted_at: dt.datetime
    validation_reference: str | None


_LISTED: Final = (
    "id AS fiche_id, opco, reference, title, status, revision, first_start, submitted_at, validation_reference"
)
OF_ITS_KIND: Final = "filed = (status NOT IN ('preprogrammed', 'draft'))"
"""What was given up before it was filed is no withdrawn fiche."""


async def list_fiches(
    database: Database, principal: Principal, wanted: Wanted, after: Place | None, limit: int
) -> list[Listed]:
    """Return the next `limit` fiches after a place, the newest first."""
    conditions, args = wanted.conditions()
    if wanted.statuses:
        conditions.append("status = ANY({}::text[])")
        args.append([status.value for status in wanted.statuses])
    where = [condition.format(f"${n}") for n, condition in enumerate(conditions, 1)]
    where.append(OF_ITS_KIND if wanted.statuses else "filed")
    if after:
        where.append(f"(submitted_at, id) < (${len(args) + 1}, ${len(args) + 2}::uuid)")
        args += [after.submitted_at, after.fiche_id]
    query = f"SELECT {_LISTED} FROM fiche WHERE {' AND '.join(where)} ORDER BY submitted_at DESC, id DESC LIMIT ${len(args) + 1}"
    return [_listed(row) for row in await database.query(principal, query, *args, limit)]


async def find_fiche(database: Database, principal: Principal, fiche_id: UUID) -> Held | None:
    """Return what is held under an identifier, or None where there is nothing that the principal may see."""
    query = "SELECT filed, document::text AS document FROM fiche WHERE id = $1"
    rows = await database.query(principal, query, fiche_id)
    return parsed(rows[0]["document"], rows[0]["filed"]) if rows else None


def _listed(row: Row) -> Listed:
    return Listed(**{**row, "status": Status(row["status"])})
