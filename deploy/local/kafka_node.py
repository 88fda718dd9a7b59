"""One broker of the embedded cluster: its settings file, its storage, its command line."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.class_archive import COLLECTOR, ClassArchive
from deploy.local.errors import LocalError
from deploy.local.files import make_private, write_private
from deploy.local.guarded import ServerCommand
from deploy.local.kafka_security import OPEN, Security
from deploy.local.ports import LOOPBACK

LOG_SETTINGS = Path(__file__).with_name("log4j2.yaml")
# A short-lived small heap; the quick compiler alone; what Java 25 says about other people's jars is not news.
JVM = (
    COLLECTOR,
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
    f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
)
HEAP = ("-Xms64m", "-Xmx256m")

# The dev table: quick first join, quick failure detection, nothing made by accident, small sparse files.
SETTINGS = {
    "process.roles": "broker,controller",
    "log.dirs": "data",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "log.retention.ms": "-1",
    "log.segment.bytes": "16777216",
    "log.index.size.max.bytes": "65536",
}


@dataclass(frozen=True)
class Node:
    """Place of one broker: its number (from 1), its two loopback ports, its directory id in the quorum."""

    id: int
    port: int
    controller_port: int
    directory_id: str

    @property
    def controller(self) -> str:
        """Its entry in the list of first controllers."""
        return f"{self.id}@{LOOPBACK}:{self.controller_port}:{self.directory_id}"


class NodeFiles:
    """The folder `home`/kafka/node-<n> and what is done in it with Java."""

    def __init__(self, home: Path, node: int, java: Path, jars: Sequence[Path]) -> None:
        self.folder = home / "kafka" / f"node-{node}"
        self.log = home / "logs" / f"kafka-{node}.log"
        self._node, self._java = node, java
        self._class_path = os.pathsep.join(map(str, jars))

    @property
    def data(self) -> Path:
        """The log folder of the broker."""
        return self.folder / "data"

    @property
    def settings(self) -> Path:
        """The generated server.properties; its path also is what an orphan is recognised by."""
        return self.folder / "server.properties"

    def write_settings(self, node: Node, all_nodes: Sequence[Node], security: Security | None) -> None:
        """Write server.properties anew (ports may have changed); paths in it are relative to the folder.

        Without `security` the broker lets everybody in.
        """
        make_private(self.folder)
        guarded = security.settings() if security else OPEN
        settings = SETTINGS | _placement(node, all_nodes, guarded["inter.broker.listener.name"]) | guarded
        lines = [f"{name}={value}" for name, value in settings.items()]
        write_private(self.settings, "\n".join(["# Written at every start.", *lines, ""]))

    def cluster_id(self) -> str | None:
        """The cluster that the data belong to; None when never, or only half, formatted."""
        try:
            lines = (self.data / "meta.properties").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        return next((line.partition("=")[2].strip() for line in lines if line.startswith("cluster.id=")), None)

    def format(self, cluster_id: str, controllers: Sequence[Node], archive: ClassArchive, security: Security) -> None:
        """Prepare empty storage with the brokers' own two users.

        What a killed run left half formatted (a folder only we write) is removed first.
        """
        shutil.rmtree(self.data, ignore_errors=True)
        quorum = ["--standalone"]
        if len(controllers) > 1:
            quorum = ["--initial-controllers=" + ",".join(node.controller for node in controllers)]
        # One word with "=": as two words, an id that begins with "-" would be taken for an option.
        with security.first_users(self.folder) as users:
            arguments = ["format", *quorum, f"--cluster-id={cluster_id}", "-c", str(self.settings), *users]
            done = subprocess.run(
                self._java_command([*JVM, *archive.use()], "kafka.tools.StorageTool", arguments),
                check=False,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
            )
        if done.returncode != 0:
            reason = "\n".join(f"  | {line}" for line in (done.stdout + done.stderr).splitlines()[-8:])
            raise LocalError(f"Apache Kafka's data folder {self.data} could not be formatted.\n{reason}")

    def command(self, archive_flags: Sequence[str]) -> ServerCommand:
        """How to run the broker."""
        return ServerCommand(
            name=f"Apache Kafka node {self._node}",
            command=self._java_command([*HEAP, *JVM, *archive_flags], "kafka.Kafka", [str(self.settings)]),
            log=self.log,
            record=self.folder / "server.json",
            marker=str(self.settings),
            cwd=str(self.folder),
        )

    def _java_command(self, flags: Sequence[str], main: str, arguments: Sequence[str]) -> list[str]:
        logs = f"-Dkafka.logs.dir={self.log.parent}"
        return [str(self._java), *flags, logs, "-cp", self._class_path, main, *arguments]


def _placement(node: Node, all_nodes: Sequence[Node], listener: str) -> dict[str, str]:
    brokers = len(all_nodes)
    copies, in_sync = str(min(3, brokers)), "2" if brokers >= 3 else "1"
    client = f"{listener}://{LOOPBACK}:{node.port}"
    return {
        "node.id": str(node.id),
        "controller.quorum.bootstrap.servers": ",".join(f"{LOOPBACK}:{n.controller_port}" for n in all_nodes),
        "listeners": f"{client},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": client,
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }
