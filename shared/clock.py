"""The business clock: real time plus the offset kept in the one-row table `clock_offset` of each database.

The offset is zero everywhere but in the embedded demo, which moves it through a year; production refuses to start on another value.
A unit of work reads it in its first round trip (`UnitOfWork.now`), so that one transaction has one time.
"""

import datetime as dt
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def business_time(at: dt.datetime, offset_seconds: int) -> dt.datetime:
    """Return the business time for the database's `clock_timestamp()` and its offset in seconds."""
    return at + dt.timedelta(seconds=offset_seconds)


def civil_date(at: dt.datetime) -> dt.date:
    """Return the date in Normandie at this instant: deadlines are civil dates."""
    return at.astimezone(PARIS).date()


def system_now() -> dt.datetime:
    """Return real time, for tokens and technical delays only: business time comes from the unit of work."""
    return dt.datetime.now(dt.UTC)
