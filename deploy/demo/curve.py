"""The monthly curve, drawn with characters."""

from collections.abc import Sequence
from typing import Final

import plotext

SHORT_MONTHS: Final = (
    "janv.",
    "févr.",
    "mars",
    "avr.",
    "mai",
    "juin",
    "juil.",
    "août",
    "sept.",
    "oct.",
    "nov.",
    "déc.",
)
WIDTH, HEIGHT = 92, 17
_FIRST_STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def monthly_curve(values: Sequence[float], title: str) -> str:
    """Return the curve of twelve monthly values as plain text, each value written at its point. ValueError for another number."""
    if len(values) != 12:
        raise ValueError("a year has twelve months")
    months, top = list(range(1, 13)), max(*values, 1)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(WIDTH, HEIGHT)
    figure.draw(figure.signal(months, list(values), marker="braille").lines())
    figure.draw(figure.signal(months, list(values), marker="●"))
    for month, value in zip(months, values, strict=True):
        figure.draw(figure.text(month, value + top / 12, f"{value:g}", alignment="center"))
    _rulers(figure, months, top)
    figure.title(title)
    return "\n".join(line.rstrip() for line in plotext.uncolorize(figure.build()).rstrip().splitlines())


def _rulers(figure: "plotext.figure", months: list[int], top: float) -> None:
    """Set the two axes: the months, and about four round values."""
    across, up = figure.ruler("x", 0), figure.ruler("y", 0)
    across.lim(0.5, 12.5)
    across.ticks(months, list(SHORT_MONTHS))
    step = next((step for step in _FIRST_STEPS if top / step <= 4), top / 4)
    marks = [step * n for n in range(5) if step * n <= top * 1.15]
    up.lim(0, top * 1.2)
    up.ticks(marks, [f"{mark:g}" for mark in marks])
