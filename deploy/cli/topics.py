"""`poec topics`: the tables of the flow and of who may do what, beside what the brokers have."""

from dataclasses import asdict
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.asked import Home, Json
from deploy.cli.console import print_json, reporter, stdout_console
from deploy.local.kafka_users import differences
from deploy.local.runfile import Run, home_folder
from deploy.local.topics import Comparison, Shape, compare
from shared.contracts.access import USERS


def topics(as_json: Json = False, home: Home = None) -> None:
    """Compare topics, users and rights at the broker with the tables of the flow and of who may do what.

    On brokers of somebody else only topics named poec.* and our own users count.

    Exit codes: 0 they agree, 1 a difference (missing, foreign, otherwise), or the broker could not be asked.
    """
    rows, access = _asked(home_folder(home))
    wrong = [row for row in rows if row.difference]
    if as_json:
        shown = [{**asdict(row), "difference": row.difference} for row in rows]
        print_json({"agree": not wrong and not access, "topics": shown, "access": access})
    else:
        _show(rows, access, bool(wrong or access))
    raise typer.Exit(1 if wrong or access else 0)


def _asked(folder: Path) -> tuple[list[Comparison], list[str]]:
    """The topics beside the flow table, and what differs in users and rights (nothing where nobody signs in)."""
    run = Run.load(folder)
    external, admin = run.infra == "external", run.kafka.admin
    with reporter().step("Asking the broker"):
        return compare(admin, "poec." if external else ""), differences(
            admin, foreign=not external
        ) if admin.signs_in else []


def _show(rows: list[Comparison], access: list[str], wrong: bool) -> None:
    table = Table("topic", "writer", "partitions", "retention", "compacted", "difference", box=None, pad_edge=False)
    for row in rows:
        shape = row.found or row.wanted
        table.add_row(
            row.name, row.writer or "?", *_words(shape), f"[red]{row.difference}[/]" if row.difference else ""
        )
    out = stdout_console()
    out.print(table)
    for line in access:
        out.print(f"[red]{escape(line)}[/]", soft_wrap=True)
    out.print(f"{len(rows)} topics and {len(USERS)} users, " + ("with differences" if wrong else "as in the tables"))


def _words(shape: Shape | None) -> tuple[str, str, str]:
    if shape is None:
        return "", "", ""
    days = shape.retention_ms / 86_400_000
    return (
        str(shape.partitions),
        "for ever" if shape.retention_ms < 0 else f"{days:g} days",
        "yes" if shape.compacted else "",
    )
