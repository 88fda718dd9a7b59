"""A server process that cannot outlive us: started under `watchdog.py`, recorded on disk, found again after a crash."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deploy.local.errors import DataFolderInUse, NotReady
from deploy.local.files import read_json, write_json

WATCHDOG = Path(__file__).with_name("watchdog.py")
LOG_LIMIT = 10 * 1024 * 1024  # bytes; a longer log is moved aside (one generation) at the next start


@dataclass(frozen=True)
class ServerCommand:
    """How to run one server.

    `stop` names the signals to send in turn and the seconds to wait after each; SIGKILL ends the list.
    `account` is (uid, gid) of another account to run as, only for root. `marker` is a text that the command line of
    this server, and of no other, holds: by it an orphan is recognised.
    """

    name: str
    command: Sequence[str]
    log: Path
    record: Path
    marker: str
    stop: Sequence[tuple[str, float]] = (("SIGTERM", 15.0),)
    account: tuple[int, int] | None = None
    cwd: str = "/"


def started_at(pid: int) -> float | None:
    """Start time of a live process (seconds since 1970); None when it is gone or only waits to be reaped."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def is_same(recorded: dict[str, Any] | None) -> bool:
    """True when the recorded `pid` still is the process that had the recorded `started` time."""
    if not recorded:
        return False
    now = started_at(int(recorded["pid"]))
    return now is not None and abs(now - float(recorded["started"])) < 1.0


def wait_until(condition: Callable[[], bool], timeout: float, every: float = 0.05) -> bool:
    """Ask `condition` again and again for at most `timeout` seconds; its last answer."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for an error message."""
    try:
        with log.open("rb") as source:
            source.seek(max(0, log.stat().st_size - 16_384))
            lines = source.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(f"  | {line}" for line in lines[-count:])


class GuardedProcess:
    """One server under its watchdog. Not thread safe: one owner starts and stops it."""

    def __init__(self, server: ServerCommand) -> None:
        self.server = server
        self.pid: int | None = None
        self._started: float | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> int:
        """Start the server and return its pid; NotReady when it cannot be executed at all."""
        self._open_log()
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", str(WATCHDOG), json.dumps(self._task())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop the servers in order
            cwd="/",
            env=_plain_environment(),
        )
        assert self._watchdog.stdout is not None
        answer = json.loads(self._watchdog.stdout.readline() or b'{"error": "the watchdog did not start"}')
        if "error" in answer:
            self._watchdog.wait()
            raise NotReady(f"{self.server.name} cannot be started: {answer['error']}")
        self.pid = int(answer["pid"])
        self._started = started_at(self.pid)
        self._write_record()
        return self.pid

    def alive(self) -> bool:
        """True while the server runs; a server whose watchdog was killed no longer counts as ours."""
        return self._watchdog is not None and self._watchdog.poll() is None and self._server_lives()

    def request_stop(self) -> None:
        """Ask for the stop without waiting: the watchdog signals the server."""
        if self._watchdog is not None and self._watchdog.stdin is not None and not self._watchdog.stdin.closed:
            self._watchdog.stdin.close()

    def wait_end(self) -> None:
        """Wait, as long as it takes, until the server ended by itself or was stopped."""
        if self._watchdog is not None:
            self._watchdog.wait()

    def wait_stopped(self) -> int | None:
        """Wait until server and watchdog are gone; the server's exit code (None when it did not run).

        The watchdog kills a server that does not obey in its time, and we kill a watchdog that does not.
        """
        grace = sum(seconds for _, seconds in self.server.stop) + 5
        code = None
        if self._watchdog is not None:
            try:
                code = self._watchdog.wait(grace)
            except subprocess.TimeoutExpired:
                self._watchdog.kill()
                code = self._watchdog.wait()
        if self._server_lives():  # its watchdog was killed
            assert self.pid is not None
            stop_process(self.pid, self.server.stop)
        self._forget()
        return code

    def stop(self) -> None:
        """Stop the server in good order and wait for its end; nothing happens when it does not run."""
        self.request_stop()
        self.wait_stopped()

    def log_since_start(self) -> str:
        """What the server wrote since its last start (at most 64 KiB)."""
        try:
            with self.server.log.open("rb") as source:
                source.seek(self._log_start)
                return source.read(65_536).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def _server_lives(self) -> bool:
        return self.pid is not None and is_same({"pid": self.pid, "started": self._started or 0.0})

    def _open_log(self) -> None:
        log = self.server.log
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            os.replace(log, log.with_suffix(".log.1"))
        self._log_start = log.stat().st_size if log.exists() else 0

    def _task(self) -> dict[str, Any]:
        uid, gid = self.server.account or (None, None)
        stop = [list(step) for step in self.server.stop]
        command, log = list(self.server.command), str(self.server.log)
        return {"command": command, "log": log, "stop": stop, "uid": uid, "gid": gid, "cwd": self.server.cwd}

    def _write_record(self) -> None:
        assert self.pid is not None
        own = os.getpid()
        parent = {"pid": own, "started": started_at(own)}
        record = {"pid": self.pid, "started": self._started, "marker": self.server.marker, "parent": parent}
        write_json(self.server.record, record)

    def _forget(self) -> None:
        if self._watchdog is not None:
            for pipe in (self._watchdog.stdin, self._watchdog.stdout):
                if pipe is not None:
                    pipe.close()
        recorded = read_json(self.server.record)
        if recorded is not None and recorded.get("pid") == self.pid:
            self.server.record.unlink(missing_ok=True)
        self.pid, self._started, self._watchdog = None, None, None


def _plain_environment() -> dict[str, str]:
    """What a server needs of our environment: none of our settings, and none of the user's JAVA_* and PG* ones."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}  # UTF-8, or Java would not find a folder with an accent


def stop_process(pid: int, steps: Sequence[tuple[str, float]]) -> None:
    """Send the signals of `steps` in turn, SIGKILL at the end, to a process that is not our child."""
    try:
        process = psutil.Process(pid)
        for name, seconds in steps:
            process.send_signal(signal.Signals[name])
            process.send_signal(signal.SIGCONT)
            if wait_until(lambda: started_at(pid) is None, seconds):
                return
        process.kill()
    except psutil.NoSuchProcess:
        return
    wait_until(lambda: started_at(pid) is None, 5)


def clear_orphan(server: ServerCommand, patience: float = 20.0) -> None:
    """Deal with a server of the same folder that still runs: wait for an orphan, stop it, or refuse.

    An orphan is one whose recorded parent is gone; its watchdog is already stopping it. One whose parent lives belongs
    to somebody else: DataFolderInUse names both. A process is signalled only if its start time and command line agree.
    """
    recorded = read_json(server.record)
    if not is_same(recorded) or recorded is None or not _has_marker(int(recorded["pid"]), server.marker):
        return
    pid, parent = int(recorded["pid"]), recorded.get("parent")
    if parent is not None and is_same(parent):
        raise DataFolderInUse(
            f"{server.name}: the data folder {server.record.parent} is in use by process {pid}, "
            f"started by process {parent['pid']}. Stop that one first (poec down), or name another folder in POEC_HOME."
        )
    if not wait_until(lambda: not is_same(recorded), patience):
        stop_process(pid, server.stop)


def _has_marker(pid: int, marker: str) -> bool:
    try:
        return any(marker in part for part in psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False
