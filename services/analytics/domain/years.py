"""What is kept of a year's programming: campaigns, the programme, what OPCOs declare; each as it was last said.

A declaration and a programme are counted, in January of their year; a campaign is only shown.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from services.analytics.domain.counts import Counts
from services.analytics.domain.measures import Measure
from shared.contracts.campaigns import (
    CampaignExtended,
    CampaignMoved,
    CampaignOpened,
    ProgrammeAdopted,
    ProjectsDeclared,
)


class Kind(StrEnum):
    """What a fact of a year is about."""

    CAMPAIGN = "campaign"
    PROGRAMME = "programme"
    DECLARATION = "declaration"


@dataclass(frozen=True, slots=True)
class YearFact:
    """The last known state of a campaign, a programme or a declaration.

    `numbers` are projects by OPCO: declared, or aimed at over all métiers. Of a campaign: its quarter, first and last day, and the
    later last days of single OPCOs, by their names; dates as ISO text.
    """

    kind: Kind
    year: int
    numbers: Mapping[str, int] = field(default_factory=dict)
    quarter: int = 0
    opens_on: str = ""
    deadline: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)


_MEASURED: Final = {Kind.PROGRAMME: Measure.TARGETED, Kind.DECLARATION: Measure.DECLARED}


def year_contribution(fact: YearFact) -> Counts:
    """Return what a fact of a year adds to the counts; zeros are left out."""
    measure = _MEASURED.get(fact.kind)
    if measure is None:
        return {}
    return {(measure.value, opco, f"{fact.year}-01"): number for opco, number in fact.numbers.items() if number}


def campaign_dated(event: CampaignOpened | CampaignMoved, before: YearFact | None) -> YearFact:
    """A campaign got its dates, or others; what was granted to single OPCOs stays."""
    extensions = before.extensions if before else {}
    dates = event.opens_on.isoformat(), event.deadline.isoformat()
    return YearFact(Kind.CAMPAIGN, event.year, {}, event.quarter, *dates, extensions)


def campaign_extended(event: CampaignExtended, before: YearFact | None) -> YearFact:
    """One OPCO got more time, or all; the campaign was opened before: one topic, one key, in order."""
    known = before or YearFact(Kind.CAMPAIGN, event.year, {}, event.quarter)
    until = event.deadline.isoformat()
    if event.opco is None:
        return replace(known, deadline=until)
    return replace(known, extensions={**known.extensions, event.opco: until})


def programme_adopted(event: ProgrammeAdopted) -> YearFact:
    """The conference adopted a programme: it replaces the one before."""
    numbers: dict[str, int] = {}
    for target in event.targets:
        numbers[target.opco] = numbers.get(target.opco, 0) + target.number
    return YearFact(Kind.PROGRAMME, event.year, numbers)


def projects_declared(event: ProjectsDeclared) -> YearFact:
    """An OPCO declared its projects: it replaces what it declared before."""
    return YearFact(Kind.DECLARATION, event.year, {event.opco: event.number})


@dataclass(frozen=True)
class Campaign:
    """A campaign as the bilan shows it: quarter, first and last day, the last days of OPCOs that got more time."""

    quarter: int
    opens_on: dt.date
    deadline: dt.date
    extensions: Mapping[str, dt.date]


def campaign_of(fact: YearFact) -> Campaign:
    """Return a campaign with its dates; of an OPCO's extension only what is later than the day for all."""
    date = dt.date.fromisoformat
    later = {opco: date(until) for opco, until in fact.extensions.items() if until > fact.deadline}
    return Campaign(fact.quarter, date(fact.opens_on), date(fact.deadline), later)
