"""Moves the business clock of the embedded demo: every service's database has its offset in a one-row table."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime

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
