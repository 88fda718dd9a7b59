"""Tables of publication, how a working set is read in one query and written in one statement, and the reads of its doors."""

import datetime as dt
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.publication.domain.entries import Aes, Ais
from services.publication.domain.facts import FicheFacts, Limits, Standing, standing_of
from services.publication.domain.session import CatalogueSession
from shared.audit_trail import Head
from shared.contracts.fiche import session_id
from shared.database import Database, Row, UnitOfWork
from shared.identity import Principal
from shared.working_set import WorkingSet


class Base(SQLModel):
    """Base of publication's tables: a catalogue of their own."""

    metadata: ClassVar[sa.MetaData] = sa.MetaData()


class FicheRow(Base, table=True):
    """What is known of a fiche; `reference` is the validation's, `siret` the provider's, `insee` the place's commune."""

    __tablename__ = "fiche_facts"
    id: UUID = Field(primary_key=True)
    version: int
    sequence: int = Field(sa_type=sa.BigInteger)
    audit_hash: str
    opco: str
    standing: str
    reference: str | None = None
    siret: str | None = None
    insee: str | None = None
    document: str = Field(sa_type=JSONB)


class ReferenceRow(Base, table=True):
    """A reference that a validation of the fiche has or had."""

    __tablename__ = "fiche_reference"
    reference: str = Field(primary_key=True)
    fiche_id: UUID
    opco: str


class SessionRow(Base, table=True):
    """A session in the catalogue; `ais` is net of cancelled ones."""

    __tablename__ = "catalogue_session"
    id: UUID = Field(primary_key=True)
    version: int
    sequence: int = Field(sa_type=sa.BigInteger)
    audit_hash: str
    fiche_id: UUID
    opco: str
    number: int
    status: str
    start_on: dt.date
    end_on: dt.date
    seats: int
    ais: int
    aes: int
    document: str = Field(sa_type=JSONB)


class AisTable(Base, table=True):
    """One AIS: an id, no person."""

    __tablename__ = "ais"
    ais_id: UUID = Field(primary_key=True)
    session_id: UUID
    opco: str
    state: str
    recorded_on: dt.date
    at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))


class AesTable(Base, table=True):
    """One AES: an id, no person; `without_ais` flags an entry that no AIS of its session announced."""

    __tablename__ = "aes"
    aes_id: UUID = Field(primary_key=True)
    session_id: UUID
    opco: str
    entered_on: dt.date
    ais_id: UUID | None = None
    without_ais: bool
    at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))


FACTS: Final = TypeAdapter(FicheFacts)
SESSION: Final = TypeAdapter(CatalogueSession)


class Listing:
    """The working set: fiches and sessions with their heads, and those AIS and AES whose ids the batch names."""

    def __init__(self) -> None:
        self.fiches: WorkingSet[FicheFacts] = WorkingSet()
        self.sessions: WorkingSet[CatalogueSession] = WorkingSet()
        self.ais: dict[UUID, Ais] = {}
        self.aes: dict[UUID, Aes] = {}
        self.stored: frozenset[UUID] = frozenset()
        self.touched: set[UUID] = set()
        self.references: dict[str, tuple[UUID, str]] = {}

    def session_of(self, fiche: UUID, number: int) -> CatalogueSession | None:
        """Return a session by its number within its fiche."""
        return self.sessions.get(session_id(fiche, number))

    def name(self, reference: str, fiche: UUID, opco: str) -> None:
        """Keep that a validation of this fiche has this reference, or had it once."""
        self.references[reference] = (fiche, opco)

    def take(self, ais: Mapping[UUID, Ais], aes: Mapping[UUID, Aes]) -> None:
        """Keep AIS and AES as a batch left them."""
        self.ais.update(ais)
        self.aes.update(aes)
        self.touched.update(ais, aes)


_OPEN: Final = """
WITH s AS (SELECT * FROM catalogue_session WHERE id = ANY($1::uuid[]) OR fiche_id = ANY($1::uuid[]))
SELECT 'session' AS kind, id, version, sequence, audit_hash, document::text AS document FROM s
UNION ALL SELECT 'fiche', id, version, sequence, audit_hash, document::text FROM fiche_facts
 WHERE id = ANY(ARRAY(SELECT fiche_id FROM s UNION SELECT unnest($1::uuid[])))
UNION ALL SELECT 'ais', ais_id, 0, 0, '', json_build_object(
  'session_id', session_id, 'recorded_on', recorded_on, 'cancelled', state = 'cancelled')::text
 FROM ais WHERE ais_id = ANY($1::uuid[])
UNION ALL SELECT 'aes', aes_id, 0, 0, '', json_build_object(
  'session_id', session_id, 'entered_on', entered_on, 'ais_id', ais_id, 'without_ais', without_ais)::text
 FROM aes WHERE aes_id = ANY($1::uuid[])
"""
_AIS: Final = TypeAdapter(Ais)
_AES: Final = TypeAdapter(Aes)


