"""The table of the directory of partners and the queries of its readers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.submission.domain.partners import Partner
from services.submission.store import Base, StateRow, head_of
from shared.contracts.references import PartnerKind
from shared.contracts.text import folded
from shared.database import Database, UnitOfWork
from shared.identity import Principal
from shared.working_set import WorkingSet


class PartnerRow(StateRow, table=True):
    """A partner as it is stored; `document` is the whole state, the other columns are searched, `words` without accents."""

    __tablename__ = "partner"

    code: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    zones: str = Field(sa_type=JSONB)
    words: str = Field(sa_type=sa.Text)


TABLE: Final[sa.Table] = Base.metadata.tables["partner"]
_PARTNER: Final = TypeAdapter(Partner)
_CODES: Final = TypeAdapter(tuple[str, ...])
_OPEN: Final = (
    "SELECT id, version, sequence, audit_hash, document::text AS document FROM partner WHERE id = ANY($1::uuid[])"
)


class Partners(WorkingSet[Partner]):
    """The partners of a transaction."""


async def open_partners(unit: UnitOfWork, ids: Collection[UUID]) -> Partners:
    """Load these partners in one read; one that is not there is simply not in the set."""
    rows = await unit.read(_OPEN, list(ids))
    return Partners({row["id"]: (head_of(row), _PARTNER.validate_json(row["document"])) for row in rows})


def write_partners(partners: Partners, unit: UnitOfWork) -> None:
    """Hand what changed to the unit of work."""
    partners.write(unit, TABLE, _columns)


def _columns(partner: Partner) -> Mapping[str, Any]:
    return {
        "status": partner.status.value,
        "code": partner.code,
        "kind": partner.sheet.kind.value,
        "zones": _CODES.dump_json(partner.sheet.zones).decode(),
        "words": f" {folded(f'{partner.code} {partner.sheet.name}')}",
        "document": _PARTNER.dump_json(partner).decode(),
    }


@dataclass(frozen=True)
class Wanted:
    """Which partners a list is asked for: of a zone, a network, with words that begin so; `retired` those that are out too."""

    zone: str | None = None
    kind: PartnerKind | None = None
    q: str = ""
    retired: bool = False


_LIST: Final = """
SELECT document::text AS document FROM partner
WHERE ($1::text IS NULL OR jsonb_exists(zones, $1)) AND ($2::text IS NULL OR kind = $2) AND ($3 OR status = 'active')
  AND words LIKE ALL ($4::text[]) AND ($5::text IS NULL OR code > $5)
ORDER BY code LIMIT $6
"""


async def list_partners(
    database: Database, principal: Principal, wanted: Wanted, after: str | None, limit: int
) -> list[Partner]:
    """Return the next `limit` partners after a code, by their codes."""
    kind = wanted.kind.value if wanted.kind else None
    begun = [f"% {word}%" for word in folded(wanted.q).split()]
    rows = await database.query(principal, _LIST, wanted.zone, kind, wanted.retired, begun, after, limit)
    return [_PARTNER.validate_json(row["document"]) for row in rows]


async def find_partner(database: Database, principal: Principal, identifier: UUID) -> Partner | None:
    """Return a partner, or None where the directory has none of this identifier."""
    rows = await database.query(principal, "SELECT document::text AS document FROM partner WHERE id = $1", identifier)
    return _PARTNER.validate_json(rows[0]["document"]) if rows else None


async def find_partners(database: Database, principal: Principal, identifiers: Collection[UUID]) -> list[Partner]:
    """Return those of these partners that the directory has, retired ones too, by their codes."""
    query = "SELECT document::text AS document FROM partner WHERE id = ANY($1::uuid[]) ORDER BY code"
    rows = await database.query(principal, query, list(identifiers))
    return [_PARTNER.validate_json(row["document"]) for row in rows]
