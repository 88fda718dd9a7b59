"""The folder of what is fetched or computed once per machine: jars, and the class archive of the broker."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.files import make_private


def cache_folder(home: Path) -> Path:
    """POEC_CACHE, else XDG_CACHE_HOME/poec, else ~/.cache/poec; `home`/cache for an account without a usable home."""
    named = os.environ.get("POEC_CACHE")
    if named:
        return _usable(Path(named).expanduser().absolute())
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        folder = (xdg if xdg.is_absolute() else Path.home() / ".cache") / "poec"
        return _usable(folder)
    except (LocalError, RuntimeError):  # no entry for this account, or a home that cannot be written
        return _usable(home / "cache")


def _usable(folder: Path) -> Path:
    try:
        make_private(folder)
    except OSError as failure:
        raise LocalError(
            f"The cache folder {folder} cannot be made: {failure.strerror}. Name another in POEC_CACHE."
        ) from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise LocalError(f"The cache folder {folder} cannot be written. Name another in POEC_CACHE.")
    return folder


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock `name` of a cache folder: one process (or thread) at a time; waits for the others."""
    with (folder / f".{name}").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
