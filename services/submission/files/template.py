"""The template of a file of fiches: XLSX with drop-down lists, comments and an example; CSV with the same titles and example."""

import csv
import io
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from services.submission.files.columns import ACKNOWLEDGED, REFERENCE, Column, Level, columns, place
from services.submission.files.readers import SHEET
from services.submission.form_fields import Kind, fields_of
from shared.contracts.fiche import FicheContent

ROWS: Final = 20_000
"""So many lines have drop-down lists and formats."""
_EXAMPLE: Final = Path(__file__).parent / "example.json"
_COLOURS: Final[Mapping[Level, str]] = {Level.FICHE: "#DCE6F2", Level.SESSION: "#E2EFDA", Level.MEETING: "#FFF2CC"}
_READ_ME: Final = """\
Une ligne est une fiche, avec une session et une réunion d’information.
Pour une session de plus, ou une réunion de plus, ajoutez une ligne de même référence juste en dessous\u202f: n’y mettez que du nouveau.
Plusieurs valeurs dans une cellule (Formacodes, publics, contrats, adresse, partenaires) sont séparées par une barre verticale (|).
Les colonnes en gras sont obligatoires\u202f; chacune porte un commentaire. L’ordre des colonnes est libre.
Les montants sont en euros, les dates au format JJ/MM/AAAA.
«\u202fAvertissements lus\u202f» reprend les codes que le compte rendu donne pour une fiche avertie et que vous maintenez.
Aucun nom de personne, aucune adresse personnelle.
Le même fichier peut être renvoyé\u202f: ce qui est déjà déposé ne l’est pas deux fois.
"""


def rows_of(reference: str, fields: Mapping[str, str], acknowledged: Iterable[str] = ()) -> list[list[str]]:
    """Return the lines of a table that say a fiche: `tables.fiches_of` gives the same texts back."""
    sessions = _number(fields, "sessions.{}.number")
    places = [
        (s, m)
        for s in range(max(sessions, 1))
        for m in range(max(_number(fields, f"sessions.{s}.meetings.{{}}.on"), 1))
    ]
    texts = {REFERENCE: reference, ACKNOWLEDGED: " | ".join(acknowledged)}
    return [[texts.get(c.path) or _cell(c, fields, n == 0, s, m) for c in columns()] for n, (s, m) in enumerate(places)]


def _number(fields: Mapping[str, str], path: str) -> int:
    return next(n for n in range(len(fields) + 1) if path.format(n) not in fields)


def _cell(column: Column, fields: Mapping[str, str], first: bool, session: int, meeting: int) -> str:
    """Return what stands in a cell: of the fiche on its first line, of a session on the line that begins it, of each meeting."""
    due = {Level.FICHE: first, Level.SESSION: meeting == 0, Level.MEETING: True}[column.level]
    if not due:
        return ""
    if not column.many:
        return fields.get(place(column.path, False, session, meeting), "")
    values = (fields.get(place(column.path, True, session, meeting, n)) for n in range(len(fields)))
    return " | ".join(value for value in values if value)


@cache
def csv_template() -> bytes:
    """Return the CSV template, as spreadsheets of this country read it: semicolons, UTF-8 with its mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.header for column in columns()])
    writer.writerows(_example())
    return ("\ufeff" + out.getvalue()).encode()


def _example() -> list[list[str]]:
    content = FicheContent.model_validate_json(_EXAMPLE.read_bytes())
    return rows_of("EXEMPLE-2026-001", fields_of(content))


@cache
def xlsx_template() -> bytes:
    """Return the workbook: the sheet to fill in, an example, how to fill it in, the lists."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet, example = workbook.add_worksheet(SHEET), workbook.add_worksheet("Exemple")
        how, lists = workbook.add_worksheet("Mode d’emploi"), workbook.add_worksheet("Listes")
        formats = _formats(workbook)
        ranges = _write_lists(lists)
        for one in (sheet, example):
            _write_titles(one, formats)
        for index, column in enumerate(columns()):
            _prepare(sheet, index, column, formats, ranges)
        for n, row in enumerate(_example(), 1):
            example.write_row(n, 0, row)
        how.set_column(0, 0, 120, workbook.add_format({"text_wrap": True}))
        for n, sentence in enumerate(_READ_ME.splitlines()):
            how.write_string(n, 0, sentence)
    return out.getvalue()


def _formats(workbook: Workbook) -> Mapping[str, Format]:
    titles = {
        f"{level}{required}": workbook.add_format(
            {"bg_color": colour, "bold": required, "text_wrap": True, "valign": "top", "border": 1}
        )
        for level, colour in _COLOURS.items()
        for required in (False, True)
    }
    cells = {
        "text": workbook.add_format({"num_format": "@"}),
        "day": workbook.add_format({"num_format": "dd/mm/yyyy"}),
        "euros": workbook.add_format({"num_format": "#,##0.00"}),
    }
    return titles | cells


def _write_titles(sheet: Worksheet, formats: Mapping[str, Format]) -> None:
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 32)
    for index, column in enumerate(columns()):
        sheet.write_string(0, index, column.header, formats[f"{column.level}{column.required}"])
        sheet.set_column(index, index, max(14, len(column.header) + 2))


def _write_lists(sheet: Worksheet) -> Mapping[str, str]:
    """Write each closed list into a column of its own; return the range of each by the path of its column."""
    ranges = {}
    for index, column in enumerate(column for column in columns() if column.choices):
        sheet.write_string(0, index, column.header)
        for n, (code, label) in enumerate(column.choices.items(), 1):
            sheet.write_string(n, index, f"{code} – {label}" if label else code)
        letter = xl_col_to_name(index)
        ranges[column.path] = f"=Listes!${letter}$2:${letter}${len(column.choices) + 1}"
    return ranges


def _prepare(
    sheet: Worksheet, index: int, column: Column, formats: Mapping[str, Format], ranges: Mapping[str, str]
) -> None:
    """Give a column its comment, its format, its drop-down list or the check of what is typed."""
    sheet.write_comment(0, index, column.help, {"x_scale": 2})
    kind = column.typed.kind
    named = {Kind.DATE: "day", Kind.EUROS: "euros", Kind.TEXT: "text", Kind.CHOICE: "text"}.get(kind)
    if named:
        sheet.set_column(index, index, max(14, len(column.header) + 2), formats[named])
    rule: dict[str, object] = {}
    if column.choices:
        # several values are typed: the list helps, and lets them pass
        rule = {"validate": "list", "source": ranges[column.path], "show_error": not column.many}
    elif kind is Kind.YES_NO:
        rule = {"validate": "list", "source": ["Oui", "Non"]}
    elif kind is Kind.WHOLE:
        rule = {"validate": "integer", "criteria": ">=", "value": 0}
    if rule:
        told = {"error_title": column.header[:32], "error_message": column.help[:255]}
        sheet.data_validation(1, index, ROWS, index, {**rule, **told})
