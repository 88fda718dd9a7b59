"""Campaigns, conferences and programmes for the matrix, each of a quarter, day or year of its own, and what is sent to change them."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.submission import yearbook_use_cases as story
from services.submission.domain.campaigns import Dates
from services.submission.domain.conferences import Recording, conference_id
from services.submission.domain.targets import Adopting
from services.submission.yearbook_store import Yearbook, open_yearbook, write_yearbook
from shared.contracts.campaigns import Target, campaign_id, programme_id
from shared.contracts.references import DREETS
from shared.identity import Principal, service_principal
from tests.access.cells import Cell
from tests.access.entrance import OTHER, OWN, Entrance

WRITER: Final = Principal("dreets", DREETS, "machine", frozenset({"dreets"}))
ROME: Final = "H3404"
CANARY: Final = "douzaine des canaris"
"""Words of a target of the other OPCO: in no answer to one of the first."""
REASON: Final = "Le choix des organismes s’achève fin mai."
_YEARS: Final = range(2019, 2101)
"""The years that have a yearbook. Each once, then again: who asks for more objects than there are years gets those that are there."""
_firsts = itertools.cycle(_YEARS)
"""Years whose first quarter has a campaign."""
_quarters = itertools.cycle(itertools.product(_YEARS, range(2, 5)))
_days = (dt.date(2018, 2, 27) - dt.timedelta(days=n) for n in itertools.count())
_numbers = itertools.count(1)
_years = itertools.cycle([2018, *_YEARS])


def a_campaign() -> dict[str, Any]:
    """Return the body of a campaign of a quarter that no other has."""
    year, quarter = next(_quarters)
    return {"year": year, "quarter": quarter, "opens_on": f"{year}-01-02", "deadline": f"{year}-{3 * quarter - 2:02}-10"}


def a_conference() -> dict[str, Any]:
    """Return the body of a conference on a day that no other has."""
    return {"held_on": next(_days).isoformat(), "agenda": ["Point d’étape"], "decisions": [{"text": "Calendrier reconduit."}]}


BODIES: Final[Mapping[str, Any]] = {
    "POST /campaigns": lambda o: a_campaign(),
    "POST /campaigns/{campaign_id}/dates": lambda o: {"opens_on": f"{o.year}-01-02", "deadline": f"{o.year}-01-05", "reason": REASON},
    "POST /campaigns/{campaign_id}/extensions": lambda o: {"opco": OWN, "deadline": f"{o.year}-03-31", "reason": REASON},
    "POST /conferences": lambda o: a_conference(),
    "POST /conferences/{conference_id}/corrections": lambda o: {"agenda": ["Bilan de l’année"], "reason": REASON},
    "POST /programmes/{year}/revisions": lambda o: {
        "adopted_on": "2018-01-08",
        "targets": [{"opco": OWN, "rome": ROME, "number": 12, "words": "une douzaine"}],
    },
    "POST /declarations": lambda o: {"year": 2018, "as_of": "2018-02-01", "number": next(_numbers), "source": "ENQUETE"},
    "POST /programmes/{year}/deliveries": lambda o: {"estimates": [{"rome": ROME, "month": "2018-06", "projects": next(_numbers)}]},
}
"""What is sent to each door of the yearbook: its operations have several; what an OPCO tells is something new each time."""
OBJECTS: Final = ("{campaign_id}", "{conference_id}", "/programmes/{year}/revisions")
"""What the door of an object of the yearbook has in its path."""


def is_one(door: str) -> bool:
    """Return whether a door leads to an object of the yearbook."""
    return any(part in door for part in OBJECTS)


async def records(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, tuple[UUID, int, int]]:
    """Put an object on record for each cell; return its identifier, revision and year. A programme to be adopted has revision 0."""
    chosen = {cell: _chosen(cell.door) for cell in cells}
    async with entrance.database.unit(service_principal("submission", "worker")) as unit:
        book = await open_yearbook(unit, [identifier for identifier, _ in chosen.values()])
        found = {cell: _kept(book, cell.door, of, unit.now) for cell, (_, of) in chosen.items()}
        write_yearbook(book, unit)
        await unit.flush()
    return found


def _chosen(door: str) -> tuple[UUID, dt.date]:
    """Return the identifier of what a door will be asked about, and the day that it is of."""
    if "{campaign_id}" in door:
        day = dt.date(next(_firsts), 1, 2)
        return campaign_id(day.year, 1), day
    if "{conference_id}" in door:
        day = next(_days)
        return conference_id(day), day
    day = dt.date(next(_years), 1, 2)
    return programme_id(day.year), day


def _kept(book: Yearbook, door: str, day: dt.date, at: dt.datetime) -> tuple[UUID, int, int]:
    year = day.year
    if "{campaign_id}" in door:
        campaign = book.campaigns.get(campaign_id(year, 1))
        campaign = campaign or story.open_campaign(book, WRITER, year, 1, Dates(day, dt.date(year, 1, 10)), at).state
        return campaign.id, campaign.revision, year
    if "{conference_id}" in door:
        recording = Recording(("Point d’étape",), (), (), at, {})
        return story.record_conference(book, WRITER, day, recording).state.id, 1, year
    programme = book.programmes.get(programme_id(year))
    if programme is None and not door.startswith("POST"):
        aimed = (Target(opco=OWN, rome=ROME, number=12), Target(opco=OTHER, rome=ROME, number=12, words=CANARY))
        adopting = Adopting(dt.date(2018, 1, 8), aimed, (), at, frozenset({ROME}))
        programme = story.adopt_programme(book, WRITER, year, None, adopting).state
    return programme_id(year), programme.revision if programme else 0, year
