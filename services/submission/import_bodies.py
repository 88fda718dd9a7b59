"""The HTTP bodies of imports: what is answered of a file, of its fiches, of the columns it may have."""

import datetime as dt
from typing import Any
from uuid import UUID

from services.submission.files.columns import columns, said_place
from services.submission.import_store import Import, LineRead
from shared.contracts.fiche import Value

STATES = {"running": "En cours", "done": "Terminé", "stopped": "Arrêté"}
MOST_CHOICES = 200
"""Longer lists (communes, jobs) have a door of their own."""


class CountsOut(Value):
    """Fiches of a file by what became of them; `unchanged` were filed before with the same content, `waiting` are to come."""

    accepted: int = 0
    unchanged: int = 0
    warned: int = 0
    refused: int = 0
    waiting: int = 0


class ImportOut(Value):
    """A file on its way in."""

    import_id: UUID
    opco: str
    kind: str
    state: str
    state_label: str
    fiches: int
    done: int
    counts: CountsOut
    acknowledged: tuple[str, ...]
    received_at: dt.datetime
    finished_at: dt.datetime | None = None


class ImportsOut(Value):
    """A page of files, the newest first; `next` is the value of `after` that continues it."""

    imports: tuple[ImportOut, ...]
    next: UUID | None = None


class SaidOut(Value):
    """An objection or a warning about a fiche of a file; `column` is its field in the words of the template."""

    code: str
    field: str | None = None
    column: str
    message: str
    source: str | None = None
    warning: bool = False


class LineOut(Value):
    """What became of one fiche of a file: the line (or place) it begins on, its reference, the outcome, all that was said."""

    n: int
    line: int
    reference: str | None = None
    outcome: str | None = None
    fiche_id: UUID | None = None
    said: tuple[SaidOut, ...] = ()


class LinesOut(Value):
    """A page of the fiches of a file; `next` is the value of `after` that continues it."""

    lines: tuple[LineOut, ...]
    next: int | None = None


class ColumnOut(Value):
    """A column of a table of fiches."""

    path: str
    header: str
    help: str
    kind: str
    level: str
    required: bool
    several: bool
    choices: dict[str, str]


class ColumnsOut(Value):
    """The columns, in the order of the template."""

    columns: tuple[ColumnOut, ...]


def import_out(found: Import) -> ImportOut:
    """Return a file as it is answered."""
    counts = CountsOut(**found.counts, waiting=found.fiches - found.done)
    shown: dict[str, Any] = {**found.__dict__, "import_id": found.id, "state_label": STATES[found.state]}
    return ImportOut.model_validate({**shown, "done": found.done, "counts": counts})


def line_out(line: LineRead) -> LineOut:
    """Return a fiche of a file as it is answered."""
    said = tuple(SaidOut(**{**one, "column": said_place(one["field"])}) for one in line.objections)
    return LineOut(**{**line.__dict__, "said": said})


def columns_out() -> ColumnsOut:
    """Return the description of a table."""
    return ColumnsOut(
        columns=tuple(
            ColumnOut(
                path=column.path,
                header=column.header,
                help=column.help,
                kind=column.typed.kind.value,
                level=column.level.value,
                required=column.required,
                several=column.many,
                choices=dict(column.choices) if len(column.choices) <= MOST_CHOICES else {},
            )
            for column in columns()
        )
    )
