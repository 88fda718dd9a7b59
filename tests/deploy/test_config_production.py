"""`poec config check --production`: the services are asked in processes of their own, and all they say is shown."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.certificates import ensure_certificate
from shared.contracts.flow import SERVICES
from tests.support.production import DATABASE, RELAY, WORKER, good, write_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("production")
    write_files(made, ensure_certificate(made, dt.datetime.now(dt.UTC)).read_text("utf-8"))
    return made


def checked(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with no other setting than these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POEC_", "PYTHON", "LD_"))}
    command = [sys.executable, "-m", "deploy.cli", "config", "check", "--production", *arguments]
    whole = {**kept, "COLUMNS": "250", **environment}
    return subprocess.run(
        command, env=whole, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


def test_every_service_passes_with_a_good_configuration(folder: Path) -> None:
    done = checked({**good("validation", folder), "POEC_HOME": str(folder)}, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["ok"]) == (0, True), answer
    assert [one["service"] for one in answer["services"]] == list(SERVICES)
    assert all(one["findings"] == [] for one in answer["services"])


def test_everything_is_shown_at_once_with_what_is_waived_and_without_a_value(folder: Path) -> None:
    unsafe = {
        **good("validation", folder),
        "POEC_MODE": "local",
        "POEC_ISSUER": "http://sign-in.poec.example",
        "POEC_CRASH_POINT": "relay.after_send",
        "POEC_KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
        "POEC_WAIVERS": "KAFKA_MECHANISM_WEAK: the brokers are of another team; KAFKA_LOOPBACK: nobody knows any more",
        "POEC_AVIS_DELAY": "15",
    }
    done = checked(unsafe, "--service", "validation", "--connect")
    assert done.returncode == 1
    for code in (
        "MODE_NOT_PRODUCTION",
        "ISSUER_NOT_HTTPS",
        "CRASH_POINT_SET",
        "SETTING_UNKNOWN",
        "DATABASE_UNREACHABLE",
    ):
        assert code in done.stdout
    assert "Was POEC_AVIS_DELAY_DAYS meant?" in done.stdout
    assert "waived KAFKA_MECHANISM_WEAK (POEC_KAFKA_SASL_MECHANISM): the brokers are of another team" in done.stdout
    assert "KAFKA_LOOPBACK: this waiver was not needed" in done.stdout
    assert "5 findings" in done.stdout
    for secret in (DATABASE, WORKER, RELAY, "poec.example"):
        assert secret not in done.stdout + done.stderr


def test_a_role_of_a_service_is_asked_alone(folder: Path) -> None:
    environment = {**good("analytics", folder)}
    del environment["POEC_KAFKA_RELAY_PASSWORD"]
    assert checked(environment, "--service", "analytics", "--role", "worker").returncode == 0
    assert "KAFKA_PASSWORD_MISSING" in checked(environment, "--service", "analytics").stdout


def test_a_service_or_role_that_is_none_is_wrong_use() -> None:
    assert checked({}, "--service", "nobody").returncode == 2
    assert checked({}, "--role", "nobody").returncode == 2
