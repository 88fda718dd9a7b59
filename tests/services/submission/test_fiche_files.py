"""Files of fiches: the same content by workbook, CSV and JSON; what people and spreadsheets write; what a stranger's file may cost."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from services.submission.domain.partners import partner_id
from services.submission.files.cells import texts_of
from services.submission.files.columns import BESIDE, by_header, columns, plain, said_place
from services.submission.files.headers import BESIDE_LABELS, COMMENTS
from services.submission.files.readers import drafts_of
from services.submission.files.report import Outcome, Said, harmless, lines_of
from services.submission.files.tables import Unreadable, fiches_of
from services.submission.files.template import csv_template, rows_of, xlsx_template
from services.submission.form_fields import content_of, fields_of
from shared.contracts.fiche import FicheContent
from tests.services.submission.filings import session
from tests.support.fiches import golden_content, golden_json

TITLES = [column.header for column in columns()]


def two_sessions() -> FicheContent:
    meetings = [{**golden_json()["sessions"][0]["meetings"][0], "on": f"2018-04-0{n}"} for n in (2, 3)]
    return golden_content(
        sessions=[session(meetings=meetings), session(number=2, start="2018-06-04", end="2018-09-07")],
        formacodes=["22472", "01010"],
        branch_idcc="0292",
    )


def as_csv(*rows: list[str], delimiter: str = ";", encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def as_xlsx(*rows: list[Any], sheet: str = "Fiches") -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        made = book.add_worksheet(sheet)
        for n, row in enumerate(rows):
            made.write_row(n, 0, row)
    return out.getvalue()


def drafts(kind: str, raw: bytes) -> list[dict[str, Any]]:
    return list(drafts_of(kind, io.BytesIO(raw)))


def wrong(kind: str, raw: bytes) -> list[str]:
    with pytest.raises(Unreadable) as found:
        drafts(kind, raw)
    return [objection.code for objection in found.value.objections]


def table(content: FicheContent, reference: str = "F-1") -> list[list[str]]:
    return [TITLES, *rows_of(reference, fields_of(content), ("HOURS_PARTS",))]


def test_every_column_has_a_french_header_and_no_header_is_left_over() -> None:
    assert sorted(COMMENTS) == sorted(column.path for column in columns())
    assert {column.path for column in columns() if column.header in (column.path, "")} == set()
    assert set(BESIDE_LABELS) == BESIDE
    assert all(by_header()[plain(column.header)] is column for column in columns()), "two columns would be read as one"
    assert all(column.help for column in columns())


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("csv", as_csv(*table(two_sessions()))),
        ("csv", as_csv(*table(two_sessions()), delimiter=",", encoding="utf-8")),
        ("csv", as_csv(*table(two_sessions()), delimiter="\t", encoding="utf-16")),
        ("xlsx", as_xlsx(*table(two_sessions()))),
        ("xlsx", as_xlsx(*table(two_sessions()), sheet="Feuil1")),
    ],
)
def test_a_table_says_the_content_it_was_made_from(kind: str, raw: bytes) -> None:
    (draft,) = drafts(kind, raw)
    assert (draft["line"], draft["reference"], draft["acknowledged"], draft["objections"]) == (2, "F-1", ["HOURS_PARTS"], [])
    assert content_of(draft["fields"]) == two_sessions()


def test_windows_own_encoding_is_read_too() -> None:
    content = golden_content(title="Peintre à l’atelier", sourcing={"plan": "Réunions à Coutances", "partners": []})
    rows = [[text.replace("\u202f", " ") for text in row] for row in table(content)]
    (draft,) = drafts("csv", as_csv(*rows, encoding="cp1252"))
    assert content_of(draft["fields"]) == content


def test_what_a_spreadsheet_makes_of_codes_amounts_days_and_times_is_understood() -> None:
    row: dict[str, Any] = dict(zip(TITLES, table(golden_content(branch_idcc="0292"))[1], strict=True))
    row |= {"Branche (IDCC)": 292.0, "Formacodes": 22472.0, "SIRET de l’organisme": 99912345800013.0}
    row |= {"Coût pédagogique d’une session (euros)": 67032.0, "Part de l’OPCO (euros)": 27032, "Organisme certifié Qualiopi": True}
    row |= {"Zone d’emploi": "2816 – Saint-Lô", "Publics": "Demandeur d’emploi", "Contrats visés": "cdi | CDD d’au moins 12 mois"}
    row |= {"Premier jour": "30/04/2018", "Heure de la réunion": "9h30", "Type de besoin": "conjoncturelle"}
    (draft,) = drafts("xlsx", as_xlsx(TITLES, [row[title] for title in TITLES]))
    assert content_of(draft["fields"]) == golden_content(branch_idcc="0292", formacodes=["22472"])


def test_what_a_drop_down_list_shows_is_read_and_a_name_of_two_communes_says_neither() -> None:
    of = {column.path: column for column in columns()}
    assert texts_of(of["place.insee"], "50502 – Saint-Lô") == ["50502"]
    assert texts_of(of["place.insee"], "saint lo") == ["50502"]
    doubtful = next(iter(of["place.insee"].doubtful))
    assert texts_of(of["place.insee"], doubtful) == [doubtful]
    assert texts_of(of["nsf"], "220 | 326") == texts_of(of["nsf"], "220, 326") == ["220", "326"]


def test_a_further_line_adds_a_session_or_a_meeting_and_may_not_say_something_else_of_the_fiche() -> None:
    first, second = table(two_sessions())[1:3]
    again = [text if title in ("Référence", "Premier jour") else "" for title, text in zip(TITLES, first, strict=True)]
    again[TITLES.index("Premier jour")] = "04/06/2018"
    other = [*second]
    other[TITLES.index("Intitulé")] = "Autre intitulé"
    (draft,) = fiches_of(lambda: [(1, TITLES), (2, first), (3, other), (4, again)])
    assert [objection.code for objection in draft.objections] == ["LINE_DIFFERS"]
    assert draft.fields["sessions.1.number"] == "2", "a session without a number is the next one"
    assert "Autre intitulé" not in draft.objections[0].message


def said(draft: dict[str, Any]) -> tuple[int, str, list[str]]:
    return draft["line"], draft["reference"], [objection["code"] for objection in draft["objections"]]


@pytest.mark.parametrize("make", [("csv", as_csv), ("xlsx", as_xlsx)], ids=lambda made: made[0])
def test_a_fiche_whose_lines_are_apart_is_refused_as_a_whole_and_told_both_lines(make: tuple[str, Any]) -> None:
    kind, written = make
    first, _, second = table(two_sessions())[1:]
    (other,) = table(golden_content(), "F-2")[1:]
    found = drafts(kind, written(TITLES, first, other, second))
    assert [said(draft) for draft in found] == [(2, "F-1", ["REFERENCE_APART"]), (3, "F-2", []), (4, "F-1", ["REFERENCE_APART"])]
    for draft in (found[0], found[2]):
        (objection,) = draft["objections"]
        assert "ligne 2" in objection["message"] and "ligne 4" in objection["message"] and objection["field"] == "reference"
    assert [said(draft) for draft in drafts(kind, written(TITLES, first, second, other))] == [(2, "F-1", []), (4, "F-2", [])]


def test_a_line_without_a_reference_goes_on_with_the_fiche_above_or_is_refused_at_its_own_line() -> None:
    first, meeting, second = table(two_sessions())[1:]
    (other,) = table(golden_content(title="Autre intitulé"), "")[1:]
    joined = ["" if title == "Référence" else text for title, text in zip(TITLES, second, strict=True)]
    (draft,) = drafts("csv", as_csv(TITLES, first, meeting, joined))
    assert said(draft) == (2, "F-1", []) and content_of(draft["fields"]) == two_sessions()
    found = drafts("csv", as_csv(TITLES, first, other, second))
    assert [said(draft) for draft in found] == [(2, "F-1", ["REFERENCE_EMPTY"]), (3, "", []), (4, "F-1", ["REFERENCE_APART"])]
    assert "La ligne 3, qui suit" in found[0]["objections"][0]["message"]


def test_a_header_is_told_all_that_is_wrong_with_it_and_nothing_is_read() -> None:
    titles = [*TITLES[2:], TITLES[5], "Nom du candidat"]
    with pytest.raises(Unreadable) as found:
        drafts("csv", as_csv(titles, ["x"] * len(titles)))
    codes = [objection.code for objection in found.value.objections]
    assert codes == ["COLUMN_TWICE", "COLUMN_UNKNOWN", "COLUMN_MISSING", "COLUMN_MISSING"]
    assert "candidat" not in "".join(objection.message for objection in found.value.objections)


def test_json_is_an_array_or_one_object_after_the_other() -> None:
    one, two = {"reference": "F-1", "content": golden_json()}, {"reference": "F-2", "content": golden_json()}
    lines = b"\xef\xbb\xbf" + json.dumps(one).encode() + b"\n" + json.dumps(two).encode()
    for raw in (json.dumps([one, two]).encode(), b"\n  " + json.dumps([one, two], indent=2).encode(), lines):
        assert [json.loads(found["request"]) for found in drafts("json", raw)] == [one, two]


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("csv", b"", "COLUMN_MISSING"),
        ("csv", as_csv(TITLES), "FILE_EMPTY"),
        ("csv", as_csv(TITLES) + b'"x' + b"y" * 70_000, "CSV_UNREADABLE"),
        ("csv", b"\x81\x8d\xff\xfe\x00", "ENCODING"),
        ("json", b"[]", "FILE_EMPTY"),
        ("json", b'[{"a": 1, "a": 2}]', "JSON_UNREADABLE"),
        ("json", b'[{"a": NaN}]', "JSON_UNREADABLE"),
        ("json", b'[{"a": 1}', "JSON_UNREADABLE"),
        ("xlsx", b"PK\x03\x04 not a workbook", "WORKBOOK_UNREADABLE"),
        ("xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "WORKBOOK_UNREADABLE"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(kind: str, raw: bytes, code: str) -> None:
    assert code in wrong(kind, raw)


@pytest.mark.parametrize("second", ['{"a": 1, "a": 2}', '{"b": {"c": 1, "c": 2}}', '{"b": [{"c": 1, "c": 2}]}'])
def test_a_member_that_comes_twice_is_told_with_the_number_of_its_fiche(second: str) -> None:
    with pytest.raises(Unreadable) as found:
        drafts("json", f'[{{"a": 1}}, {second}, {{"a": 1}}]'.encode())
    (objection,) = found.value.objections
    assert objection.facts == {"fiche": 2} and "deux fois le même champ" in objection.message


def bomb() -> bytes:
    """Return a small workbook of two cells at the two ends of the largest sheet: as a rectangle it has 17 billion cells."""
    made = io.BytesIO(as_xlsx(["x"]))
    out = io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            raw = old.read(name)
            if name.endswith("sheet1.xml"):
                raw = raw.replace(b"</row>", b'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
            new.writestr(name, raw)
    return out.getvalue()


def read_apart(kind: str, raw: bytes, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    file = folder / "file"
    file.write_bytes(raw)
    with file.open("rb") as opened:
        asked = [sys.executable, "-I", "-m", "services.submission.files.readers", kind]
        return subprocess.run(asked, stdin=opened, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize(("kind", "raw"), [("xlsx", bomb()), ("json", b"[" * 1_000_000)])
def test_a_bomb_ends_its_own_process_and_nothing_else(tmp_path: Path, kind: str, raw: bytes) -> None:
    ended = read_apart(kind, raw, tmp_path)
    assert ended.returncode != 0 or b"JSON_UNREADABLE" in ended.stdout


def test_what_is_read_apart_ends_with_a_line_that_says_so(tmp_path: Path) -> None:
    read = read_apart("csv", as_csv(*table(golden_content())), tmp_path)
    (draft, end) = map(json.loads, read.stdout.splitlines())
    assert (draft["reference"], end) == ("F-1", {"end": True})
    (end,) = map(json.loads, read_apart("csv", b"x", tmp_path).stdout.splitlines())
    assert end["end"] and end["unreadable"][0]["code"] == "COLUMN_UNKNOWN"


@pytest.mark.parametrize("text", ["=1+1", "+33", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_no_cell_of_a_report_is_a_formula(text: str) -> None:
    outcome = Outcome(1, 2, text, "refused", None, (Said("CODE", "content.hours.total", text, None),))
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for line in lines_of(outcome) for cell in line)
    assert harmless("Peintre") == "Peintre"


def test_a_partner_is_named_by_its_code_or_by_its_identifier() -> None:
    (column,) = [column for column in columns() if column.path == "sourcing.partner_ids"]
    wanted = str(partner_id("mission-locale-caen"))
    assert texts_of(column, f"Mission-Locale-Caen | {wanted.upper()}") == [wanted, wanted]
    assert texts_of(column, "Mission locale de Caen") == ["Mission locale de Caen"]
    assert "mission-locale-caen" in column.help


def test_a_table_is_told_in_the_words_of_its_template() -> None:
    row = dict(zip(TITLES, table(golden_content())[1], strict=True))
    row |= {"Premier jour": "avril", "Type de besoin": "autre", "Partenaires de l’annuaire": "Mission locale de Caen"}
    (draft,) = drafts("csv", as_csv(TITLES, [row[title] for title in TITLES]))
    found = content_of(draft["fields"])
    assert isinstance(found, tuple)
    told = {one.field: one.message for one in found}
    assert told["sessions.0.start"] == "Indiquez une date (jj/mm/aaaa)."
    assert told["kind"] == "Choisissez une réponse dans la liste."
    assert not any("AAAA-MM-JJ" in text or "UUID" in text or "CONJONCTURELLE" in text for text in told.values())


def test_an_objection_names_its_column() -> None:
    assert said_place("content.hours.total") == said_place("hours.total") == "Heures en tout"
    assert said_place("sessions.1.meetings.0.on") == "Session 2, réunion d’information 1\u202f: Date de la réunion"
    assert [said_place(whole) for whole in ("outside_campaign", "content")] == ["Hors campagne", "Contenu de la fiche"]
    assert said_place("somewhere.else") == "somewhere.else"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(columns()), st.one_of(st.text(), st.floats(allow_nan=False), st.integers(), st.booleans()))
def test_any_cell_becomes_text(column: Any, cell: Any) -> None:
    assert all(isinstance(text, str) for text in texts_of(column, cell))


def test_the_templates_are_read_by_their_own_readers_and_the_example_is_a_whole_fiche() -> None:
    (draft,) = drafts("csv", csv_template())
    assert isinstance(content_of(draft["fields"]), FicheContent)
    assert wrong("xlsx", xlsx_template()) == ["FILE_EMPTY"]
    with zipfile.ZipFile(io.BytesIO(xlsx_template())) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert sheet.count("<dataValidation ") >= 15 and 'state="frozen"' in sheet
        assert book.read("xl/comments1.xml").decode().count("<comment ") == len(columns())
