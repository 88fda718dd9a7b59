"""Moves the business clock of the embedded demo: every service's database has its offset in a one-row table."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from deploy.local.errors import LocalError

# The database's own clock decides, so that four databases asked one after the other agree on the wanted instant.
_MOVE = "UPDATE clock_offset SET seconds = round(extract(epoch FROM ($1::timestamptz - clock_timestamp())))::bigint"


async def move_clock(owner_urls: Mapping[str, str] | Iterable[str], at: datetime) -> None:
    """Make 'now' be `at` (with its time zone) in every database, to the second, from here on running as real time does.

    `owner_urls`: service name to URL, or the URLs alone. LocalError when a database has no row to move, which is how
    one that was not migrated looks; ValueError for a time without zone.
    """
    if at.tzinfo is None:
        raise ValueError("the business clock is moved to a time with its zone")
    await _all(owner_urls, _MOVE, at)


async def reset_clock(owner_urls: Mapping[str, str] | Iterable[str]) -> None:
    """Make 'now' the real time again in every database."""
    await _all(owner_urls, "UPDATE clock_offset SET seconds = 0")


@dataclass(frozen=True)
class BusinessClock:
    """What the databases call now, and by how many seconds that is off the real time (0: not moved)."""

    now: datetime
    moved_seconds: int

    def __str__(self) -> str:
        return f"business clock: {self.now:%Y-%m-%d}" + (", moved by the demo" if self.moved_seconds else "")


_NOW: Final = "SELECT clock_timestamp() + make_interval(secs => seconds), seconds FROM clock_offset"
_ANSWER_SECONDS: Final = 2.0


def read_clock(urls: Iterable[str]) -> BusinessClock | None:
    """Return the clock that is moved furthest of these databases; None when none of them answers within two seconds.

    May be called where an event loop runs: it has a thread and a loop of its own.
    """
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(asyncio.run, _clocks(list(urls))).result()
    return max(found, key=lambda clock: abs(clock.moved_seconds), default=None)


async def _clocks(urls: list[str]) -> list[BusinessClock]:
    found = await asyncio.gather(*map(_clock, urls))
    return [clock for clock in found if clock is not None]


async def _clock(url: str) -> BusinessClock | None:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            connection = await asyncpg.connect(url)
            try:
                row = await connection.fetchrow(_NOW)
            finally:
                connection.terminate()
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None  # what does not answer is shown by its process
    return None if row is None else BusinessClock(*row)


async def _all(owner_urls: Mapping[str, str] | Iterable[str], statement: str, *arguments: datetime) -> None:
    urls = owner_urls.values() if isinstance(owner_urls, Mapping) else owner_urls
    await asyncio.gather(*(_one(url, statement, *arguments) for url in urls))


async def _one(url: str, statement: str, *arguments: datetime) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        done = await connection.execute(statement, *arguments)
    except asyncpg.UndefinedTableError:
        done = "UPDATE 0"
    finally:
        await connection.close()
    if done != "UPDATE 1":
        raise LocalError("The business clock has no row in this database: are its migrations applied?")
