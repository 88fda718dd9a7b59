"""The contents that a fiche has had, read page by page or two at a time."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from shared.contracts.fiche import FicheContent
from shared.database import Database, Row
from shared.identity import Principal

_CODES: Final = TypeAdapter(tuple[str, ...])
_COLUMNS: Final = (
    "SELECT revision, action, kept_at, acknowledged::text AS acknowledged, content::text AS content FROM fiche_version"
)


@dataclass(frozen=True)
class Kept:
    """One content that a fiche has had: since when, by which command, with which warnings acknowledged."""

    revision: int
    content: FicheContent
    action: str
    kept_at: dt.datetime
    acknowledged: tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """A content that a fiche has had, without it: its number, since when, by which command."""

    revision: int
    action: str
    kept_at: dt.datetime


async def list_named(
    database: Database, principal: Principal, fiche_id: UUID, before: int | None, limit: int
) -> list[Named]:
    """Return the next `limit` contents of a fiche by name, the last one first; `before` is the last revision seen."""
    query = (
        "SELECT revision, action, kept_at FROM fiche_version WHERE fiche_id = $1"
        " AND ($2::int IS NULL OR revision < $2) ORDER BY revision DESC LIMIT $3"
    )
    return [Named(**row) for row in await database.query(principal, query, fiche_id, before, limit)]


async def list_versions(database: Database, principal: Principal, fiche_id: UUID, since: int, limit: int) -> list[Kept]:
    """Return the next `limit` contents of a fiche from a revision on, the first one first."""
    query = f"{_COLUMNS} WHERE fiche_id = $1 AND revision >= $2 ORDER BY revision LIMIT $3"
    return [_kept(row) for row in await database.query(principal, query, fiche_id, since, limit)]


async def find_versions(
    database: Database, principal: Principal, fiche_id: UUID, revisions: Collection[int]
) -> dict[int, Kept]:
    """Return some contents of a fiche by revision; one that it never had is not among them."""
    query = f"{_COLUMNS} WHERE fiche_id = $1 AND revision = ANY($2::int[])"
    rows = await database.query(principal, query, fiche_id, list(revisions))
    return {row["revision"]: _kept(row) for row in rows}


def _kept(row: Row) -> Kept:
    return Kept(
        revision=row["revision"],
        content=FicheContent.model_validate_json(row["content"]),
        action=row["action"],
        kept_at=row["kept_at"],
        acknowledged=_CODES.validate_json(row["acknowledged"]),
    )
