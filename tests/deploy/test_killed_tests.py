"""Tests that are killed leave nothing behind: no process runs on, no data folder and no cluster stays."""

import json
import subprocess
import sys
from pathlib import Path

from deploy.local.guarded import started_at, wait_until
from deploy.local.lifecycle import processes_of, stop
from deploy.local.postgres_account import remove_data
from deploy.local.runfile import Run

ROOT = Path(__file__).parents[2]
TESTS = """
import sys
from pathlib import Path
from tests.support.stack import Stack
Stack(Path(sys.argv[1])).start()
print("started", flush=True)
sys.stdin.read()
"""


def test_what_tests_started_ends_when_they_are_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tests = subprocess.Popen(
        [sys.executable, "-c", TESTS, str(home)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert tests.stdout is not None and tests.stdout.readline() == b"started\n"
        processes = {pid: started_at(pid) for pid in processes_of(Run.load(home))}
        cluster = Path(json.loads((home / "postgres" / "place.json").read_text())["folder"])
        assert len(processes) > 12 and cluster.exists()
        tests.kill()
        assert wait_until(lambda: not any(started_at(pid) == begun for pid, begun in processes.items()), 90)
        assert wait_until(lambda: not home.exists(), 30) and not cluster.exists()
    finally:
        tests.kill()
        tests.wait()
        if home.exists():
            stop(home)
            remove_data(home)
