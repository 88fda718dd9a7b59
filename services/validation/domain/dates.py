"""Civil dates of Normandie, and what an organisation was called on a date."""

import datetime as dt
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
RENAMED_ON = dt.date(2024, 1, 1)
"""Pôle emploi has been France Travail since that day (the L6326-x versions in force date from it)."""


def civil_date(at: dt.datetime) -> dt.date:
    """Return the date in Normandie at this instant (timezone-aware)."""
    return at.astimezone(PARIS).date()


def decider_label(on: dt.date) -> str:
    """Return what the organisation that decides was called on this date; a fact of the past keeps its name."""
    return "Pôle emploi" if on < RENAMED_ON else "France Travail"
