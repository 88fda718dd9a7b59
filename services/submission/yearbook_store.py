"""The tables of what is put on record for a year beside the fiches: one record, or a page of them, each with its last word alone.

One read opens whatever a command is about, of any kind, by identifier; each kind is written to its own table.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.submission.domain.campaigns import Campaign
from services.submission.domain.conferences import Conference
from services.submission.domain.declarations import Declaration
from services.submission.domain.deliveries import Delivery
from services.submission.domain.targets import Programme
from services.submission.store import Base, StateRow, head_of, last_word
from shared.audit_trail import Head
from shared.contracts.campaigns import Target
from shared.database import Database, UnitOfWork
from shared.identity import Principal
from shared.working_set import WorkingSet

S = TypeVar("S")


class CampaignRow(StateRow, table=True):
    """A campaign: `extensions` are the later last days of single OPCOs, by their names; `document` is the whole state."""

    __tablename__ = "campaign"

    year: int
    quarter: int
    opens_on: dt.date
    deadline: dt.date
    extensions: str = Field(sa_type=JSONB)


class ConferenceRow(StateRow, table=True):
    """A conference, its agenda and decisions."""

    __tablename__ = "conference"

    held_on: dt.date


class ProgrammeRow(StateRow, table=True):
    """A year's programme: `targets` are those that hold, `document` has every revision."""

    __tablename__ = "programme"

    year: int
    targets: str = Field(sa_type=JSONB)


class DeliveryRow(StateRow, table=True):
    """What an OPCO told in a month about a programme year: `estimates` are those that hold."""

    __tablename__ = "delivery"

    opco: str = Field(sa_type=sa.Text)
    year: int
    month: str = Field(sa_type=sa.Text)
    delivered_at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))
    estimates: str = Field(sa_type=JSONB)


class DeclarationRow(StateRow, table=True):
    """What an OPCO declared last for a year; `document` has everything it ever declared for it."""

    __tablename__ = "declaration"

    opco: str = Field(sa_type=sa.Text)
    year: int
    as_of: dt.date
    number: int
    source: str = Field(sa_type=sa.Text)


_CAMPAIGN: Final = TypeAdapter(Campaign)
_CONFERENCE: Final = TypeAdapter(Conference)
_PROGRAMME: Final = TypeAdapter(Programme)
_DELIVERY: Final = TypeAdapter(Delivery)
_DECLARATION: Final = TypeAdapter(Declaration)
_TARGETS: Final = TypeAdapter(tuple[Target, ...])
_KINDS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "campaign": _CAMPAIGN,
    "conference": _CONFERENCE,
    "programme": _PROGRAMME,
    "delivery": _DELIVERY,
    "declaration": _DECLARATION,
}
_OPEN: Final = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, id, version, sequence, audit_hash, document::text AS document FROM {kind}"
    " WHERE id = ANY($1::uuid[])"
    for kind in _KINDS
)


@dataclass(frozen=True)
class Yearbook:
    """What a transaction works on, one set per kind of record."""

    campaigns: WorkingSet[Campaign] = field(default_factory=WorkingSet)
    conferences: WorkingSet[Conference] = field(default_factory=WorkingSet)
    programmes: WorkingSet[Programme] = field(default_factory=WorkingSet)
    deliveries: WorkingSet[Delivery] = field(default_factory=WorkingSet)
    declarations: WorkingSet[Declaration] = field(default_factory=WorkingSet)


async def open_yearbook(unit: UnitOfWork, ids: Collection[UUID]) -> Yearbook:
    """Load what bears these identifiers in one read; what is not there, or not the caller's, is simply not in the sets."""
    rows = await unit.read(_OPEN, list(ids))
    loaded: dict[str, dict[UUID, tuple[Head, Any]]] = {kind: {} for kind in _KINDS}
    for row in rows:
        loaded[row["kind"]][row["id"]] = head_of(row), _KINDS[row["kind"]].validate_json(row["document"])
    return Yearbook(*(WorkingSet(loaded[kind]) for kind in _KINDS))


def write_yearbook(yearbook: Yearbook, unit: UnitOfWork) -> None:
    """Hand what changed to the unit of work."""
    tables = Base.metadata.tables
    yearbook.campaigns.write(unit, tables["campaign"], _of_campaign)
    yearbook.conferences.write(unit, tables["conference"], _of_conference)
    yearbook.programmes.write(unit, tables["programme"], _of_programme)
    yearbook.deliveries.write(unit, tables["delivery"], _of_delivery)
    yearbook.declarations.write(unit, tables["declaration"], _of_declaration)


