"""Removes the data of a stopped data folder: what is in it, and the database cluster that lies elsewhere when we are root."""

import shutil
from pathlib import Path
from typing import Final

from deploy.journal import FOLDER
from deploy.local.errors import LocalError
from deploy.local.files import read_json
from deploy.local.holding import LOCK, held
from deploy.local.postgres_account import remove_data
from deploy.local.runfile import RUN_FILE

OURS: Final = (
    *("kafka", "postgres", "logs", FOLDER, "cache"),
    *("secrets.json", "secrets.lock", "clients.json", "clients.lock", "added_clients.json", "web_clients.json"),
    "ports.json",
    *(RUN_FILE, LOCK),
)
"""What we make in a data folder; nothing else there is touched, as one may have named a folder that holds more."""


def places_of(home: Path) -> list[Path]:
    """Return what of ours there is: in the data folder, and the cluster's folder where it lies elsewhere."""
    recorded = read_json(home / "postgres" / "place.json")
    elsewhere = [Path(recorded["folder"])] if recorded is not None else []
    return [place for place in (*(home / name for name in OURS), *elsewhere) if place.exists()]


def remove_home(home: Path) -> list[Path]:
    """Remove what of ours there is and return it; the folder goes too when nothing else is in it.

    Nothing may run there. Raises `DataFolderInUse` when something does, or when the cluster is another folder's, of which
    this one is a copy; `LocalError` naming what could not be removed.
    """
    if not (places := places_of(home)):
        return []
    with held(home):  # nobody starts here meanwhile
        remove_data(home)
        for place in places:
            if place.name != LOCK:
                shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink(missing_ok=True)
        if left := [str(place) for place in places if place.exists() and place.name != LOCK]:
            raise LocalError(f"Could not be removed: {', '.join(left)}.")
        (home / LOCK).unlink(missing_ok=True)
    if not any(home.iterdir()):
        home.rmdir()
    return places
