"""What is logged of a failure: its kinds and places, never its message."""

import json
import subprocess
import sys

from shared.logs import described
from tests.support.documents import ROOT

SECRET = "zq7-ne-pas-repeter-7qz"
PROGRAM = f"""
import asyncio, logging
from shared.logs import configure, log

configure("toy", "toy-1")

class Given(Exception):
    sqlstate = "23505"

def inner():
    raise Given("{SECRET}")

def outer():
    try:
        inner()
    except Given as wrong:
        raise ValueError("{SECRET}") from wrong

try:
    outer()
except ValueError as failure:
    log("a").error("one", exc_info=failure)
    log("a").exception("two")
    logging.getLogger("third.party").exception("three")
    logging.getLogger("third.party").error("four", exc_info=failure)

async def task():
    outer()

async def main():
    job = asyncio.ensure_future(task())
    await asyncio.wait([job])
    del job
    import gc
    gc.collect()

asyncio.run(main())
"""


def test_a_failure_is_logged_without_its_message_whoever_logs_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines[:4]] == ["one", "two", "three", "four"]
    assert len(lines) == 5, "the task nobody waited for is logged too"
    assert [len(line["exception"]) for line in lines] == [2] * 5
    assert all(line["exception"][0].startswith("ValueError in") for line in lines)
    assert all("Given [23505]" in line["exception"][1] and "inner" in line["exception"][1] for line in lines)
    assert SECRET not in done.stderr + done.stdout


def test_a_chain_without_end_is_cut() -> None:
    failure: Exception | None = None
    for n in range(50):
        one = ValueError(str(n))
        one.__cause__ = failure
        failure = one
    assert failure is not None
    assert len(described(failure)) == 5
