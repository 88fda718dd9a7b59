"""The campaign for the sessions that start in a quarter: from when to when fiches are filed for it, and what became of that.

Yearly programming with a deadline per quarter (minutes L176-182, L218-222); the conference edits it and gives more time to all or to
one OPCO (15 May, and two weeks more for the next three months: L283-289, L487-490). What comes later says why: `CAMPAIGN_CLOSED`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.submission.domain.texts import heeded, name_warning
from services.submission.domain.yearbook import (
    Decided,
    changes,
    end_of_quarter,
    free,
    last_day_of,
    opco_is_known,
    refused_with,
    said,
)
from shared.contracts.campaigns import CampaignExtended, CampaignMoved, CampaignOpened
from shared.errors import Objection

_DEADLINES = "minutes L176-182, L487-490"


@dataclass(frozen=True)
class Dated:
    """One decision on the dates of a campaign, kept for good: for all (`opco` None) or for one OPCO; the day the conference sat."""

    revision: int
    action: str
    decided_at: dt.datetime
    opens_on: dt.date
    deadline: dt.date
    opco: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Campaign:
    """The campaign of a quarter; `extensions` are the later days of single OPCOs, `history` every decision, the first one first."""

    id: UUID
    year: int
    quarter: int
    revision: int
    opens_on: dt.date
    deadline: dt.date
    history: tuple[Dated, ...]
    extensions: Mapping[str, dt.date] = field(default_factory=dict)

    def last_day(self, opco: str | None = None) -> dt.date:
        """Return the last day on which an OPCO files for the quarter; None asks for the day that holds for all."""
        return last_day_of(self.deadline, self.extensions, opco)


@dataclass(frozen=True)
class Dates:
    """First and last day to file."""

    opens_on: dt.date
    deadline: dt.date


def open_campaign(
    taken: Campaign | None, identifier: UUID, year: int, quarter: int, dates: Dates, at: dt.datetime
) -> Decided[Campaign]:
    """Open the campaign of a quarter."""
    message = "La campagne de ce trimestre est déjà ouverte\u202f: changez ses dates ou prolongez-la."
    free(taken, "CAMPAIGN_TAKEN", message)
    refused_with(*_dates(year, quarter, dates))
    first = Dated(1, "open_campaign", at, dates.opens_on, dates.deadline)
    campaign = Campaign(identifier, year, quarter, 1, dates.opens_on, dates.deadline, (first,))
    event = CampaignOpened(
        campaign_id=identifier,
        year=year,
        quarter=quarter,
        revision=1,
        opens_on=dates.opens_on,
        deadline=dates.deadline,
    )
    return Decided(campaign, (event,))


@dataclass(frozen=True)
class Why:
    """The reason of a decision, the codes of the warnings that were read, and the instant."""

    reason: str
    acknowledged: tuple[str, ...]
    at: dt.datetime


def move_campaign(campaign: Campaign, dates: Dates, why: Why) -> Decided[Campaign]:
    """Give a campaign other dates, earlier or later, for everybody; what single OPCOs were granted beyond them stays theirs."""
    changes((campaign.opens_on, campaign.deadline) == (dates.opens_on, dates.deadline))
    refused_with(*_dates(campaign.year, campaign.quarter, dates))
    warnings = heeded(name_warning([("reason", why.reason)]), why.acknowledged)
    made = Dated(campaign.revision + 1, "move_campaign", why.at, dates.opens_on, dates.deadline, None, why.reason)
    moved = _with(replace(campaign, opens_on=dates.opens_on, deadline=dates.deadline), made)
    event = CampaignMoved(
        campaign_id=moved.id,
        year=moved.year,
        quarter=moved.quarter,
        revision=moved.revision,
        opens_on=dates.opens_on,
        deadline=dates.deadline,
        reason=why.reason,
    )
    return Decided(moved, (event,), warnings)


def extend_campaign(campaign: Campaign, opco: str | None, deadline: dt.date, why: Why) -> Decided[Campaign]:
    """Give more time, to one OPCO or to all (None); the day is later than what they have."""
    refused_with(
        opco_is_known(opco),
        _later(campaign, opco, deadline),
        _within_quarter(campaign.year, campaign.quarter, deadline),
    )
    warnings = heeded(name_warning([("reason", why.reason)]), why.acknowledged)
    made = Dated(campaign.revision + 1, "extend_campaign", why.at, campaign.opens_on, deadline, opco, why.reason)
    granted = (
        replace(campaign, deadline=deadline)
        if opco is None
        else replace(campaign, extensions={**campaign.extensions, opco: deadline})
    )
    extended = _with(granted, made)
    event = CampaignExtended(
        campaign_id=extended.id,
        year=extended.year,
        quarter=extended.quarter,
        revision=extended.revision,
        opco=opco,
        deadline=deadline,
        reason=why.reason,
    )
    return Decided(extended, (event,), warnings)


def _with(campaign: Campaign, made: Dated) -> Campaign:
    return replace(campaign, revision=made.revision, history=(*campaign.history, made))


def _dates(year: int, quarter: int, dates: Dates) -> tuple[Objection | None, ...]:
    return _in_order(dates), _within_quarter(year, quarter, dates.deadline)


def _in_order(dates: Dates) -> Objection | None:
    """A campaign does not end before its first day; one day is enough."""
    if dates.opens_on <= dates.deadline:
        return None
    message = "La date limite précède l’ouverture\u202f: corrigez l’une ou l’autre."
    facts = {"opens_on": dates.opens_on.isoformat(), "deadline": dates.deadline.isoformat()}
    return Objection("CAMPAIGN_DATES", message, _DEADLINES, "deadline", facts)


def _within_quarter(year: int, quarter: int, deadline: dt.date) -> Objection | None:
    """Fiches for a quarter are not awaited when the quarter is over; its last day is the last that can be."""
    last = end_of_quarter(year, quarter)
    if deadline <= last:
        return None
    message = f"Le trimestre finit le {said(last)}\u202f: fixez une date limite qui ne vient pas après."
    facts = {"deadline": deadline.isoformat(), "end_of_quarter": last.isoformat()}
    return Objection("CAMPAIGN_QUARTER", message, _DEADLINES, "deadline", facts)


def _later(campaign: Campaign, opco: str | None, deadline: dt.date) -> Objection | None:
    """An extension gives time; who wants to take some away changes the campaign's dates."""
    now = campaign.last_day(opco)
    if deadline > now:
        return None
    message = f"La date limite est déjà le {said(now)}\u202f: une prolongation en fixe une plus tardive."
    return Objection("EXTENSION_EARLIER", message, _DEADLINES, "deadline", {"now": now.isoformat()})
