"""The brokers over TLS: what is said is encrypted, who is spoken to is proved, and all else is as without."""

import datetime as dt
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError
from cryptography import x509

from deploy.local.certificates import AUTHORITY, BROKER, LIFE, ensure_certificate
from deploy.local.kafka import EmbeddedKafka
from deploy.local.kafka_users import differences, ensure_users
from deploy.local.secrets import load_secrets
from deploy.local.topics import create_missing
from shared.contracts.flow import FICHES
from shared.messaging.clients import KafkaAccess, new_group_consumer, new_producer
from tests.support.tried import DENIED, OK, as_user, read, sign_in, written

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker with TLS on a data folder of before, whose brokers let everybody in and encrypted nothing."""
    home = tmp_path_factory.mktemp("tls") / "données, ici"
    before = _as_before(home)
    server = EmbeddedKafka(home, tls=True)
    server.prepare()
    server.start()
    try:
        server.wait_ready()
        assert server.cluster_id == before
        ensure_users(server.access, load_secrets(home).kafka)
        yield server
    finally:
        server.stop()


def _as_before(home: Path) -> str:
    """Make a folder as it was made before anybody had to sign in, with the topics and a record in one; return the cluster's id."""
    old = EmbeddedKafka(home)
    old.prepare()
    files = old._files[1]
    subprocess.run(["rm", "-r", str(files.data)], check=True)
    old._secured = False
    old._write_place()
    command = ["format", "--standalone", f"--cluster-id={old.cluster_id}", "-c", str(files.settings)]
    subprocess.run(files._java_command([], "kafka.tools.StorageTool", command), check=True, cwd=files.folder, capture_output=True)
    old.start()
    try:
        old.wait_ready()
        assert old.access == KafkaAccess(old.bootstrap_servers)
        create_missing(old.access)
    finally:
        old.stop()
    record = home / "kafka" / "cluster.json"
    record.write_text(record.read_text("utf-8").replace('"secured": false', '"unknown": 0'), "utf-8")
    return old.cluster_id


def worker(kafka: EmbeddedKafka) -> KafkaAccess:
    return as_user(kafka.access, "validation-worker", load_secrets(kafka.home).kafka["validation-worker"])


def relay(kafka: EmbeddedKafka) -> KafkaAccess:
    return as_user(kafka.access, "submission-relay", load_secrets(kafka.home).kafka["submission-relay"])


async def _carry(kafka: EmbeddedKafka, value: bytes) -> bytes | None:
    """Write as one user, read in the group of another; return what was read."""
    producer, consumer = new_producer(relay(kafka), "test"), new_group_consumer(worker(kafka), "validation", "validation-1")
    consumer.subscribe([FICHES])
    await producer.start()
    await consumer.start()
    try:
        await producer.send_and_wait(FICHES, value, key=b"key")
        record = await consumer.getone()
        await consumer.commit()
        found: bytes | None = record.value
        return found
    finally:
        await consumer.stop()
        await producer.stop()


async def test_a_folder_of_before_is_taken_over_with_its_topics_and_nobody_gets_in_unasked(kafka: EmbeddedKafka) -> None:
    assert create_missing(kafka.access) == []
    assert differences(kafka.access) == []
    for protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
        producer = new_producer(replace(kafka.access, security_protocol=protocol), "test")
        try:
            with pytest.raises(KafkaConnectionError):
                await producer.start()
        finally:
            await producer.stop()


async def test_rights_are_the_same_as_without(kafka: EmbeddedKafka) -> None:
    assert await written(relay(kafka), [FICHES]) == await read(worker(kafka), [FICHES]) == {FICHES: OK}
    assert await written(worker(kafka), [FICHES]) == {FICHES: DENIED}


async def test_records_and_groups_go_over_tls_also_after_a_restart(kafka: EmbeddedKafka) -> None:
    assert await _carry(kafka, b"first") in (b"{}", b"first")  # an earlier test's record may be read first
    kafka.restart(1)
    await _carry(kafka, b"second")
    assert sign_in(worker(kafka)) == OK


async def test_a_broker_whose_certificate_nobody_trusted_signed_is_not_spoken_to(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    other = ensure_certificate(tmp_path, dt.datetime.now(dt.UTC))
    for authority in (other, None):  # another's, and the system's own
        refused = replace(worker(kafka), ca_file=authority)
        producer = new_producer(refused, "test")
        try:
            with pytest.raises(KafkaConnectionError):
                await producer.start()
        finally:
            await producer.stop()
        assert sign_in(refused) == "_SSL"


def test_a_certificate_is_kept_while_it_lasts_and_made_anew_before_its_end(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path, NOW).read_bytes()
    assert ensure_certificate(tmp_path, NOW + LIFE - dt.timedelta(days=31)).read_bytes() == first
    assert ensure_certificate(tmp_path, NOW + LIFE - dt.timedelta(days=29)).read_bytes() != first


def test_a_half_made_certificate_is_made_again(tmp_path: Path) -> None:
    ensure_certificate(tmp_path, NOW)
    first = (tmp_path / AUTHORITY).read_bytes()
    (tmp_path / BROKER).write_text("half", "utf-8")
    assert ensure_certificate(tmp_path, NOW).read_bytes() != first


def test_the_certificate_is_for_this_machine_and_its_key_for_its_owner(tmp_path: Path) -> None:
    ensure_certificate(tmp_path, NOW)
    certificate, authority = x509.load_pem_x509_certificates((tmp_path / BROKER).read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert certificate.issuer == authority.subject
    assert (tmp_path / BROKER).stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" not in (tmp_path / AUTHORITY).read_text("utf-8")
    assert ssl.create_default_context(cafile=tmp_path / AUTHORITY).cert_store_stats()["x509_ca"] == 1
