"""What people keep on submission's desk at the moment of a filing: campaigns with their deadlines, the directory of partners."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.submission.domain.yearbook import last_day_of, quarter_of


@dataclass(frozen=True)
class Campaign:
    """The campaign for one quarter (1 to 4) of a year: its last day, and the later ones that the conference granted to OPCOs.

    Source: minutes L176-182, L283-289 and L487-490 (15 May, and two weeks more for the next three months).
    """

    year: int
    quarter: int
    deadline: dt.date
    extensions: Mapping[str, dt.date] = field(default_factory=dict)

    def last_day(self, opco: str) -> dt.date:
        """Return the last day on which this OPCO files for the quarter."""
        return last_day_of(self.deadline, self.extensions, opco)


@dataclass(frozen=True)
class Desk:
    """What is kept at this moment; `partners` are those of the directory that were asked for, by their identifiers."""

    campaigns: tuple[Campaign, ...] = ()
    partners: frozenset[UUID] = frozenset()

    def campaign_for(self, day: dt.date) -> Campaign | None:
        """Return the campaign of the quarter that a day lies in, None where none is on record."""
        wanted = (day.year, quarter_of(day))
        return next((one for one in self.campaigns if (one.year, one.quarter) == wanted), None)
