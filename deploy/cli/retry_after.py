"""How long a program waits before it asks a busy service again: what `Retry-After` says, read in both its forms and bounded."""

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Final

LEAST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 60.0
"""A service that wants more is asked again all the same: whoever waits at a terminal should hear of it."""


def seconds_to_wait(said: str | None, now: dt.datetime) -> float:
    """Return for how many seconds to wait, by a header that is a number of seconds or a date (RFC 9110, 10.2.3); `now` in UTC.

    What is missing, unreadable, negative or absurd is the bound it is nearest to.
    """
    text = (said or "").strip()
    wanted = float(text) if text.isascii() and text.isdigit() else _until(text, now)
    return min(max(wanted, LEAST_SECONDS), MOST_SECONDS)


def _until(text: str, now: dt.datetime) -> float:
    try:
        moment = parsedate_to_datetime(text)
    except (
        ValueError,
        TypeError,
        IndexError,
        OverflowError,
    ):  # IndexError: CPython's own, for some texts without words
        return LEAST_SECONDS
    return ((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - now).total_seconds()
