"""What the Région does with the directory of partners, and who reads it. Entries of the trail hold codes only, no text."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

from services.submission.domain import partners as directory
from services.submission.domain.partners import Partner, Sheet
from services.submission.partners_store import Partners, Wanted, find_partner, find_partners, list_partners
from shared.audit_trail import Change
from shared.database import Database
from shared.identity import Principal
from shared.policy import authorize


def record_partner(
    partners: Partners, principal: Principal, code: str, sheet: Sheet, acknowledged: Sequence[str], at: dt.datetime
) -> Partner:
    """Put a partner into the directory under the Région's own code."""
    authorize(principal, "manage_partners")
    held = partners.get(directory.partner_id(code))
    return _put(
        partners, principal, "record_partner", held, directory.record_partner(code, sheet, acknowledged, at, held)
    )


def change_partner(
    partners: Partners,
    principal: Principal,
    identifier: UUID,
    revision: int,
    sheet: Sheet,
    acknowledged: Sequence[str],
    at: dt.datetime,
) -> Partner:
    """Give a partner another sheet, decided on the revision that was read."""
    authorize(principal, "manage_partners")
    held = directory.existing(partners.get(identifier))
    directory.at_revision(held, revision)
    return _put(partners, principal, "record_partner", held, directory.change_partner(held, sheet, acknowledged, at))


def retire_partner(
    partners: Partners, principal: Principal, identifier: UUID, revision: int | None, at: dt.datetime
) -> Partner:
    """Take a partner out of what may be chosen."""
    authorize(principal, "manage_partners")
    held = directory.existing(partners.get(identifier))
    if revision is not None:
        directory.at_revision(held, revision)
    return _put(partners, principal, "retire_partner", held, directory.retire_partner(held, at))


async def read_partners(
    database: Database, principal: Principal, wanted: Wanted, after: str | None, limit: int
) -> list[Partner]:
    """Return the next partners of the directory."""
    authorize(principal, "read_references")
    return await list_partners(database, principal, wanted, after, limit)


async def read_partner(database: Database, principal: Principal, identifier: UUID) -> Partner:
    """Return one partner, retired ones too: fiches may still name it."""
    authorize(principal, "read_references")
    return directory.existing(await find_partner(database, principal, identifier))


async def read_named(database: Database, principal: Principal, identifiers: Collection[UUID]) -> list[Partner]:
    """Return the partners that a fiche names, retired ones too."""
    authorize(principal, "read_references")
    return await find_partners(database, principal, identifiers) if identifiers else []


def _put(partners: Partners, principal: Principal, action: str, held: Partner | None, new: Partner) -> Partner:
    """Put the new state into the set with its one audit entry; what did not change leaves none."""
    if new is not held:
        facts: dict[str, str | int | bool | None] = {"revision": new.revision, "kind": new.sheet.kind.value}
        if new.acknowledged:
            facts["acknowledged"] = ",".join(new.acknowledged)
        was = held.status.value if held else None
        partners.put(new.id, new, Change(action, principal.id, was, new.status.value, (), facts))
    return new
