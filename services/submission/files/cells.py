"""From a cell to the text a person would type for it in the form: a spreadsheet's numbers, days and times, codes without their zeros.

What a text means is the form's business (`form_fields.py`); what cannot be understood here stays as it was written.
"""

import datetime as dt
import re
from contextlib import suppress
from typing import Final, TypeAlias
from uuid import UUID

from services.submission.domain.partners import CODE_PATTERN, partner_id
from services.submission.files.columns import Column, plain
from services.submission.form_fields import Kind

Cell: TypeAlias = str | int | float | bool | dt.date | dt.time | dt.timedelta | None
"""What a reader gives for a cell."""
LONGEST: Final = 32_767
"""Characters of a cell, as in a spreadsheet."""
PARTNERS: Final = "sourcing.partner_ids"
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")
_TIME: Final = re.compile(r"^([0-9]{1,2})(?:[:hH]([0-9]{2})?)(?::[0-9]{2})?$")
_CODES: Final = re.compile(r"^[\w\s,;|]*$")
"""Codes alone may be separated by commas too; labels hold some."""
_CODE: Final = re.compile(r"^([A-Z0-9_]+)\s[-–—]\s")


def is_empty(cell: Cell) -> bool:
    """Return whether nothing stands in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def texts_of(column: Column, cell: Cell) -> list[str]:
    """Return the texts of a cell that is not empty: one, or several where the column takes several."""
    if not column.many:
        return [_text(column, cell)]
    codes = isinstance(cell, str) and (column.choices or column.digits) and _CODES.match(cell)
    parts = re.split(r"[|\n;,]" if codes else r"[|\n]", cell) if isinstance(cell, str) else [cell]
    return [_text(column, part) for part in parts if not is_empty(part)]


def _text(column: Column, cell: Cell) -> str:
    text = _written(cell)
    if column.is_time:
        found = _TIME.match(_SPACES.sub("", text))
        return f"{int(found[1]):02}:{found[2] or '00'}" if found else text
    if column.choices:
        return _chosen(column, text)
    if column.path == PARTNERS:
        return _partner(text)
    return _padded(column, text)


def _partner(text: str) -> str:
    """Return the identifier of a partner that is named by its code, as the directory shows it: it is derived from that."""
    with suppress(ValueError):
        return str(UUID(text))
    code = text.lower()
    return str(partner_id(code)) if re.fullmatch(CODE_PATTERN, code) else text


def _written(cell: Cell) -> str:
    """Return a cell as text; whole numbers without a point, days as 2018-04-30, times as 09:30."""
    if isinstance(cell, bool):
        return "oui" if cell else "non"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(round(cell, 6))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.timedelta):
        minutes = int(cell.total_seconds()) // 60
        return f"{minutes // 60:02}:{minutes % 60:02}"
    if isinstance(cell, dt.time):
        return cell.strftime("%H:%M")
    return cell.strip() if isinstance(cell, str) else str(cell)


def _padded(column: Column, text: str) -> str:
    """Return a code with the zeros that a spreadsheet took away; any other text as it is."""
    bare = _SPACES.sub("", text) if column.digits or column.typed.kind is not Kind.TEXT else text
    return bare.zfill(column.digits) if column.digits and bare.isascii() and bare.isdigit() else bare


def _chosen(column: Column, text: str) -> str:
    """Return the code: written as such, by its label, or as the drop-down list shows both."""
    code = _padded(column, text)
    if code in column.choices:
        return code
    if (shown := _CODE.match(text)) and shown[1] in column.choices:
        return shown[1]
    wanted = plain(text)
    if wanted in column.doubtful:
        return text
    return next((one for one, label in column.choices.items() if wanted in (plain(one), plain(label or one))), text)
