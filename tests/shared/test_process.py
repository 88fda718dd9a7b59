"""A service's process as it is started: what it prints, and the exit code that says why it does not run."""

import json
import os
import signal
import subprocess
import sys

import pytest

from shared.crash import POINTS
from shared.service import EXIT_SETTINGS
from tests.support.documents import ROOT


def started(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m services.validation …` without any setting but these."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POEC_")}
    return subprocess.run(
        [sys.executable, "-m", "services.validation", *arguments],
        cwd=ROOT, env={**environment, **settings}, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def test_a_task_that_is_none_is_wrong_use() -> None:
    done = started("everything")
    assert done.returncode == 2
    assert "all|api|worker|relay|migrate|openapi" in done.stderr
    assert done.stdout == ""


def test_settings_that_are_missing_are_all_named_and_nothing_starts() -> None:
    done = started("all", POEC_HTTP_PORT="eighty", POEC_DATABASE_URL="postgresql://x:secret-7qz@db.invalid/x")
    assert done.returncode == EXIT_SETTINGS
    named = {line.split(":")[0] for line in done.stderr.splitlines()}
    assert {
        "POEC_MODE",
        "POEC_KAFKA_BOOTSTRAP_SERVERS",
        "POEC_ISSUER",
        "POEC_JWKS_URL",
        "POEC_INSTANCE",
        "POEC_HTTP_PORT",
    } <= named
    assert "7qz" not in done.stdout + done.stderr


def test_the_document_needs_no_settings_and_no_server() -> None:
    done = started("openapi")
    assert done.returncode == 0
    assert json.loads(done.stdout)["info"]["title"] == "POEC validation"


CRASH = """
import asyncio
from shared.crash import crash_point
for n in range(3):
    print(n, flush=True)
    asyncio.run(crash_point("{}"))
"""


@pytest.mark.parametrize(("told", "printed"), [("", 3), (POINTS[0], 1), (f"{POINTS[0]}:2", 2), (POINTS[1], 3)])
def test_a_process_dies_where_it_is_told_to_and_nowhere_else(told: str, printed: int) -> None:
    environment = {**os.environ, "POEC_CRASH_POINT": told}
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(POINTS[0])],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert len(done.stdout.split()) == printed
    assert done.returncode == (0 if printed == 3 else -signal.SIGKILL)


def test_every_crash_point_is_somewhere_in_the_product() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "shared").rglob("*.py") if path.name != "crash.py")
    assert [point for point in POINTS if f'crash_point("{point}")' not in source] == []
    assert source.count('crash_point("') == len(POINTS)
