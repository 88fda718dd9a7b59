"""Kafka and PostgreSQL as the supervisor sees them: our own, or ones that the environment names."""

import time
from typing import Protocol
from urllib.parse import urlsplit

from confluent_kafka import KafkaException

from deploy.local.errors import NotReady
from deploy.local.options import Options
from deploy.local.report import Progress
from deploy.local.topics import admin_client

EXTERNAL_SECONDS = 15.0  # servers that somebody else runs are expected to run


class Broker(Protocol):
    """Apache Kafka: calls block, in the order prepare, start, wait_ready, stop."""

    def prepare(self, progress: Progress) -> None:
        """Fetch and make what is missing; `progress` is told."""
        ...

    def start(self) -> None:
        """Start; returns before it is ready."""
        ...

    def wait_ready(self, timeout: float) -> None:
        """Return when it answers as ours; NotReady after `timeout` seconds."""
        ...

    def stop(self) -> None:
        """Stop in good order; nothing happens when it does not run."""
        ...

    def dead_nodes(self) -> list[int]:
        """Numbers of the nodes that were started and no longer run."""
        ...

    def restart(self, node: int) -> None:
        """Start a node again and wait until the cluster answers."""
        ...

    @property
    def pids(self) -> list[int]:
        """Pids of the brokers that are ours."""
        ...

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, with commas."""
        ...

    @property
    def cluster_id(self) -> str:
        """The id that the cluster gives itself."""
        ...


class Database(Protocol):
    """PostgreSQL: calls block, in the order prepare, start, wait_ready, stop."""

    def prepare(self, progress: Progress) -> None:
        """Fetch and make what is missing; `progress` is told."""
        ...

    def start(self) -> None:
        """Start; returns before it is ready."""
        ...

    def wait_ready(self, timeout: float) -> None:
        """Return when it answers as ours; NotReady after `timeout` seconds."""
        ...

    def stop(self) -> None:
        """Stop in good order; nothing happens when it does not run."""
        ...

    def alive(self) -> bool:
        """True while the server runs."""
        ...

    def restart(self) -> None:
        """Start it again on the same port and wait until it is ready."""
        ...

    @property
    def pid(self) -> int | None:
        """Pid of the server when it is ours."""
        ...

    @property
    def admin_url(self) -> str:
        """URL of a superuser; it holds the password."""
        ...


class ExternalKafka:
    """Brokers that somebody else runs; we only wait until they answer."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers, self.cluster_id = bootstrap_servers, ""
        self.pids: list[int] = []

    def prepare(self, progress: Progress) -> None:
        """Nothing to prepare."""

    def start(self) -> None:
        """Nothing to start."""

    def wait_ready(self, timeout: float) -> None:
        """Return when a broker answers; NotReady after `timeout` seconds, 15 at most."""
        timeout = min(timeout, EXTERNAL_SECONDS)
        admin, deadline = admin_client(self.bootstrap_servers), time.monotonic() + timeout
        while True:
            try:
                self.cluster_id = str(admin.list_topics(timeout=2).cluster_id)
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
        from deploy.local.docker import DockerKafka  # an optional dependency

        return DockerKafka(options.home, options.brokers)
    from deploy.local.kafka import EmbeddedKafka

    return EmbeddedKafka(options.home, options.brokers)


def choose_database(options: Options) -> Database:
    """The database server that the options name; the embedded one by default."""
    if options.database:
        return ExternalPostgres(options.database)
    if options.docker:
        from deploy.local.docker import DockerPostgres  # an optional dependency

        return DockerPostgres(options.home)
    from deploy.local.postgres import EmbeddedPostgres

    return EmbeddedPostgres(options.home)


def host_and_port(url: str) -> tuple[str, int]:
    """Host and port of a database URL; 5432 when it names none."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 5432
