"""Civil dates of Normandie: deadlines, filings and starts are dates, not instants."""

import datetime as dt
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def civil_date(at: dt.datetime) -> dt.date:
    """Return the date in Normandie at this instant (timezone-aware)."""
    return at.astimezone(PARIS).date()
