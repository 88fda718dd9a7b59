"""The supervisor as a process of its own: `python -m deploy.local --home FOLDER`, started by `poec up --detach`.

Exit codes: 0 stopped in order, 1 could not start, 130 stopped while starting.
"""

import argparse
import sys
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.lifecycle import READY
from deploy.local.options import options_from
from deploy.local.report import PlainReporter
from deploy.local.supervisor import Interrupted, run_supervisor


def main() -> int:
    """Run until SIGTERM; steps and restarts go to standard error, one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--brokers", type=int, default=1)
    parser.add_argument("--roles", default="all")
    parser.add_argument("--infra", default="embedded")
    parser.add_argument("--tls", action="store_true")
    asked = parser.parse_args()
    reporter = PlainReporter()
    try:
        options = options_from(asked.home, brokers=asked.brokers, roles=asked.roles, infra=asked.infra, tls=asked.tls)
        run_supervisor(options, reporter, lambda run: reporter.note(READY))
    except Interrupted as stopped:
        reporter.note(str(stopped))
        return 130
    except LocalError as failure:
        reporter.note(f"error: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
