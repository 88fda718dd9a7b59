"""Plays the year 2021 through the real doors, day by day with the business clock moved along, and holds the counts against the year.

A play that was broken off is taken up again: what its journal says was done is not sent again, every other request bears the key and
every record the id it had before, and the log is read from its start. A year that is there whole is only reported.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import asyncpg

from deploy.demo.agenda import Day, Month, agenda
from deploy.demo.contents import fiche_id_of
from deploy.demo.counts import counted
from deploy.demo.figures import Figure, compared, differences, expected
from deploy.demo.http_door import HttpDoor
from deploy.demo.incidents import Incident, Incidents, choose
from deploy.demo.ingress_door import IngressDoor
from deploy.demo.margins import YEAR
from deploy.demo.meanwhile import meanwhile
from deploy.demo.past import Past
from deploy.demo.pauses import Pause
from deploy.demo.player import Doors, Player
from deploy.demo.programming import Deed, programming
from deploy.demo.told import Told, told
from deploy.demo.watch import Watch
from deploy.demo.year_2021 import Fiche, load
from deploy.journal import Journal, journal_path
from deploy.local.business_clock import move_clock
from deploy.local.report import Progress, Reporter
from deploy.local.runfile import Run
from shared.contracts.references import OPERATIONS

OPENS_AT: Final = dt.time(9, 0, 1, tzinfo=ZoneInfo("Europe/Paris"))
COUNTS_PATIENCE: Final = 30.0  # seconds in which the counts must have caught up
_NOW: Final = "SELECT clock_timestamp() + make_interval(secs => seconds) AS now, seconds FROM clock_offset"
State = Literal["fresh", "begun", "whole"]


@dataclass(frozen=True)
class Timed:
    """A month that was played: its name, its steps, the seconds it took."""

    name: str
    steps: int
    seconds: float


@dataclass
class Played:
    """What the play led to; `before` says what of the year was there when it began."""

    before: State
    figures: tuple[Figure, ...] = ()
    bilan: dict[str, Any] = field(default_factory=dict)
    months: list[Timed] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    doors: dict[str, int] = field(default_factory=dict)
    seen: int = 0
    warned: int = 0
    again: int = 0
    seconds: float = 0.0

    @property
    def differences(self) -> tuple[str, ...]:
        """Return one sentence per figure that is not what it must be."""
        return differences(self.figures)


async def play(home: Path, run: Run, reporter: Reporter, fiches: Sequence[Fiche] | None = None) -> Played:
    """Play the year and return what was counted. Raises `CouldNotPlay`, `LocalError`."""
    began = time.monotonic()
    year = load().fiches if fiches is None else fiches
    async with AsyncExitStack() as stack:
        past = Past.read(home)
        journal = stack.enter_context(Journal(journal_path(home, "demo")))
        http = await stack.enter_async_context(HttpDoor(home, run, journal))
        played = Played(await _before(http, year))
        if played.before != "whole":
            watch = await stack.enter_async_context(
                Watch(run.kafka.access(OPERATIONS), from_start=played.before == "begun")
            )
            ingress = await stack.enter_async_context(IngressDoor(run.kafka.access, journal, watch))
            player = Player(Doors(http, ingress, watch), past if played.before == "begun" else Past())
            await _Play(home, run, reporter, player, played, (*programming(year), *meanwhile(year))).year(agenda(year))
        await _count(http, played, reporter)
        if played.before != "whole":
            played.told = await told(http, watch)
    played.seconds = time.monotonic() - began
    return played


async def _before(http: HttpDoor, fiches: Sequence[Fiche]) -> State:
    """Return what of the year is there already."""
    first = min(fiches, key=lambda fiche: fiche.steps[0].on)
    reply = await http.read("operations", "submission", f"/fiches/{fiche_id_of(first)}")
    if reply.status == 404:
        return "fresh"
    figures = compared(expected(), counted(*await _bilans(http)))
    return "begun" if differences(figures) else "whole"


async def _bilans(http: HttpDoor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the bilan of the year, and that of the next one, for which projects are declared."""
    years = [await http.read("dreets", "analytics", f"/bilan/{year}") for year in (YEAR, YEAR + 1)]
    return years[0].body, years[1].body


async def _count(http: HttpDoor, played: Played, reporter: Reporter) -> None:
    """Read the counts until they are what they must be, or until they had the time to be."""
    with reporter.step("comptes d’analytics"):
        until, pause = time.monotonic() + COUNTS_PATIENCE, Pause("comptes", 2 * COUNTS_PATIENCE)
        while True:
            played.bilan, following = await _bilans(http)
            played.figures = compared(expected(), counted(played.bilan, following))
            if not played.differences or time.monotonic() > until:
                return
            await pause.longer()


class _Play:
    """The year, month by month."""

    def __init__(
        self, home: Path, run: Run, reporter: Reporter, player: Player, played: Played, deeds: Sequence[Deed]
    ) -> None:
        self._home, self._run, self._reporter = home, run, reporter
        self._due = [deed for deed in deeds if not player.past.deed_done(deed.key)]
        self._player, self._played = player, played
        self._clocks = [service.database_url for service in run.services.values()]

    async def year(self, months: Sequence[Month]) -> None:
        """Play all months."""
        now = await self._now()
        self._reporter.note("poec demo — une région, une année, 11 OPCO, données inventées")
        if self._played.before == "begun":
            self._reporter.note("L’année a été commencée\u202f: elle reprend où elle en était.")
        tell: Callable[[Incident], None] = lambda incident: self._reporter.note(f"  ⚑ {incident.line}")  # noqa: E731
        incidents = Incidents(self._player, self._home, choose(months), tell)
        for month in months:
            began = time.monotonic()
            with self._reporter.step(f"{month.name} · {month.turns} étapes") as advance:
                await self._month(month, incidents, now, advance)
            self._played.months.append(Timed(month.name, month.turns, time.monotonic() - began))
        player, watch = self._player, self._player.doors.watch
        self._played.incidents = incidents.happened
        self._played.doors, self._played.seen = dict(player.by_door), watch.count
        self._played.warned, self._played.again = player.warned, player.again

    async def _month(self, month: Month, incidents: Incidents, now: dt.datetime | None, advance: Progress) -> None:
        done = 0
        for day in month.days:
            due = [deed for deed in self._due if deed.on <= day.on]
            if due or not all(map(self._player.past.done, day.turns)):
                await self._turn_clock(day, now)
                await self._put_on_record(due)
                for turns in day.files:
                    await self._player.file(turns)
                await incidents.day(day)
            done += len(day.turns)
            advance(done, month.turns, month.name)

    async def _put_on_record(self, due: Sequence[Deed]) -> None:
        """Put on record what is due, in its order: a campaign is open before fiches are filed for it."""
        for deed in due:
            await self._player.put_on_record(deed)
            self._due.remove(deed)

    async def _turn_clock(self, day: Day, now: dt.datetime | None) -> None:
        """Move the business clock to the morning of a day; never back to before where a broken-off play left it."""
        morning = dt.datetime.combine(day.on, OPENS_AT)
        if now is None or morning > now:
            await move_clock(self._clocks, morning)

    async def _now(self) -> dt.datetime | None:
        """Return the business time where an earlier play left it; None where the clock was never moved."""
        connection = await asyncpg.connect(self._clocks[0], timeout=10)
        try:
            row = await connection.fetchrow(_NOW)
        finally:
            await connection.close()
        if row is None or row["seconds"] == 0:
            return None
        found: dt.datetime = row["now"]
        return found
