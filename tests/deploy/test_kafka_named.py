"""Brokers that the environment names: how one signs in there is read once, and what is wrong is said at once, without its value."""

from pathlib import Path

import pytest

from deploy.local.databases import DatabaseUrls
from deploy.local.errors import LocalError
from deploy.local.options import options_from
from deploy.local.processes import Surroundings
from deploy.local.runfile import Issuer, KafkaServer

SERVERS = {"POEC_KAFKA_BOOTSTRAP_SERVERS": "kafka.invalid:9092"}
SIGNED_IN = {
    **SERVERS,
    "POEC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "POEC_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "POEC_KAFKA_CA_FILE": __file__,
    "POEC_KAFKA_ADMIN_USER": "boss",
    "POEC_KAFKA_ADMIN_PASSWORD": "secret-7qz",
}


def test_the_administrators_access_is_as_the_environment_says(tmp_path: Path) -> None:
    access = options_from(tmp_path, SIGNED_IN).kafka
    assert access is not None
    assert (access.security_protocol, access.sasl_mechanism, access.user) == ("SASL_SSL", "SCRAM-SHA-512", "boss")
    assert (access.password, access.ca_file) == ("secret-7qz", Path(__file__))
    assert "7qz" not in repr(options_from(tmp_path, SIGNED_IN)) + repr(access)


def test_brokers_that_ask_nobody_need_no_more_than_their_address(tmp_path: Path) -> None:
    access = options_from(tmp_path, SERVERS).kafka
    assert access is not None and not access.signs_in


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"POEC_KAFKA_ADMIN_PASSWORD": ""}, "POEC_KAFKA_ADMIN_PASSWORD are needed"),
        ({"POEC_KAFKA_ADMIN_USER": ""}, "POEC_KAFKA_ADMIN_USER"),
        ({"POEC_KAFKA_SECURITY_PROTOCOL": "SSL"}, "POEC_KAFKA_SECURITY_PROTOCOL is one of PLAINTEXT, SASL_PLAINTEXT, SASL_SSL"),
        ({"POEC_KAFKA_SASL_MECHANISM": "PLAIN"}, "POEC_KAFKA_SASL_MECHANISM is one of SCRAM-SHA-256, SCRAM-SHA-512"),
        ({"POEC_KAFKA_CA_FILE": "/nowhere"}, "POEC_KAFKA_CA_FILE names no file"),
        ({"POEC_KAFKA_BOOTSTRAP_SERVERS": ""}, "is for brokers that POEC_KAFKA_BOOTSTRAP_SERVERS names"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, str], named: str) -> None:
    with pytest.raises(LocalError, match=named) as wrong:
        options_from(tmp_path, SIGNED_IN | changes)
    assert "7qz" not in str(wrong.value)


def test_everything_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    changes = {"POEC_KAFKA_SASL_MECHANISM": "PLAIN", "POEC_KAFKA_CA_FILE": "/nowhere", "POEC_KAFKA_ADMIN_USER": ""}
    with pytest.raises(LocalError) as wrong:
        options_from(tmp_path, SIGNED_IN | changes)
    assert str(wrong.value).count("POEC_KAFKA_") == 4  # the administrator's two belong together


@pytest.mark.parametrize("environment", [SERVERS, {}])
def test_tls_is_for_the_embedded_brokers(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(LocalError, match="--tls is for the embedded brokers"):
        options_from(tmp_path, environment, tls=True, infra="embedded" if environment else "docker")
    assert options_from(tmp_path, {}, tls=True).tls


@pytest.mark.parametrize(
    ("role", "given"), [("all", {"WORKER", "RELAY"}), ("worker", {"WORKER"}), ("relay", {"RELAY"}), ("api", set[str]())]
)
def test_a_process_gets_the_passwords_of_its_roles_alone(role: str, given: set[str]) -> None:
    users = {f"{service}-{of}": f"{service}-{of}-word" for service in ("submission", "validation") for of in ("worker", "relay")}
    kafka = KafkaServer(bootstrap_servers="127.0.0.1:1", security_protocol="SASL_PLAINTEXT", users=users | {"admin": "admins-word"})
    issuer = Issuer(url="u", issuer="i", token_url="t", jwks_url="j")
    around = Surroundings(kafka, issuer, {"submission": DatabaseUrls("owner", "process", "audit")})
    environment = around.environment("submission", "submission-1", role)
    assert {key for key, value in environment.items() if value.endswith("-word")} == {f"POEC_KAFKA_{of}_PASSWORD" for of in given}
    assert "word" not in str(around.environment("submission", "submission-1", role, owner=True))


def test_run_json_gives_no_access_to_a_user_it_does_not_know() -> None:
    kafka = KafkaServer(bootstrap_servers="127.0.0.1:1", security_protocol="SASL_PLAINTEXT", users={"akto": "secret-7qz"})
    assert kafka.access("akto").password == "secret-7qz"
    assert "7qz" not in repr(kafka)
    with pytest.raises(LocalError, match="no Kafka user atlas"):
        kafka.access("atlas")
