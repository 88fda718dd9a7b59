"""SQL of a unit of work: many rows of many tables, written by one chain of data-modifying CTEs.

The texts depend only on which tables and columns take part, so they are made once and kept; the rows travel as arrays (`unnest`).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from shared.messaging.records import OUTBOX_COLUMNS, Outgoing

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this constructor untyped


class Rows:
    """Rows of one table on their way into one statement; all with the same columns."""

    def __init__(self, table: sa.Table, *, update: bool = False, on_conflict: str = "") -> None:
        self.table, self.update, self.on_conflict = table, update, on_conflict
        self.names: tuple[str, ...] = ()
        self.values: list[tuple[Any, ...]] = []
        self.versions: list[int] = []

    def add(self, row: Mapping[str, Any], version: int = 0) -> None:
        """Take a row; `version` is what an updated row must still have."""
        self.names = self.names or tuple(row)
        self.values.append(tuple([row[name] for name in self.names]))
        self.versions.append(version)

    def statement(self) -> tuple[str, tuple[Any, ...]]:
        """Return the statement and its arrays."""
        arrays = tuple([list(column) for column in zip(*self.values, strict=True)])
        if self.update:
            return _update(self.table, self.names), (*arrays, self.versions)
        return _insert(self.table, self.names, self.on_conflict), arrays


@lru_cache(maxsize=256)
def _insert(table: sa.Table, names: tuple[str, ...], on_conflict: str) -> str:
    return f'INSERT INTO "{table.name}" ({_quoted(names)}) SELECT * FROM unnest({_casts(table, names)}) {on_conflict}'


@lru_cache(maxsize=256)
def _update(table: sa.Table, names: tuple[str, ...]) -> str:
    sets = ", ".join(f'"{name}" = u."{name}"' for name in names if name != "id")
    return (
        f'UPDATE "{table.name}" t SET {sets} FROM unnest({_casts(table, names)}, ${len(names) + 1}::int[])'
        f" AS u({_quoted(names)}, _expected) WHERE t.id = u.id AND t.version = u._expected"
    )


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _casts(table: sa.Table, names: tuple[str, ...]) -> str:
    return ", ".join(f"${i}::{pg_type(table.c[name])}[]" for i, name in enumerate(names, 1))


def pg_type(column: "sa.Column[Any]") -> str:
    """Return the PostgreSQL name of a column's type, for the casts of `unnest`."""
    return column.type.compile(dialect=_DIALECT).lower().split("(")[0].replace("varchar", "text")


class Statement:
    """The CTE chain under construction: its parts, one list of arguments, and which parts are guarded updates."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, int, bool]] = []
        self.args: list[Any] = []

    def part(self, query: str, args: Sequence[Any], *, counted: bool = False) -> None:
        """Take a statement with its own `$1..$n`; the rows of a counted one add to what the chain returns."""
        self.parts.append((query, len(args), counted))
        self.args.extend(args)

    def complete(self) -> tuple[Any, ...]:
        """Return the whole statement and its arguments."""
        return (_chain(tuple(self.parts)), *self.args)


@lru_cache(maxsize=512)
def _chain(parts: tuple[tuple[str, int, bool], ...]) -> str:
    ctes, shift = [], 0
    for number, (query, arguments, _) in enumerate(parts):
        ctes.append(f"w{number} AS ({_renumbered(query, arguments, shift)} RETURNING 1)")
        shift += arguments
    counts = [f"(SELECT count(*) FROM w{number})" for number, (_, _, counted) in enumerate(parts) if counted]
    return f"WITH {', '.join(ctes)} SELECT {' + '.join(counts) or '0'}"


def _renumbered(query: str, arguments: int, shift: int) -> str:
    for i in range(arguments, 0, -1):
        query = query.replace(f"${i}", f"$%{i + shift}")
    return query.replace("$%", "$")


@lru_cache(maxsize=1)
def _outbox() -> str:
    names = _quoted(tuple(name for name, _ in OUTBOX_COLUMNS))
    casts = ", ".join(f"${i}::{kind}[]" for i, (_, kind) in enumerate(OUTBOX_COLUMNS, 1))
    return (
        f"INSERT INTO outbox ({names}) SELECT {names} FROM unnest({casts}) WITH ORDINALITY AS u({names}, _n)"
        " ORDER BY _n ON CONFLICT DO NOTHING"  # naming the column would ask for the right to see the row that is there
    )


def outbox_statement(records: Sequence[Outgoing]) -> tuple[str, tuple[Any, ...]]:
    """Return the insert of records into the outbox, in the order given."""
    columns = zip(*(record.as_row() for record in records), strict=True)
    return _outbox(), tuple([list(column) for column in columns])
