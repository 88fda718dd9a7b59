"""`poec down`: stops everything that runs on a data folder."""

from deploy.cli.asked import Home
from deploy.cli.console import reporter
from deploy.local.lifecycle import stop
from deploy.local.runfile import home_folder


def down(home: Home = None) -> None:
    """Stop everything that runs, in order: services drain, then the issuer, Apache Kafka and PostgreSQL.

    Exit codes: 0 nothing runs any more (also when nothing ran), 1 it could not be stopped.
    """
    folder, shown = home_folder(home), reporter()
    with shown.step(f"Stopping what runs in {folder}"):
        ran = stop(folder)
    shown.note("Stopped." if ran else f"Nothing ran in {folder}.")
