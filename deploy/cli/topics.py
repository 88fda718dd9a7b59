"""`poec topics`: the flow table beside what the broker has."""

from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from deploy.cli.asked import Home, Json
from deploy.cli.console import print_json, reporter, stdout_console
from deploy.local.runfile import Run, home_folder
from deploy.local.topics import Comparison, Shape, compare


def topics(as_json: Json = False, home: Home = None) -> None:
    """Compare the topics of the broker with the flow table: partitions, retention, compaction, writer.

    On brokers of somebody else only topics named poec.* count as foreign.

    Exit codes: 0 they agree, 1 a difference, a missing or a foreign topic, or the broker could not be asked.
    """
    rows = _rows(home_folder(home))
    wrong = [row for row in rows if row.difference]
    if as_json:
        print_json({"agree": not wrong, "topics": [{**asdict(row), "difference": row.difference} for row in rows]})
    else:
        _show(rows, bool(wrong))
    raise typer.Exit(1 if wrong else 0)


def _rows(folder: Path) -> list[Comparison]:
    run = Run.load(folder)
    with reporter().step("Asking the broker"):
        return compare(run.kafka.admin, "poec." if run.infra == "external" else "")


def _show(rows: list[Comparison], wrong: bool) -> None:
    table = Table("topic", "writer", "partitions", "retention", "compacted", "difference", box=None, pad_edge=False)
    for row in rows:
        shape = row.found or row.wanted
        table.add_row(
            row.name, row.writer or "?", *_words(shape), f"[red]{row.difference}[/]" if row.difference else ""
        )
    out = stdout_console()
    out.print(table)
    out.print(f"{len(rows)} topics, " + ("with differences" if wrong else "as in the flow table"))


def _words(shape: Shape | None) -> tuple[str, str, str]:
    if shape is None:
        return "", "", ""
    days = shape.retention_ms / 86_400_000
    return (
        str(shape.partitions),
        "for ever" if shape.retention_ms < 0 else f"{days:g} days",
        "yes" if shape.compacted else "",
    )
