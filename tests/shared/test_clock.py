"""The business clock: real time and an offset; deadlines are civil dates of Normandie."""

import datetime as dt

import pytest

from shared.clock import business_time, civil_date, system_now

AT = dt.datetime(2021, 3, 1, 9, tzinfo=dt.UTC)


def test_the_offset_is_added_in_seconds() -> None:
    assert business_time(AT, 0) == AT
    assert business_time(AT, -86_400) == AT - dt.timedelta(days=1)
    assert business_time(AT, 90) == AT + dt.timedelta(seconds=90)


@pytest.mark.parametrize(
    ("at", "date"),
    [
        (dt.datetime(2021, 1, 31, 22, 59, 59, tzinfo=dt.UTC), dt.date(2021, 1, 31)),
        (dt.datetime(2021, 1, 31, 23, 0, tzinfo=dt.UTC), dt.date(2021, 2, 1)),
        (dt.datetime(2021, 7, 31, 21, 59, 59, tzinfo=dt.UTC), dt.date(2021, 7, 31)),
        (dt.datetime(2021, 7, 31, 22, 0, tzinfo=dt.UTC), dt.date(2021, 8, 1)),
        (dt.datetime(2021, 3, 28, 0, 59, 59, tzinfo=dt.UTC), dt.date(2021, 3, 28)),
        (dt.datetime(2020, 12, 31, 23, 30, tzinfo=dt.UTC), dt.date(2021, 1, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_paris(at: dt.datetime, date: dt.date) -> None:
    assert civil_date(at) == date


def test_real_time_knows_its_zone() -> None:
    assert system_now().tzinfo is dt.UTC
