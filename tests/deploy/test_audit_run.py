"""How an audit runs: it looks again at what moved, says what it found, and says when it could not look."""

import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from deploy.audit import run as running
from deploy.audit.evidence import Sources
from deploy.audit.report import SHOWN, Finding, Report, show
from deploy.audit.run import INVARIANTS, sources_of
from deploy.audit.verdict import CouldNotLook, Verdict
from deploy.cli import app
from shared.messaging.clients import KafkaAccess

AT = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SOURCES = Sources({}, KafkaAccess("nowhere:1"))


def finding(*violations: str) -> Finding:
    return Finding("I7", "Counts agree.", Verdict(5, violations), 0.1)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each look finds, in turn, and the stamps around them."""
    made: dict[str, Any] = {"looks": iter(()), "stamps": iter(()), "settled": Verdict(1)}

    async def look(*_: Any) -> list[Finding]:
        return [next(made["looks"])]

    async def stamp(_: Sources) -> tuple[int, ...]:
        return (next(made["stamps"]),)

    async def settle(*_: Any) -> Verdict:
        found: Verdict = made["settled"]
        return found

    monkeypatch.setattr(running, "_look", look)
    monkeypatch.setattr(running, "stamp", stamp)
    monkeypatch.setattr(running, "settle", settle)
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 0.0)
    return made


def moving() -> Iterator[int]:
    return iter(range(100))


async def test_a_still_system_is_looked_at_once(world: dict[str, Any]) -> None:
    world |= {"looks": iter([finding("a")]), "stamps": iter([1, 1])}
    report = await running.audit(SOURCES)
    assert report.looks == 1 and not report.clean


async def test_what_is_found_only_once_while_things_move_is_none(world: dict[str, Any]) -> None:
    world |= {"looks": iter([finding("a"), finding("b")]), "stamps": moving()}
    report = await running.audit(SOURCES)
    assert report.looks == 2 and report.clean


async def test_what_is_found_at_every_look_is_a_violation(world: dict[str, Any]) -> None:
    looks = [finding("a", "b"), finding("a"), finding("a", "c"), finding("a", "d")]
    world |= {"looks": iter(looks), "stamps": moving()}
    report = await running.audit(SOURCES)
    assert report.looks == 4
    assert [f.verdict.violations for f in report.findings if f.id == "I7"] == [("a",)]


def log_lost() -> Finding:
    return replace(finding("not in the log"), id="I8")


async def test_a_log_that_was_lost_has_its_time_to_be_repaired(world: dict[str, Any]) -> None:
    world |= {"looks": iter([log_lost(), log_lost(), finding()]), "stamps": iter([1, 1, 1])}
    report = await running.audit(SOURCES)
    assert report.looks == 3 and report.clean


async def test_a_log_that_stays_lost_is_a_violation(world: dict[str, Any]) -> None:
    world |= {"looks": iter([log_lost()]), "stamps": iter([1, 1])}
    report = await running.audit(SOURCES, settle_seconds=0.0)
    assert report.looks == 1 and not report.clean


async def test_what_still_waits_is_a_violation(world: dict[str, Any]) -> None:
    world |= {"looks": iter([finding()]), "stamps": moving(), "settled": Verdict(1, ("outbox row 1",))}
    report = await running.audit(SOURCES)
    assert not report.clean and report.findings[0].id == "I3"


def test_the_report_lists_some_violations_and_tells_how_many_there_are() -> None:
    report = Report([finding(*(f"v{n}" for n in range(SHOWN + 5)))], 1, 0, 1.0, AT)
    said = report.as_json()
    assert (said["clean"], said["invariants"][0]["total"]) == (False, SHOWN + 5)
    assert len(said["invariants"][0]["violations"]) == SHOWN
    console = Console(width=120, file=io.StringIO(), record=True)
    show(report, console)
    shown = console.export_text()
    assert "… and 5 more" in shown and "NOT CLEAN" in shown


def test_every_invariant_of_the_promise_is_there_once() -> None:
    assert [one.id for one in INVARIANTS] == [f"I{n}" for n in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 19)]


def test_nothing_to_look_at_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match="poec up"):
        sources_of(tmp_path)


def test_the_command_ends_with_2_when_it_could_not_look(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["audit", "--json", "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stdout == ""


async def test_a_database_that_is_away_is_named_without_its_password() -> None:
    sources = Sources({"submission": "postgresql://audit:secret@127.0.0.1:1/submission"}, KafkaAccess("127.0.0.1:1"))
    with pytest.raises(CouldNotLook) as away:
        await running.audit(sources)
    assert "submission" in str(away.value) and "secret" not in str(away.value)


def test_the_json_of_a_clean_report_says_so() -> None:
    report = Report([finding()], 1, 7, 1.0, AT)
    assert json.loads(json.dumps(report.as_json()))["clean"] is True