async def open_listing(unit: UnitOfWork, ids: Collection[UUID]) -> Listing:
    """Load in one read the fiches, sessions, AIS and AES of these ids; a fiche comes with its sessions, a session with its fiche."""
    fiches: dict[UUID, tuple[Head, FicheFacts]] = {}
    sessions: dict[UUID, tuple[Head, CatalogueSession]] = {}
    listing = Listing()
    for row in await unit.read(_OPEN, list(ids)):
        match row["kind"]:
            case "fiche":
                fiches[row["id"]] = (_head(row), FACTS.validate_json(row["document"]))
            case "session":
                sessions[row["id"]] = (_head(row), SESSION.validate_json(row["document"]))
            case "ais":
                listing.ais[row["id"]] = _AIS.validate_json(row["document"])
            case _:
                listing.aes[row["id"]] = _AES.validate_json(row["document"])
    listing.fiches, listing.sessions = WorkingSet(fiches), WorkingSet(sessions)
    listing.stored = frozenset((*listing.ais, *listing.aes))
    return listing


def _head(row: Row) -> Head:
    return Head(row["version"], row["sequence"], row["audit_hash"])


def write_listing(listing: Listing, unit: UnitOfWork, limits: Limits) -> None:
    """Hand everything that changed to the unit of work."""
    listing.fiches.write(unit, table_of(FicheRow), lambda facts: _fiche_columns(facts, limits))
    listing.sessions.write(unit, table_of(SessionRow), _session_columns)
    named = [{"reference": r, "fiche_id": fiche, "opco": opco} for r, (fiche, opco) in listing.references.items()]
    unit.insert(table_of(ReferenceRow), named, on_conflict="ON CONFLICT (reference) DO NOTHING")
    if not listing.touched:
        return
    new_ais = {key: one for key, one in listing.ais.items() if key in listing.touched - listing.stored}
    new_aes = {key: one for key, one in listing.aes.items() if key in listing.touched - listing.stored}
    unit.insert(table_of(AisTable), [_ais_columns(key, one, listing, unit) for key, one in new_ais.items()])
    unit.insert(table_of(AesTable), [_aes_columns(key, one, listing, unit) for key, one in new_aes.items()])
    cancelled = sorted(listing.touched & listing.stored & listing.ais.keys())
    if cancelled:
        unit.add("UPDATE ais SET state = 'cancelled', at = $2 WHERE ais_id = ANY($1::uuid[])", cancelled, unit.now)


def table_of(row: type[SQLModel]) -> sa.Table:
    """Return the table of a row class."""
    return cast(sa.Table, getattr(row, "__table__"))  # noqa: B009  # SQLModel does not declare it


def _fiche_columns(facts: FicheFacts, limits: Limits) -> Mapping[str, Any]:
    content = facts.content
    return {
        "opco": facts.opco,
        "standing": standing_of(facts, limits.shift_days).value,
        "reference": facts.validation.reference,
        "siret": content.provider.siret if content else None,
        "insee": content.place.insee if content else None,
        "document": FACTS.dump_json(facts).decode(),
    }


def _session_columns(session: CatalogueSession) -> Mapping[str, Any]:
    plan = session.plan
    return {
        "fiche_id": session.fiche_id,
        "opco": session.opco,
        "number": session.number,
        "status": session.status.value,
        "start_on": plan.start,
        "end_on": plan.end,
        "seats": plan.seats,
        "ais": session.ais,
        "aes": session.aes,
        "document": SESSION.dump_json(session).decode(),
    }


def _ais_columns(key: UUID, ais: Ais, listing: Listing, unit: UnitOfWork) -> Mapping[str, Any]:
    state = "cancelled" if ais.cancelled else "recorded"
    place = {"session_id": ais.session_id, "opco": _opco(listing, ais.session_id)}
    return {"ais_id": key, **place, "state": state, "recorded_on": ais.recorded_on, "at": unit.now}


def _aes_columns(key: UUID, aes: Aes, listing: Listing, unit: UnitOfWork) -> Mapping[str, Any]:
    place = {"session_id": aes.session_id, "opco": _opco(listing, aes.session_id)}
    entry = {"entered_on": aes.entered_on, "ais_id": aes.ais_id, "without_ais": aes.without_ais}
    return {"aes_id": key, **place, **entry, "at": unit.now}


def _opco(listing: Listing, session: UUID) -> str:
    found = listing.sessions.get(session)
    if found is None:
        raise RuntimeError("an AIS or AES of a session that is not open")
    return found.opco


