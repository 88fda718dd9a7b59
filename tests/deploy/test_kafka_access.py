"""Who may do what at the brokers: every cell of the table tried on a real broker, as that user, and refused by it where it must be."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from deploy.local.errors import LocalError
from deploy.local.guarded import wait_until
from deploy.local.kafka import EmbeddedKafka
from deploy.local.kafka_users import differences, drop, ensure_users, make_user, rights, rotate, words
from deploy.local.secrets import load_secrets
from deploy.local.topics import admin_client, create_missing
from shared.contracts.access import USERS, Access, access_of
from shared.contracts.flow import SERVICES, TOPICS, ingress_topic, results_topic
from shared.contracts.references import OPCOS
from shared.messaging.clients import KafkaAccess, confluent_settings, may_mean, new_producer
from tests.support.tried import ALL, DENIED, DENIED_GROUP, OK, as_user, committed, read, sign_in, written

NAMES = [access.user for access in USERS]
PARTNERS = [access.user for access in USERS if access.group_prefix]
GROUPS = (
    *SERVICES,
    *(f"{name}.reader" for name in PARTNERS),
    *PARTNERS,  # without the dot it is nobody's
    "akto-2.reader",
    "submission-2",
    "unheard-of",
)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker with the topics and users of the tables, and one record in every topic."""
    server = EmbeddedKafka(tmp_path_factory.mktemp("access"))
    server.prepare()
    server.start()
    try:
        server.wait_ready()
        create_missing(server.access)
        ensure_users(server.access, passwords(server))
        assert set(asyncio.run(written(server.access)).values()) == {OK}
        yield server
    finally:
        server.stop()


def passwords(server: EmbeddedKafka) -> dict[str, str]:
    return load_secrets(server.home).kafka


def access(server: EmbeddedKafka, user: str) -> KafkaAccess:
    return as_user(server.access, user, passwords(server)[user])


@pytest.mark.parametrize("user", NAMES)
async def test_a_user_writes_the_topics_of_its_row_and_no_other(kafka: EmbeddedKafka, user: str) -> None:
    may = access_of(user).writes
    assert await written(access(kafka, user)) == {topic: OK if topic in may else DENIED for topic in ALL}


@pytest.mark.parametrize("user", NAMES)
async def test_a_user_reads_the_topics_of_its_row_and_no_other(kafka: EmbeddedKafka, user: str) -> None:
    may = access_of(user).reads
    assert await read(access(kafka, user)) == {topic: OK if topic in may else DENIED for topic in ALL}


@pytest.mark.parametrize("user", NAMES)
def test_a_user_commits_for_the_groups_of_its_row_and_no_other(kafka: EmbeddedKafka, user: str) -> None:
    row = access_of(user)
    found = committed(access(kafka, user), row.reads[0], GROUPS)
    assert found == {group: OK if row.may_use(group) else DENIED_GROUP for group in GROUPS}


def test_an_opco_writes_its_ingress_and_reads_its_results_and_nothing_else() -> None:
    for opco in OPCOS:
        row = access_of(opco)
        assert (row.writes, row.reads) == ((ingress_topic(opco),), (results_topic("submission", opco),))
        assert (row.group, row.group_prefix) == (None, f"{opco}.")


def test_nobody_but_its_writer_writes_a_topic_and_nobody_unnamed_reads_it() -> None:
    """The table beside the flow, the other way round: per topic, not per user."""
    for topic in TOPICS:
        writer = f"{topic.writer}-relay" if topic.writer in SERVICES else topic.writer
        readers = {f"{name}-worker" if name in SERVICES else name for name in topic.readers} | {"audit"}
        readers |= {"operations", f"{topic.writer}-relay"} if topic.writer in SERVICES else set()
        assert [row.user for row in USERS if topic.name in row.writes] == [writer]
        assert {row.user for row in USERS if topic.name in row.reads} == readers


def test_the_broker_has_the_users_and_rights_of_the_table_and_no_other(kafka: EmbeddedKafka) -> None:
    assert differences(kafka.access) == []
    assert ensure_users(kafka.access, passwords(kafka)) == []


async def test_a_right_too_many_is_found_used_and_taken_back(kafka: EmbeddedKafka) -> None:
    foreign = ingress_topic("atlas")
    planted = AclBinding(
        *(ResourceType.TOPIC, foreign, ResourcePatternType.LITERAL, "User:akto", "*"),
        *(AclOperation.WRITE, AclPermissionType.ALLOW),
    )
    admin = admin_client(kafka.access)
    admin.create_acls([planted])[planted].result(20)
    line = f"right is not in the table: {words(planted)}"
    until_said(kafka, [line])
    assert await written(access(kafka, "akto"), [foreign]) == {foreign: OK}
    assert ensure_users(kafka.access, passwords(kafka)) == [f"taken back: {words(planted)}"]
    assert await written(access(kafka, "akto"), [foreign]) == {foreign: DENIED}


async def test_a_right_and_a_user_that_are_missing_are_found_and_made(kafka: EmbeddedKafka) -> None:
    drop(kafka.access, "dreets")  # never there: nothing happens
    drop(kafka.access, "akto")
    lost = sorted(f"right is missing: {words(right)}" for right in rights(access_of("akto")))
    assert differences(kafka.access) == [*lost, "user akto is missing"]
    assert sign_in(access(kafka, "akto")) == "_AUTHENTICATION"
    assert len(ensure_users(kafka.access, passwords(kafka))) == 4
    assert await written(access(kafka, "akto"), [ingress_topic("akto")]) == {ingress_topic("akto"): OK}


