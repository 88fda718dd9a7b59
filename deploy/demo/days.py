"""Working days: what an office does, it does on one of them."""

import datetime as dt
from typing import Final

HOLIDAYS: Final = frozenset(
    dt.date.fromisoformat(day)
    for day in (
        "2020-11-11",
        "2020-12-25",
        "2021-01-01",
        "2021-04-05",
        "2021-05-13",
        "2021-05-24",
        "2021-07-14",
        "2021-11-01",
        "2021-11-11",
        "2022-04-18",
    )
)
"""Public holidays on a weekday, October 2020 to April 2022."""

DAY: Final = dt.timedelta(days=1)


def working(day: dt.date) -> dt.date:
    """Return the day itself or the next working day."""
    while day.weekday() >= 5 or day in HOLIDAYS:
        day += DAY
    return day


def plus(day: dt.date, days: int) -> dt.date:
    """Return the working day at or after `days` days from `day`."""
    return working(day + dt.timedelta(days=days))


def mondays(year: int, month: int) -> list[dt.date]:
    """Return the Mondays of a month on which a session can start: working days, from 11 January on, before 20 December."""
    first = dt.date(year, month, 1)
    days = (first + dt.timedelta(days=n) for n in range(31))
    fit = (day for day in days if day.month == month and day.weekday() == 0 and day not in HOLIDAYS)
    return [day for day in fit if dt.date(year, 1, 11) <= day < dt.date(year, 12, 20)]


def last_day(start: dt.date, hours: int, weekly: int) -> dt.date:
    """Return the Friday on which a full-time training of so many hours ends; a week off when Christmas lies within."""
    weeks = -(-hours // weekly)
    end = start + dt.timedelta(days=7 * weeks - 3)
    return end + dt.timedelta(days=7) if start < dt.date(start.year, 12, 25) <= end else end
