"""A service's process as it is started: what it prints, and the exit code that says why it does not run."""

import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.certificates import ensure_certificate
from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from shared.contracts.flow import SERVICES
from shared.crash import POINTS
from shared.production.start import EXIT_SETTINGS
from tests.support.documents import ROOT
from tests.support.production import good, write_files
from tests.support.servers import Servers


def started(*arguments: str, name: str = "validation", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m services.<name> …` without any setting but these."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POEC_")}
    return subprocess.run(
        [sys.executable, "-m", f"services.{name}", *arguments],
        cwd=ROOT, env={**environment, **settings}, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def test_a_task_that_is_none_is_wrong_use() -> None:
    done = started("everything")
    assert done.returncode == 2
    assert "all|api|worker|relay|migrate|openapi" in done.stderr
    assert done.stdout == ""


def test_settings_that_are_missing_are_all_named_and_nothing_starts() -> None:
    done = started("all", POEC_HTTP_PORT="eighty", POEC_DATABASE_URL="postgresql://x:secret-7qz@db.invalid/x")
    assert done.returncode == EXIT_SETTINGS
    named = {line.split(":")[0] for line in done.stderr.splitlines()}
    assert {
        "POEC_MODE",
        "POEC_KAFKA_BOOTSTRAP_SERVERS",
        "POEC_ISSUER",
        "POEC_JWKS_URL",
        "POEC_INSTANCE",
        "POEC_HTTP_PORT",
    } <= named
    assert "7qz" not in done.stdout + done.stderr


UNSAFE = {
    "POEC_MODE": "production",
    "POEC_DATABASE_URL": "postgresql://postgres:secret-7qz@127.0.0.1/x",
    "POEC_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "POEC_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
    "POEC_KAFKA_WORKER_PASSWORD": "secret-7qz",
    "POEC_ISSUER": "http://sign-in.7qz.example",
    "POEC_JWKS_URL": "https://localhost/7qz",
    "POEC_INSTANCE": "one",
    "POEC_PUBLIC_URL": "http://7qz.example/a",
    "POEC_TRUSTED_PROXIES": "*",
    "POEC_CRASH_POINT": "relay.after_send",
    "POEC_LOG_LEVEL": "DEBUG",
    "POEC_KAFKA_PASSWORD": "7qz",
    "POEC_FIRST_ADMINISTRATOR": "7qz",
    "POEC_POOL_SIZE": "many-7qz",
    "FAKETIME": "-7qz",
}
FOUND = {
    "SETTING_WRONG", "SETTING_UNKNOWN", "CRASH_POINT_SET", "FIRST_ADMINISTRATOR_LEFT", "CLOCK_FAKED", "DEVELOPMENT_CODE",
    "ISSUER_NOT_HTTPS", "JWKS_LOOPBACK", "PUBLIC_URL_NOT_HTTPS", "PUBLIC_URL_MALFORMED", "PROXIES_EVERYBODY", "PORT_RANDOM",
    "KAFKA_NOT_SASL_SSL", "KAFKA_MECHANISM_WEAK", "KAFKA_PASSWORD_MISSING", "KAFKA_LOOPBACK", "SECRET_SHORT", "SECRET_SHARED",
    "DATABASE_ROLE", "DATABASE_LOOPBACK", "CONNECTIONS_CONTRADICT", "LOG_LEVEL",
}  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_a_process_in_production_refuses_and_names_everything_at_once(name: str) -> None:
    done = started("all", name=name, **UNSAFE)
    assert done.returncode == EXIT_SETTINGS
    *lines, logged = done.stderr.splitlines()
    codes = [line.split(": ")[1] for line in lines]
    assert set(codes) - {"RUNNING_AS_ROOT"} == FOUND
    said = json.loads(logged)
    assert said["event"] == "refused_to_start"
    assert [code for code, _ in said["findings"]] == codes
    assert "7qz" not in done.stdout + done.stderr


def test_an_installation_without_development_code_passes_with_good_settings(tmp_path: Path) -> None:
    """As in an image: `services` and `shared` alone; who runs the tests as root is told so, and of nothing else."""
    for package in ("services", "shared"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    write_files(tmp_path, ensure_certificate(tmp_path, dt.datetime.now(dt.UTC)).read_text("utf-8"))
    path = os.pathsep.join([str(tmp_path), *(entry for entry in sys.path if entry.endswith("site-packages"))])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POEC_", "PYTHON", "LD_"))}
    done = subprocess.run(
        [sys.executable, "-S", "-m", "services.publication", "check", "--json"], cwd=tmp_path, check=False, timeout=60,
        env={**kept, **good("publication", tmp_path), "PYTHONPATH": path}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [finding["code"] for finding in found["findings"]] == (["RUNNING_AS_ROOT"] if os.geteuid() == 0 else [])
    assert done.returncode == (EXIT_SETTINGS if found["findings"] else 0)


def test_a_migration_takes_the_owners_address_from_a_file_and_verified_tls_alone(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://x_owner:7qz@db.invalid/x", "utf-8")
    done = started("migrate", POEC_MODE="production", POEC_DATABASE_URL_FILE=str(tmp_path / "url"))
    assert done.returncode == EXIT_SETTINGS
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["DATABASE_NOT_VERIFIED"]
    assert "7qz" not in done.stderr
    done = started("migrate")
    assert done.returncode == EXIT_SETTINGS
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["SETTING_MISSING"]


@pytest.mark.parametrize("name", ["7qz Administrator", "é7qz", "migration", "topic:7qz", "validation:7qz", "x" * 101, "7qz\n"])
def test_a_first_administrator_who_can_be_none_is_one_line_and_nothing_is_migrated(name: str) -> None:
    url = "postgresql://x_owner:7qz@db.invalid/x"  # nothing is asked there: it would fail
    done = started("migrate", POEC_MODE="local", POEC_DATABASE_URL=url, POEC_FIRST_ADMINISTRATOR=name)
    assert done.returncode == EXIT_SETTINGS
    (line,) = done.stderr.splitlines()
    assert line.startswith("POEC_FIRST_ADMINISTRATOR: FIRST_ADMINISTRATOR_WRONG: ") and "7qz" not in line


async def test_a_first_administrator_who_is_somebody_elses_machine_is_one_line_too(servers: Servers) -> None:
    name, role = f"validation_{uuid4().hex[:12]}", "validation_owner"
    admin = await asyncpg.connect(servers.postgres.admin_url)
    await admin.execute(f"CREATE DATABASE {name} OWNER {role}")
    await admin.close()
    url = database_url(servers.postgres.admin_url, name, role, load_secrets(servers.home).roles[role])
    assert started("migrate", POEC_MODE="local", POEC_DATABASE_URL=url).returncode == 0
    owner = await asyncpg.connect(url)
    await owner.execute(
        "INSERT INTO principal (id, kind, organisation, roles, state, version, audit_hash, changed_at)"
        " VALUES ('akto-7qz', 'machine', 'akto', '[\"opco\"]', 'active', 1, '', now())"
    )
    await owner.close()
    done = started("migrate", POEC_MODE="local", POEC_DATABASE_URL=url, POEC_FIRST_ADMINISTRATOR="akto-7qz")
    assert done.returncode == EXIT_SETTINGS
    (line,) = done.stderr.splitlines()
    assert line.startswith("POEC_FIRST_ADMINISTRATOR: FIRST_ADMINISTRATOR_WRONG: ") and "organisation" in line
    assert "7qz" not in line
    assert started("migrate", POEC_MODE="local", POEC_DATABASE_URL=url, POEC_FIRST_ADMINISTRATOR="ops").returncode == 0


def test_the_document_needs_no_settings_and_no_server() -> None:
    done = started("openapi")
    assert done.returncode == 0
    assert json.loads(done.stdout)["info"]["title"] == "POEC validation"


CRASH = """
import asyncio
from shared.crash import crash_point
for n in range(3):
    print(n, flush=True)
    asyncio.run(crash_point("{}"))
"""


@pytest.mark.parametrize(("told", "printed"), [("", 3), (POINTS[0], 1), (f"{POINTS[0]}:2", 2), (POINTS[1], 3)])
def test_a_process_dies_where_it_is_told_to_and_nowhere_else(told: str, printed: int) -> None:
    environment = {**os.environ, "POEC_CRASH_POINT": told}
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(POINTS[0])],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert len(done.stdout.split()) == printed
    assert done.returncode == (0 if printed == 3 else -signal.SIGKILL)


def test_every_crash_point_is_somewhere_in_the_product() -> None:
    files = [path for room in ("shared", "services") for path in (ROOT / room).rglob("*.py") if path.name != "crash.py"]
    passed = [point for path in files for point in re.findall(r'crash_point\("([^"]+)"\)', path.read_text("utf-8"))]
    assert sorted(passed) == sorted([*POINTS, "http.before_answer"])  # a file of fiches has a door of its own
