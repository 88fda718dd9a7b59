"""The same two servers as containers, for `--infra docker`: Apache Kafka 4.3.1 and PostgreSQL 18, by testcontainers.

Their data live and die with the containers; testcontainers' own reaper removes them when we are killed. The engine must
be on this machine: ports are bound on loopback. Where none answers, `prepare` says so; nothing else is tried instead.
"""

import base64
import secrets
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from deploy.local.errors import LocalError, NotReady
from deploy.local.kafka import cluster_answers
from deploy.local.kafka_node import SETTINGS
from deploy.local.kafka_security import OPEN
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.secrets import load_secrets
from shared.messaging.clients import KafkaAccess

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

Progress = Callable[[int, int, str], None]
KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18"
_OF_THIS_MACHINE = ("log.dirs",)


def require_engine() -> None:
    """Return when a Docker engine answers; LocalError says what to do when none does or the client is missing."""
    try:
        client = import_module("testcontainers.core.docker_client")
        refused = import_module("docker.errors").DockerException
    except ModuleNotFoundError:
        raise LocalError(
            "--infra docker needs the package testcontainers: install the extra `docker` (pip install '.[docker]'), "
            "or leave --infra out to use the embedded servers."
        ) from None
    try:
        client.DockerClient().client.ping()
    except refused:
        raise LocalError(
            "No Docker engine answers (is it started, and may this account use it? see `docker info`). "
            "Leave --infra docker out to use the embedded servers: they need no Docker."
        ) from None


class _Container:
    """One container with one port on loopback."""

    def __init__(self, home: Path, image: str, inner_port: int) -> None:
        self.home, self.host, self._image, self._inner = home.absolute(), LOOPBACK, image, inner_port
        self.port = 0
        self._container: DockerContainer | None = None

    def prepare(self, progress: Progress = lambda *_: None) -> None:
        """Check that an engine answers; the image itself is pulled by the first start."""
        progress(0, 1, f"Docker: {self._image}")
        require_engine()
        progress(1, 1, f"Docker: {self._image}")

    def start(self) -> None:
        """Create and start the container on a free loopback port, pulling the image the first time."""
        from testcontainers.core.container import DockerContainer

        self.port = self.port or free_port()
        container = DockerContainer(self._image).with_envs(**self._environment())
        cast("dict[str, object]", container.ports)[f"{self._inner}/tcp"] = (LOOPBACK, self.port)
        self._container = container.start()

    def wait_ready(self, timeout: float = 120.0) -> None:
        """Return when the server inside answers; NotReady after `timeout` seconds or when the container ended."""
        deadline = time.monotonic() + timeout
        while not self._ready():
            if not self.alive() or time.monotonic() > deadline:
                raise NotReady(f"{self._image} did not become ready; see `docker logs` of its container.")
            time.sleep(0.2)

    def stop(self) -> None:
        """Remove the container with its data."""
        if self._container is not None:
            self._container.stop()
            self._container = None

    def alive(self) -> bool:
        """True while the container runs."""
        if self._container is None:
            return False
        self._container.reload()
        return bool(self._container.status == "running")

    def _restart(self, timeout: float) -> None:
        assert self._container is not None, "start() comes first"
        self._container.get_wrapped_container().restart()
        self.wait_ready(timeout)

    def _environment(self) -> dict[str, str]:
        raise NotImplementedError

    def _ready(self) -> bool:
        raise NotImplementedError


class DockerKafka(_Container):
    """One broker in a container; the same calls as EmbeddedKafka."""

    def __init__(self, home: Path, brokers: int = 1) -> None:
        if brokers != 1:
            raise LocalError("--infra docker runs one broker; three are there with the embedded servers only.")
        super().__init__(home, KAFKA_IMAGE, 9092)
        self.brokers = brokers
        self.cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:port` of the broker."""
        return f"{self.host}:{self.port}"

    @property
    def access(self) -> KafkaAccess:
        """Nobody signs in to the containers."""
        return KafkaAccess(self.bootstrap_servers)

    @property
    def pids(self) -> list[int]:
        """Empty: the processes belong to the engine."""
        return []

    def dead_nodes(self) -> list[int]:
        """[1] when the container ended, else []."""
        return [] if self._container is None or self.alive() else [1]

    def restart(self, node: int, timeout: float = 120.0) -> None:
        """Restart the container; its data stay."""
        self._restart(timeout)

    def _environment(self) -> dict[str, str]:
        """The settings of the embedded broker, spelled as the image wants them."""
        settings = {name: value for name, value in (SETTINGS | OPEN).items() if name not in _OF_THIS_MACHINE} | {
            "node.id": "1",
            "controller.quorum.voters": "1@localhost:9093",
            "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
        }
        named = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
        return named | {"CLUSTER_ID": self.cluster_id}

    def _ready(self) -> bool:
        return cluster_answers(self.access, self.cluster_id, 1)


class DockerPostgres(_Container):
    """PostgreSQL in a container; the same calls as EmbeddedPostgres."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, POSTGRES_IMAGE, 5432)

    @property
    def pid(self) -> int | None:
        """None: the process belongs to the engine."""
        return None

    @property
    def admin_url(self) -> str:
        """URL of the superuser; it holds the password."""
        return f"postgresql://postgres:{load_secrets(self.home).postgres}@{self.host}:{self.port}/postgres"

    def restart(self, timeout: float = 120.0) -> None:
        """Restart the container; its data stay."""
        self._restart(timeout)

    def _environment(self) -> dict[str, str]:
        return {"POSTGRES_PASSWORD": load_secrets(self.home).postgres, "POSTGRES_INITDB_ARGS": "--encoding=UTF8"}

    def _ready(self) -> bool:
        """The image's first, temporary server listens on a socket only: over TCP, the lasting one answers."""
        assert self._container is not None
        return bool(self._container.exec(["pg_isready", "-h", LOOPBACK, "-U", "postgres"]).exit_code == 0)
