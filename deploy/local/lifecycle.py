"""Starting, finding and stopping the supervisor of a data folder from another process: `up --detach`, `down`, tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.errors import LocalError, NotReady
from deploy.local.files import make_private
from deploy.local.guarded import is_same, last_lines, started_at, wait_until
from deploy.local.holding import holder
from deploy.local.runfile import Run, SupervisorProcess, live_run

SUPERVISOR = ("-m", "deploy.local")
LOG = "supervisor.log"
READY = "Ready."
"""The supervisor's last line of starting; `start_detached` returns then, and who called it says so in his own words."""


def start_detached(
    home: Path,
    arguments: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
    command: Sequence[str] = SUPERVISOR,
) -> Run:
    """Start a supervisor in a session of its own and return when all is ready; what runs already is returned as it is.

    `arguments` are those of `python -m deploy.local` besides --home; `say` gets its lines as they come. NotReady, with the
    reason, when it ends before; its log is POEC_HOME/logs/supervisor.log.
    """
    running = wait_for_other(home, say)
    if running is not None:
        return running
    log = make_private(make_private(home) / "logs") / LOG
    with log.open("ab") as out:
        begun = out.tell()
        process = subprocess.Popen(
            [sys.executable, *command, "--home", str(home), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
        )
    try:
        return _wait_ready(home, process, log, begun, say)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise


def wait_for_other(home: Path, say: Callable[[str], None] = lambda line: None) -> Run | None:
    """What runs in `home`; a supervisor that is starting or stopping is waited for (two minutes). None when nothing does."""
    deadline = time.monotonic() + 120
    told = False
    while (other := holder(home)) is not None:
        run = live_run(home)
        if run is not None and run.state in ("ready", "degraded"):
            return run
        if not told:
            say(f"Process {other.pid} is starting or stopping in {home} …")
            told = True
        if time.monotonic() > deadline:
            raise NotReady(f"Process {other.pid} holds {home} and does not get ready: `poec down`, then start again.")
        time.sleep(0.1)
    return None


def stop(home: Path, patience: float = 90.0) -> bool:
    """Stop what runs in `home` and wait until it is gone; False when nothing ran. LocalError when it does not obey.

    After `patience` seconds it is asked to hurry; 20 s later it is killed, and its processes end with it.
    """
    found = holder(home)
    if found is None:
        return False
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0)):
        if _signalled_and_gone(found, number, seconds):
            return True
    raise LocalError(f"The supervisor (process {found.pid}) does not end.")


def _signalled_and_gone(found: SupervisorProcess, number: signal.Signals, seconds: float) -> bool:
    try:
        if is_same(found.model_dump()):
            os.kill(found.pid, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        raise LocalError(f"The supervisor (process {found.pid}) belongs to another account.") from None
    return wait_until(lambda: not is_same(found.model_dump()), seconds)


def _wait_ready(home: Path, process: subprocess.Popen[bytes], log: Path, begun: int, say: Callable[[str], None]) -> Run:
    with log.open("r", encoding="utf-8", errors="replace") as lines:
        lines.seek(begun)
        while True:
            ended = process.poll() is not None
            for line in lines:
                if not line.startswith(("error: ", "  | ", READY)):  # told by the exception, and by who asked
                    say(line.rstrip("\n"))
            run = live_run(home)
            if run is not None and run.supervisor.pid == process.pid and run.state in ("ready", "degraded"):
                return run
            if ended:
                raise NotReady(
                    f"It did not start (exit code {process.returncode}); its log is {log}.\n{_reason(log, begun)}"
                )
            time.sleep(0.05)


def processes_of(run: Run) -> list[int]:
    """Pids of everything that belongs to a run and lives: supervisor, issuer, services, servers."""
    named = [run.supervisor.pid, run.issuer.pid, run.postgres.pid, *run.kafka.pids]
    named += [pid for service in run.services.values() for pid in service.pids.values()]
    return sorted({pid for pid in named if pid is not None and started_at(pid) is not None})


def _reason(log: Path, begun: int) -> str:
    """What the supervisor gave as its last words; the end of its log when it gave none."""
    said = log.read_bytes()[begun:].decode("utf-8", "replace")
    _, found, reason = f"\n{said}".rpartition("\nerror: ")
    return reason.rstrip() if found else last_lines(log)
