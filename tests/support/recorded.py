"""A year that was really played, as `poec demo --once --json` told it, shown again as the terminal showed it.

`poec demo --once --json > deploy/demo/pictures/played_2021.json` and then `make docs` make a new picture.
"""

import datetime as dt
import io
import json
import re
from pathlib import Path
from typing import Any, Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from deploy.audit.report import Finding, Report
from deploy.audit.verdict import Verdict
from deploy.demo.figures import compared, expected
from deploy.demo.incidents import Incident
from deploy.demo.play import Played
from deploy.demo.screen import show_bilan, show_verdict
from deploy.demo.told import Told
from tests.support.documents import ROOT

PICTURES: Final = ROOT / "deploy" / "demo" / "pictures"
RECORD: Final = PICTURES / "played_2021.json"
WIDTH: Final = 112


def recorded(path: Path = RECORD) -> tuple[Played, Report, dict[str, Any]]:
    """Return what was played, what the audit found, and the record itself; words and sources of the figures are today's."""
    record: dict[str, Any] = json.loads(path.read_bytes())
    measured = {figure["name"]: figure["measured"] for figure in record["figures"]}
    figures = compared(expected(), measured)
    incidents = [Incident(incident["kind"], incident["line"]) for incident in record["incidents"]]
    told = [Told(**one) for one in record["told"]]
    played = Played(record["before"], figures, {}, [], told, incidents, seconds=record["seconds"])
    return played, _report(record["audit"]), record


def _report(audit: dict[str, Any]) -> Report:
    findings = [
        Finding(f["id"], f["sentence"], Verdict(f["checked"], tuple(f["violations"])), f["seconds"])
        for f in audit["invariants"]
    ]
    at = dt.datetime.fromisoformat(audit["at"])
    return Report(findings, audit["looks"], audit["journal_entries"], audit["seconds"], at)


def terminal() -> Console:
    """Return a console that has shown the end of the demo, recorded."""
    played, report, _ = recorded()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False, force_terminal=True, color_system="truecolor")
    show_bilan(played, console)
    show_verdict(played, report, console)
    return console


FRAME: Final = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")
"""Rich's frame without its fonts: they would be fetched from another site by everybody who reads the page."""


def picture() -> str:
    """Return the terminal as SVG; the same record makes the same bytes."""
    return terminal().export_svg(title="make run", unique_id="poec", code_format=FRAME) + "\n"


def last_lines() -> str:
    """Return what the verdict looks like as text: what went wrong on the way, and the last line."""
    played, report, _ = recorded()
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False, no_color=True)
    with console.capture() as shown:
        show_verdict(played, report, console)
    return f"Its last lines:\n\n```text\n{shown.get().rstrip()}\n```\n"
