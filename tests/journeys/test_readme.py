"""Every example of the README is run as it stands there, against the running product."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import ROOT
from tests.support.fiches import PAST_WARNINGS, golden_json
from tests.support.stack import Stack, eventually

README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = ROOT / "deploy" / "demo" / "example_fiche.json"
STATUS = "SELECT status FROM fiche WHERE opco = 'opco-2i' AND reference = $1"
DOSSIERS = "SELECT count(*) FROM dossier WHERE document->>'reference' IN ('2I-2018-101', '2I-2018-102') AND status = 'open'"


def snippet(name: str) -> str:
    """Return the code between the markers of an example; `.venv` is the environment that the tests run in, wherever it is."""
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```\n<!-- /{name} -->", README, re.DOTALL)
    assert found is not None, f"no example {name} in the README"
    return found[1].replace(".venv/bin/", f"{Path(sys.executable).parent}/")


def run(command: list[str], home: Path, text: str | None = None) -> str:
    """Run an example at the root of the project, its data folder named by POEC_HOME; return what it prints."""
    environment = {**os.environ, "POEC_HOME": str(home)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True, encoding="utf-8", timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_a_fiche_is_sent_with_curl_and_sending_it_again_changes_nothing(stack: Stack) -> None:
    first, again = (run(["sh", "-eu"], stack.home, snippet("curl")) for _ in range(2))
    head, _, body = first.replace("\r\n", "\n").partition("\n\n")
    assert head.startswith("HTTP/1.1 201")
    assert 'etag: "1"' in head.lower()
    assert "location: /fiches/" in head.lower()
    assert json.loads(body)["status"] == "submitted"
    assert again.replace("\r\n", "\n").partition("\n\n")[2] == body


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_a_person_signs_in_and_out_with_curl(stack: Stack) -> None:
    me, after = run(["sh", "-eu"], stack.home, snippet("sign-in")).splitlines()
    assert {"id": "p-opco-2i", "kind": "person", "organisation": "opco-2i"}.items() <= json.loads(me).items()
    assert after == "401"


async def test_a_fiche_is_sent_with_a_kafka_client_and_the_answer_is_read(stack: Stack) -> None:
    printed = await asyncio.to_thread(run, [sys.executable, "-c", snippet("kafka")], stack.home)
    assert re.fullmatch(r"accepted submitted [0-9a-f-]{36}\n", printed), printed
    assert await stack.value("submission", STATUS, "2I-2018-102") == "submitted"


def test_a_fiche_is_sent_in_a_file_and_sending_it_again_changes_nothing(stack: Stack) -> None:
    said = [run(["sh", "-eu"], stack.home, snippet("import")) for _ in range(2)]
    assert all(re.search("1 (déjà )?déposée ", one) for one in said) and "1 déjà déposée " in said[1], said


async def test_what_was_sent_arrives_at_the_reviewers(stack: Stack) -> None:
    async def opened() -> bool:
        return bool(await stack.value("validation", DOSSIERS) == 2)

    await eventually(opened, 30, "a dossier is open for each fiche of the README")


def test_the_example_is_the_golden_fiche() -> None:
    example = json.loads(EXAMPLE.read_bytes())
    assert example == {"reference": "2I-2018-101", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
