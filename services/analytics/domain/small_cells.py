"""Sums of people that are too small to be shown, and those hidden with them: what is hidden is not to be worked out from what is shown.

A group below `FEWEST_SHOWN` says something of the persons in it (rule 40). Whoever has all sums by OPCO but one, and their total, has that
one too; and each OPCO knows its own. So what is hidden together is three sums at least, and ten people beside any one of them; else the
next smallest sum is hidden too, and where there is none the total is.
Sums are made at two moments, of the same people: what is hidden at one of them is hidden at the other too.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from services.analytics.domain.measures import FEWEST_SHOWN

FEWEST_HIDDEN: Final = 3
RULE: Final = (
    f"Un nombre de personnes inférieur à {FEWEST_SHOWN} n’est pas montré\u202f: un si petit groupe dirait quelque chose de chacun."
    " D’autres nombres, ou le total, sont masqués avec lui quand une soustraction le ferait retrouver."
)
"""What people read beside sums of people."""


@dataclass(frozen=True)
class Shown:
    """What is shown of sums and of their total; None for what is hidden, and for what is zero."""

    cells: Mapping[str, int | None]
    total: int | None


def shown(sums: Mapping[str, int]) -> Shown:
    """Return what is shown of sums of people and of their total.

    A sum of zero says nothing of anybody, can be known from elsewhere (nobody was trained) and so protects no other one.
    """
    there = {key: number for key, number in sums.items() if number}
    small = {key for key, number in there.items() if number < FEWEST_SHOWN}
    hidden = set(small)
    for key in sorted(there.keys() - small, key=lambda one: (there[one], one)) if small else ():
        if _kept([there[one] for one in hidden]):
            break
        hidden.add(key)
    apart = bool(small) and not _kept([there[one] for one in hidden])
    if apart:
        hidden = small
    cells = {key: None if key in hidden else there.get(key) for key in sums}
    return Shown(cells, None if apart else sum(there.values()) or None)


def shown_at_both(first: Mapping[str, int], second: Mapping[str, int], same_people: bool) -> tuple[Shown, Shown]:
    """Return what is shown of sums at two moments: what is hidden at one is hidden at both, and totals where that leaves too few together.

    Where both count the same people, the difference of two totals is what came between: the second total is hidden where that is too few.
    """
    hidden = _hidden(first) | _hidden(second)
    before, after = _less(first, hidden), _less(second, hidden)
    between = [abs(first.get(key, 0) - second.get(key, 0)) for key in hidden if first.get(key, 0) != second.get(key, 0)]
    if same_people and before.total is not None and between and not _kept(between):
        after = replace(after, total=None)
    return before, after


def _hidden(sums: Mapping[str, int]) -> set[str]:
    return {key for key, number in shown(sums).cells.items() if number is None and sums[key]}


def _less(sums: Mapping[str, int], hidden: Collection[str]) -> Shown:
    """Return what is shown of sums where these are hidden too."""
    found, together = shown(sums), [sums[key] for key in hidden if sums.get(key)]
    cells = {key: None if key in hidden else number for key, number in found.cells.items()}
    return Shown(cells, found.total if not together or _kept(together) else None)


def _kept(hidden: Collection[int]) -> bool:
    """Return whether sums that are hidden together keep each other: from their sum not even whoever knows one of them has another."""
    return len(hidden) >= FEWEST_HIDDEN and sum(hidden) - max(hidden) >= FEWEST_SHOWN
