"""Campaigns, conferences and programmes for the matrix, each of a quarter, day or year of its own, and what is sent to change them."""

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.submission import yearbook_use_cases as story
from services.submission.domain.campaigns import Dates
from services.submission.domain.conferences import Recording
from services.submission.domain.targets import Adopting
from services.submission.yearbook_store import Yearbook, open_yearbook, write_yearbook
from shared.contracts.campaigns import Target
from shared.contracts.references import DREETS
from shared.identity import Principal, service_principal
from tests.access.cells import Cell
from tests.access.entrance import OWN, Entrance

WRITER: Final = Principal("dreets", DREETS, "machine", frozenset({"dreets"}))
ROME: Final = "H3404"
REASON: Final = "Le choix des organismes s’achève fin mai."
_quarters = itertools.product(range(2019, 2101), range(1, 5))
_days = (dt.date(2018, 2, 27) - dt.timedelta(days=n) for n in itertools.count())
_numbers = itertools.count(1)
_years = itertools.chain([2018], range(2019, 2101))


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
    found = {}
    async with entrance.database.unit(service_principal("submission", "worker")) as unit:
        book = await open_yearbook(unit, [])
        for cell in cells:
            found[cell] = _made(book, cell.door, unit.now)
        write_yearbook(book, unit)
        await unit.flush()
    return found


def _made(book: Yearbook, door: str, at: dt.datetime) -> tuple[UUID, int, int]:
    if "{campaign_id}" in door:
        year, _ = next(_firsts)
        dates = Dates(dt.date(year, 1, 2), dt.date(year, 1, 10))
        return story.open_campaign(book, WRITER, year, 1, dates, at).state.id, 1, year
    if "{conference_id}" in door:
        day = next(_days)
        recording = Recording(("Point d’étape",), (), (), at, {})
        return story.record_conference(book, WRITER, day, recording).state.id, 1, day.year
    year = next(_years)
    if door.startswith("POST"):
        return UUID(int=year), 0, year
    adopting = Adopting(dt.date(2018, 1, 8), (Target(opco=OWN, rome=ROME, number=12),), (), at, frozenset({ROME}))
    return story.adopt_programme(book, WRITER, year, None, adopting).state.id, 1, year


def _first_quarters() -> Iterator[tuple[int, int]]:
    return ((year, quarter) for year, quarter in _quarters if quarter == 1)


_firsts = _first_quarters()
