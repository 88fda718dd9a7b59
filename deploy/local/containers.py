"""The same two servers in containers, for `--infra docker`: Apache Kafka and PostgreSQL by testcontainers.

Containers are removed at the stop, and by testcontainers' own reaper when we are killed. Their data go with them.
"""

import time
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.report import Progress
from deploy.local.secrets import load_secrets
from deploy.local.topics import admin_client

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18"


def _container(image: str) -> Any:
    try:
        from docker.errors import DockerException
        from testcontainers.core.container import DockerContainer
    except ImportError:
        raise LocalError("--infra docker needs the extra `docker`: pip install 'poec[docker]'.") from None
    try:
        return DockerContainer(image)
    except DockerException:
        raise LocalError(
            "No Docker engine answers; leave --infra docker out, or start it (DOCKER_HOST names another)."
        ) from None


class _Container:
    """A container on one loopback port; calls block."""

    def __init__(self, name: str, image: str, inner_port: int) -> None:
        self._name, self._image, self._inner_port = name, image, inner_port
        self._port = 0
        self._container: Any = None

    def prepare(self, progress: Progress) -> None:
        """Ask the engine whether it is there and choose a port; the image is fetched at the start if missing."""
        progress(0, 1, f"{self._name}: Docker engine")
        self._port = free_port()
        self._container = _container(self._image).with_bind_ports(self._inner_port, (LOOPBACK, self._port))
        for key, value in self.settings().items():
            self._container = self._container.with_env(key, value)
        progress(1, 1, f"{self._name}: Docker engine")

    def settings(self) -> dict[str, str]:
        """Environment of the container."""
        return {}

    def start(self) -> None:
        """Fetch the image if missing and start; returns before it is ready. LocalError with the engine's reason."""
        try:
            self._container.start()
        except Exception as failure:  # the engine's client raises a dozen kinds; all mean that it did not start
            raise LocalError(
                f"{self._name} did not start in Docker ({type(failure).__name__}): is the image reachable?"
            ) from None

    def stop(self) -> None:
        """Remove the container with its data."""
        if self._container is not None:
            self._container.stop()
            self._container = None

    def alive(self) -> bool:
        """True while the container runs."""
        if self._container is None:
            return False
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status == "running")

    def start_stopped(self, timeout: float = 60.0) -> None:
        """Start the same container again, with its data and its port."""
        self._container.get_wrapped_container().start()
        self.wait_ready(timeout)

    def wait_ready(self, timeout: float) -> None:
        """Overridden: return when the server answers."""
        raise NotImplementedError


class DockerKafka(_Container):
    """One broker."""

    def __init__(self) -> None:
        super().__init__("Apache Kafka", KAFKA_IMAGE, 9092)
        self.pids: list[int] = []
        self.cluster_id = ""

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:port`."""
        return f"{LOOPBACK}:{self._port}"

    def settings(self) -> dict[str, str]:
        """One node in KRaft mode that advertises the loopback port, with single replicas and no topic made by accident."""
        singles = ("OFFSETS_TOPIC", "TRANSACTION_STATE_LOG", "SHARE_COORDINATOR_STATE_TOPIC", "DEFAULT")
        return {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{self.bootstrap_servers}",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
            "KAFKA_LOG_RETENTION_MS": "-1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
            **{f"KAFKA_{name}_REPLICATION_FACTOR": "1" for name in singles},
        }

    def wait_ready(self, timeout: float) -> None:
        """Return when the broker answers; NotReady after `timeout` seconds."""
        admin, deadline = admin_client(self.bootstrap_servers), time.monotonic() + timeout
        while True:
            try:
                self.cluster_id = str(admin.list_topics(timeout=5).cluster_id)
                return
            except KafkaException:  # not yet
                if time.monotonic() > deadline:
                    raise NotReady(f"Apache Kafka in Docker did not answer in {timeout:.0f} s.") from None

    def dead_nodes(self) -> list[int]:
        """[1] when the container was started and no longer runs."""
        return [1] if self._container is not None and not self.alive() else []

    def restart(self, node: int) -> None:
        """Start the container again."""
        self.start_stopped()


class DockerPostgres(_Container):
    """One server with the superuser's password of this data folder."""

    pid: int | None = None

    def __init__(self, home: Path) -> None:
        super().__init__("PostgreSQL", POSTGRES_IMAGE, 5432)
        self._home = home

    @property
    def admin_url(self) -> str:
        """URL of the superuser; it holds the password."""
        return f"postgresql://postgres:{load_secrets(self._home).postgres}@{LOOPBACK}:{self._port}/postgres"

    def settings(self) -> dict[str, str]:
        """The superuser's password."""
        return {"POSTGRES_PASSWORD": load_secrets(self._home).postgres}

    def wait_ready(self, timeout: float) -> None:
        """Return when it accepts connections over TCP; NotReady after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self._container.exec(["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]).exit_code != 0:
            if time.monotonic() > deadline:
                raise NotReady(f"PostgreSQL in Docker was not ready after {timeout:.0f} s.")
            time.sleep(0.2)

    def restart(self) -> None:
        """Start the container again."""
        self.start_stopped()
