"""French typography for what people read: dates, numbers, money, durations, and the spaces before double punctuation.

Everything comes as text with no-break spaces where a line may not end; `shared/web/templates.py` makes filters of it.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from markupsafe import Markup

from shared.clock import PARIS

NNBSP: Final = "\u202f"
"""Narrow no-break space: before ; : ! ? and inside « »."""
NBSP: Final = "\u00a0"
NOTHING: Final = "—"
"""What stands where there is no value."""
_LOCALE: Final = "fr_FR"
_BEFORE: Final = re.compile(r"[ \u00a0\u202f]+(?=[;:!?»])")
_AFTER: Final = re.compile(r"«[ \u00a0\u202f]*")
_SPACE: Final = re.compile(r"(?<=\S) (?=\S)")


def fr(text: str) -> str:
    """Return text with narrow no-break spaces where it has a space before ; : ! ? » or after «; addresses stay as they are."""
    spaced = _AFTER.sub(f"«{NNBSP}", _BEFORE.sub(NNBSP, str(text)))
    return Markup(spaced) if isinstance(text, Markup) else spaced


def by_label(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs of code and label in the order of a French dictionary: « Évreux » beside « Eu », not behind « Yvetot »."""
    return sorted(pairs, key=lambda one: (_plain(one[1]), one[1]))


def _plain(label: str) -> str:
    apart = unicodedata.normalize("NFKD", label.replace("Œ", "Oe").replace("œ", "oe"))
    return "".join(sign for sign in apart.casefold() if sign.isalnum() or sign == " ")


def long_date(day: dt.date | None) -> str:
    """Return « 24 avril 2022 »."""
    return _day(day, "d MMMM y")


def short_date(day: dt.date | None) -> str:
    """Return « 5 sept. 2022 »."""
    return _day(day, "d MMM y")


def weekday(day: dt.date | None) -> str:
    """Return « lundi 5 septembre 2022 »."""
    return _day(day, "EEEE d MMMM y")


def month(day: dt.date | None) -> str:
    """Return « septembre 2022 »."""
    return _kept(format_date(day, "MMMM y", _LOCALE)) if day else NOTHING


def date_range(start: dt.date | None, end: dt.date | None) -> str:
    """Return « 5 – 16 sept. 2022 », « 5 sept. – 9 déc. 2022 » or « 5 déc. 2022 – 3 févr. 2023 »; one day alone if both are equal."""
    if start is None or end is None or start == end:
        return short_date(start or end)
    if start.year != end.year:
        first = short_date(start)
    elif start.month != end.month:
        first = _day(start, "d MMM")
    else:
        first = _day(start, "d")
    return f"{first}{NBSP}–{NBSP}{short_date(end)}"


def time_of_day(at: dt.datetime | None) -> str:
    """Return « 14 h 05 », in the time of Paris."""
    if at is None:
        return NOTHING
    local = at.astimezone(PARIS)
    return f"{local.hour}{NBSP}h{NBSP}{local.minute:02d}" if local.minute else f"{local.hour}{NBSP}h"


def moment(at: dt.datetime | None) -> str:
    """Return « 30 mai 2022 à 14 h 05 », in the time of Paris."""
    return f"{long_date(at.astimezone(PARIS).date())} à{NBSP}{time_of_day(at)}" if at else NOTHING


def number(value: int | float | Decimal | None, digits: int = 2) -> str:
    """Return « 60 838 », « 8,5 »: at most `digits` decimals."""
    if value is None:
        return NOTHING
    return _narrow(format_decimal(value, "#,##0" + ("." + "#" * digits if digits else ""), _LOCALE))


def percent(share: float | Decimal | None, digits: int = 1) -> str:
    """Return « 65,3 % » of 0.653."""
    if share is None:
        return NOTHING
    pattern = "#,##0" + ("." + "#" * digits if digits else "") + f"{NNBSP}%"
    return _narrow(format_percent(share, pattern, _LOCALE))


def euros(cents: int | None) -> str:
    """Return « 61 200 € » or « 8,50 € » of so many cents."""
    if cents is None:
        return NOTHING
    pattern = f"#,##0.00{NBSP}¤" if cents % 100 else f"#,##0{NBSP}¤"
    return _narrow(format_currency(Decimal(cents) / 100, "EUR", pattern, _LOCALE, currency_digits=False))


def hours(value: int | float | Decimal | None) -> str:
    """Return « 445 h »."""
    return NOTHING if value is None else f"{number(value)}{NBSP}h"


def duration(span: dt.timedelta | None) -> str:
    """Return « 3 jours », « 2 h 30 », « 12 min » or « 8 s »: the two largest units that say something."""
    if span is None:
        return NOTHING
    seconds = int(span.total_seconds())
    if seconds >= 86_400:
        return counted(seconds // 86_400, "jour")
    if seconds >= 3600:
        left = seconds % 3600 // 60
        return f"{seconds // 3600}{NBSP}h" + (f"{NBSP}{left:02d}" if left else "")
    return f"{seconds // 60}{NBSP}min" if seconds >= 60 else f"{seconds}{NBSP}s"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return « 0 fiche », « 1 fiche », « 7 fiches »; `many` where the plural is not made with an s."""
    word = one if abs(count) < 2 else many or f"{one}s"
    return f"{number(count)}{NBSP}{word}"


def _day(day: dt.date | None, pattern: str) -> str:
    """Return a day by a pattern; the first of a month is « 1er »."""
    if day is None:
        return NOTHING
    text = format_date(day, pattern, _LOCALE)
    return _kept(re.sub(r"(^|\s)1(?=\s|$)", r"\g<1>1er", text) if day.day == 1 else text)


def _kept(text: str) -> str:
    return _SPACE.sub(NBSP, text)


def _narrow(text: str) -> str:
    """Return a number whose thousands are kept together by narrow spaces, whatever the locale's data hold."""
    return re.sub(r"(?<=\d)[\u00a0 ](?=\d)", NNBSP, text)
