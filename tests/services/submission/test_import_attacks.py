"""Files that nobody means well with, and senders who send too many: each is refused or bounded, the others are served."""

import asyncio
import csv
import io
import json
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
import pytest_asyncio
import python_calamine as calamine

from services.submission import import_answers, import_cases
from services.submission.files import report
from services.submission.files.apart import UPLOADS, _line, reading_place, upload_of
from services.submission.files.columns import columns
from services.submission.files.report import Outcome, Said, XlsxReport, harmless
from services.submission.files.tables import MOST_FICHES, MOST_OBJECTIONS, Unreadable, fiches_of, header_of
from services.submission.files.template import rows_of
from services.submission.form_fields import fields_of
from services.submission.import_job import Imports
from shared.errors import InvalidInput
from tests.services.submission.importing import GIVEN, carried, counts, fiches, importing_room, lines, send
from tests.services.submission.room import Room
from tests.services.submission.test_fiche_files import TITLES, as_csv, bomb, drafts, read_apart, wrong
from tests.support.fiches import PAST_WARNINGS, golden_content
from tests.support.servers import Servers

PATHS = [column.path for column in columns()]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    async with importing_room(servers) as made:
        yield made


def row(reference: str, **cells: str) -> list[Any]:
    """Return the line of the golden fiche with other texts in some columns, by their paths."""
    made = [*rows_of(reference, fields_of(golden_content()), PAST_WARNINGS)[0]]
    for path, text in cells.items():
        made[PATHS.index(path)] = text
    return made


# Many at once


async def test_one_organisation_sends_so_many_files_at_once_and_another_is_served(room: Room) -> None:
    raw = json.dumps(fiches("U-1")).encode()
    held = [upload_of("opco-2i") for _ in range(UPLOADS)]
    for one in held:
        one.__enter__()
    try:
        refused, other = await send(room, raw), await send(room, raw, who="akto")
    finally:
        for one in held:
            one.__exit__(None, None, None)
    assert (refused.status_code, refused.json()["objections"][0]["code"]) == (429, "UPLOADS")
    assert "retry-after" in refused.headers and other.status_code == 202
    assert (await send(room, raw)).status_code == 202


async def test_long_files_of_one_organisation_leave_another_a_place_to_be_read(room: Room) -> None:
    raw = json.dumps(fiches("V-1")).encode()
    async with reading_place("opco-2i"):
        waiting = asyncio.create_task(send(room, raw))
        assert (await send(room, raw, who="akto")).status_code == 202
        assert not waiting.done()
    assert (await waiting).status_code == 202


