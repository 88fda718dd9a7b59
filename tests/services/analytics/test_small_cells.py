"""Sums of people too small to be shown: hidden with as many others as it takes, so that no subtraction finds one of them."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.domain.bilan import bilan
from services.analytics.domain.counts import Bucket
from services.analytics.domain.measures import FEWEST_SHOWN, OF_PEOPLE, PLACEMENTS, Measure
from services.analytics.domain.small_cells import RULE, Shown, shown, shown_at_both
from shared.contracts.references import OPCOS, PlacementMoment

NAMES = tuple(OPCOS)
MOMENTS = (PlacementMoment.FIN, PlacementMoment.TROIS_MOIS)


@pytest.mark.parametrize(
    ("sums", "cells", "total"),
    [
        ((), (), None),
        ((0, 0), (None, None), None),
        ((10,), (10,), 10),
        ((9,), (None,), None),
        ((10, 12), (10, 12), 22),
        ((5, 30), (None, 30), None),
        ((5, 30, 40), (None, None, None), 75),
        ((5, 30, 40, 50), (None, None, None, 50), 125),
        ((5, 4, 30, 40), (None, None, None, None), 79),
        ((5, 4, 30), (None, None, 30), None),
        ((5, 6, 30), (None, None, None), 41),
        ((5, 4, 6, 40), (None, None, None, None), 55),
        ((5, 5, 5, 40), (None, None, None, 40), 55),
        ((4, 3, 2, 60), (None, None, None, 60), None),
        ((9, 9, 9), (None, None, None), 27),
        ((9, 1, 8), (None, None, None), None),
        ((0, 5, 30, 40, 50), (None, None, None, None, 50), 125),
    ],
)
def test_what_is_hidden_and_with_what(sums: tuple[int, ...], cells: tuple[int | None, ...], total: int | None) -> None:
    found = shown(dict(zip(NAMES, sums, strict=False)))
    assert (tuple(found.cells.values()), found.total) == (cells, total)


def test_people_read_why_a_sum_is_hidden() -> None:
    assert str(FEWEST_SHOWN) in RULE and RULE.count("\u202f:") == 1 and "soustraction" in RULE


def solved(equations: Iterable[Mapping[str, int]], unknown: str) -> bool:
    """Return whether an unknown follows from equations, each the coefficients of a sum that is known: exact, by elimination."""
    names = sorted({name for one in equations for name in one} | {unknown})
    rows = [[Fraction(one.get(name, 0)) for name in names] for one in equations]
    target = [Fraction(name == unknown) for name in names]
    for column in range(len(names)):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        for row in (*rows, target):
            factor = row[column] / pivot[column]
            row[:] = [value - factor * other for value, other in zip(row, pivot, strict=True)]
    return not any(target)


def test_the_checker_finds_what_can_be_worked_out() -> None:
    assert solved([{"a": 1, "b": 1}, {"b": 1}], "a")
    assert solved([{"a": 1, "b": 1}, {"a": 1, "b": -1}], "a")
    assert not solved([{"a": 1, "b": 1, "c": 1}, {"c": 1}], "a")


def known(cells: Mapping[str, int | None], total: int | None, sums: Mapping[str, int]) -> list[dict[str, int]]:
    """Return the equations of what is shown; that a sum is zero is known from elsewhere."""
    told = [{key: 1} for key, value in cells.items() if value is not None or not sums[key]]
    return told + ([dict.fromkeys(sums, 1)] if total is not None else [])


numbers = st.one_of(st.just(0), st.integers(1, 12), st.integers(1, 200))
tables = st.dictionaries(st.sampled_from(NAMES), numbers, max_size=len(NAMES))


@given(sums=tables)
def test_no_hidden_sum_follows_from_what_is_shown_not_even_for_an_opco_that_knows_its_own(sums: dict[str, int]) -> None:
    found = shown(sums)
    told = known(found.cells, found.total, sums)
    hidden = [key for key, value in found.cells.items() if value is None and sums[key]]
    assert all(sums[key] >= FEWEST_SHOWN for key, value in found.cells.items() if value is not None)
    for one in hidden:
        assert not solved(told, one)
        assert not any(solved([*told, {own: 1}], one) for own in hidden if own != one)
    if found.total is not None and hidden:
        assert min(sum(sums[key] for key in hidden if key != own) for own in hidden) >= FEWEST_SHOWN, "no small group is left by itself"


@given(sums=tables)
def test_where_no_sum_is_small_nothing_is_hidden_and_no_more_than_needed_else(sums: dict[str, int]) -> None:
    found = shown(sums)
    small = {key for key, value in sums.items() if 0 < value < FEWEST_SHOWN}
    hidden = {key for key, value in found.cells.items() if value is None and sums[key]}
    if not small:
        assert not hidden and (found.total or 0) == sum(sums.values())
    assert small <= hidden
    if found.total is None and sums:
        assert hidden == small, "where the total is hidden, no other sum has to be"


@pytest.mark.parametrize(
    ("first", "second", "cells", "totals"),
    [
        ((5, 12, 15, 40), (0, 12, 15, 40), ((None, None, None, 40), (None, None, None, 40)), (72, None)),
        ((0, 12, 15, 40), (5, 12, 15, 40), ((None, None, None, 40), (None, None, None, 40)), (None, 72)),
        ((5, 12, 15, 40), (5, 12, 15, 40), ((None, None, None, 40), (None, None, None, 40)), (72, 72)),
        ((5, 6, 7, 8, 40), (0, 6, 7, 8, 40), ((None, None, None, None, 40),) * 2, (66, None)),
        ((5, 6, 7, 40, 50), (5, 6, 7, 40, 0), ((None, None, None, 40, 50), (None, None, None, 40, None)), (108, 58)),
        ((41,), (41,), ((41,), (41,)), (41, 41)),
        ((20, 30), (20, 0), ((20, 30), (20, None)), (50, 20)),
        ((5, 30), (0, 30), ((None, 30), (None, 30)), (None, 30)),
    ],
)
def test_what_is_hidden_at_one_moment_is_hidden_at_the_other(
    first: tuple[int, ...],
    second: tuple[int, ...],
    cells: tuple[tuple[int | None, ...], ...],
    totals: tuple[int | None, int | None],
) -> None:
    found = shown_at_both(dict(zip(NAMES, first, strict=False)), dict(zip(NAMES, second, strict=False)), True)
    assert tuple(tuple(one.cells.values()) for one in found) == cells
    assert tuple(one.total for one in found) == totals


@given(sums=tables)
def test_two_moments_that_say_the_same_hide_no_more_than_one(sums: dict[str, int]) -> None:
    assert shown_at_both(sums, sums, True) == (shown(sums), shown(sums))


Group = tuple[int, tuple[int, int], tuple[bool, bool]]
"""People who finished, those of them in a job at each moment, and whether each moment was returned."""
groups = st.dictionaries(
    st.sampled_from(NAMES[:7]),
    st.tuples(
        st.one_of(st.integers(1, 15), st.integers(1, 60)),
        st.tuples(st.integers(0, 60), st.integers(0, 60)),
        st.tuples(st.booleans(), st.booleans()),
    ).map(lambda one: (one[0], (min(one[1][0], one[0]), min(one[1][1], one[0])), one[2])),
    max_size=7,
)


@given(told_of=groups)
def test_no_hidden_sum_follows_from_all_that_is_shown_of_the_same_people_at_both_moments(told_of: dict[str, Group]) -> None:
    counts: dict[Bucket, int] = {}
    for opco, (finished, placed, returned) in told_of.items():
        for moment, working, known_then in zip(MOMENTS, placed, returned, strict=True):
            if known_then:
                counts |= {(of, opco, "2021-03"): n for of, n in zip(PLACEMENTS[moment], (finished, working), strict=True)}
    sums, hidden, totals = _told(counts)
    assert not sums & hidden, "what is hidden at one moment is not shown at the other"
    for own in (set(), *({name for name in hidden if name.startswith(f"{opco} ")} for opco in told_of)):
        equations = [dict.fromkeys(total - sums - own, 1) for total in totals]
        assert not any(solved(equations, unknown) for unknown in hidden - own)


def _told(counts: Mapping[Bucket, int]) -> tuple[set[str], set[str], list[set[str]]]:
    """Return the names of sums that the bilan shows, of those it hides, and what each total that it shows is made of."""
    sums: set[str] = set()
    hidden: set[str] = set()
    totals: list[set[str]] = []
    for one in bilan(2021, counts).placements:
        for measure, value in zip(PLACEMENTS[one.moment], (one.finishing, one.placed), strict=True):
            there = {opco: _name(measure, opco) for opco in OPCOS if _sum(counts, measure, opco)}
            if one.key in there:
                (hidden if value is None else sums).add(there[one.key])
            elif value is not None:
                totals.append(set(there.values()))
    return sums, hidden, totals


def _name(measure: Measure, opco: str) -> str:
    """Return what a sum is called: who finished is the same group at both moments."""
    return f"{opco} {'finished' if any(measure is of for of, _ in PLACEMENTS.values()) else measure}"


people = st.dictionaries(
    st.tuples(st.sampled_from(sorted(OF_PEOPLE)), st.sampled_from(NAMES[:5]), st.sampled_from(("2021-03", "2021-11"))),
    st.integers(0, 60),
    max_size=24,
)


@given(counts=people)
def test_the_bilan_shows_of_each_moment_what_may_be_shown_and_no_rate_leads_back(counts: dict[Bucket, int]) -> None:
    made = {(one.moment, one.key): one for one in bilan(2021, counts).placements}
    for n, name in enumerate(("finishing", "placed")):
        sums = [{opco: _sum(counts, PLACEMENTS[moment][n], opco) for opco in OPCOS} for moment in MOMENTS]
        for moment, of_moment, expected in zip(MOMENTS, sums, shown_at_both(sums[0], sums[1], name == "finishing"), strict=True):
            told = Shown({opco: getattr(made[moment, opco], name) for opco in OPCOS}, getattr(made[moment, "total"], name))
            assert told == expected
            alone = shown(of_moment)
            assert all(value in (None, alone.cells[opco]) for opco, value in told.cells.items()), "never more than of one moment"
            assert told.total in (None, alone.total)
    assert all(one.rate is None for one in made.values() if None in (one.finishing, one.placed))
    assert {one.moment for one in made.values()} == set(PlacementMoment)


def _sum(counts: Mapping[Bucket, int], measure: Measure, opco: str) -> int:
    return sum(value for (of, who, _month), value in counts.items() if (of, who) == (measure, opco))
