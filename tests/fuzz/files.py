"""Files of fiches as OPCOs send them, good and spoilt: as bytes, in one cell or one member, and inside the parts of a workbook."""

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import schemathesis
import xlsxwriter
from hypothesis import strategies as st

from services.submission.files.columns import columns
from services.submission.files.template import rows_of
from services.submission.form_fields import fields_of
from services.submission.import_answers import KINDS
from tests.fuzz.mutations import mutated, varied
from tests.support.fiches import GOLDEN_WARNINGS, golden_content, golden_json

Table = Sequence[Sequence[Any]]
TABLE: Final[Table] = (
    [column.header for column in columns()],
    *rows_of("F-1", fields_of(golden_content()), GOLDEN_WARNINGS),
    *rows_of("F-2", fields_of(golden_content(title="Peintre en décors")), GOLDEN_WARNINGS),
)
FILINGS: Final = tuple(
    {"reference": name, "content": golden_json(), "acknowledged": list(GOLDEN_WARNINGS)} for name in ("F-3", "F-4")
)


def spoilt(kind: str, chance: random.Random) -> bytes:
    """Return a file of a kind (`xlsx`, `csv`, `json`): in a tenth of all cases as it should be."""
    if (what := chance.random()) < 0.1:
        return good_file(kind)
    if what < 0.6:
        return _MADE[kind](_changed(kind, chance))
    raw = good_file(kind)
    return _parts(chance, raw) if kind == "xlsx" and what < 0.9 else mutated(chance, raw)


def good_file(kind: str) -> bytes:
    """Return a file of a kind that files two fiches; of JSON one a line."""
    return _MADE[kind](FILINGS if kind == "json" else TABLE)


def known_to_schemathesis() -> None:
    """Tell schemathesis what files of the types that the import takes look like: by their schema they are bytes."""
    for content_type, kind in KINDS.items():
        if content_type != "application/json":  # that one has a schema of its own
            schemathesis.openapi.media_type(content_type, _files(kind))


def _files(kind: str) -> st.SearchStrategy[bytes]:
    return st.integers(0, 2**32).map(lambda number: spoilt(kind, random.Random(number)))


def _changed(kind: str, chance: random.Random) -> Any:
    """Return what a file says with one place changed; of a table mostly one cell, else a column or a line."""
    if kind == "json":
        found = varied(chance, FILINGS, gently=chance.random() < 0.3)
        return found if isinstance(found, list) else [found]
    rows = [list(row) for row in TABLE]
    if chance.random() < 0.2:
        return [row for row in varied(chance, rows) if isinstance(row, list)]
    row = chance.choice(rows[1:])
    row[chance.randrange(len(row))] = varied(chance, "")
    return rows


def _csv(rows: Table) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")


def _xlsx(rows: Table) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Fiches")
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, [cell if isinstance(cell, str | int | float) else json.dumps(cell) for cell in row])
    return out.getvalue()


def _ndjson(filings: Sequence[Any]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in filings)


def _parts(chance: random.Random, raw: bytes) -> bytes:
    """Return a workbook with one of its parts changed: a whole archive around what nobody would write."""
    with zipfile.ZipFile(io.BytesIO(raw)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = chance.choice(list(parts))
    parts[name] = mutated(chance, parts[name])
    if chance.random() < 0.1:
        del parts[name]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part, content in parts.items():
            new.writestr(part, content)
    return out.getvalue()


_MADE: Final[Mapping[str, Callable[[Any], bytes]]] = {"xlsx": _xlsx, "csv": _csv, "json": _ndjson}
