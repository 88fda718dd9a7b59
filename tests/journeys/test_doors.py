"""The same fiche by three doors, a file by the command, and the sample client of submission's README: on the running product."""

import asyncio
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.client import bearer
from services.submission.files.columns import columns
from services.submission.files.template import rows_of
from services.submission.form_fields import fields_of
from shared.contracts import ingress as said
from shared.contracts.fiche import fiche_id
from shared.contracts.flow import FICHES
from tests.support.documents import ROOT
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_WARNINGS, golden_content, golden_json
from tests.support.load import Load
from tests.support.stack import Stack

SUBMITTED = "SELECT value FROM outbox WHERE topic = $1 AND key = $2 AND headers->>'ce_type' = 'fr.poec.fiche.submitted.v1'"


def poec(stack: Stack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.cli", *arguments, "--home", str(stack.home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)


def table(folder: Path, *references: str, acknowledged: tuple[str, ...] = GOLDEN_WARNINGS, **changes: Any) -> Path:
    """Write a CSV of the golden fiche under some references."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([column.header for column in columns()])
    for reference in references:
        writer.writerows(rows_of(reference, fields_of(golden_content(**changes)), acknowledged))
    file = folder / f"{uuid4().hex}.csv"
    file.write_text(out.getvalue(), encoding="utf-8-sig")
    return file


async def submitted(stack: Stack, reference: str) -> str:
    """Return what was said of a filing, without the two names that differ."""
    fiche = str(fiche_id(GOLDEN_OPCO, reference))
    value = await stack.value("submission", SUBMITTED, FICHES, fiche)
    assert value is not None, reference
    return str(value).replace(fiche, "ID").replace(reference, "REFERENCE")


async def test_the_same_fiche_by_http_by_kafka_and_by_file_is_the_same_event(stack: Stack, tmp_path: Path) -> None:
    url = stack.run.services["submission"].url
    async with httpx.AsyncClient(base_url=url, headers=bearer(stack.run, GOLDEN_OPCO)) as client:
        body = {"reference": "DOOR-HTTP", "content": golden_json(), "acknowledged": GOLDEN_WARNINGS}
        answer = await client.post("/fiches", json=body, headers={"idempotency-key": uuid4().hex})
        assert answer.status_code == 201, answer.text
    async with Load(stack, "DOOR") as load:
        command = said.SubmitFiche(content=golden_content(), acknowledged=GOLDEN_WARNINGS)
        told = await load.asked(GOLDEN_OPCO, "DOOR-KAFKA", command)
        assert told.value["outcome"] == "accepted"
    done = await asyncio.to_thread(poec, stack, "import", "fiches", str(table(tmp_path, "DOOR-FILE")), "--opco", GOLDEN_OPCO)
    assert done.returncode == 0, done.stderr
    events = [await submitted(stack, reference) for reference in ("DOOR-HTTP", "DOOR-KAFKA", "DOOR-FILE")]
    assert events[0] == events[1] == events[2]
    await stack.audited()


async def test_a_file_is_sent_by_the_command_which_says_what_became_of_it(stack: Stack, tmp_path: Path) -> None:
    mixed = table(tmp_path, "CLI-1")
    mixed.write_text(mixed.read_text("utf-8-sig") + "\n".join(
        table(tmp_path, one, acknowledged=kept, **changes).read_text("utf-8-sig").partition("\n")[2]
        for one, kept, changes in (("CLI-2", (), {}), ("CLI-3", GOLDEN_WARNINGS, {"hours": {"total": 401, "centre": 401}}))
    ), encoding="utf-8-sig")  # fmt: skip
    report = tmp_path / "report.csv"
    arguments = ("import", "fiches", str(mixed), "--opco", GOLDEN_OPCO, "--json", "--report", str(report))
    first = await asyncio.to_thread(poec, stack, *arguments)
    found = json.loads(first.stdout)
    assert (first.returncode, found["counts"]) == (1, {"accepted": 1, "unchanged": 0, "warned": 1, "refused": 1, "waiting": 0})
    lines = list(csv.DictReader(io.StringIO(report.read_text("utf-8-sig")), delimiter=";"))
    assert [(line["Référence"], line["Résultat"]) for line in lines if line["Code"] == "HOURS_CAP"] == [("CLI-3", "Refusée")]
    again = json.loads((await asyncio.to_thread(poec, stack, *arguments)).stdout)
    assert (again["counts"]["accepted"], again["counts"]["unchanged"]) == (0, 1)
    shown = await asyncio.to_thread(poec, stack, "import", "show", found["import_id"], "--opco", "Opco 2I")
    assert shown.returncode == 1 and "1 déposée," in shown.stdout and "1 refusée (" in shown.stdout
    await stack.audited()


async def test_a_file_that_is_not_taken_in_is_told_why(stack: Stack, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Référence;Couleur\nX;bleu\n", encoding="utf-8")
    done = await asyncio.to_thread(poec, stack, "import", "fiches", str(wrong), "--opco", GOLDEN_OPCO)
    assert done.returncode == 2 and "titre inconnu" in done.stderr and "Couleur" not in done.stderr
    other = await asyncio.to_thread(poec, stack, "import", "fiches", str(tmp_path / "none.txt"), "--opco", GOLDEN_OPCO)
    assert other.returncode == 2
    template = tmp_path / "modele.xlsx"
    made = await asyncio.to_thread(poec, stack, "import", "template", str(template), "--opco", GOLDEN_OPCO)
    assert made.returncode == 0 and template.read_bytes().startswith(b"PK")


async def test_the_sample_client_files_a_fiche_answers_its_warnings_and_lists_it(stack: Stack) -> None:
    readme = (ROOT / "services" / "submission" / "README.md").read_text("utf-8")
    found = re.search(r"<!-- client -->\n```python\n(.*?)```\n<!-- /client -->", readme, re.DOTALL)
    assert found is not None
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", found[1]],
        cwd=ROOT,
        env={**os.environ, "POEC_HOME": str(stack.home)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    warned, filed, taken, again, listed = done.stdout.splitlines()
    assert warned == "warned: HOURS_PARTS" and re.fullmatch(r"filed: /fiches/[0-9a-f-]{36}", filed)
    assert taken.startswith("REFERENCE_TAKEN reference") and (again, listed) == ("again: None", "listed: True")
