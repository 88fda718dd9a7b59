"""What a fiche has said over time, for those who may see the fiche."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from uuid import UUID

from services.submission.domain.content import changed_fields
from services.submission.domain.differences import Difference, differences
from services.submission.use_cases import read_fiche
from services.submission.versions_store import Kept, Named, find_versions, list_named, list_versions
from shared.database import Database
from shared.errors import NotFound, Objection
from shared.identity import Principal

VERSION_UNKNOWN: Final = Objection(
    "VERSION_UNKNOWN", "La fiche n’a pas de version de ce numéro\u202f: reprenez un numéro de la liste des versions."
)


@dataclass(frozen=True)
class Version:
    """A content, and the members of the fiche in which it differs from the one before it (none for the first)."""

    kept: Kept
    changed: tuple[str, ...]


async def read_versions(
    database: Database, principal: Principal, fiche_id: UUID, after: int, limit: int
) -> list[Version]:
    """Return the next `limit` contents after a revision, the first one first; raises `NotFound` where there is no such fiche."""
    await read_fiche(database, principal, fiche_id)
    found = await list_versions(database, principal, fiche_id, max(after, 1), limit + (after > 0))
    changes = [changed_fields(old.content, new.content) for old, new in pairwise(found)]
    versions = [Version(kept, changed) for kept, changed in zip(found, [(), *changes], strict=True)] if found else []
    return versions[1:] if after > 0 else versions


async def read_named(
    database: Database, principal: Principal, fiche_id: UUID, before: int | None, limit: int
) -> list[Named]:
    """Return the next `limit` contents by name, the last one first; raises `NotFound` where there is no such fiche."""
    await read_fiche(database, principal, fiche_id)
    return await list_named(database, principal, fiche_id, before, limit)


async def read_version(database: Database, principal: Principal, fiche_id: UUID, revision: int) -> Kept:
    """Return one content whole; raises `NotFound` where there is no such fiche, or it had no such revision."""
    await read_fiche(database, principal, fiche_id)
    found = await find_versions(database, principal, fiche_id, [revision])
    return _one(found, revision)


async def read_pair(
    database: Database, principal: Principal, fiche_id: UUID, before: int, after: int
) -> tuple[Kept, Kept]:
    """Return two contents whole; raises `NotFound` like `read_version`."""
    await read_fiche(database, principal, fiche_id)
    found = await find_versions(database, principal, fiche_id, {before, after})
    return _one(found, before), _one(found, after)


async def compare_versions(
    database: Database, principal: Principal, fiche_id: UUID, before: int, after: int
) -> tuple[Difference, ...]:
    """Return the fields in which two contents of a fiche differ; raises `NotFound` like `read_version`."""
    one, other = await read_pair(database, principal, fiche_id, before, after)
    return differences(one.content, other.content)


def _one(found: dict[int, Kept], revision: int) -> Kept:
    if revision not in found:
        raise NotFound(VERSION_UNKNOWN)
    return found[revision]
