"""The real supervisor over stand-in services, without Kafka and PostgreSQL: `python -m tests.support.standin_supervisor`."""

import argparse
import sys
from pathlib import Path
from typing import ClassVar

from deploy.local.databases import DatabaseUrls
from deploy.local.errors import LocalError
from deploy.local.lifecycle import READY
from deploy.local.options import Options, ServiceSpec
from deploy.local.report import PlainReporter, Progress
from deploy.local.runfile import Run
from deploy.local.servers import ExternalPostgres
from deploy.local.supervisor import Ground, run_supervisor
from shared.messaging.clients import KafkaAccess

NAMES = ("left", "right")


class NoKafka:
    """A broker that nobody needs."""

    pids: ClassVar[list[int]] = []
    bootstrap_servers, cluster_id = "127.0.0.1:1", "none"
    access = KafkaAccess("127.0.0.1:1")

    def prepare(self, progress: Progress) -> None:
        progress(1, 1, "nothing to prepare")

    def start(self) -> None: ...
    def wait_ready(self, timeout: float) -> None: ...
    def stop(self) -> None: ...
    def dead_nodes(self) -> list[int]:
        return []

    def restart(self, node: int) -> None: ...


async def _no_databases(admin_url: str, home: Path) -> dict[str, DatabaseUrls]:
    return {name: DatabaseUrls(*(f"postgresql://{kind}@nowhere/{name}" for kind in ("o", "p", "a"))) for name in NAMES}


async def _nobody(run: Run) -> None:
    """Stand-in services know nobody."""


def main() -> int:
    """As `python -m deploy.local`; --second tells the second service to be `broken` or `stubborn`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--roles", default="all")
    parser.add_argument("--second", default=NAMES[1])
    asked = parser.parse_args()
    command = ("-m", "tests.support.standin_service")
    services = [ServiceSpec(NAMES[0], (*command, NAMES[0])), ServiceSpec(NAMES[1], (*command, asked.second))]
    options = Options(asked.home, split=asked.roles == "split", services=tuple(services))
    ground = Ground(NoKafka(), ExternalPostgres("postgresql://nobody@127.0.0.1:1/none"), _no_databases, lambda _: [], _nobody)
    print(READY, file=sys.stderr, flush=True)  # a real one says it last, and who waits may or may not read it then
    try:
        run_supervisor(options, PlainReporter(), lambda run: None, ground)
    except LocalError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
