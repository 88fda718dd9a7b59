"""The templates: Jinja with everything escaped, nothing undefined, and French typography as filters."""

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from shared.web import french
from shared.web.static_files import address_of

_WEB: Final = Path(__file__).parent
FILTERS: Final = {
    one.__name__: one
    for one in (
        french.fr,
        french.by_label,
        french.long_date,
        french.short_date,
        french.weekday,
        french.month,
        french.time_of_day,
        french.moment,
        french.number,
        french.percent,
        french.euros,
        french.hours,
        french.duration,
    )
}
"""Filters of every template, under the names they have in `french.py`."""


@cache
def _icons() -> dict[str, str]:
    found: dict[str, str] = json.loads((_WEB / "icons.json").read_text("utf-8"))
    return found


def icon(name: str, label: str = "") -> Markup:
    """Return an icon, drawn in the colour of the text; `label` where it stands alone, else it is for the eye only."""
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    frame = Markup('<svg class="icon" viewBox="0 0 16 16" fill="currentColor" focusable="false" {}>{}</svg>')
    return frame.format(said, Markup(_icons()[name]))


def _range(start: dt.date | None, end: dt.date | None) -> Markup:
    """Return a range of dates on one line: a dash allows a line's end that no space forbids."""
    return Markup('<span class="nowrap">{}</span>').format(french.date_range(start, end))


@cache
def environment(*folders: Path) -> Environment:
    """Return the templates of these folders (a service's) before those of the frame, which are all under `frame/`."""
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, _WEB / "templates")]),
        autoescape=select_autoescape(("html",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    functions: dict[str, Any] = {
        "icon": icon,
        "static": address_of,
        "date_range": _range,
        "counted": french.counted,
    }
    made.globals.update(functions)
    return made
