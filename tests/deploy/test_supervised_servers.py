"""Kafka and PostgreSQL under the supervisor: started again when killed, gone when it is killed, topics from the flow table."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.errors import NotReady
from deploy.local.guarded import wait_until
from deploy.local.lifecycle import processes_of, start_detached, stop
from deploy.local.runfile import Run
from deploy.local.secrets import load_secrets
from deploy.local.servers import ExternalKafka
from deploy.local.topics import admin_client, compare, create_missing
from shared.messaging.clients import KafkaAccess

BARE = ("-m", "tests.support.bare_supervisor")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("supervised")
    start_detached(folder, command=BARE)
    yield folder
    stop(folder)


def _back(home: Path, what: str) -> bool:
    run = Run.load(home)
    return run.state == "ready" and any(restart.what == what for restart in run.restarts)


def test_the_broker_has_the_topics_of_the_flow_table_and_no_other(home: Path) -> None:
    rows = compare(Run.load(home).kafka.admin)
    assert rows
    assert [row.difference for row in rows if row.difference] == []
    assert create_missing(Run.load(home).kafka.admin) == []


def test_poec_topics_fails_on_a_foreign_topic_and_names_it(home: Path) -> None:
    admin = admin_client(Run.load(home).kafka.admin)
    before = CliRunner().invoke(app, ["topics", "--json", "--home", str(home)])
    assert before.exit_code == 0, before.output
    admin.create_topics([NewTopic("by.accident", num_partitions=1, replication_factor=1)])["by.accident"].result()
    assert wait_until(lambda: "by.accident" in admin.list_topics(timeout=5).topics, 10)
    after = CliRunner().invoke(app, ["topics", "--json", "--home", str(home)])
    admin.delete_topics(["by.accident"])["by.accident"].result()
    assert after.exit_code == 1
    assert [row["name"] for row in json.loads(after.stdout)["topics"] if row["difference"]] == ["by.accident"]


def test_a_killed_broker_and_a_killed_database_are_started_again_where_they_were(home: Path) -> None:
    before = Run.load(home)
    assert before.postgres.pid is not None
    os.kill(before.kafka.pids[0], signal.SIGKILL)
    os.kill(before.postgres.pid, signal.SIGKILL)
    assert wait_until(lambda: _back(home, "kafka.1") and _back(home, "postgres"), 40)
    after = Run.load(home)
    assert after.kafka.bootstrap_servers == before.kafka.bootstrap_servers
    assert after.kafka.cluster_id == before.kafka.cluster_id
    assert after.kafka.pids != before.kafka.pids
    assert after.postgres.port == before.postgres.port


def test_servers_named_in_the_environment_are_used_and_left_running(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Run.load(home)
    login = f"postgres:{load_secrets(home).postgres}"
    shutil.copy(
        home / "secrets.json", tmp_path
    )  # the same passwords, or provisioning would change them under the others
    monkeypatch.setenv("POEC_KAFKA_BOOTSTRAP_SERVERS", own.kafka.bootstrap_servers)
    monkeypatch.setenv("POEC_KAFKA_SECURITY_PROTOCOL", own.kafka.security_protocol)
    monkeypatch.setenv("POEC_KAFKA_ADMIN_USER", own.kafka.admin_user)
    monkeypatch.setenv("POEC_KAFKA_ADMIN_PASSWORD", own.kafka.users[own.kafka.admin_user])
    monkeypatch.setenv("POEC_DATABASE_URL", f"postgresql://{login}@{own.postgres.host}:{own.postgres.port}/postgres")
    guest = start_detached(tmp_path, command=BARE)
    assert (guest.infra, guest.kafka.pids, guest.postgres.pid) == ("external", [], None)
    assert guest.kafka.cluster_id == own.kafka.cluster_id
    assert stop(tmp_path)
    assert processes_of(own) == processes_of(Run.load(home))
    assert set(own.kafka.pids) <= set(processes_of(own))


def test_brokers_that_do_not_answer_are_named_with_the_variable_to_check() -> None:
    with pytest.raises(NotReady, match="POEC_KAFKA_BOOTSTRAP_SERVERS"):
        ExternalKafka(KafkaAccess("127.0.0.1:1")).wait_ready(0.1)


def test_when_the_supervisor_is_killed_the_servers_go_with_it_and_a_new_start_finds_their_data(home: Path) -> None:
    before = Run.load(home)
    os.kill(before.supervisor.pid, signal.SIGKILL)
    assert wait_until(lambda: processes_of(before) == [], 20)
    after = start_detached(home, command=BARE)
    assert after.kafka.cluster_id == before.kafka.cluster_id
