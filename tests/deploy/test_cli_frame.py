"""The frame of `poec`: what it lists, where it prints, how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import COMMANDS, app, load
from deploy.cli.config import examine, masked, unknown_keys
from deploy.local.lifecycle import start_detached, stop
from deploy.local.runfile import Run

STAND_IN = ("-m", "tests.support.standin_supervisor")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("frame")
    start_detached(folder, command=STAND_IN)
    yield folder
    stop(folder)


def poec(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", *arguments]
    whole = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=whole)


def test_help_lists_every_command_without_loading_any_of_them() -> None:
    code = (
        "import sys; from deploy.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'confluent_kafka', 'aiokafka', 'asyncpg', 'fastapi', 'pydantic', 'httpx', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.rstrip().endswith("[]")
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_its_exit_codes_in_its_help(name: str) -> None:
    within = getattr(load(name), "commands", {})
    for arguments in [[name, inner] for inner in within] or [[name]]:
        shown = CliRunner().invoke(app, [*arguments, "--help"])
        assert shown.exit_code == 0, shown.output
        assert "xit code" in shown.output, arguments


def test_an_unknown_command_is_wrong_use() -> None:
    assert poec("upp").returncode == 2


def test_status_of_a_folder_where_nothing_runs(tmp_path: Path) -> None:
    done = poec("status", "--json", POEC_HOME=str(tmp_path))
    assert done.returncode == 3
    assert json.loads(done.stdout)["state"] == "stopped"


def test_status_in_json_has_what_operators_look_for_and_no_secret(home: Path) -> None:
    done = poec("status", "--json", "--home", str(home))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["state"] == "ready"
    assert set(found["services"]) == {"left", "right"}
    assert set(found["services"]["left"]["pids"]) == {"api", "worker", "relay"}
    assert {"supervisor", "issuer", "left", "right"} == {process["name"] for process in found["processes"]}
    assert all(process["alive"] for process in found["processes"])
    assert found["restarts"] == []
    secrets = [client.client_secret for client in Run.load(home).clients.values()]
    assert secrets
    assert not any(secret in done.stdout for secret in secrets)
    assert "postgresql://" not in done.stdout


def test_status_for_people_is_a_table_on_standard_output(home: Path) -> None:
    done = poec("status", "--home", str(home))
    assert done.stdout.startswith("ready since ")
    assert Run.load(home).services["left"].url in done.stdout
    assert done.stderr == ""


def test_up_on_a_folder_that_runs_says_so_and_changes_nothing(home: Path) -> None:
    before = Run.load(home)
    for arguments in (["up", "--detach"], ["up"]):
        done = poec(*arguments, "--home", str(home))
        assert done.returncode == 0, done.stderr
        assert "Runs already." in done.stderr
        assert done.stdout == ""
    assert Run.load(home).supervisor == before.supervisor


def test_up_refuses_what_contradicts_itself(tmp_path: Path) -> None:
    done = poec("up", "--infra", "docker", POEC_HOME=str(tmp_path), POEC_DATABASE_URL="postgresql://me:secret@h/d")
    assert done.returncode == 1
    assert "unset POEC_KAFKA_BOOTSTRAP_SERVERS" in done.stderr
    assert "secret" not in done.stderr


def test_down_where_nothing_runs_is_no_failure(tmp_path: Path) -> None:
    done = poec("down", "--home", str(tmp_path))
    assert done.returncode == 0
    assert "Nothing ran" in done.stderr


def test_topics_without_a_run_explains_itself_in_one_line(tmp_path: Path) -> None:
    done = poec("topics", "--home", str(tmp_path))
    assert done.returncode == 1
    assert "poec up" in done.stderr
    assert "Traceback" not in done.stderr


ROW = {"key": "POEC_LOG_LEVEL", "meaning": "Level.", "default": "INFO", "secret": False, "wrong": None}


def test_a_setting_comes_from_its_default_or_from_the_environment() -> None:
    def found(environment: dict[str, str]) -> tuple[str | None, str]:
        report = examine(environment, {"submission": [ROW], "validation": [ROW]})
        [setting] = [setting for setting in report.settings if setting.key == "POEC_LOG_LEVEL"]
        assert setting.read_by == ["submission", "validation"]
        return setting.value, setting.origin

    assert found({}) == ("INFO", "default")
    assert found({"POEC_LOG_LEVEL": "DEBUG"}) == ("DEBUG", "environment")


def test_a_name_that_nothing_reads_is_named_with_what_was_meant() -> None:
    assert unknown_keys({"POEC_LOG_LEVL": "x", "PATH": "/"}, ["POEC_LOG_LEVEL"]) == {"POEC_LOG_LEVL": "POEC_LOG_LEVEL"}
    assert not examine({"POEC_LOG_LEVL": "x"}, {"submission": [ROW]}).ok


def test_passwords_are_masked() -> None:
    assert masked("postgresql://me:secret@host:1/db", False) == "postgresql://me:***@host:1/db"
    assert masked("secret", True) == "***"
    assert masked("http://host", False) == "http://host"


def test_the_settings_of_all_services_are_shown_and_judged(tmp_path: Path) -> None:
    """The real command, which asks each service in a process of its own."""
    shown = poec("config", "check", "--json", POEC_HOME=str(tmp_path))
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["ok"]
    assert {"POEC_HOME", "POEC_DATABASE_URL", "POEC_AVIS_DELAY_DAYS"} <= {one["key"] for one in found["settings"]}
    wrong = poec("config", "check", POEC_HOME=str(tmp_path), POEC_POOL_SIZE="many", POEC_POOLSIZE="3")
    assert wrong.returncode == 1
    assert "POEC_POOLSIZE: nothing reads it; was POEC_POOL_SIZE meant?" in " ".join(wrong.stdout.split())
