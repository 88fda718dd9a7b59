"""A fiche of an earlier year taken up again: which sessions, on which days, and what has to be procured anew."""

import datetime as dt

import pytest

from services.submission.domain.content import contract_covers
from services.submission.domain.fiche import Status
from services.submission.domain.renewal import renewed_content, same_week
from services.submission.domain.sessions import cancel_session
from shared.contracts.references import SessionMotive
from shared.errors import RulesRefused
from tests.services.submission import filings as f
from tests.support.fiches import golden_content

GONE = SessionMotive.BESOIN_DISPARU


@pytest.mark.parametrize(("day", "year", "moved"), [
    ("2018-04-30", 2019, "2019-04-29"), ("2020-12-31", 2021, "2021-12-30"), ("2021-01-01", 2022, "2022-01-07"),
    ("2018-12-31", 2019, "2019-12-30"), ("2018-01-01", 2019, "2019-01-07"), ("2020-02-29", 2021, "2021-03-06"),
])  # fmt: skip
def test_a_day_moves_to_the_same_weekday_of_the_same_week_and_stays_in_its_year(day: str, year: int, moved: str) -> None:
    start = dt.date.fromisoformat(day)
    found = same_week(start, year)
    assert (found.isoformat(), found.year, found.weekday()) == (moved, year, start.weekday())


def test_everything_with_a_date_moves_by_the_same_weeks() -> None:
    follow_up = {"kind": "ALTERNANCE", "contract_starts_on": "2018-08-27"}
    fiche = f.filed(golden_content(follow_up=follow_up))
    before, after = fiche.content, renewed_content(fiche, 2019)
    move = after.sessions[0].start - before.sessions[0].start
    assert (move % dt.timedelta(weeks=1), after.sessions[0].start.year, after.programme_year) == (dt.timedelta(0), 2019, 2019)
    assert after.sessions[0].end - before.sessions[0].end == move
    meetings = zip(before.sessions[0].meetings, after.sessions[0].meetings, strict=True)
    assert [new.on - old.on for old, new in meetings] == [move]
    assert after.follow_up.contract_starts_on == dt.date(2018, 8, 27) + move


def test_a_cancelled_session_is_left_out_where_another_one_is_left() -> None:
    fiche = cancel_session(f.filed(f.two_sessions()), 1, GONE).fiche
    assert [plan.number for plan in renewed_content(fiche, 2019).sessions] == [2]
    cancelled = cancel_session(fiche, 2, GONE).fiche
    assert cancelled.status is Status.CANCELLED
    assert [plan.number for plan in renewed_content(cancelled, 2019).sessions] == [1, 2]


@pytest.mark.parametrize("year", [2017, 2018])
def test_a_fiche_is_renewed_for_a_later_year_only(year: int) -> None:
    with pytest.raises(RulesRefused) as refused:
        renewed_content(f.filed(), year)
    assert f.codes(refused.value.objections) == ["RENEWAL_YEAR"]


@pytest.mark.parametrize(("ends_on", "covered"), [(None, False), ("2018-08-02", False), ("2018-08-03", True)])
def test_a_contract_over_several_years_covers_what_ends_by_its_last_day(ends_on: str | None, covered: bool) -> None:
    assert contract_covers(golden_content(tender={"contract_ends_on": ends_on})) == covered
