"""The real supervisor over the real servers and services, as `python -m deploy.local`; only that a process can be armed.

Besides that it starts what died at once, however often that was: its growing back-off has tests of its own.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from deploy.local import supervisor
from deploy.local.errors import LocalError
from deploy.local.options import Options, real_services
from deploy.local.report import PlainReporter


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--roles", default="all")
    asked = parser.parse_args()
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
