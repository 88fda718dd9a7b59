"""Files of fiches sent in over HTTP: taken in whole, carried out batch by batch as their sender, reported on, never done twice."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from services.submission.files.tables import MOST_FICHES
from services.submission.files.template import rows_of
from services.submission.form_fields import fields_of
from services.submission.import_api import LIMIT_BYTES
from services.submission.import_job import BATCH, KEEPING, Imports, carry_batch
from services.submission.import_store import find_import, list_imports
from services.submission.settings import Settings
from shared.identity import Principal, service_principal
from shared.principals import Registration, register
from shared.retention import Retention
from tests.services.submission.importing import GIVEN, ask, carried, counts, fiches, importing_room, send
from tests.services.submission.room import PEOPLE, Room
from tests.services.submission.test_fiche_files import TITLES, as_csv, as_xlsx
from tests.support.fiches import PAST_WARNINGS, golden_content, golden_json
from tests.support.servers import Servers


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    async with importing_room(servers) as made:
        yield made


async def events(room: Room) -> int:
    return int((await room.fetch("SELECT count(*) AS n FROM outbox"))[0]["n"])


async def test_a_file_is_taken_in_carried_out_and_reported_on(room: Room) -> None:
    answer = await send(room, json.dumps(fiches("J-1", "J-2")).encode())
    assert answer.headers["location"] == f"/imports/{answer.json()['import_id']}"
    assert (answer.json()["fiches"], counts(answer.json())) == (2, {"waiting": 2})
    done = await carried(room, answer)
    assert (done["state_label"], done["done"], counts(done)) == ("Terminé", 2, {"accepted": 2})
    lines = (await ask(room, f"/{done['import_id']}/lines")).json()["lines"]
    assert [(line["reference"], line["outcome"], line["said"][0]["code"]) for line in lines] == [
        ("J-1", "accepted", "HOURS_PARTS"),
        ("J-2", "accepted", "HOURS_PARTS"),
    ]
    assert (await room.get("opco-2i", f"/{lines[0]['fiche_id']}")).json()["reference"] == "J-1"


async def test_the_same_file_again_changes_nothing(room: Room) -> None:
    raw = json.dumps(fiches("A-1", "A-2")).encode()
    await carried(room, await send(room, raw))
    before = await events(room)
    assert counts(await carried(room, await send(room, raw))) == {"unchanged": 2}
    assert await events(room) == before


async def test_the_same_key_gets_the_same_answer_and_another_file_is_refused(room: Room) -> None:
    raw, key = json.dumps(fiches("K-1")).encode(), uuid4().hex
    first = await send(room, raw, key=key)
    again = await send(room, raw, key=key)
    assert (again.status_code, again.content) == (202, first.content)
    other = await send(room, json.dumps(fiches("K-2")).encode(), key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    await carried(room, first)


async def test_what_is_wrong_with_a_fiche_is_told_with_its_column_and_the_others_go_on(room: Room) -> None:
    good, hours, mute = (rows_of(one, fields_of(golden_content()), PAST_WARNINGS)[0] for one in ("T-1", "T-2", "T-3"))
    hours[TITLES.index("Heures en tout")] = "beaucoup"
    hours[TITLES.index("Coût pédagogique d’une session (euros)")] = "12,345"
    hours[TITLES.index("SIRET de l’organisme")] = "=1+1"
    mute[TITLES.index("Avertissements lus")] = ""
    done = await carried(room, await send(room, as_xlsx(TITLES, good, hours, mute), "xlsx"))
    assert counts(done) == {"accepted": 1, "refused": 1, "warned": 1}
    lines = (await ask(room, f"/{done['import_id']}/lines?outcome=refused&outcome=warned")).json()["lines"]
    assert [line["line"] for line in lines] == [3, 4]
    assert {said["column"] for said in lines[0]["said"]} == {"Heures en tout", "Coût pédagogique d’une session (euros)"}
    warned = [(said["code"], said["warning"]) for said in lines[1]["said"] if said["code"] != "ALIKE"]
    assert warned == [(code, True) for code in PAST_WARNINGS]
    assert "beaucoup" not in json.dumps(lines)


async def test_warnings_may_be_acknowledged_for_the_whole_file(room: Room) -> None:
    raw = json.dumps(fiches("W-1", acknowledged=())).encode()
    assert counts(await carried(room, await send(room, raw))) == {"warned": 1}
    assert counts(await carried(room, await send(room, raw, query="?acknowledge=" + ",".join(PAST_WARNINGS)))) == {"accepted": 1}
    wrong = await send(room, raw, query="?acknowledge=everything")
    assert (wrong.status_code, wrong.json()["objections"][0]["code"]) == (422, "CODES")


async def test_another_content_under_a_reference_that_is_taken_is_refused(room: Room) -> None:
    await carried(room, await send(room, json.dumps(fiches("R-1")).encode()))
    done = await carried(room, await send(room, json.dumps(fiches("R-1", title="Autre intitulé")).encode()))
    lines = (await ask(room, f"/{done['import_id']}/lines")).json()["lines"]
    assert (lines[0]["outcome"], lines[0]["said"][0]["code"]) == ("refused", "REFERENCE_TAKEN")


async def test_a_file_that_cannot_be_read_leaves_nothing_behind(room: Room) -> None:
    before = len((await ask(room, "?limit=100")).json()["imports"])
    half = json.dumps(fiches(*(f"H-{n}" for n in range(450)))).encode()[:-3]
    for raw, kind, code in (
        (half, "json", "JSON_UNREADABLE"),
        (as_csv(TITLES[1:]), "csv", "COLUMN_MISSING"),
        (b"PK", "xlsx", "WORKBOOK_UNREADABLE"),
    ):
        answer = await send(room, raw, kind)
        assert (answer.status_code, answer.json()["objections"][0]["code"]) == (422, code)
    assert len((await ask(room, "?limit=100")).json()["imports"]) == before
    assert await room.fetch("SELECT 1 FROM fiche_import_line WHERE reference LIKE 'H-%'") == []


async def test_a_file_is_of_a_named_kind_and_size(room: Room) -> None:
    headers = {"authorization": "opco-2i", "idempotency-key": uuid4().hex}
    for kind in ("application/zip", "multipart/form-data; boundary=x", "text/csv; charset=utf-16"):
        answer = await room.client.post("/imports", content=b"x", headers={**headers, "content-type": kind})
        assert (answer.status_code, answer.json()["objections"][0]["code"]) == (415, "CONTENT_TYPE")
    empty = await room.client.post("/imports", headers={**headers, "content-type": "text/csv"})
    assert empty.status_code == 415
    declared = {**headers, "content-type": "text/csv", "content-length": str(LIMIT_BYTES + 1)}
    assert (await room.client.post("/imports", content=b"x", headers=declared)).status_code == 413
    keyless = {"authorization": "opco-2i", "content-type": "text/csv"}
    assert (await room.client.post("/imports", content=b"x", headers=keyless)).status_code == 400


async def test_two_processes_share_a_file_and_nothing_is_done_twice(room: Room) -> None:
    names = [f"P-{n}" for n in range(3 * BATCH)]
    answer = await send(room, json.dumps(fiches(*names)).encode())
    jobs = [Imports(room.database, GIVEN) for _ in range(3)]

    async def work(job: Imports) -> None:
        while await job.pass_once():
            pass

    await asyncio.gather(*map(work, jobs))
    assert counts(await carried(room, answer)) == {"accepted": len(names)}
    rows = await room.fetch("SELECT count(*) AS n, count(DISTINCT key) AS keys FROM outbox WHERE value LIKE '%\"P-%'")
    assert (rows[0]["n"], rows[0]["keys"]) == (len(names), len(names))


async def test_what_fails_before_its_end_is_as_if_it_had_not_begun(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await send(room, json.dumps(fiches("C-1", "C-2")).encode())
    asked = await find_import(room.database, PEOPLE["region"], UUID(answer.json()["import_id"]))
    assert asked is not None

    async def dies(name: str) -> None:
        if name == "import.before_commit":
            raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr("services.submission.import_job.crash_point", dies)
        with pytest.raises(ConnectionResetError):
            await carry_batch(room.database, PEOPLE["opco-2i"], asked, GIVEN)
    assert counts((await ask(room, f"/{asked.id}")).json()) == {"waiting": 2}
    assert counts(await carried(room, answer)) == {"accepted": 2}


async def test_an_account_that_lost_its_rights_files_nothing_more(room: Room) -> None:
    answer = await send(room, json.dumps(fiches("S-1")).encode(), who="akto")
    for state in ("disabled", "active"):
        async with room.database.unit(service_principal("submission", "api")) as unit:
            await register(unit, [Registration("akto", "machine", "akto", ("opco",), state)], "test")
            await unit.flush()
        if state == "disabled":
            done = await carried(room, answer, "akto")
    assert (done["state"], counts(done)) == ("stopped", {"waiting": 1})


async def test_another_opco_sees_neither_the_file_nor_its_report(room: Room) -> None:
    done = await carried(room, await send(room, json.dumps(fiches("O-1")).encode()))
    for path in ("", "/lines", "/report.csv", "/report.xlsx"):
        foreign, unknown = await ask(room, f"/{done['import_id']}{path}", "akto"), await ask(room, f"/{uuid4()}{path}", "akto")
        assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert done["import_id"] not in (await ask(room, "?limit=100", "akto")).text
    assert (await ask(room, "", "dreets")).status_code == 403
    assert (await send(room, b"[]", who="region")).status_code == 403


async def test_the_report_can_be_taken_home_and_holds_no_formula(room: Room) -> None:
    done = await carried(room, await send(room, json.dumps(fiches("+33-1", acknowledged=())).encode()))
    report = await ask(room, f"/{done['import_id']}/report.csv")
    titles, line, *_ = csv.reader(io.StringIO(report.content.decode("utf-8-sig")), delimiter=";")
    assert dict(zip(titles, line, strict=True))["Référence"] == "'+33-1"
    assert dict(zip(titles, line, strict=True))["Code"] == "HOURS_PARTS"
    book = await ask(room, f"/{done['import_id']}/report.xlsx")
    assert book.content.startswith(b"PK") and "attachment" in book.headers["content-disposition"]


async def test_a_fiche_that_resembles_another_one_is_shown_beside_it(room: Room) -> None:
    address = {"lines": ["2 rue de l’Exemple"], "postal_code": "14000", "city": "Caen"}
    there: dict[str, Any] = {"place": {"insee": "14118", "zone_emploi": "2804", "address": address}}
    done = await carried(room, await send(room, json.dumps(fiches("N-1", "N-2", **there)).encode()))
    (alone, beside) = (await ask(room, f"/{done['import_id']}/lines")).json()["lines"]
    assert "ALIKE" not in {said["code"] for said in alone["said"]}
    assert "N-1" in beside["said"][-1]["message"] and beside["said"][-1]["code"] == "ALIKE"
    later = fiches("N-3", **there, title="Une autre fois") + fiches("N-4", **there, rome="N1101", formacodes=["31715"])
    done = await carried(room, await send(room, json.dumps(later).encode()))
    found = [line["said"][-1]["code"] for line in (await ask(room, f"/{done['import_id']}/lines")).json()["lines"]]
    assert found[0] == "ALIKE" and found[1] != "ALIKE"


async def test_lists_of_files_and_fiches_are_paged(room: Room) -> None:
    done = await carried(room, await send(room, json.dumps(fiches("L-1", "L-2", "L-3")).encode()))
    path, seen = f"/{done['import_id']}/lines?limit=2", list[str]()
    while path:
        page = await ask(room, path)
        seen += [line["reference"] for line in page.json()["lines"]]
        path = page.headers.get("link", "").partition(">")[0].removeprefix("</imports")
    assert seen == ["L-1", "L-2", "L-3"]
    await carried(room, await send(room, json.dumps(fiches("L-4")).encode()))
    first = await ask(room, "?limit=1")
    second = await ask(room, first.headers["link"].partition(">")[0].removeprefix("</imports"))
    assert first.json()["imports"][0]["import_id"] != second.json()["imports"][0]["import_id"]


async def test_a_file_knows_its_counts_and_reading_many_counts_no_line(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    good, unread = fiches("KNOWN-1", "KNOWN-2")
    raw = json.dumps([good, {**unread, "acknowledged": []}, {"reference": "KNOWN-3"}]).encode()
    sent = [UUID((await carried(room, await send(room, raw)))["import_id"]) for _ in range(2)]
    of_lines = "SELECT import_id, outcome, count(*) AS n FROM fiche_import_line WHERE outcome IS NOT NULL GROUP BY 1, 2"
    counted = {(row["import_id"], row["outcome"]): row["n"] for row in await room.fetch(of_lines)}
    assert {outcome for which, outcome in counted if which in sent} == {"accepted", "unchanged", "warned", "refused"}
    asked: list[str] = []
    query = room.database.query

    async def noted(principal: Principal, text: str, *args: object) -> Any:
        asked.append(text)
        return await query(principal, text, *args)

    monkeypatch.setattr(room.database, "query", noted)
    found = await list_imports(room.database, PEOPLE["region"], None, None, 100)
    assert {(one.id, outcome): n for one in found for outcome, n in one.counts.items() if n} == counted
    (text,) = asked
    assert "fiche_import_line" not in text, "a page is one query, and grows with the files shown alone"


async def test_the_template_and_its_columns_are_given(room: Room) -> None:
    assert (await ask(room, "/template.xlsx")).content.startswith(b"PK")
    assert (await ask(room, "/template.csv")).content.decode("utf-8-sig").startswith("Référence;")
    columns = (await ask(room, "/columns")).json()["columns"]
    assert [column["header"] for column in columns] == TITLES


async def test_files_are_forgotten_after_their_time_and_the_fiches_stay(room: Room) -> None:
    done = await carried(room, await send(room, json.dumps(fiches("F-1")).encode()))
    assert KEEPING.kept_for(Settings.model_construct(retain_imports_days=90)) == timedelta(days=90)
    settings = Settings.model_construct(retain_imports_days=0)
    few = replace(KEEPING, at_once=1)
    await carried(room, await send(room, json.dumps(fiches("F-2")).encode()))
    assert (await Retention(room.database, settings, (few,)).pass_once())["imports"] > 1
    assert {row["rows"] for row in await room.fetch("SELECT rows FROM removal WHERE what = 'imports'")} == {1}
    assert KEEPING.at_once is not None and KEEPING.at_once * MOST_FICHES <= 200_000, "lines that go in one transaction"
    assert (await ask(room, f"/{done['import_id']}")).status_code == 404
    assert await room.fetch("SELECT 1 FROM fiche_import_line WHERE reference = 'F-1'") == []
    assert await room.fetch("SELECT 1 FROM fiche WHERE reference = 'F-1'")


def test_the_golden_fiche_has_a_line_of_its_own_in_a_table() -> None:
    assert len(rows_of("X", fields_of(golden_content()))) == len(golden_json()["sessions"])
