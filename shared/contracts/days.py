"""Days of the calendar as they come in: ISO 8601, `2018-04-30`, and nothing else.

pydantic alone would also take a text of digits for the seconds since 1970 (« 1525046400 » is a day in 2018 to it), in a strict reading
of JSON too: whoever sends another system's date would be answered that it is filed, for another day.
"""

import datetime as dt
import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError

_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def iso_day(text: str) -> dt.date | None:
    """Return the day that a text says in the one form, None where it says none: `20180430` and week dates do not."""
    try:
        return dt.date.fromisoformat(text) if _ISO.fullmatch(text) else None
    except ValueError:
        return None  # the form is right, the day is in no calendar


def _iso_only(given: Any) -> Any:
    """Return a text of the one form as the day it is, whatever is no text as it is; another text is no date."""
    if not isinstance(given, str):
        return given
    if (day := iso_day(given)) is not None:
        return day
    raise PydanticKnownError("date_parsing", {"error": "not YYYY-MM-DD"})


Day = Annotated[dt.date, BeforeValidator(_iso_only)]
"""A day; in the documents `"format": "date"`, as ever."""
