"""The table of measures in the README is the code's. UPDATE_DOCS=1 writes it."""

import os
from pathlib import Path

from services.analytics.app import SERVICE
from services.analytics.domain.measures import DEFINITIONS

README: Path = SERVICE.folder / "README.md"
OPEN, CLOSE = "<!-- measures -->\n", "<!-- /measures -->"


def table() -> str:
    rows = (f"| `{measure}` | {what} | {month} |\n" for measure, (what, month) in DEFINITIONS.items())
    return "| measure | what is counted | in the month of |\n|---|---|---|\n" + "".join(rows)


def test_the_readme_shows_every_measure_as_it_is_defined() -> None:
    text = README.read_text(encoding="utf-8")
    head, rest = text.split(OPEN)
    shown, tail = rest.split(CLOSE)
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(head + OPEN + table() + CLOSE + tail, encoding="utf-8")
        shown = table()
    assert shown == table()
