"""What the year must add up to, and how a difference shows."""

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.audit.report import Finding, Report
from deploy.audit.verdict import Verdict
from deploy.cli import demo as command
from deploy.demo import screen
from deploy.demo.counts import counted
from deploy.demo.curve import monthly_curve
from deploy.demo.figures import compared, differences, expected, shown
from deploy.demo.play import Played
from deploy.local.clients import Client
from deploy.local.report import PlainReporter
from deploy.local.runfile import (
    START_PAGE,
    Issuer,
    KafkaServer,
    PostgresServer,
    Run,
    ServiceProcesses,
    SupervisorProcess,
)
from services.submission.pages import PAGES

WANTED = {figure.name: figure.expected for figure in expected()}


def test_the_minutes_totals_are_what_is_expected() -> None:
    assert (WANTED["validated"], WANTED["engaged"], WANTED["ais"]) == (209, 187, 1_679)
    assert (WANTED["mean_hours"], WANTED["committed"]) == (339, 8_976_000)
    assert WANTED["declared.next_year"] == 178


def test_opco_and_month_tables_add_up_to_the_totals() -> None:
    for name in ("engaged", "ais"):
        assert sum(n for key, n in WANTED.items() if key.startswith("opco.") and key.endswith(name)) == WANTED[name]
        assert sum(n for key, n in WANTED.items() if key.startswith("month.") and key.endswith(name)) == WANTED[name]


def test_the_22_validated_and_not_engaged_are_all_there() -> None:
    cancelled = sum(n for key, n in WANTED.items() if key.startswith("cancelled."))
    assert cancelled + WANTED["postponed.next_year"] == WANTED["validated"] - WANTED["engaged"] == 22


def test_equal_counts_have_no_difference() -> None:
    assert differences(compared(expected(), WANTED)) == ()


def test_a_planted_difference_is_named_with_both_figures() -> None:
    found = differences(compared(expected(), {**WANTED, "ais": 1_678}))
    assert found == ("AIS, annulées déduites\u202f: 1\u202f678 au lieu de 1\u202f679 (ais)",)


def test_a_figure_that_nobody_counted_is_a_difference() -> None:
    left_out = {name: n for name, n in WANTED.items() if name != "month.4.ais"}
    assert differences(compared(expected(), left_out)) == ("AIS, avril\u202f: — au lieu de 203 (month.4.ais)",)


def test_a_bilan_is_read_under_the_names_of_the_figures() -> None:
    bilan = {
        "indicators": [{"code": "validated", "value": 209}, {"code": "return_to_work", "value": None}],
        "not_engaged": [{"code": "ENVELOPPE", "count": 3}],
        "avis": [{"code": "CONCURRENT", "count": 7}],
        "by_opco": [{"key": "akto", "validated": 84, "engaged": 77, "ais": 693}],
        "by_month": [{"key": "2021-04", "engaged": 22, "ais": 203}],
    }
    found = counted(bilan)
    assert found == {name: WANTED[name] for name in found}
    assert len(found) == 8


@pytest.mark.parametrize(
    ("number", "text"), [(8_976_000, "8\u202f976\u202f000"), (339.0, "339"), (8.975, "8,97"), (None, "—")]
)
def test_numbers_are_written_in_french(number: float | None, text: str) -> None:
    assert shown(number) == text


def test_the_curve_shows_every_value_and_month() -> None:
    values = [70, 97, 124, 203, 124, 132, 43, 44, 170, 236, 247, 189]
    drawn = monthly_curve(values, "AIS")
    assert all(str(value) in drawn for value in values)
    assert "juil." in drawn
    assert "\x1b" not in drawn


def test_an_empty_year_has_a_curve_too() -> None:
    assert "déc." in monthly_curve([0] * 12, "AIS")


def test_a_year_of_eleven_months_has_none() -> None:
    with pytest.raises(ValueError, match="twelve"):
        monthly_curve([1] * 11, "AIS")


# The exit code


@pytest.mark.parametrize(
    ("ais", "violations", "code"),
    [(1_679, (), 0), (1_678, (), 1), (1_679, ("one event is lost",), 1)],
    ids=["equal and clean", "a planted difference", "a planted violation"],
)
async def test_the_exit_code_says_whether_all_is_well(
    ais: int,
    violations: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    played, report = _played(ais), _report(*violations)

    async def play(*_: Any) -> Played:
        return played

    async def audit(*_: Any, **__: Any) -> Report:
        return report

    monkeypatch.setattr("deploy.demo.play.play", play)
    monkeypatch.setattr("deploy.audit.run.audit", audit)
    monkeypatch.setattr("deploy.audit.run.sources_of", lambda _: None)
    asked = command._Demo(RUN_HOME, PlainReporter(StringIO()), as_json=True, staying=False, tls=False)
    assert await asked.run(_run()) == code
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is (code == 0)
    assert len(said["differences"]) == (ais != 1_679)


def test_every_difference_and_violation_is_printed() -> None:
    out = Console(file=StringIO(), width=160)
    screen.show_bilan(_played(1_678), out)
    screen.show_verdict(_played(1_678), _report("one event is lost"), out)
    text = out.file.getvalue()  # type: ignore[attr-defined]  # StringIO
    assert "1\u202f678 au lieu de 1\u202f679" in text
    assert "I8 one event is lost" in text
    assert "✘ 84 chiffres sur 85" in text


def _played(ais: int) -> Played:
    return Played("fresh", compared(expected(), {**WANTED, "ais": ais}))


def _report(*violations: str) -> Report:
    finding = Finding("I8", "No event is lost.", Verdict(10, violations), 0.1)
    return Report([finding], 1, 0, 0.1, dt.datetime(2021, 12, 31, tzinfo=dt.UTC))


RUN_HOME = Path("nowhere")


def _run() -> Run:
    client = Client(client_id="akto", client_secret="s", organisation="akto", roles=("opco",))
    issuer = Issuer(url="http://i", issuer="http://i", token_url="http://i/token", jwks_url="http://i/jwks.json")
    return Run(
        version="0",
        home=str(RUN_HOME),
        state="ready",
        infra="embedded",
        started_at="2021-12-31T00:00:00+00:00",
        supervisor=SupervisorProcess(pid=1),
        kafka=KafkaServer(bootstrap_servers="127.0.0.1:1"),
        postgres=PostgresServer(host="127.0.0.1", port=1),
        issuer=issuer,
        clients={"akto": client},
    )


@pytest.mark.parametrize("width", [20, 80, 160])
def test_the_address_of_the_pages_is_shown_whole_however_narrow_the_screen_and_how_one_signs_in(width: int) -> None:
    out = Console(file=StringIO(), width=width)
    screen.show_addresses(_run(), out)
    assert "écrans" not in out.file.getvalue()  # type: ignore[attr-defined]  # StringIO
    service = ServiceProcesses(
        url="http://127.0.0.1:5",
        database_url="d",
        process_database_url="p",
        audit_database_url="a",
        pids={},
    )
    screen.show_addresses(_run().model_copy(update={"services": {"submission": service}}), out)
    text = out.file.getvalue()  # type: ignore[attr-defined]  # StringIO
    lines = [line.strip() for line in text.splitlines()]
    assert any(line.startswith("écrans") and line.endswith(f" http://127.0.0.1:5{START_PAGE}") for line in lines)
    assert any(line.endswith(" http://127.0.0.1:5/openapi.json") for line in lines)
    assert "compte inventé" in text
    assert START_PAGE in {link.path for link in PAGES.nav}
