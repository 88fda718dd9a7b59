"""Reads a file of fiches from its bytes: XLSX, CSV, JSON. Runs in a process of its own (`python -m services.submission.files.readers`).

What a stranger's file may cost is bounded there by the system: memory, seconds of processor, bytes written. The service reads
one line of JSON per fiche from it and never opens the file itself. Nothing in a file is executed: of a formula its last result is read.
"""

import codecs
import csv
import io
import json
import re
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, BinaryIO, Final

import ijson
import python_calamine as calamine

from services.submission.files.cells import LONGEST
from services.submission.files.tables import MOST_FICHES, Draft, Line, Unreadable, fiches_of
from shared.errors import Objection

KINDS: Final = ("xlsx", "csv", "json")
MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_SECONDS: Final = 120
WRITTEN_BYTES: Final = 256 * 1024 * 1024
REQUEST_BYTES: Final = 1024 * 1024
"""A fiche that is longer is not even handed on: every door refuses it far below that."""
SHEET: Final = "Fiches"


def drafts_of(kind: str, file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield what is to be filed, one after the other. Raises `Unreadable`.

    Of a table `line`, `reference`, `fields`, `acknowledged`, `objections`; of JSON `line` and `request`, the body of `POST /fiches`.
    """
    reader = {"xlsx": _of_workbook, "csv": _of_csv, "json": _of_json}[kind]
    count = 0
    for count, found in enumerate(reader(file), 1):
        if count > MOST_FICHES:
            raise Unreadable(_too_many())
        yield found
    if not count:
        raise Unreadable(
            Objection("FILE_EMPTY", "Le fichier ne contient aucune fiche\u202f: ajoutez-en, puis renvoyez-le.")
        )


def _too_many() -> Objection:
    text = f"Le fichier contient plus de {MOST_FICHES} fiches\u202f: partagez-le."
    return Objection("FILE_TOO_LONG", text, facts={"limit": MOST_FICHES})


def _shown(draft: Draft) -> dict[str, Any]:
    return {**draft.__dict__, "objections": [asdict(objection) for objection in draft.objections]}


# Workbooks


def _of_workbook(file: BinaryIO) -> Iterator[dict[str, Any]]:
    try:
        with calamine.CalamineWorkbook.from_filelike(file) as workbook:
            sheet = _sheet(workbook)
            first = sheet.start[0] + 1 if sheet.start else 1
            yield from map(_shown, fiches_of(lambda: enumerate(sheet.iter_rows(), first)))
    except (calamine.CalamineError, OSError) as failure:
        raise Unreadable(_WORKBOOK) from failure


_WORKBOOK: Final = Objection(
    "WORKBOOK_UNREADABLE",
    "Le classeur ne peut pas être lu\u202f: enregistrez-le au format .xlsx, sans mot de passe, puis renvoyez-le.",
)


def _sheet(workbook: calamine.CalamineWorkbook) -> calamine.CalamineSheet:
    """Return the sheet of fiches: the one of that name, else the first that is shown."""
    shown = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == calamine.SheetVisibleEnum.Visible]
    if not shown:
        raise Unreadable(_WORKBOOK)
    return workbook.get_sheet_by_name(SHEET if SHEET in shown else shown[0])


# Text


def _of_csv(file: BinaryIO) -> Iterator[dict[str, Any]]:
    encoding = _encoding(file)
    text = io.TextIOWrapper(file, encoding, newline="")
    delimiter = _delimiter(text)
    csv.field_size_limit(2 * LONGEST)
    try:
        yield from map(_shown, fiches_of(lambda: _numbered(text, delimiter)))
    finally:
        text.detach()


def _numbered(text: io.TextIOWrapper, delimiter: str) -> Iterator[Line]:
    """Yield the rows of a CSV from its beginning, each with the line it begins on: a cell may hold line ends. Raises `Unreadable`."""
    text.seek(0)
    lines = csv.reader(text, delimiter=delimiter, strict=True)
    before = 0
    try:
        for row in lines:
            yield before + 1, row
            before = lines.line_num
    except csv.Error:
        place = f"Le fichier n’est pas un CSV lisible à la ligne {lines.line_num}"
        message = f"{place}\u202f: vérifiez les guillemets et la longueur des cellules."
        raise Unreadable(Objection("CSV_UNREADABLE", message, facts={"line": lines.line_num})) from None


def _encoding(file: BinaryIO) -> str:
    """Return the encoding of a text: UTF-16 where it says so, UTF-8 where all of it is, else Windows' own."""
    head = file.read(4)
    file.seek(0)
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    candidates = ("utf-16",) if marked else ("utf-8-sig", "cp1252")
    for encoding in candidates:
        with suppress(UnicodeDecodeError):
            decoder = codecs.getincrementaldecoder(encoding)()
            while part := file.read(1024 * 1024):
                decoder.decode(part)
            decoder.decode(b"", final=True)
            file.seek(0)
            return encoding
        file.seek(0)
    message = "Le fichier n’est pas du texte\u202f: enregistrez-le en CSV UTF-8, puis renvoyez-le."
    raise Unreadable(Objection("ENCODING", message))


def _delimiter(text: io.TextIOWrapper) -> str:
    """Return what separates the cells: what the first line holds most of, outside quotes."""
    head = ""
    while not head.strip() and (line := text.readline(64 * 1024)):
        head = line
    text.seek(0)
    bare = "".join(head.split('"')[::2])
    return max(";,\t", key=bare.count)


# JSON


class _Once(dict[str, Any]):
    """An object of a request: a member that comes twice would be read differently by two readers.

    It is noted and not raised: ijson in C loses an exception of the mapping that it fills.
    """

    twice = False

    def __setitem__(self, name: str, value: Any) -> None:
        """Take a member."""
        self.twice = self.twice or name in self
        super().__setitem__(name, value)


def _says_twice(value: Any) -> bool:
    """Return whether a member comes twice in an object, or in one inside it."""
    if isinstance(value, _Once):
        return value.twice or any(map(_says_twice, value.values()))
    return isinstance(value, list) and any(map(_says_twice, value))


def _of_json(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the requests of an array, or of objects one after the other (lines)."""
    _refuse_half_signs(file)
    start = file.read(4).removeprefix(codecs.BOM_UTF8)
    while start and not start.strip():
        start = file.read(1)
    file.seek(0)
    if file.read(3) != codecs.BOM_UTF8:
        file.seek(0)
    array = start.strip().startswith(b"[")
    number = 0
    try:
        found = ijson.items(file, "item" if array else "", map_type=_Once, use_float=True, multiple_values=not array)
        for number, request in enumerate(found, 1):
            if _says_twice(request):
                raise _unreadable(number, "porte deux fois le même champ")
            yield {"line": number, "request": _written(request)}
    except (ijson.JSONError, ValueError, RecursionError):
        raise _unreadable(number + 1, "n’est pas du JSON lisible") from None


def _unreadable(number: int, text: str) -> Unreadable:
    message = f"La fiche n°\u00a0{number} du fichier {text}\u202f: corrigez-la, puis renvoyez le fichier."
    return Unreadable(Objection("JSON_UNREADABLE", message, facts={"fiche": number}))


_ESCAPES: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""Escapes one after the other; the group is half a sign of Unicode, without its other half."""


def _refuse_half_signs(file: BinaryIO) -> None:
    """Refuse what no text may hold, as `POST /fiches` does: the reader below would put a question mark in its place."""
    raw = file.read()
    file.seek(0)
    if (b"\\ud" in raw or b"\\uD" in raw) and any(found[1] for found in _ESCAPES.finditer(raw)):
        message = (
            "Le fichier contient une moitié de caractère Unicode\u202f: corrigez le texte, puis renvoyez le fichier."
        )
        raise Unreadable(Objection("SURROGATE", message))


def _written(request: Any) -> str | None:
    """Return a request as JSON; None for one that is far larger than any may be."""
    text = json.dumps(request, ensure_ascii=True)
    return text if len(text) <= REQUEST_BYTES else None


# The process


def main(kind: str) -> int:
    """Read the file on standard input; write one line per fiche, then one that says that it is the end."""
    _bound()
    out, written = sys.stdout.buffer, 0
    try:
        for found in drafts_of(kind, sys.stdin.buffer):
            line = _line_of(found)
            written += len(line)
            if written > WRITTEN_BYTES:
                raise Unreadable(_too_many())
            out.write(line)
        last: Mapping[str, Any] = {"end": True}
    except Unreadable as failure:
        last = {"end": True, "unreadable": [asdict(objection) for objection in failure.objections]}
    out.write(json.dumps(last).encode() + b"\n")
    out.flush()
    return 0


def _line_of(found: Mapping[str, Any]) -> bytes:
    """Return what is said of one fiche; of one that is far too large only where it stands and what it is called."""
    line = json.dumps(found).encode() + b"\n"
    if len(line) > REQUEST_BYTES and "fields" in found:
        line = (
            json.dumps({"line": found["line"], "reference": found["reference"][:LONGEST], "too_large": True}).encode()
            + b"\n"
        )
    return line


def _bound() -> None:
    """Let the system end this process where a file wants too much of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