_LISTED: Final = """
SELECT f.id AS fiche_id, f.document::text AS fiche,
  json_agg(s.document ORDER BY s.number)::text AS sessions
FROM (SELECT DISTINCT fiche_id FROM catalogue_session
      WHERE status IN ('published', 'full', 'suspended') AND fiche_id > $1::uuid ORDER BY fiche_id LIMIT $2) page
JOIN fiche_facts f ON f.id = page.fiche_id
JOIN catalogue_session s ON s.fiche_id = f.id AND s.status IN ('published', 'full', 'suspended')
GROUP BY f.id ORDER BY f.id
"""
_PAGE: Final = 100
_BEFORE_ALL: Final = UUID(int=0)


async def listed_fiches(
    database: Database, principal: Principal
) -> AsyncIterator[tuple[FicheFacts, list[CatalogueSession]]]:
    """Yield every fiche with its listed sessions, a hundred fiches at a time: memory stays flat whatever the catalogue's size."""
    last = _BEFORE_ALL
    while rows := await database.query(principal, _LISTED, last, _PAGE):
        for row in rows:
            yield FACTS.validate_json(row["fiche"]), _SESSIONS.validate_json(row["sessions"])
        last = rows[-1]["fiche_id"]


_SESSIONS: Final = TypeAdapter(list[CatalogueSession])
_BY_REFERENCE: Final = """
SELECT f.document::text AS fiche, f.standing, s.document::text AS session
FROM fiche_reference r JOIN fiche_facts f ON f.id = r.fiche_id LEFT JOIN catalogue_session s ON s.fiche_id = f.id
WHERE r.reference = $1 ORDER BY f.id, s.number
"""
_BY_PLACE: Final = """
SELECT f.document::text AS fiche, f.standing, s.document::text AS session
FROM fiche_facts f JOIN catalogue_session s ON s.fiche_id = f.id
WHERE f.siret = $1 AND f.insee = $2 AND s.start_on = $3
ORDER BY (f.standing IN ('validated', 'confirmed') AND s.status <> 'removed') DESC, f.id, s.number
"""


@dataclass(frozen=True)
class Checked:
    """A fiche found by whoever checks, what holds of it, and the session asked for or all of them."""

    facts: FicheFacts
    standing: Standing
    sessions: tuple[CatalogueSession, ...]


async def checked_reference(database: Database, principal: Principal, reference: str) -> Checked | None:
    """Return the fiche that this reference of a validation is or was given to; None where there is none."""
    return _checked(await database.query(principal, _BY_REFERENCE, reference))


async def checked_place(
    database: Database, principal: Principal, siret: str, insee: str, start: dt.date
) -> Checked | None:
    """Return the fiche with a session of this provider, in this commune, from this day on; one that is validated first."""
    return _checked((await database.query(principal, _BY_PLACE, siret, insee, start))[:1])


def _checked(rows: Sequence[Row]) -> Checked | None:
    if not rows:
        return None
    sessions = tuple(SESSION.validate_json(row["session"]) for row in rows if row["session"])
    return Checked(FACTS.validate_json(rows[0]["fiche"]), Standing(rows[0]["standing"]), sessions)


_SESSIONS_READ: Final = """
SELECT s.document::text AS session, f.document -> 'validation' ->> 'reference' AS reference, s.version
FROM catalogue_session s JOIN fiche_facts f ON f.id = s.fiche_id
"""


@dataclass(frozen=True)
class Shown:
    """A session as it is read, with the reference of its fiche's validation and its version."""

    session: CatalogueSession
    reference: str | None
    version: int


async def sessions_page(
    database: Database,
    principal: Principal,
    status: str | None,
    fiche_id: UUID | None,
    opco: str | None,
    after: UUID,
    limit: int,
) -> list[Shown]:
    """Return sessions the principal may see, of all OPCOs or one, by id: those after `after`, at most `limit`."""
    where = (
        "WHERE s.id > $1::uuid AND ($2::text IS NULL OR s.status = $2) AND ($3::uuid IS NULL OR s.fiche_id = $3)"
        " AND ($4::text IS NULL OR s.opco = $4)"
    )
    query = f"{_SESSIONS_READ} {where} ORDER BY s.id LIMIT $5"
    return [_shown(row) for row in await database.query(principal, query, after, status, fiche_id, opco, limit)]


async def one_session(database: Database, principal: Principal, identifier: UUID) -> Shown | None:
    """Return one session, None where there is none or the principal may not see it."""
    rows = await database.query(principal, f"{_SESSIONS_READ} WHERE s.id = $1::uuid", identifier)
    return _shown(rows[0]) if rows else None


def _shown(row: Row) -> Shown:
    return Shown(SESSION.validate_json(row["session"]), row["reference"], row["version"])
