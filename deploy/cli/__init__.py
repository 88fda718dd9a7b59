"""The command `poec`: one file per subcommand, read only when that subcommand is asked for."""

import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

# name -> (module, function in it, one line for --help)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("deploy.cli.up", "up", "Start everything and keep it running."),
    "down": ("deploy.cli.down", "down", "Stop everything that runs."),
    "status": ("deploy.cli.status", "status", "Show what runs, where, and what had to be started again."),
    "demo": (
        "deploy.cli.demo",
        "demo",
        "Play the year 2021 through the real doors, then show the bilan and the audit.",
    ),
    "audit": ("deploy.cli.audit", "audit", "Check the invariants in the databases and in the log."),
    "bilan": ("deploy.cli.bilan", "bilan", "Show the bilan of a year from the running counts."),
    "tail": ("deploy.cli.tail", "tail", "Follow the events as they come, one line each."),
    "topics": ("deploy.cli.topics", "topics", "Compare topics, users and rights at the broker with the tables."),
    "principals": ("deploy.cli.principals", "principals", "List, add, disable principals, or give them new secrets."),
    "dlq": ("deploy.cli.dlq", "dlq", "List, show, replay or discard dead letters."),
    "import": ("deploy.cli.imports", "imports", "Send files of fiches or partners in, and read what became of them."),
    "person": ("deploy.cli.person", "person", "Export or erase what is held of a reviewer's own account."),
    "bench": ("deploy.cli.bench", "bench", "Measure flow, relay, inbox and rebuild."),
    "config": ("deploy.cli.config", "config", "Check the effective settings."),
}


class LazyGroup(TyperGroup):
    """Knows the names of the subcommands, and imports one of them when it is run or its own help is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; None when there is none."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in --help, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


def load(name: str) -> Any:
    """Import a command of the table: its function, or a Typer of its own (`dlq`, `config`) as a group of that name."""
    module, function, _ = COMMANDS[name]
    found = getattr(importlib.import_module(module), function)
    app = found if isinstance(found, typer.Typer) else typer.Typer(add_completion=False)
    if app is not found:
        app.command(name)(found)
    command = typer.main.get_command(app)
    command.name = name
    return command


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Carries a POEC fiche projet from the OPCO to the catalogue, and counts exactly. "
    "Results go to standard output, everything else to standard error.",
)


@app.callback()
def _root() -> None:
    """A group even though its commands come from the table."""


def main() -> None:
    """Entry point of `poec`: what can be explained is explained in a few lines, without a traceback."""
    from deploy.local.errors import LocalError

    try:
        app(prog_name="poec")
    except LocalError as failure:
        from deploy.cli.console import explain

        explain(failure)
        raise SystemExit(1) from None
    except BrokenPipeError:
        raise SystemExit(_READER_GONE) from None
    finally:
        _flush()


_READER_GONE = 141
"""128 and SIGPIPE, as a shell says it."""


def _flush() -> None:
    """Give what is left to standard output; a reader who has gone (`| head`) is no failure, and nothing is said about it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter tries, and complains
