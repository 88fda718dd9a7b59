"""Named crash points: in a fault test the process kills itself at the point that its environment names.

Outside such a test a point costs one comparison. Production refuses to start with a crash point set.
`POEC_CRASH_POINT=relay.after_send` dies at the first pass, `relay.after_send:5` at the fifth.
"""

import os
import signal
from typing import Final

POINTS: Final = (
    "unit.before_flush",
    "unit.before_commit",
    "unit.after_commit",
    "http.before_answer",
    "relay.before_send",
    "relay.after_send",
    "relay.after_mark",
    "relay.after_commit",
    "upload.while_read",
    "import.before_commit",
    "import.after_commit",
    "inbox.before_transaction",
    "inbox.before_commit",
    "inbox.after_commit",
    "inbox.after_ack",
    "replay.before_commit",
    "replay.after_commit",
    "reconciler.before_mark",
    "reconciler.after_mark",
    "anchor.before_commit",
    "anchor.after_commit",
)
"""Every point, before and after each commit, send and acknowledgement; the fault tests walk through this list."""

_wanted, _, _passes = os.environ.get("POEC_CRASH_POINT", "").partition(":")
_left = [int(_passes or "1")]


async def crash_point(name: str) -> None:
    """Kill this process, as kill -9 would, if it is told to die here."""
    if name == _wanted:
        _die_when_due()


def _die_when_due() -> None:
    _left[0] -= 1
    if _left[0] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
