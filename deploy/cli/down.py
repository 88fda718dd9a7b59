"""`poec down`: stops everything that runs on a data folder, and removes its data when asked to."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.asked import Home
from deploy.cli.console import reporter
from deploy.local.lifecycle import stop
from deploy.local.removal import places_of, remove_home
from deploy.local.runfile import home_folder

RemoveData = Annotated[
    bool,
    typer.Option(
        "--remove-data",
        help="Then remove all data: databases (as root they lie outside the data folder), log, secrets, journals.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the data is removed.")]


def down(remove_data: RemoveData = False, yes: Yes = False, home: Home = None) -> None:
    """Stop everything that runs, in order: services drain, then the issuer, Apache Kafka and PostgreSQL.

    Exit codes: 0 nothing runs any more (also when nothing ran), 1 it could not be stopped, or its data not be removed
    (also when one does not say yes to that: nothing is stopped then).
    """
    folder, shown = home_folder(home), reporter()
    if remove_data and not yes:
        _ask(folder)
    with shown.step(f"Stopping what runs in {folder}"):
        ran = stop(folder)
    shown.note("Stopped." if ran else f"Nothing ran in {folder}.")
    if remove_data:
        removed = remove_home(folder)
        shown.note(f"Removed: {', '.join(map(str, removed))}." if removed else f"No data in {folder}.")


def _ask(folder: Path) -> None:
    """Ask whether the data is to go; no answer is a no."""
    for place in places_of(folder):
        typer.echo(f"  {place}", err=True)
    typer.confirm("Remove all of this for good?", abort=True, err=True)
