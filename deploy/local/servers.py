"""Kafka and PostgreSQL as the supervisor sees them: our own, or ones that the environment names."""

import time
from typing import Protocol
from urllib.parse import urlsplit

from confluent_kafka import KafkaException

from deploy.local.errors import NotReady
from deploy.local.options import Options
from deploy.local.report import Progress
from deploy.local.topics import admin_client


class Broker(Protocol):
    """Apache Kafka: calls block, in the order prepare, start, wait_ready, stop."""

    def prepare(self, progress: Progress) -> None: ...
    def start(self) -> None: ...
    def wait_ready(self, timeout: float) -> None: ...
    def stop(self) -> None: ...
    def dead_nodes(self) -> list[int]: ...
    def restart(self, node: int) -> None: ...
    @property
    def pids(self) -> list[int]: ...
    @property
    def bootstrap_servers(self) -> str: ...
    @property
    def cluster_id(self) -> str: ...


class Database(Protocol):
    """PostgreSQL: calls block, in the order prepare, start, wait_ready, stop."""

    def prepare(self, progress: Progress) -> None: ...
    def start(self) -> None: ...
    def wait_ready(self, timeout: float) -> None: ...
    def stop(self) -> None: ...
    def alive(self) -> bool: ...
    def restart(self) -> None: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def admin_url(self) -> str: ...


class ExternalKafka:
    """Brokers that somebody else runs; we only wait until they answer."""

    pids: list[int] = []

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers, self.cluster_id = bootstrap_servers, ""

    def prepare(self, progress: Progress) -> None:
        """Nothing to prepare."""

    def start(self) -> None:
        """Nothing to start."""

    def wait_ready(self, timeout: float) -> None:
        """Return when a broker answers; NotReady after `timeout` seconds."""
        admin, deadline = admin_client(self.bootstrap_servers), time.monotonic() + timeout
        while True:
            try:
                self.cluster_id = str(admin.list_topics(timeout=5).cluster_id)
                return
            except KafkaException as failure:
                if time.monotonic() > deadline:
                    reason = failure.args[0].name()
                    raise NotReady(
                        f"Apache Kafka at {self.bootstrap_servers} did not answer in {timeout:.0f} s ({reason}): "
                        "check POEC_KAFKA_BOOTSTRAP_SERVERS."
                    ) from None

    def stop(self) -> None:
        """Not ours to stop."""

    def dead_nodes(self) -> list[int]:
        """Not ours to watch."""
        return []

    def restart(self, node: int) -> None:
        """Not ours to restart."""


class ExternalPostgres:
    """A server that somebody else runs; provisioning finds out whether it lets us in."""

    pid: int | None = None

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    def prepare(self, progress: Progress) -> None:
        """Nothing to prepare."""

    def start(self) -> None:
        """Nothing to start."""

    def wait_ready(self, timeout: float) -> None:
        """Nothing to wait for: provisioning asks the server."""

    def stop(self) -> None:
        """Not ours to stop."""

    def alive(self) -> bool:
        """Not ours to watch."""
        return True

    def restart(self) -> None:
        """Not ours to restart."""


def choose_broker(options: Options) -> Broker:
    """The broker that the options name; the embedded one by default."""
    if options.kafka:
        return ExternalKafka(options.kafka)
    if options.docker:
        from deploy.local.containers import DockerKafka  # an optional dependency

        return DockerKafka()
    from deploy.local.kafka import EmbeddedKafka

    return EmbeddedKafka(options.home, options.brokers)


def choose_database(options: Options) -> Database:
    """The database server that the options name; the embedded one by default."""
    if options.database:
        return ExternalPostgres(options.database)
    if options.docker:
        from deploy.local.containers import DockerPostgres  # an optional dependency

        return DockerPostgres(options.home)
    from deploy.local.postgres import EmbeddedPostgres

    return EmbeddedPostgres(options.home)


def host_and_port(url: str) -> tuple[str, int]:
    """Host and port of a database URL; 5432 when it names none."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 5432
