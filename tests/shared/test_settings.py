"""The settings every process has: what is missing or unsafe is named at start, secrets never."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.settings import ServiceSettings

GOOD = {
    "POEC_MODE": "production",
    "POEC_DATABASE_URL": "postgresql://validation:secret-7qz@db.invalid/validation",
    "POEC_KAFKA_BOOTSTRAP_SERVERS": "kafka.invalid:9092",
    "POEC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "POEC_ISSUER": "https://issuer.invalid",
    "POEC_JWKS_URL": "https://issuer.invalid/jwks",
    "POEC_INSTANCE": "validation-1",
}


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("POEC_"):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def wrong() -> list[str]:
    """Return the settings that are not accepted."""
    with pytest.raises(ValidationError) as found:
        ServiceSettings()
    return sorted(f"POEC_{str(error['loc'][0]).upper()}" for error in found.value.errors())


def test_good_settings_are_taken() -> None:
    assert ServiceSettings().mode == "production"


def test_everything_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        monkeypatch.delenv(name)
    assert wrong() == sorted(GOOD)


def test_a_value_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POEC_HTTP_PORT", "eighty")
    monkeypatch.setenv("POEC_MODE", "test")
    assert wrong() == ["POEC_HTTP_PORT", "POEC_MODE"]


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://from-a-file\n", "utf-8")
    (tmp_path / "password").write_text(" 7qz\r\n", "utf-8")
    monkeypatch.setenv("POEC_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("POEC_KAFKA_RELAY_PASSWORD_FILE", str(tmp_path / "password"))
    settings = ServiceSettings()
    assert settings.database_url.get_secret_value() == GOOD["POEC_DATABASE_URL"], (
        "the variable holds, and is objected to"
    )
    monkeypatch.delenv("POEC_DATABASE_URL")
    settings = ServiceSettings()
    assert settings.database_url.get_secret_value() == "postgresql://from-a-file"
    assert settings.kafka_relay_password
    assert settings.kafka_relay_password.get_secret_value() == " 7qz", "blanks may belong to a secret"


@pytest.mark.parametrize("held", [None, b"\xff\xfe", b"x" * 20_000])
def test_a_file_that_holds_no_secret_is_as_a_missing_one(
    held: bytes | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if held is not None:
        (tmp_path / "url").write_bytes(held)
    monkeypatch.delenv("POEC_DATABASE_URL")
    monkeypatch.setenv("POEC_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert wrong() == ["POEC_DATABASE_URL"]


def test_only_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "issuer").write_text("https://another.invalid", "utf-8")
    monkeypatch.setenv("POEC_ISSUER_FILE", str(tmp_path / "issuer"))
    assert ServiceSettings().issuer == GOOD["POEC_ISSUER"]


def test_a_secret_is_never_shown() -> None:
    assert "7qz" not in repr(ServiceSettings())
    assert "7qz" not in str(ServiceSettings().model_dump())


def test_a_process_of_its_own_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with one name throw each other out of the group: there is no default."""
    monkeypatch.delenv("POEC_INSTANCE")
    assert wrong() == ["POEC_INSTANCE"]
