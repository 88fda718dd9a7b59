"""How people read the list of fiches: a page of it, what is due first, and true counts beside it."""

import datetime as dt

from services.submission.domain.fiche import Status
from services.submission.list_store import Count, Shown, Spot, count_by_status, page_by_due_day
from services.submission.store import Wanted
from shared.database import Database
from shared.identity import Principal
from shared.policy import authorize, limited_to


async def read_counts(
    database: Database, principal: Principal, wanted: Wanted, today: dt.date | None = None
) -> dict[Status, Count]:
    """Return how many fiches that the caller may see stand where, how many are late, how many the filters leave."""
    authorize(principal, "read_fiche")
    return await count_by_status(database, principal, limited_to(principal, "read_fiche"), wanted, today)


async def read_page(
    database: Database, principal: Principal, wanted: Wanted, after: Spot | None, limit: int
) -> list[Shown]:
    """Return the next fiches that the caller may see, what is due first; without statuses all of them, prepared ones too."""
    authorize(principal, "read_fiche")
    return await page_by_due_day(database, principal, limited_to(principal, "read_fiche"), wanted, after, limit)
