"""One supervisor per data folder: a lock that the system frees when its holder dies, with the holder's name in it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from deploy.local.errors import DataFolderInUse, LocalError
from deploy.local.files import make_private, read_json
from deploy.local.guarded import is_same, started_at, stop_process, wait_until
from deploy.local.runfile import RUN_FILE, Run, SupervisorProcess

LOCK = "supervisor.lock"


@contextmanager
def held(home: Path) -> Iterator[SupervisorProcess]:
    """Hold the data folder for this process; DataFolderInUse when a live supervisor does already."""
    make_private(home)
    with (home / LOCK).open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataFolderInUse(f"{home} is already in use by process {_named(home)}: `poec status`.") from None
        own = SupervisorProcess(pid=os.getpid(), started=started_at(os.getpid()) or 0.0)
        handle.truncate(0)
        handle.write(json.dumps(own.model_dump()))
        handle.flush()
        try:
            yield own
        finally:
            handle.truncate(0)


def holder(home: Path) -> SupervisorProcess | None:
    """The live supervisor of a data folder, whether it is ready, starting or stopping; None when there is none."""
    recorded = read_json(home / LOCK)
    return SupervisorProcess.model_validate(recorded) if recorded and is_same(recorded) else None


def clear_stale(home: Path, patience: float = 15.0) -> Run | None:
    """Remove the run.json of a supervisor that is gone, once its processes are gone too; returns what it said.

    They end by themselves, since their standard input closed; one that has not after `patience` seconds is killed, if its
    command line still is that of the service.
    """
    try:
        run = Run.load(home)
    except LocalError:  # missing or unreadable: it is replaced either way
        (home / RUN_FILE).unlink(missing_ok=True)
        return None
    orphans = [pid for name, service in run.services.items() for pid in service.pids.values() if _serves(pid, name)]
    if not wait_until(lambda: not any(started_at(pid) for pid in orphans), patience):
        for pid in orphans:
            stop_process(pid, [])
    (home / RUN_FILE).unlink(missing_ok=True)
    return run


def _named(home: Path) -> Any:
    return (read_json(home / LOCK) or {}).get("pid", "unknown")


def _serves(pid: int, service: str) -> bool:
    try:
        return any(part.endswith(f".{service}") for part in psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False
