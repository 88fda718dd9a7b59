"""`poec import fiches`: how long it waits when it is told to, what it says of one fiche and of several, what Ctrl-C leaves behind."""

import asyncio
import datetime as dt
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.audit.run import audit, sources_of
from deploy.cli.imports import Client, summary
from deploy.cli.retry_after import LEAST_SECONDS, MOST_SECONDS, TRIES, answered, seconds_to_wait
from deploy.local.errors import LocalError
from deploy.local.report import PlainReporter
from tests.journeys.test_doors import poec, table
from tests.support.documents import ROOT
from tests.support.fiches import GOLDEN_OPCO
from tests.support.stack import Stack

NOW = dt.datetime(2026, 11, 25, 12, 0, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2", 2.0),
        (" 17 ", 17.0),
        ("0", LEAST_SECONDS),
        (None, LEAST_SECONDS),
        ("", LEAST_SECONDS),
        ("-5", LEAST_SECONDS),
        ("1.5", LEAST_SECONDS),
        ("nan", LEAST_SECONDS),
        ("inf", LEAST_SECONDS),
        ("soon", LEAST_SECONDS),
        ("²", LEAST_SECONDS),
        ("61", MOST_SECONDS),
        ("999999999", MOST_SECONDS),
        ("9" * 5000, MOST_SECONDS),
        ("Wed, 25 Nov 2026 12:00:30 GMT", 30.0),
        ("Wednesday, 25-Nov-26 12:00:30 GMT", 30.0),
        ("Wed Nov 25 12:00:30 2026", 30.0),
        ("Wed, 25 Nov 2026 12:00:30 -0000", 30.0),
        ("Wed, 25 Nov 2026 11:00:00 GMT", LEAST_SECONDS),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_SECONDS),
        ("Wed, 99 Nov 2026 12:00:30 GMT", LEAST_SECONDS),
        ("Fri, 31 Dec 9999 23:59:59 -2359", MOST_SECONDS),
    ],
)
def test_what_a_busy_service_says_is_read_and_bounded(said: str | None, seconds: float) -> None:
    assert seconds_to_wait(said, NOW) == seconds


def test_progress_says_each_figure_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int, str]] = []
    being = {"import_id": "i", "fiches": 40}
    standing = iter([{**being, "state": "running", "done": 30}, {**being, "state": "done", "done": 40}])
    client = Client.__new__(Client)
    monkeypatch.setattr(client, "get", lambda path: httpx.Response(200, json=next(standing)))

    class Recording(PlainReporter):
        @contextmanager
        def step(self, name: str) -> Iterator[Any]:
            yield lambda *said: told.append(said)

    monkeypatch.setattr("deploy.cli.imports.reporter", Recording)
    with monkeypatch.context() as patched:
        patched.setattr("time.sleep", lambda seconds: None)
        client.followed({**being, "state": "running", "done": 0})
    assert [said[:2] for said in told] == [(0, 40), (30, 40), (40, 40)]
    assert not any(character.isdigit() for _, _, what in told for character in what), "the reporter says the figures"


class Answers:
    """What a service says, one after the other; how long it was waited for in between."""

    def __init__(self, patched: pytest.MonkeyPatch, *answers: httpx.Response | httpx.TransportError) -> None:
        self._answers, self.waits = list(answers), list[float]()
        patched.setattr("time.sleep", self.waits.append)

    def __call__(self) -> httpx.Response:
        answer = self._answers.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer


BUSY, LOST = httpx.Response(429, headers={"Retry-After": "7"}), httpx.ConnectError("away")


def test_a_busy_service_and_a_lost_connection_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        asked = Answers(patched, BUSY, LOST, httpx.Response(503), httpx.Response(201))
        assert (answered(asked).status_code, asked.waits) == (201, [7.0, 1.0, LEAST_SECONDS])


def test_whoever_stays_busy_or_away_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        asked = Answers(patched, *[BUSY] * TRIES)
        assert (answered(asked).status_code, len(asked.waits)) == (429, TRIES - 1)
        asked = Answers(patched, *[LOST] * TRIES)
        with pytest.raises(LocalError, match="does not answer"):
            answered(asked)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"accepted": 1}, "1 fiche\u202f: 1 déposée (terminé)"),
        ({"accepted": 2, "refused": 1}, "3 fiches\u202f: 2 déposées, 1 refusée (terminé)"),
        ({"unchanged": 1, "warned": 1}, "2 fiches\u202f: 1 déjà déposée, 1 avertie, non déposée (terminé)"),
        ({"unchanged": 3, "warned": 2}, "5 fiches\u202f: 3 déjà déposées, 2 averties, non déposées (terminé)"),
    ],
)
def test_one_fiche_is_said_in_the_singular(counts: dict[str, int], text: str) -> None:
    none = dict.fromkeys(("accepted", "unchanged", "warned", "refused", "waiting"), 0)
    found: dict[str, Any] = {"fiches": sum(counts.values()), "counts": none | counts, "state_label": "Terminé"}
    assert summary(found) == text


