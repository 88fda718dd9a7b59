"""The supervisor: what dies is started again, and nothing outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from deploy.local.errors import LocalError, NotReady
from deploy.local.guarded import started_at, wait_until
from deploy.local.holding import clear_stale, holder
from deploy.local.lifecycle import processes_of, start_detached, stop
from deploy.local.runfile import RUN_FILE, Run, live_run

STAND_IN = ("-m", "tests.support.standin_supervisor")
Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the real supervisor over stand-in services; what a test leaves running is stopped."""

    def begin(*arguments: str, command: Sequence[str] = STAND_IN, said: list[str] | None = None) -> Run:
        return start_detached(tmp_path, arguments, said.append if said is not None else lambda _: None, command)

    yield begin
    stop(tmp_path)


def until(condition: Callable[[], bool], timeout: float = 20.0) -> None:
    assert wait_until(condition, timeout, every=0.02), "the condition never came true"


def test_a_service_that_is_killed_is_started_again_within_a_second_or_two_and_run_json_says_so(
    start: Start, tmp_path: Path
) -> None:
    before = start()
    os.kill(before.services["left"].pids["worker"], signal.SIGKILL)
    until(lambda: bool(Run.load(tmp_path).restarts) and Run.load(tmp_path).state == "ready", timeout=5)
    after = Run.load(tmp_path)
    [restart] = after.restarts
    assert (restart.what, restart.reason, restart.count) == ("left", "killed by SIGKILL", 1)
    assert after.services["left"].pids["worker"] != before.services["left"].pids["worker"]
    assert after.services["left"].url == before.services["left"].url
    assert after.services["right"].pids == before.services["right"].pids


def test_the_issuer_too_is_started_again(start: Start, tmp_path: Path) -> None:
    issuer = start().issuer.pid
    assert issuer is not None
    os.kill(issuer, signal.SIGKILL)
    until(lambda: bool(Run.load(tmp_path).restarts) and Run.load(tmp_path).state == "ready")
    assert Run.load(tmp_path).restarts[0].what == "issuer"


def test_what_keeps_dying_is_started_again_and_counted(start: Start, tmp_path: Path) -> None:
    start()
    for times in (1, 2, 3):
        os.kill(Run.load(tmp_path).services["right"].pids["api"], signal.SIGKILL)
        until(lambda times=times: len(Run.load(tmp_path).restarts) == times and Run.load(tmp_path).state == "ready")  # type: ignore[misc]
    assert [restart.count for restart in Run.load(tmp_path).restarts] == [1, 2, 3]


def test_a_suspended_service_makes_the_run_degraded_and_resumed_it_is_ready_again(start: Start, tmp_path: Path) -> None:
    pid = start().services["left"].pids["api"]
    os.kill(pid, signal.SIGSTOP)
    until(lambda: Run.load(tmp_path).state == "degraded")
    os.kill(pid, signal.SIGCONT)
    until(lambda: Run.load(tmp_path).state == "ready")
    assert Run.load(tmp_path).restarts == []


def test_when_the_supervisor_is_killed_nothing_is_left(start: Start) -> None:
    run = start()
    os.kill(run.supervisor.pid, signal.SIGKILL)
    until(lambda: processes_of(run) == [])


def test_run_json_of_a_killed_supervisor_is_recognised_and_replaced(start: Start, tmp_path: Path) -> None:
    old = start()
    os.kill(old.supervisor.pid, signal.SIGKILL)
    until(lambda: started_at(old.supervisor.pid) is None)
    assert Run.load(tmp_path).supervisor == old.supervisor
    assert live_run(tmp_path) is None
    new = start()
    assert new.supervisor.pid != old.supervisor.pid
    assert live_run(tmp_path) == new


def test_a_pid_that_now_belongs_to_another_process_is_not_the_supervisor(start: Start, tmp_path: Path) -> None:
    run = start()
    stop(tmp_path)
    run.supervisor.pid, run.supervisor.started = os.getpid(), 1.0
    run.save()
    assert live_run(tmp_path) is None
    assert not stop(tmp_path), "it must not be signalled either"
    clear_stale(tmp_path)
    assert not (tmp_path / RUN_FILE).exists()


def test_started_twice_it_is_found_and_left_alone(start: Start) -> None:
    first = start()
    assert start().supervisor == first.supervisor


def test_two_supervisors_never_share_a_folder(start: Start, tmp_path: Path) -> None:
    run = start()
    command = [sys.executable, *STAND_IN, "--home", str(tmp_path)]
    second = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert f"process {run.supervisor.pid}" in second.stderr
    assert live_run(tmp_path) is not None


def test_stopping_leaves_no_process_and_no_run_json(start: Start, tmp_path: Path) -> None:
    run = start("--roles", "split")
    assert len(processes_of(run)) == 1 + 1 + 2 * 3, "supervisor, issuer, and three roles of two services"
    assert stop(tmp_path)
    assert processes_of(run) == []
    assert not (tmp_path / RUN_FILE).exists()
    assert holder(tmp_path) is None
    assert not stop(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_polite_signal_stops_everything(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    run = start()
    os.kill(run.supervisor.pid, number)
    until(lambda: processes_of(run) == [])
    assert not (tmp_path / RUN_FILE).exists()


def test_a_second_signal_hurries_past_a_service_that_does_not_obey(start: Start) -> None:
    run = start("--second", "stubborn")
    begun = time.monotonic()
    os.kill(run.supervisor.pid, signal.SIGTERM)
    until(lambda: started_at(run.services["left"].pids["api"]) is None)
    assert Run.load(Path(run.home)).state == "stopping"
    os.kill(run.supervisor.pid, signal.SIGTERM)
    until(lambda: processes_of(run) == [])
    assert time.monotonic() - begun < 10


def test_a_service_that_cannot_start_is_named_with_its_last_words_and_nothing_is_left(
    start: Start, tmp_path: Path
) -> None:
    with pytest.raises(NotReady) as refused:
        start("--second", "broken")
    assert "right ended while starting (exit code 3)" in str(refused.value)
    assert "the stand-in was told to fail" in str(refused.value)
    assert not (tmp_path / RUN_FILE).exists()
    assert holder(tmp_path) is None


def test_steps_are_told_as_they_end(start: Start) -> None:
    said: list[str] = []
    start(said=said)
    assert any(line.startswith("left: ") and line.endswith(" s") for line in said)


def test_run_json_holds_secrets_and_is_for_its_owner_alone(start: Start, tmp_path: Path) -> None:
    start()
    assert (tmp_path / RUN_FILE).stat().st_mode & 0o777 == 0o600


def test_without_run_json_one_is_told_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="poec up"):
        Run.load(tmp_path)
