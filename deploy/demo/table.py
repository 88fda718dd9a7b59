"""The joint table of engaged sessions, OPCO by month, and their AIS: drawn, with every margin exact."""

from dataclasses import dataclass
from typing import Final

from deploy.demo.draw import Draw
from deploy.demo.margins import AIS, AIS_BY_MONTH, ENGAGED, ENGAGED_BY_MONTH

USUAL_AIS: Final = 9
LARGEST: Final = "akto"


@dataclass
class Cell:
    """One engaged session: whose, in which month (1 to 12) it starts, its AIS net."""

    opco: str
    month: int
    ais: int = USUAL_AIS


def drawn_table(draw: Draw) -> list[Cell]:
    """Return the 187 sessions; Constructys has one a month, the others share what is left of each month."""
    cells = [Cell("constructys", month) for month in range(1, 13)]
    slots = draw.shuffled([month for month, n in enumerate(ENGAGED_BY_MONTH, 1) for _ in range(n - 1)])
    for opco, n in ENGAGED.items():
        if opco != "constructys":
            cells += [Cell(opco, slots.pop()) for _ in range(n)]
    _fit_ais(cells, draw)
    _vary_ais(cells, draw)
    return sorted(cells, key=lambda cell: (cell.month, cell.opco, cell.ais))


def _fit_ais(cells: list[Cell], draw: Draw) -> None:
    """Move single AIS until the AIS of every OPCO and of every month are the tabled ones; 8 to 10 a session."""
    rows = {opco: AIS[opco] - USUAL_AIS * n for opco, n in ENGAGED.items()}
    columns = {month: AIS_BY_MONTH[month - 1] - USUAL_AIS * n for month, n in enumerate(ENGAGED_BY_MONTH, 1)}
    order = draw.shuffled(cells)
    for cell in order:
        step = _sign(rows[cell.opco])
        if step and step == _sign(columns[cell.month]):
            _move(cell, step, rows, columns)
    for cell in order:
        if cell.opco == LARGEST and (step := _sign(columns[cell.month])):
            _move(cell, step, rows, columns)
    assert not any(rows.values()) and not any(columns.values()), "another seed is needed"
    for _ in range(400):
        _swap(cells, draw)


def _swap(cells: list[Cell], draw: Draw) -> None:
    """One more for an OPCO in one month, one less in another; the reverse for a second OPCO: no margin moves."""
    up, down = draw.one_of(cells), draw.one_of(cells)
    others = [
        [c for c in cells if c.opco not in (up.opco, down.opco) and c.month == month]
        for month in (up.month, down.month)
    ]
    if up.opco != down.opco or up.month == down.month or not all(others):
        return
    less, more = draw.one_of(others[0]), draw.one_of(others[1])
    if less.opco == more.opco and up.ais < 10 and more.ais < 10 and down.ais > 8 and less.ais > 8:
        up.ais, down.ais, less.ais, more.ais = up.ais + 1, down.ais - 1, less.ais - 1, more.ais + 1


def _vary_ais(cells: list[Cell], draw: Draw) -> None:
    """Let sessions of one OPCO and month differ: one more here, one less there, no margin moved."""
    for first in cells:
        twins = [
            c for c in cells if c is not first and (c.opco, c.month, c.ais) == (first.opco, first.month, USUAL_AIS)
        ]
        if twins and first.ais == USUAL_AIS and draw.below(2):
            first.ais, draw.one_of(twins).ais = 10, 8


def _move(cell: Cell, step: int, rows: dict[str, int], columns: dict[int, int]) -> None:
    cell.ais += step
    rows[cell.opco] -= step
    columns[cell.month] -= step


def _sign(n: int) -> int:
    return (n > 0) - (n < 0)
