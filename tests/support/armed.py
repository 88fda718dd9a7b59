"""Starts a service process, once with what a test armed it with: `python -m tests.support.armed <service> <role>`.

The supervisor of a fault test starts every service through this file. Where `POEC_ARMED/<instance>.json` lies, its variables are
added to the environment of that one start, whose pid takes the file's place: the start after the crash is an ordinary one.
"""

import json
import os
import sys
from pathlib import Path


def armed_file(folder: Path, instance: str) -> Path:
    """Return where the variables for the next start of an instance are put down."""
    return folder / f"{instance}.json"


def pid_file(folder: Path, instance: str) -> Path:
    """Return where the pid of the last armed start of an instance is written."""
    return folder / f"{instance}.pid"


def main(argv: list[str]) -> None:
    """Become the service; pid and standard input stay those that the supervisor knows."""
    service, *task = argv
    environment = dict(os.environ)
    folder, instance = Path(environment["POEC_ARMED"]), environment["POEC_INSTANCE"]
    waiting = armed_file(folder, instance)
    if waiting.exists():
        environment.update(json.loads(waiting.read_bytes()))
        pid_file(folder, instance).write_text(str(os.getpid()))
        waiting.unlink()
    os.execve(sys.executable, [sys.executable, "-m", f"services.{service}", *task], environment)


if __name__ == "__main__":
    main(sys.argv[1:])