def _json(adapter: TypeAdapter[S], state: S) -> str:
    return adapter.dump_json(state).decode()


def _of_campaign(campaign: Campaign) -> Mapping[str, Any]:
    return {
        "status": "open",
        "year": campaign.year,
        "quarter": campaign.quarter,
        "opens_on": campaign.opens_on,
        "deadline": campaign.deadline,
        "extensions": orjson.dumps(dict(campaign.extensions)).decode(),
        "document": _json(_CAMPAIGN, campaign),
    }


def _of_conference(conference: Conference) -> Mapping[str, Any]:
    return {"status": "recorded", "held_on": conference.held_on, "document": _json(_CONFERENCE, conference)}


def _of_programme(programme: Programme) -> Mapping[str, Any]:
    targets = _json(_TARGETS, programme.now.targets)
    return {"status": "adopted", "year": programme.year, "targets": targets, "document": _json(_PROGRAMME, programme)}


def _of_delivery(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "status": "delivered",
        "opco": delivery.opco,
        "year": delivery.year,
        "month": delivery.month,
        "delivered_at": delivery.now.delivered_at,
        "estimates": orjson.dumps(delivery.now.estimates).decode(),
        "document": _json(_DELIVERY, delivery),
    }


def _of_declaration(declaration: Declaration) -> Mapping[str, Any]:
    figure = declaration.now.figure
    return {
        "status": "declared",
        "opco": declaration.opco,
        "year": declaration.year,
        "as_of": figure.as_of,
        "number": figure.number,
        "source": figure.source.value,
        "document": _json(_DECLARATION, declaration),
    }


async def find_campaign(database: Database, principal: Principal, identifier: UUID) -> Campaign | None:
    """Return a campaign with the last decision on its dates alone, or None where there is none."""
    query = f"SELECT {last_word('history')} FROM campaign WHERE id = $1"
    found = await _documents(database, principal, query, identifier)
    return _CAMPAIGN.validate_json(found[0]) if found else None


async def find_conference(database: Database, principal: Principal, identifier: UUID) -> Conference | None:
    """Return a conference with the last version of its record alone, or None where there is none."""
    query = f"SELECT {last_word('history')} FROM conference WHERE id = $1"
    found = await _documents(database, principal, query, identifier)
    return _CONFERENCE.validate_json(found[0]) if found else None


async def list_campaigns(
    database: Database, principal: Principal, year: int | None, before: tuple[int, int] | None, limit: int
) -> list[Campaign]:
    """Return the next `limit` campaigns, of a year or of all, the latest quarter first; `before`: the last one seen.

    Like every record that is listed, each comes with its last word alone: histories are read by their own doors.
    """
    query = (
        f"SELECT {last_word('history')} FROM campaign WHERE ($1::int IS NULL OR year = $1)"
        " AND ($2::int IS NULL OR (year, quarter) < ($2, $3::int)) ORDER BY year DESC, quarter DESC LIMIT $4"
    )
    place = before or (None, None)
    return [
        _CAMPAIGN.validate_json(found) for found in await _documents(database, principal, query, year, *place, limit)
    ]


async def list_conferences(
    database: Database, principal: Principal, before: dt.date | None, limit: int
) -> list[Conference]:
    """Return the next `limit` conferences, the latest first; `before` is the day of the last one seen."""
    query = (
        f"SELECT {last_word('history')} FROM conference WHERE ($1::date IS NULL OR held_on < $1)"
        " ORDER BY held_on DESC LIMIT $2"
    )
    return [_CONFERENCE.validate_json(found) for found in await _documents(database, principal, query, before, limit)]


async def list_deliveries(
    database: Database,
    principal: Principal,
    year: int,
    opco: str | None,
    before: tuple[str, str] | None,
    limit: int,
) -> list[Delivery]:
    """Return the next `limit` deliveries for a year, of an OPCO or of all, the latest month first; `before`: month and OPCO seen."""
    query = (
        f"SELECT {last_word('history')} FROM delivery WHERE year = $1 AND ($2::text IS NULL OR opco = $2)"
        " AND ($3::text IS NULL OR (month, opco) < ($3, $4::text)) ORDER BY month DESC, opco DESC LIMIT $5"
    )
    place = before or (None, None)
    return [
        _DELIVERY.validate_json(found)
        for found in await _documents(database, principal, query, year, opco, *place, limit)
    ]


async def _documents(database: Database, principal: Principal, query: str, *args: Any) -> list[str]:
    return [row["document"] for row in await database.query(principal, query, *args)]
