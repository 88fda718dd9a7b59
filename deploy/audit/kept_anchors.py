"""Anchors taken away: one JSON line each, in a file that operations keep, and may have timestamped, where neither database nor log is."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.audit.anchors import Anchor
from deploy.audit.evidence import Sources, asked, connected
from deploy.audit.verdict import CouldNotLook

_LAST: Final = "SELECT n, at, written_at, entries, heads, root, previous_hash, hash FROM anchor ORDER BY n DESC LIMIT 1"


async def keep_last_anchors(sources: Sources, path: Path) -> None:
    """Write the last anchor of each service to `path`, whole or not at all; it holds every one before. Raises `CouldNotLook`."""
    async with connected(sources) as connections:
        found = [
            Anchor(service, *row)
            for service, connection in connections.items()
            for row in await asked(connection, _LAST)
        ]
    text = "".join(json.dumps(anchor.as_json()) + "\n" for anchor in found)
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_text(text, "utf-8")
        os.replace(beside, path)
    except OSError as wrong:
        raise CouldNotLook(f"The anchors cannot be written to {path}: {wrong.strerror}.") from wrong


def refuse_to_replace(path: Path) -> None:
    """Raise `CouldNotLook` where a file is there already: the anchors it keeps could not be had again."""
    if os.path.lexists(path):
        raise CouldNotLook(
            f"{path} is there already: name a new file for --keep-anchors, or say --force to replace it."
        )


def read_kept(paths: Sequence[Path]) -> list[Anchor]:
    """Return the anchors of files that were written so. Raises `CouldNotLook` naming the file and the line."""
    found = []
    for path in paths:
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as wrong:
            raise CouldNotLook(f"The anchors in {path} cannot be read ({type(wrong).__name__}).") from wrong
        for number, line in enumerate(lines, 1):
            try:
                found.append(Anchor.parsed(json.loads(line)))
            except (ValueError, KeyError, TypeError) as wrong:
                raise CouldNotLook(f"{path}, line {number}, is no anchor that was taken away.") from wrong
    return found
