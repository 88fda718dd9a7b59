"""The order of the play: months, in them days, in each day the steps of every fiche that moves; which door each goes through."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from deploy.demo.year_2021 import CancelAis, Fiche, RecordAis, Step

Door = Literal["http", "ingress", "file"]
MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


@dataclass(frozen=True)
class Turn:
    """One step of one fiche: the `n`-th of its story, and the door it goes through."""

    fiche: Fiche
    n: int
    door: Door

    @property
    def step(self) -> Step:
        """Return the step itself."""
        return self.fiche.steps[self.n]

    @property
    def name(self) -> str:
        """Return the name of this step, the same at every play: Idempotency-Key over HTTP, `ce_id` by Kafka."""
        return f"demo-2021/{self.fiche.opco}/{self.fiche.reference}/{self.n}-{self.step.do}"


@dataclass(frozen=True)
class Day:
    """What happens on a day: one list of turns per fiche, in the order of its story. Different fiches move at the same time."""

    on: dt.date
    stories: tuple[tuple[Turn, ...], ...]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Return all turns of the day."""
        return tuple(turn for story in self.stories for turn in story)

    @property
    def files(self) -> tuple[tuple[Turn, ...], ...]:
        """Return the filings that go in together, one list per file."""
        files: dict[str, list[Turn]] = defaultdict(list)
        for turn in self.turns:
            if turn.door == "file":
                files[str(turn.fiche.file)].append(turn)
        return tuple(map(tuple, files.values()))


@dataclass(frozen=True)
class Month:
    """The days of one month on which something happens."""

    year: int
    month: int
    days: tuple[Day, ...]

    @property
    def name(self) -> str:
        """Return its French name with the year."""
        return f"{MONTHS[self.month - 1]} {self.year}"

    @property
    def turns(self) -> int:
        """Return how many steps it has."""
        return sum(len(day.turns) for day in self.days)


def agenda(fiches: Sequence[Fiche]) -> tuple[Month, ...]:
    """Return the year in its order. ValueError for a fiche whose story goes back in time."""
    by_day: dict[dt.date, dict[str, list[Turn]]] = defaultdict(lambda: defaultdict(list))
    doors = _entry_doors(fiches)
    for fiche in fiches:
        days = [step.on for step in fiche.steps]
        if days != sorted(days):
            raise ValueError(f"the story of {fiche.reference} goes back in time")
        for n, step in enumerate(fiche.steps):
            turn = Turn(fiche, n, doors.get((fiche.reference, n), _door(fiche, step)))
            by_day[step.on][fiche.reference].append(turn)
    days_in_order = [Day(on, tuple(map(tuple, by_day[on].values()))) for on in sorted(by_day)]
    months = groupby(days_in_order, key=lambda day: (day.on.year, day.on.month))
    return tuple(Month(year, month, tuple(days)) for (year, month), days in months)


def _door(fiche: Fiche, step: Step) -> Door:
    """Return the door of a step: an OPCO's own; reviewers have screens and systems that speak HTTP."""
    if fiche.file is not None and step.do == "submit_fiche":
        return "file"
    return fiche.door if step.by == fiche.opco else "http"


def _entry_doors(fiches: Sequence[Fiche]) -> dict[tuple[str, int], Door]:
    """Return the doors of the batches of AIS: every other one by Kafka, in the order of their days."""
    batches = [
        (step.on, fiche.reference, n)
        for fiche in fiches
        for n, step in enumerate(fiche.steps)
        if isinstance(step, RecordAis | CancelAis)
    ]
    return {
        (reference, n): "http" if place % 2 else "ingress" for place, (_, reference, n) in enumerate(sorted(batches))
    }
