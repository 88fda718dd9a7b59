"""Runs one server, and stops it when its own parent is gone.

Usage: python -I watchdog.py '<json>' where the JSON object has
`command` (list), `log` (path of a file to append to), `stop` (list of [signal name, seconds to wait]), `cwd`,
and `uid` and `gid` (or null) of the account the server runs as.

Standard input is a pipe held by the parent: when it closes, because the parent wishes so or was killed, the server
gets each signal of `stop` in turn and SIGKILL at the end. Standard output gets one JSON line: `pid`, or `error`.
The exit code is the server's own. Standard library only, and alone in its file: it is run by path.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1


def _die_with_watchdog(number: int) -> Callable[[], None] | None:
    """On Linux the kernel itself signals the server when the watchdog is killed; elsewhere nothing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return ask


def _spawn(task: dict[str, Any]) -> subprocess.Popen[bytes]:
    as_user = {"user": task["uid"], "group": task["gid"], "extra_groups": []} if task["uid"] is not None else {}
    with Path(task["log"]).open("ab") as log:
        return subprocess.Popen(
            task["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=task["cwd"],
            umask=0o077,
            preexec_fn=_die_with_watchdog(signal.Signals[task["stop"][0][0]]),  # noqa: PLW1509 - no thread runs yet
            **as_user,
        )


def _stop(server: subprocess.Popen[bytes], steps: list[list[Any]]) -> None:
    for name, seconds in steps:
        server.send_signal(signal.Signals[name])
        server.send_signal(signal.SIGCONT)  # a suspended server could not obey
        try:
            server.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue
    server.kill()


def main(task: dict[str, Any]) -> int:
    """Run the server until it ends or standard input closes; return its exit code (128 + n after signal n)."""
    try:
        server = _spawn(task)
    except (OSError, subprocess.SubprocessError) as failure:
        print(json.dumps({"error": f"{task['command'][0]}: {failure}"}), flush=True)
        return 127
    print(json.dumps({"pid": server.pid}), flush=True)

    def when_parent_is_gone() -> None:
        while os.read(0, 4096):
            pass
        _stop(server, task["stop"])

    threading.Thread(target=when_parent_is_gone, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: server.send_signal(signal.Signals[task["stop"][0][0]]))
    code = server.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
