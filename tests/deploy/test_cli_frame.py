"""The frame of `poec`: what it lists, where it prints, how it ends."""

import ast
import datetime as dt
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import COMMANDS, app, load
from deploy.cli.config import examine, masked, unknown_keys
from deploy.local.business_clock import BusinessClock
from deploy.local.errors import DataFolderInUse
from deploy.local.lifecycle import READY, start_detached, stop
from deploy.local.removal import remove_home
from deploy.local.report import PlainReporter, with_figures
from deploy.local.runfile import Run
from tests.support.documents import ROOT

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


FRENCH = re.compile(r"\b(le|la|les|des|du|une|est|sont|pour|avec|dans|qui|et|par|sur|pas|ne|aucun|aucune)\b", re.IGNORECASE)
"""Small words that no French sentence does without, and no English one has; nouns of the field stay French in both (`Région`)."""
SAYING = {"LocalError", "explain", "step", "note"}


def said_to_operators(source: str) -> list[str]:
    """Return the texts of a command that go to standard error: errors, steps, notes, and what its console of errors prints."""
    said = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        on_stderr = called == "print" and "stderr" in ast.unparse(node.func)
        if called in SAYING or on_stderr:
            texts = (one for argument in node.args for one in ast.walk(argument) if isinstance(one, ast.Constant))
            said += [one.value for one in texts if isinstance(one.value, str)]
    return said


@pytest.mark.parametrize("name", COMMANDS)
def test_operators_are_spoken_to_in_english(name: str) -> None:
    within = getattr(load(name), "commands", {})
    for arguments in [[name, inner] for inner in within] or [[name]]:
        shown = CliRunner().invoke(app, [*arguments, "--help"]).output
        assert not FRENCH.findall(shown), arguments
    for file in (ROOT / "deploy" / "cli").glob("*.py"):
        assert not [text for text in said_to_operators(file.read_text("utf-8")) if FRENCH.search(text)], file.name


def test_a_french_sentence_among_what_operators_are_told_is_found() -> None:
    planted = """
def command():
    raise LocalError(f"Le fichier {file} est vide.")
    stderr_console().print("Rien ne tourne : aucun service.")
    stdout_console().print("Aucune ligne.")
"""
    assert [bool(FRENCH.search(text)) for text in said_to_operators(planted)] == [True, True, True]


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
    assert found["business_clock"] is None  # stand-ins have no database
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


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["--help"], ["config", "check"]], ids=" ".join)
def test_a_reader_who_has_gone_is_no_failure_that_is_spoken_of(home: Path, arguments: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "deploy.cli", *arguments]
    environment = {**os.environ, "POEC_HOME": str(home)}
    environment.pop("PYTHONUNBUFFERED", None)  # with it nothing is left to be said at the end
    with os.fdopen(theirs, "wb") as gone:
        done = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, text=True, timeout=60, check=False, env=environment)
    assert "BrokenPipe" not in done.stderr and "Broken pipe" not in done.stderr and "Traceback" not in done.stderr


def test_anchors_that_were_kept_are_not_written_over(tmp_path: Path) -> None:
    kept = tmp_path / "anchors.jsonl"
    kept.write_text("of yesterday", "utf-8")
    done = poec("audit", "--keep-anchors", str(kept), "--home", str(tmp_path))
    assert (done.returncode, kept.read_text("utf-8")) == (2, "of yesterday")
    assert "is there already" in done.stderr and "--force" in done.stderr
    forced = poec("audit", "--keep-anchors", str(kept), "--force", "--home", str(tmp_path))
    assert "is there already" not in forced.stderr and "poec up" in forced.stderr


def test_who_starts_it_in_the_background_is_told_once_that_it_is_ready(tmp_path: Path) -> None:
    said: list[str] = []
    try:
        start_detached(tmp_path, say=said.append, command=STAND_IN)
    finally:
        stop(tmp_path)
    assert said
    assert READY not in said


def test_data_is_removed_when_one_says_yes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    start_detached(tmp_path, command=STAND_IN)
    (tmp_path / "thesis.odt").write_text("mine", "utf-8")
    asked = poec("down", "--remove-data", "--home", str(tmp_path))  # nobody answers
    assert (asked.returncode, (tmp_path / "run.json").exists()) == (1, True)
    assert str(tmp_path / "secrets.json") in asked.stderr
    done = poec("down", "--remove-data", "--yes", "--home", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.odt"]


def test_the_cluster_that_lies_elsewhere_goes_too_but_not_a_copys(tmp_path: Path) -> None:
    first, copied, cluster = tmp_path / "first", tmp_path / "copied", tmp_path / "poec-cluster"
    cluster.mkdir()
    (cluster / "home").write_text(f"{first}\n", "utf-8")
    for folder in (first, copied):
        (folder / "postgres").mkdir(parents=True)
        (folder / "postgres" / "place.json").write_text(json.dumps({"folder": str(cluster)}), "utf-8")
    with pytest.raises(DataFolderInUse, match="is a copy of"):
        remove_home(copied)
    assert cluster.is_dir()
    assert cluster in remove_home(first)
    assert not cluster.exists() and not first.exists()


def test_a_clock_that_was_moved_says_the_day_and_who_moved_it() -> None:
    day = dt.datetime(2021, 12, 9, tzinfo=dt.UTC)
    assert str(BusinessClock(day, -150_000_000)) == "business clock: 2021-12-09, moved by the demo"
    assert str(BusinessClock(day, 0)) == "business clock: 2021-12-09"


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


def test_the_settings_of_all_services_are_shown_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real command, which asks each service in a process of its own."""
    for name in [name for name in os.environ if name.startswith("POEC_")]:
        monkeypatch.delenv(name)  # fault tests name some to the processes they start
    shown = poec("config", "check", "--json", POEC_HOME=str(tmp_path))
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["ok"]
    assert {"POEC_HOME", "POEC_DATABASE_URL", "POEC_AVIS_DELAY_DAYS"} <= {one["key"] for one in found["settings"]}
    wrong = poec("config", "check", POEC_HOME=str(tmp_path), POEC_POOL_SIZE="many", POEC_POOLSIZE="3")
    assert wrong.returncode == 1
    assert "POEC_POOLSIZE: nothing reads it; was POEC_POOL_SIZE meant?" in " ".join(wrong.stdout.split())


@pytest.mark.parametrize(("total", "text"), [(69, "mars (17 of 69)"), (1, "mars"), (0, "mars")])
def test_a_step_of_several_parts_shows_its_figures_once_on_a_terminal_and_in_a_pipe(
    total: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert with_figures(17, total, "mars") == text
    out = StringIO()
    seconds = itertools.count(0, 10)
    monkeypatch.setattr("deploy.local.report.time.monotonic", lambda: next(seconds))
    with PlainReporter(out).step("jouer") as advance:
        advance(17, total, "mars")
    assert out.getvalue().count("17 of") == (total > 1)