@asynccontextmanager
async def held(stack: Stack, relation: str) -> AsyncIterator[None]:
    """Let nobody write to a table of submission."""
    connection = await asyncpg.connect(stack.superuser_url("submission"))
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {relation} IN SHARE MODE")
            yield
    finally:
        await connection.close()


def interrupted(stack: Stack, file: Path, at: str) -> tuple[int, str]:
    """Send a file by the real command, press Ctrl-C once it says a line that begins so; return how it ended and what it said."""
    command = [sys.executable, "-m", "deploy.cli", "import", "fiches", str(file), "--opco", GOLDEN_OPCO, "--home", str(stack.home)]
    listening = f"import signal, runpy, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv = {command[2:]!r}"
    started = [sys.executable, "-c", f"{listening}; runpy.run_module('deploy.cli', run_name='__main__', alter_sys=True)"]
    with subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as sending:
        assert sending.stderr is not None
        said = ""
        while not said.splitlines()[-1:] or not said.splitlines()[-1].startswith(at):
            line = sending.stderr.readline()
            assert line, f"it ended before: {said}"
            said += line
        sending.send_signal(signal.SIGINT)
        _, rest = sending.communicate(timeout=60)
    return sending.returncode, said + rest


@pytest.mark.parametrize(
    ("relation", "at", "advice"),
    [
        ("fiche_import", "INT-1.csv: sent and read …", "It may have arrived or not. Send the same file again"),
        ("fiche", "fiches …", f"--opco {GOLDEN_OPCO}`, or send it again: nothing is filed twice."),
    ],
)
async def test_ctrl_c_says_what_goes_on_and_the_same_file_is_gone_on_with(
    stack: Stack, tmp_path: Path, relation: str, at: str, advice: str
) -> None:
    names = [f"{relation.upper()}-{n}" for n in range(3)]
    file = table(tmp_path, *names).rename(tmp_path / "INT-1.csv")
    async with held(stack, relation):
        code, said = await asyncio.to_thread(interrupted, stack, file, at)
    assert (code, "Traceback" in said) == (130, False), said
    assert "Interrupted." in said and advice in said
    again = await asyncio.to_thread(poec, stack, "import", "fiches", str(file), "--opco", GOLDEN_OPCO)
    assert (again.returncode, "3 fiches\u202f: " in again.stdout) == (0, True), again.stderr
    events = "SELECT count(*) FROM outbox WHERE topic = 'poec.submission.fiches' AND value LIKE $1"
    assert await stack.value("submission", events, f'%"reference":"{relation.upper()}-%') == 3
    assert (await audit(sources_of(stack.home))).clean


async def test_a_file_of_the_wrong_name_or_without_a_reader_is_explained(stack: Stack, tmp_path: Path) -> None:
    file = table(tmp_path, "NAME-1")
    done = await asyncio.to_thread(
        poec, stack, "import", "fiches", str(file), "--opco", GOLDEN_OPCO, "--report", str(tmp_path / "report.pdf")
    )
    assert done.returncode == 2 and "The report is a .csv or an .xlsx." in done.stderr
    assert await stack.value("submission", "SELECT count(*) FROM fiche WHERE reference = 'NAME-1'") == 0


async def test_a_file_that_is_not_there_or_is_empty_is_said_so(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    for name, words in (("gone.csv", "is not there"), ("empty.csv", "is empty"), ("empty.csv/x.pdf", "is not there")):
        with pytest.raises(LocalError, match=words):
            Client(stack.run, GOLDEN_OPCO).send(tmp_path / name, "")


async def test_without_a_report_the_first_reasons_and_the_import_are_named(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "refused.json"
    file.write_text('[{"reference": "WHY-1"}]')
    done = await asyncio.to_thread(poec, stack, "import", "fiches", str(file), "--opco", GOLDEN_OPCO)
    assert done.returncode == 1 and "1 refusée" in done.stdout, done.stderr
    (named,) = [line for line in done.stderr.splitlines() if line.startswith("import ")]
    assert await stack.value("submission", "SELECT count(*) FROM fiche_import WHERE id::text = $1", named.split()[1]) == 1
    assert "  1 WHY-1: Ce champ est obligatoire" in done.stderr


def test_a_report_bears_its_name_only_once_it_is_whole(stack: Stack, tmp_path: Path) -> None:
    there = tmp_path / "report.csv"
    there.write_text("the one of yesterday")
    with pytest.raises(LocalError):
        Client(stack.run, GOLDEN_OPCO).download("/imports/6f1f5d5e-0c5b-5a3e-9b57-2f2f6c0f7a10/report.csv", there)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("report.csv", "the one of yesterday")]
