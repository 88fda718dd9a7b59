"""Where a page of a list of the yearbook ended, as an address says it, and the `Link` to the next one."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from shared.contracts.days import iso_day
from shared.errors import InvalidInput, Objection

S = TypeVar("S")
_DIGITS = 9
"""Of a revision, at most: what has more is none."""


def link(path: str, chosen: Mapping[str, int | None], following: str | int | None, limit: int) -> dict[str, str]:
    """Return the header that names the next page; none where this was the last one."""
    if following is None:
        return {}
    named = {name: value for name, value in chosen.items() if value is not None}
    return {"Link": f'<{path}?{urlencode({**named, "limit": limit, "after": following})}>; rel="next"'}


def cut(found: Sequence[S], limit: int) -> tuple[tuple[S, ...], S | None]:
    """Return a page of what was read one further than asked, and its last member where another page follows."""
    page = tuple(found[:limit])
    return page, page[-1] if len(found) > limit else None


def quarter_of(after: str) -> tuple[int, int]:
    """Return the year and quarter of a campaign that a page ended with (`2021-T3`). Raises `InvalidInput`."""
    year, _, quarter = after.partition("-T")
    if not (year.isascii() and year.isdigit() and len(year) == 4 and quarter in ("1", "2", "3", "4")):
        raise _unfit()
    return int(year), int(quarter)


def month_of(after: str) -> tuple[str, str]:
    """Return the month and OPCO of a delivery that a page ended with (`2021-03.akto`). Raises `InvalidInput`."""
    month, _, opco = after.partition(".")
    if not opco:
        raise _unfit()
    return month, opco


def day_of(after: str) -> dt.date:
    """Return the day of a conference that a page ended with. Raises `InvalidInput`."""
    day = iso_day(after)
    if day is None:
        raise _unfit()
    return day


def told_of(after: str) -> tuple[str, int]:
    """Return what a page ended with and its revision (`akto.2`, `2021-03.akto.2`). Raises `InvalidInput`."""
    of, _, revision = after.rpartition(".")
    if not (of and revision.isascii() and revision.isdigit() and len(revision) <= _DIGITS):
        raise _unfit()
    return of, int(revision)


def _unfit() -> InvalidInput:
    message = "Reprenez la valeur «\u202fnext\u202f» de la page précédente."
    return InvalidInput(Objection("CURSOR_UNFIT", message, field="after"))
