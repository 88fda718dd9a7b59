"""What is on record for a year as it is read: one record or a page of them, what was on record before, and the figures of the year.

Everybody of the procedure reads what the conference decides; of targets, deliveries and declarations an OPCO reads its own.
"""

import datetime as dt
from uuid import UUID

from services.submission.domain.campaigns import Campaign, Dated
from services.submission.domain.conferences import Conference, Minutes
from services.submission.domain.declarations import Declared
from services.submission.domain.deliveries import Delivered, Delivery, month_of
from services.submission.domain.targets import Adopted, Programme
from services.submission.domain.yearbook import existing
from services.submission.yearbook_figures_store import Reconciled, Standing, programme_standing, reconciliation
from services.submission.yearbook_history_store import (
    Told,
    campaign_history,
    conference_history,
    declaration_history,
    delivery_history,
    find_programme,
    programme_revisions,
)
from services.submission.yearbook_store import (
    find_campaign,
    find_conference,
    list_campaigns,
    list_conferences,
    list_deliveries,
)
from shared.contracts.references import OPCOS
from shared.database import Database
from shared.identity import Principal
from shared.policy import authorize, limited_to


async def read_campaign(database: Database, principal: Principal, identifier: UUID) -> Campaign:
    """Return a campaign."""
    authorize(principal, "read_yearbook")
    return existing(await find_campaign(database, principal, identifier))


async def read_campaigns(
    database: Database, principal: Principal, year: int | None, before: tuple[int, int] | None, limit: int
) -> list[Campaign]:
    """Return campaigns, the latest quarter first."""
    authorize(principal, "read_yearbook")
    return await list_campaigns(database, principal, year, before, limit)


async def read_conference(database: Database, principal: Principal, identifier: UUID) -> Conference:
    """Return a conference."""
    authorize(principal, "read_yearbook")
    return existing(await find_conference(database, principal, identifier))


async def read_conferences(
    database: Database, principal: Principal, before: dt.date | None, limit: int
) -> list[Conference]:
    """Return conferences, the latest first."""
    authorize(principal, "read_yearbook")
    return await list_conferences(database, principal, before, limit)


async def read_programme(database: Database, principal: Principal, year: int) -> Programme | None:
    """Return the revision of a year's programme that holds (None: none was adopted); an OPCO reads its own targets."""
    authorize(principal, "read_yearbook")
    return await find_programme(database, principal, year, limited_to(principal, "read_yearbook"))


async def read_revisions(
    database: Database, principal: Principal, year: int, before: int | None, limit: int
) -> list[Adopted]:
    """Return the next revisions of a year's programme, the last one first; an OPCO reads its own targets."""
    authorize(principal, "read_yearbook")
    opco = limited_to(principal, "read_yearbook")
    return existing(await programme_revisions(database, principal, year, opco, before, limit))


async def read_revision(database: Database, principal: Principal, year: int, revision: int) -> Adopted:
    """Return one revision of a year's programme; an OPCO reads its own targets."""
    found = await read_revisions(database, principal, year, revision + 1, 1)
    return existing(found[0] if found and found[0].revision == revision else None)


async def compare_programme(
    database: Database, principal: Principal, year: int
) -> tuple[dt.datetime, Programme | None, list[Standing]]:
    """Return as of when, the programme that was adopted (None: none), and how it stands by OPCO and métier; an OPCO sees its own."""
    authorize(principal, "read_yearbook")
    opco = limited_to(principal, "read_yearbook")
    now = await database.now()
    programme = await find_programme(database, principal, year, opco)
    return now, programme, await programme_standing(database, principal, year, month_of(now), opco)


async def read_deliveries(
    database: Database, principal: Principal, year: int, before: tuple[str, str] | None, limit: int
) -> list[Delivery]:
    """Return what was delivered for a year, the latest month first; an OPCO sees its own."""
    authorize(principal, "read_yearbook")
    opco = limited_to(principal, "read_yearbook")
    return await list_deliveries(database, principal, year, opco, before, limit)


async def reconcile(database: Database, principal: Principal, year: int) -> tuple[dt.datetime, list[Reconciled]]:
    """Return as of when, and what each OPCO declared for a year beside its fiches; an OPCO sees its own."""
    authorize(principal, "read_yearbook")
    opco = limited_to(principal, "read_yearbook")
    now = await database.now()
    return now, await reconciliation(database, principal, year, [opco] if opco else list(OPCOS))


async def read_campaign_history(
    database: Database, principal: Principal, identifier: UUID, before: int | None, limit: int
) -> list[Dated]:
    """Return the next decisions on the dates of a campaign, the last one first."""
    authorize(principal, "read_yearbook")
    return existing(await campaign_history(database, principal, identifier, before, limit))


async def read_conference_history(
    database: Database, principal: Principal, identifier: UUID, before: int | None, limit: int
) -> list[Minutes]:
    """Return the next versions of the record of a conference, the last one first."""
    authorize(principal, "read_yearbook")
    return existing(await conference_history(database, principal, identifier, before, limit))


async def read_delivery_history(
    database: Database, principal: Principal, year: int, before: tuple[str, str, int] | None, limit: int
) -> list[Told[Delivered]]:
    """Return the next versions of what was delivered for a year, the latest month first; an OPCO reads its own."""
    authorize(principal, "read_yearbook")
    return await delivery_history(database, principal, year, limited_to(principal, "read_yearbook"), before, limit)


async def read_declaration_history(
    database: Database, principal: Principal, year: int, before: tuple[str, int] | None, limit: int
) -> list[Told[Declared]]:
    """Return the next declarations for a year, of each OPCO the last first; an OPCO reads its own."""
    authorize(principal, "read_yearbook")
    return await declaration_history(database, principal, year, limited_to(principal, "read_yearbook"), before, limit)
