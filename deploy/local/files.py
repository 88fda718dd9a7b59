"""Small files of the data folder: written whole or not at all, readable by their owner alone."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def make_private(folder: Path) -> Path:
    """Make the folder (mode 0700) and those above it when they are missing; an existing one keeps its mode."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock file `name` of a folder against other processes and threads; the system frees it when its holder dies.

    Not to be taken twice by one thread. Of two, `clients.lock` is the outer one, `secrets.lock` the inner.
    """
    with (make_private(folder) / name).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step (mode 0600); a reader sees the old file or the new one, never half."""
    make_private(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path)
    except BaseException:  # whatever stopped us, no half-written file stays behind
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON, whole or not at all, mode 0600."""
    write_private(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`; None when the file is missing, empty or not an object (it is then made anew)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None
