"""Which days people work in Normandie: Monday to Friday, national holidays apart."""

import datetime as dt
from functools import lru_cache
from typing import Final

from holidays import country_holidays

_SATURDAY: Final = 5


def is_working_day(day: dt.date) -> bool:
    """Return whether offices are open on a day."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


@lru_cache(maxsize=200)
def _holidays(year: int) -> frozenset[dt.date]:
    return frozenset(country_holidays("FR", years=year))
