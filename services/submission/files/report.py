"""The report of an import, one line per fiche and objection, as CSV and as XLSX; no cell of it is taken for a formula."""

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

import xlsxwriter

from services.submission.files.columns import said_place

TITLES: Final = ("Ligne", "Référence", "Résultat", "Code", "Champ", "Message", "Source", "Fiche")
OUTCOMES: Final[Mapping[str, str]] = {
    "accepted": "Déposée",
    "unchanged": "Déjà déposée",
    "warned": "Avertie, non déposée",
    "refused": "Refusée",
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width signs count too
SHEET_LINES: Final = 1_048_576
"""Lines of a sheet, its titles among them: what is beyond would be dropped without a word."""


@dataclass(frozen=True)
class Said:
    """An objection or a warning as it was kept."""

    code: str
    field: str | None
    message: str
    source: str | None


@dataclass(frozen=True)
class Outcome:
    """What became of one fiche of a file: the line it begins on, and all that was said about it."""

    n: int
    line: int
    reference: str | None
    outcome: str | None
    fiche_id: str | None
    said: tuple[Said, ...]


def lines_of(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the report about one fiche: one for each objection and warning, at least one."""
    word = OUTCOMES.get(outcome.outcome or "", "En attente")
    head = (str(outcome.line), outcome.reference or "", word)
    for said in outcome.said or (Said("", None, "", None),):
        about = (said.code, said_place(said.field), said.message, said.source or "", outcome.fiche_id or "")
        yield tuple(harmless(text) for text in (*head, *about))


def harmless(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


async def csv_report(outcomes: AsyncIterable[Outcome]) -> AsyncIterator[bytes]:
    """Yield the report as CSV, as spreadsheets of this country read it."""
    yield "\ufeff".encode() + _csv([TITLES])
    async for outcome in outcomes:
        yield _csv(lines_of(outcome))


def _csv(rows: Iterable[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode()


class XlsxReport:
    """The report as a workbook, written line by line into a file; memory does not grow with it."""

    def __init__(self, file: BinaryIO) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(file, options)
        self._bold = self._book.add_format({"bold": True})
        self._sheets = 0
        self._begin()

    def _begin(self) -> None:
        """Begin a sheet: the first, or another one where a sheet is full."""
        self._sheets += 1
        name = "Compte rendu" if self._sheets == 1 else f"Compte rendu {self._sheets}"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        for index, width in enumerate((8, 24, 20, 26, 32, 80, 24, 38)):
            self._sheet.set_column(index, index, width)
        for index, title in enumerate(TITLES):
            self._sheet.write_string(0, index, title, self._bold)
        self._next = 1

    def add(self, outcome: Outcome) -> None:
        """Write the lines about one fiche."""
        for line in lines_of(outcome):
            if self._next >= SHEET_LINES:
                self._filtered()
                self._begin()
            for index, text in enumerate(line):
                self._sheet.write_string(self._next, index, text)
            self._next += 1

    def close(self) -> None:
        """Write what is left."""
        self._filtered()
        self._book.close()

    def _filtered(self) -> None:
        self._sheet.autofilter(0, 0, self._next - 1, len(TITLES) - 1)
