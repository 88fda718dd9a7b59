"""The real supervisor over the real Kafka and PostgreSQL, with no service: `python -m tests.support.bare_supervisor`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.options import options_from
from deploy.local.report import PlainReporter
from deploy.local.supervisor import run_supervisor


def main() -> int:
    """As `python -m deploy.local`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    try:
        run_supervisor(replace(options_from(parser.parse_args().home), services=()), PlainReporter(), lambda run: None)
    except LocalError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
