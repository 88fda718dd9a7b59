"""The real supervisor over the real servers and services, as `python -m deploy.local`; only that a process can be armed.

Besides that it starts what died at once, however often that was: its growing back-off has tests of its own. And it ends with the tests
that started it, however they ended: who kills them finds nothing that runs on.
"""

import argparse
import dataclasses
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

from deploy.local import supervisor
from deploy.local.errors import LocalError
from deploy.local.options import Options, real_services
from deploy.local.postgres_account import remove_data
from deploy.local.report import PlainReporter


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--roles", default="all")
    parser.add_argument("--starter", type=int, required=True, help="pid of the tests")
    asked = parser.parse_args()
    starter = psutil.Process(asked.starter)
    threading.Thread(target=_end_with, args=(starter,), daemon=True).start()
    supervisor.LONGEST_RETRY = supervisor.FIRST_RETRY
    services = tuple(
        dataclasses.replace(spec, command=("-m", "tests.support.armed", spec.name)) for spec in real_services()
    )
    options = Options(asked.home, split=asked.roles == "split", services=services)
    reporter = PlainReporter()
    try:
        supervisor.run_supervisor(options, reporter, lambda run: reporter.note("Ready."))
    except LocalError as failure:
        reporter.note(f"error: {failure}")
        return 1
    if _is_gone(starter):
        remove_data(asked.home)
        shutil.rmtree(asked.home)
    return 0


def _is_gone(starter: psutil.Process) -> bool:
    try:
        return not starter.is_running() or starter.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _end_with(starter: psutil.Process) -> None:
    """Wait until the tests are gone, then stop as on SIGTERM."""
    while not _is_gone(starter):
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
