"""How a command asks submission again: a lost connection after a moment, a busy service when its `Retry-After` says, within bounds."""

import datetime as dt
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from deploy.local.errors import LocalError

TRIES: Final = 5
FIRST_SECONDS: Final = 0.5
"""So long after the first lost connection; twice as long after each further one."""
LEAST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 60.0
"""A service that wants more is asked again all the same: whoever waits at a terminal should hear of it."""


def answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Return the answer to what may be asked again (a read, or a write under one key); the last one where the service stays busy.

    Raises `LocalError` where nobody answers.
    """
    for tried in range(TRIES):
        last = tried == TRIES - 1
        try:
            answer = ask()
        except httpx.TransportError as failure:
            if last:
                raise silent(failure) from None
            time.sleep(FIRST_SECONDS * 2**tried)
        else:
            if last or answer.status_code not in (429, 503):
                return answer
            time.sleep(seconds_to_wait(answer.headers.get("Retry-After"), dt.datetime.now(dt.UTC)))
    raise AssertionError("unreachable: the loop returns or raises")


def silent(failure: Exception) -> LocalError:
    """Return what is said where nobody answers."""
    return LocalError(f"submission does not answer ({type(failure).__name__}): `poec status`.")


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
