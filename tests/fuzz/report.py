"""The dated report of a long run, as Markdown."""

import datetime as dt
import os
import platform
from collections import Counter
from importlib.metadata import version

import psutil

from tests.fuzz.effort import Figures

_PARTS = ("aiokafka", "fastapi", "httptools", "hypothesis", "poec", "pydantic", "schemathesis", "uvicorn")


def report(found: Figures, outcomes: dict[str, int]) -> str:
    """Return the report."""
    minutes = (dt.datetime.now(dt.UTC) - found.began).total_seconds() / 60
    memory = psutil.virtual_memory().total / 2**30
    wrong = sum(len(part.wrong) for part in found.parts.values())
    lines = [
        f"# Fuzzing of {found.began:%Y-%m-%d}",
        "",
        f"Machine: {platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory.",
        f"Python {platform.python_version()}; {', '.join(f'{name} {version(name)}' for name in _PARTS)}.",
        f"Seed {found.effort.seed} (`make fuzz MINUTES={found.effort.minutes:g} SEED={found.effort.seed}` tries the same again).",
        "",
        *(f"{count} tests {name}." for name, count in outcomes.items() if count),
        f"{sum(part.total() for part in found.parts.values()):,} requests, records and texts in {minutes:.0f} min; {wrong} findings.",
        "",
        "| what was fuzzed | rounds | tried | kinds | tried least | answers |",
        "|---|---:|---:|---:|---|---|",
    ]
    for name, part in found.parts.items():
        if not part.answers:
            continue
        least, times = part.least()
        seen: Counter[str] = sum(part.answers.values(), Counter())
        answers = ", ".join(f"{answer} {n:,} ({n / max(1, part.total()):.1%})" for answer, n in sorted(seen.items()))
        lines.append(
            f"| {name} | {found.rounds[name]} | {part.total():,} | {len(part.answers)} | {least}: {times:,} | {answers} |"
        )
    lines += ["", "| process | MiB after warming up | MiB at the end |", "|---|---:|---:|"]
    lines += [f"| {name} | {before or ''} | {after} |" for name, (before, after) in found.memory.items()]
    return "\n".join([*lines, ""])
