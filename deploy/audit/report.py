"""What an audit found, as a table for people and as JSON for programs."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from deploy.audit.verdict import Verdict

SHOWN: Final = 20
"""How many violations of one invariant are listed; the total is always told."""


@dataclass(frozen=True)
class Finding:
    """One invariant's verdict and how long looking took, in seconds."""

    id: str
    sentence: str
    verdict: Verdict
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        found = self.verdict.violations
        return {
            "id": self.id,
            "sentence": self.sentence,
            "checked": self.verdict.checked,
            "total": len(found),
            "violations": list(found[:SHOWN]),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Report:
    """All findings of one audit; `looks` is how often it looked, `seconds` how long everything took."""

    findings: Sequence[Finding]
    looks: int
    journal_entries: int
    seconds: float
    at: dt.datetime

    @property
    def clean(self) -> bool:
        """Return whether nothing is violated."""
        return not any(finding.verdict.violations for finding in self.findings)

    def of(self, invariant: str) -> Finding:
        """Return the finding of an invariant; StopIteration where there is none of that name."""
        return next(finding for finding in self.findings if finding.id == invariant)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "clean": self.clean,
            "at": self.at.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "looks": self.looks,
            "journal_entries": self.journal_entries,
            "invariants": [finding.as_json() for finding in self.findings],
        }


def show(report: Report, console: Console) -> None:
    """Print the table, and under it every violation that is listed."""
    table = Table(title="Audit", title_justify="left", pad_edge=False)
    table.add_column("")
    table.add_column("invariant", overflow="fold")
    table.add_column("checked", justify="right")
    table.add_column("violations", justify="right")
    table.add_column("s", justify="right")
    for finding in report.findings:
        total, checked = len(finding.verdict.violations), finding.verdict.checked
        mark = f"[red]{total}[/]" if total else "[green]0[/]" if checked else "[dim]nothing to check[/]"
        table.add_row(finding.id, finding.sentence, f"{checked:,}", mark, f"{finding.seconds:.2f}")
    console.print(table)
    for finding in report.findings:
        for sentence in finding.verdict.violations[:SHOWN]:
            console.print(f"{finding.id}  {sentence}", markup=False, highlight=False, soft_wrap=True)
        left = len(finding.verdict.violations) - SHOWN
        if left > 0:
            console.print(f"{finding.id}  … and {left} more", markup=False, highlight=False)
    words = "clean" if report.clean else "NOT CLEAN"
    console.print(
        f"audit {words} in {report.seconds:.1f} s ({report.journal_entries:,} journal entries)", highlight=False
    )
