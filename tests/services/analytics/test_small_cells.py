"""Sums of people too small to be shown: hidden with as many others as it takes, so that no subtraction finds one of them."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.domain.bilan import bilan
from services.analytics.domain.counts import Bucket
from services.analytics.domain.measures import FEWEST_SHOWN, OF_PEOPLE, PLACEMENTS, Measure
from services.analytics.domain.small_cells import RULE, shown
from shared.contracts.references import OPCOS, PlacementMoment

NAMES = tuple(OPCOS)


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


people = st.dictionaries(
    st.tuples(st.sampled_from(sorted(OF_PEOPLE)), st.sampled_from(NAMES[:5]), st.sampled_from(("2021-03", "2021-11"))),
    st.integers(0, 60),
    max_size=24,
)


@given(counts=people)
def test_the_bilan_shows_of_each_moment_what_may_be_shown_and_no_rate_leads_back(counts: dict[Bucket, int]) -> None:
    made = {(one.moment, one.key): one for one in bilan(2021, counts).placements}
    for moment, measures in PLACEMENTS.items():
        for measure, name in zip(measures, ("finishing", "placed"), strict=True):
            sums = {opco: _sum(counts, measure, opco) for opco in OPCOS}
            expected = shown(sums)
            assert {opco: getattr(made[moment, opco], name) for opco in OPCOS} == expected.cells
            assert getattr(made[moment, "total"], name) == expected.total
    assert all(one.rate is None for one in made.values() if None in (one.finishing, one.placed))
    assert {one.moment for one in made.values()} == set(PlacementMoment)


def _sum(counts: Mapping[Bucket, int], measure: Measure, opco: str) -> int:
    return sum(value for (of, who, _month), value in counts.items() if (of, who) == (measure, opco))