async def test_so_many_files_of_an_organisation_wait_and_no_more(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    key = uuid4().hex
    first = await send(room, json.dumps(fiches("W-1")).encode(), key=key)
    monkeypatch.setattr(import_answers, "MOST_RUNNING", 1)
    again, other = await send(room, json.dumps(fiches("W-1")).encode(), key=key), await send(room, b"[]")
    assert (again.status_code, again.content) == (202, first.content)
    assert (other.status_code, other.json()["objections"][0]["code"]) == (429, "IMPORTS_RUNNING")


async def test_the_same_upload_twice_at_once_is_one_file(room: Room) -> None:
    raw, key = json.dumps(fiches("X-1")).encode(), uuid4().hex
    one, two = await asyncio.gather(send(room, raw, key=key), send(room, raw, key=key))
    assert (one.status_code, one.content) == (202, two.content)
    assert len(await room.fetch("SELECT 1 FROM fiche_import_line WHERE reference = 'X-1'")) == 1


async def test_the_same_fiches_of_two_files_at_once_are_filed_once(room: Room) -> None:
    names = [f"Y-{n}" for n in range(70)]
    files = [await send(room, json.dumps(fiches(*order)).encode()) for order in (names, names[::-1])]

    async def work(job: Imports) -> None:
        while await job.pass_once():
            pass

    await asyncio.gather(*(work(Imports(room.database, GIVEN)) for _ in range(3)))
    ended = [counts(await carried(room, one)) for one in files]
    assert sum(one.get("accepted", 0) for one in ended) == sum(one.get("unchanged", 0) for one in ended) == len(names)
    rows = await room.fetch("SELECT count(*) AS n, count(DISTINCT key) AS keys FROM outbox WHERE value LIKE '%\"Y-%'")
    assert (rows[0]["n"], rows[0]["keys"]) == (len(names), len(names))


# The process that reads


async def test_whatever_stops_a_file_ends_the_process_that_reads_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []

    async def full(*_: Any) -> None:
        held.append(sys._getframe(1))  # whoever was taking the file in, and with it all that was under way
        raise ConnectionResetError

    monkeypatch.setattr(import_cases, "put_lines", full)
    many = json.dumps(fiches(*(f"Z-{n}" for n in range(2_000)))).encode()
    assert (await send(room, many)).status_code == 503 and held
    readers = [one for one in psutil.Process().children() if "services.submission.files.readers" in one.cmdline()]
    assert readers == []


async def test_time_that_is_up_stops_the_reading_and_nothing_else() -> None:
    there, silent = asyncio.StreamReader(), asyncio.StreamReader()
    there.feed_data(b"{}\n{")
    there.feed_eof()
    assert (await _line(there, 0), await _line(there, 0)) == (b"{}\n", b"")
    with pytest.raises(InvalidInput) as refused:
        await _line(silent, 0)
    assert [one.code for one in refused.value.objections] == ["FILE_TOO_HEAVY"]


def laughs() -> bytes:
    """Return a workbook one of whose cells is an entity of entities: written out it would be ten billion characters."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bomb())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            raw = old.read(name)
            if name.endswith("sheet1.xml"):
                cell = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row>'
                raw = f'<!DOCTYPE x [<!ENTITY e0 "0123456789">{entities}]>'.encode() + raw.replace(
                    b"<sheetData>", b"<sheetData>" + cell
                )
            new.writestr(name, raw)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("xlsx", laughs(), ""),
        ("json", b"{}" * (MOST_FICHES + 1), "FILE_TOO_LONG"),
        ("json", b'{"a":' * 100_000, "JSON_UNREADABLE"),
        ("json", b" " * 100_000 + b"\xff", "JSON_UNREADABLE"),
        ("csv", b";".join([b"x"] * 100_000), "COLUMN_UNKNOWN"),
        ("csv", b'"' + b"x" * 200_000, "CSV_UNREADABLE"),
    ],
)
def test_what_is_sent_to_cost_much_costs_little(tmp_path: Path, kind: str, raw: bytes, code: str) -> None:
    ended = read_apart(kind, raw, tmp_path)
    assert len(ended.stdout) < 2_000_000
    last = json.loads(ended.stdout.splitlines()[-1]) if ended.stdout else {}
    assert ended.returncode != 0 or code in [one["code"] for one in last["unreadable"]] or not code


# Tables


def test_no_more_is_said_than_somebody_can_read() -> None:
    with pytest.raises(Unreadable) as unknown:
        header_of([f"x{n}" for n in range(5_000)])
    assert len(unknown.value.objections) == MOST_OBJECTIONS + 1
    table = [(1, TITLES), *((n + 2, row("F-1", title=f"Intitulé {n}")) for n in range(500))]
    (draft,) = fiches_of(lambda: table)
    assert len(draft.objections) == MOST_OBJECTIONS + 1 and draft.objections[-1].code == "FORM_MORE"


async def test_a_fiche_that_is_far_too_large_is_refused_alone(room: Room) -> None:
    large = ["x" * 30_000 if isinstance(cell, str) and cell else cell for cell in row("LARGE")]
    large[TITLES.index("Référence")] = "LARGE"
    padded = [cell or "x" * 30_000 for cell in large]
    found = await carried(room, await send(room, as_csv(TITLES, row("SMALL-1"), padded, row("SMALL-2")), "csv"))
    assert counts(found) == {"accepted": 2, "refused": 1}
    (refused,) = [line for line in await lines(room, found) if line["outcome"] == "refused"]
    assert (refused["reference"], [one["code"] for one in refused["said"]]) == ("LARGE", ["TOO_LARGE"])


def test_a_fiche_of_a_csv_is_named_by_the_line_it_begins_on() -> None:
    raw = as_csv(TITLES, row("L-1", title="Sur\r\ntrois\nlignes"), row("L-2"))
    begins = [found["line"] for found in drafts("csv", raw)]
    assert begins == [2, 5]


@pytest.mark.parametrize("ends", [("\r\n", "\n", "\r"), ("\r", "\r", "\n"), ("\n", "\r\n", "\r\n")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_line_ends_and_encodings_may_be_mixed(ends: tuple[str, ...], encoding: str) -> None:
    texts = []
    for one in (TITLES, row("E-1"), row("E-2")):
        out = io.StringIO()
        csv.writer(out, delimiter=";", lineterminator="").writerow(one)
        texts.append(out.getvalue())
    text = "".join(text + end for text, end in zip(texts, ends, strict=True)).replace("\u202f", " ").replace("’", "’")
    found = drafts("csv", text.encode(encoding))
    assert [(one["reference"], one["objections"]) for one in found] == [("E-1", []), ("E-2", [])]
    assert found[0]["fields"]["title"] == golden_content().title


async def test_texts_that_no_column_of_the_database_takes_are_refused_alone(room: Room) -> None:
    (good,) = fiches("T-1")
    others = [{**good, "reference": "T\x00"}, {**good, "reference": "T\\ud800 \ud83d\ude00"}]
    raw = json.dumps([*others, {**good, "reference": "T-2", "content": {**good["content"], "title": "\x00"}}, good])
    found = await carried(room, await send(room, raw.encode()))
    assert counts(found) == {"accepted": 2, "refused": 2}
    codes = [line["said"][0]["code"] for line in await lines(room, found) if line["outcome"] == "refused"]
    assert codes == ["NUL", "NUL"]
    found = await carried(room, await send(room, as_csv(TITLES, row("T-4", title="a\x00b"), row("T-5\x00")), "csv"))
    assert counts(found) == {"refused": 2}


@pytest.mark.parametrize(
    "half", [r"\ud800", r"\uDFFF", r"\ud800\ud800", r"\udc00\ud800", r"\\\ud800", r"\ud83d\ude00\ude00"]
)
def test_half_a_sign_is_refused_and_not_filed_as_something_else(half: str) -> None:
    assert wrong("json", json.dumps(fiches("HALF")).replace("HALF", half).encode()) == ["SURROGATE"]


# The report


@pytest.mark.parametrize("text", ["=1", "＝1", "＋33", "－1", "＠SUM", "\n=1"])
def test_no_sign_that_begins_a_formula_anywhere_stands_first(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_a_report_that_no_sheet_holds_goes_on_on_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SHEET_LINES", 4)
    file = io.BytesIO()
    made = XlsxReport(file)
    for n in range(1, 5):
        made.add(Outcome(n, n, f"R-{n}", "refused", None, (Said("A", None, "a", None), Said("B", None, "b", None))))
    made.close()
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue()))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [len(rows) for rows in sheets] == [4, 4, 3] and {rows[0][1] for rows in sheets} == {"Référence"}
    said = [(rows[n][1], rows[n][3]) for rows in sheets for n in range(1, len(rows))]
    assert said == [(f"R-{n}", code) for n in range(1, 5) for code in ("A", "B")]