async def test_a_user_that_the_table_does_not_know_is_found_and_may_do_nothing(kafka: EmbeddedKafka) -> None:
    make_user(kafka.access, Access("stranger"), "a-strangers-word")
    assert differences(kafka.access) == ["user stranger is not in the table"]
    assert differences(kafka.access, foreign=False) == []
    stranger = as_user(kafka.access, "stranger", "a-strangers-word")
    assert set((await written(stranger)).values()) == set((await read(stranger)).values()) == {DENIED}
    drop(kafka.access, "stranger")
    assert differences(kafka.access) == []


def test_a_user_without_a_password_here_is_left_alone(kafka: EmbeddedKafka) -> None:
    """Disabled: a start must not make it again."""
    drop(kafka.access, "afdas")
    assert ensure_users(kafka.access, passwords(kafka) | {"afdas": ""}) == []
    assert "user afdas is missing" in differences(kafka.access)
    ensure_users(kafka.access, passwords(kafka))
    assert differences(kafka.access) == []


@pytest.mark.parametrize(
    ("user", "password"), [("akto", "wrong"), ("nobody", "wrong"), ("admin", ""), ("broker", "wrong"), ("akto", None)]
)
def test_who_does_not_know_the_password_is_not_let_in(kafka: EmbeddedKafka, user: str, password: str | None) -> None:
    word = passwords(kafka)["atlas"] if password is None else password  # another's is as wrong as any
    assert sign_in(as_user(kafka.access, user, word)) == "_AUTHENTICATION" if word else "_INVALID_ARG"


async def test_what_a_refused_sign_in_may_mean_is_said_without_the_password(kafka: EmbeddedKafka) -> None:
    refused = as_user(kafka.access, "akto", "wr0ng-w0rd")
    producer = new_producer(refused, "test")
    try:
        with pytest.raises(KafkaConnectionError) as failure:
            await producer.start()
    finally:
        await producer.stop()
    meaning = may_mean(failure.value, refused)
    assert meaning is not None and "akto" in meaning and "wrong password" in meaning
    assert "wr0ng-w0rd" not in f"{meaning}{refused!r}"
    assert may_mean(failure.value, KafkaAccess("127.0.0.1:1")) is None
    assert may_mean(ValueError(), refused) is None


async def test_who_does_not_sign_in_at_all_is_not_let_in(kafka: EmbeddedKafka) -> None:
    producer = new_producer(replace(kafka.access, security_protocol="PLAINTEXT"), "test")
    try:
        with pytest.raises(KafkaConnectionError):
            await producer.start()
    finally:
        await producer.stop()


async def test_a_password_is_replaced_and_a_user_dropped_while_a_client_runs(kafka: EmbeddedKafka) -> None:
    topic, user = ingress_topic("uniformation"), "uniformation"
    old, new = access(kafka, user), as_user(kafka.access, user, "another-word-of-some-length")
    running = new_producer(old, user)
    await running.start()
    try:
        await running.send_and_wait(topic, b"{}")
        rotate(kafka.access, user, new.password)
        assert (sign_in(old), sign_in(new)) == ("_AUTHENTICATION", OK)
        await running.send_and_wait(topic, b"{}")
        drop(kafka.access, user)
        with pytest.raises(TopicAuthorizationFailedError) as failure:
            await running.send_and_wait(topic, b"{}")
        assert "no right" in str(may_mean(failure.value, new))
        assert sign_in(new) == "_AUTHENTICATION"
        with pytest.raises(LocalError, match="has no user uniformation"):
            rotate(kafka.access, user, new.password)
    finally:
        await running.stop()
        for _ in range(2):  # twice is once
            make_user(kafka.access, access_of(user), old.password)
    assert differences(kafka.access) == []
    assert sign_in(old) == OK


def test_an_idempotent_producer_needs_no_more_than_the_right_to_write(kafka: EmbeddedKafka) -> None:
    producer, told = Producer({**confluent_settings(access(kafka, "akto"), "test"), "enable.idempotence": True}), list[object]()
    producer.produce(ingress_topic("akto"), b"{}", on_delivery=lambda error, _: told.append(error))
    assert (producer.flush(20), told) == (0, [None])


def test_no_password_is_on_a_command_line_or_open_to_other_accounts(kafka: EmbeddedKafka) -> None:
    secret = set(passwords(kafka).values())
    for pid in kafka.pids:
        line = Path(f"/proc/{pid}/cmdline")
        if line.exists():  # Linux
            assert not [word for word in secret if word in line.read_text()]
    files = [path for path in kafka.home.rglob("*") if path.is_file() and "data" not in path.relative_to(kafka.home).parts]
    holding = [path for path in files if any(word in path.read_text("utf-8", "replace") for word in secret)]
    assert {path.name for path in holding} == {"secrets.json", "server.properties"}
    assert {path.stat().st_mode & 0o777 for path in holding} == {0o600}


def until_said(kafka: EmbeddedKafka, lines: list[str]) -> None:
    """The broker says a change some moments after the controller took it."""
    wait_until(lambda: differences(kafka.access) == lines, 20)
    assert differences(kafka.access) == lines
