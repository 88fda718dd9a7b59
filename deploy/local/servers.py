"""Kafka and PostgreSQL as the supervisor sees them: our own, or ones that the environment names."""

import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from confluent_kafka import KafkaException

from deploy.local.errors import NotReady
from deploy.local.options import Options
from deploy.local.report import Progress
from deploy.local.runfile import KafkaServer
from deploy.local.secrets import KAFKA_ADMIN, KAFKA_BROKER, load_secrets
from deploy.local.topics import admin_client
from shared.messaging.clients import KafkaAccess

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
    def access(self) -> KafkaAccess:
        """The administrator's access."""
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

    def __init__(self, access: KafkaAccess) -> None:
        self.access, self.bootstrap_servers, self.cluster_id = access, access.bootstrap_servers, ""
        self.pids: list[int] = []

    def prepare(self, progress: Progress) -> None:
        """Nothing to prepare."""

    def start(self) -> None:
        """Nothing to start."""

    def wait_ready(self, timeout: float) -> None:
        """Return when a broker answers; NotReady after `timeout` seconds, 15 at most."""
        timeout = min(timeout, EXTERNAL_SECONDS)
        admin, deadline = admin_client(self.access), time.monotonic() + timeout
        while True:
            try:
                self.cluster_id = str(admin.list_topics(timeout=2).cluster_id)
                return
            except KafkaException as failure:
                if time.monotonic() > deadline:
                    reason = failure.args[0].name()
                    raise NotReady(
                        f"Apache Kafka at {self.bootstrap_servers} did not answer in {timeout:.0f} s ({reason}): "
                        f"check POEC_KAFKA_BOOTSTRAP_SERVERS{self._also}."
                    ) from None

    @property
    def _also(self) -> str:
        """What may be wrong besides: a client that is not let in is told nothing."""
        if not self.access.signs_in:
            return ", and POEC_KAFKA_SECURITY_PROTOCOL if they ask for a password"
        return ", POEC_KAFKA_SECURITY_PROTOCOL, POEC_KAFKA_CA_FILE, POEC_KAFKA_ADMIN_USER and POEC_KAFKA_ADMIN_PASSWORD"

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


def describe_kafka(broker: Broker, home: Path) -> KafkaServer:
    """The brokers' part of run.json: where they are, and every user but the brokers' own with its password."""
    access, users = broker.access, dict[str, str]()
    if access.signs_in:
        kept = load_secrets(home).kafka
        users = {name: word for name, word in kept.items() if word and name not in (KAFKA_ADMIN, KAFKA_BROKER)}
        users[access.user] = access.password
    return KafkaServer(
        bootstrap_servers=broker.bootstrap_servers,
        security_protocol=access.security_protocol,
        sasl_mechanism=access.sasl_mechanism,
        ca_file=access.ca_file,
        admin_user=access.user,
        users=users,
        cluster_id=broker.cluster_id,
        pids=broker.pids,
    )


def choose_broker(options: Options) -> Broker:
    """The broker that the options name; the embedded one by default."""
    if options.kafka:
        return ExternalKafka(options.kafka)
    if options.docker:
        from deploy.local.docker import DockerKafka  # an optional dependency

        return DockerKafka(options.home, options.brokers)
    from deploy.local.kafka import EmbeddedKafka

    return EmbeddedKafka(options.home, options.brokers, tls=options.tls)


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
