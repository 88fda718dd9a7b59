"""Dates of sessions, of meetings and tenders, what follows, and the time there is to find people: each rule at its boundary."""

import datetime as dt
from dataclasses import replace

import pytest
from pydantic import ValidationError

from services.submission.domain import calendar, sessions
from services.submission.settings import WarningSettings
from shared.contracts.references import SessionMotive
from tests.services.submission.filings import (
    case,
    engaged,
    filed,
    says,
    session,
    two_sessions,
)


@pytest.mark.parametrize(("end", "code"), [("2018-05-01", None), ("2018-04-30", None), ("2018-04-29", "SESSION_DATES")])
def test_a_session_may_last_one_day_but_not_end_before_it_starts(end: str, code: str | None) -> None:
    assert says(calendar.sessions_end_after_they_start, case(sessions=[session(end=end)])) == code


def test_two_sessions_have_two_numbers() -> None:
    assert says(calendar.session_numbers_are_unique, case(sessions=[session(), session()])) == "SESSION_NUMBERS"
    assert says(calendar.session_numbers_are_unique, case(sessions=[session(), session(number=2)])) is None


@pytest.mark.parametrize(("day", "code"), [("2018-04-29", None), ("2018-04-30", "MEETING_DATE")])
def test_an_information_meeting_comes_before_the_first_day(day: str, code: str | None) -> None:
    meeting = {"on": day, "starts_at": "09:00", "place": "Saint-Lô", "audience": "Tous", "seats": 20}
    assert says(calendar.meetings_come_before_the_start, case(sessions=[session(meetings=[meeting])])) == code


@pytest.mark.parametrize(("year", "code"), [(2018, None), (2019, "PROGRAMME_YEAR")])
def test_the_programme_year_is_that_of_the_first_start(year: int, code: str | None) -> None:
    assert says(calendar.programme_year_is_that_of_the_first_start, case(programme_year=year)) == code


def test_a_fiche_moved_to_another_year_keeps_its_programme_year() -> None:
    moved = [session(start="2019-01-07", end="2019-04-12")]
    for year in (2018, 2019):
        examined = case(before=filed(), sessions=moved, programme_year=year)
        assert says(calendar.programme_year_is_that_of_the_first_start, examined) is None


@pytest.mark.parametrize(("minimum", "code"), [(12, None), (13, "SEATS_MINIMUM")])
def test_the_minimum_may_be_all_seats_but_no_more(minimum: int, code: str | None) -> None:
    assert says(calendar.seats_reach_the_minimum, case(sessions=[session(minimum=minimum)])) == code


@pytest.mark.parametrize(
    ("tender", "field"),
    [
        ({}, None),
        ({"published_on": "2018-01-01", "offers_due_on": "2018-01-01", "awarded_on": "2018-01-01"}, None),
        ({"published_on": "2018-01-02", "offers_due_on": "2018-01-01"}, "tender.offers_due_on"),
        ({"published_on": "2018-01-02", "contract_ends_on": "2018-01-01"}, "tender.contract_ends_on"),
        ({"offers_due_on": "2018-02-01", "awarded_on": "2018-01-31"}, "tender.awarded_on"),
    ],
)
def test_the_days_of_a_tender_follow_each_other(tender: dict[str, str], field: str | None) -> None:
    said = calendar.tender_days_are_in_order(case(tender=tender))
    assert (said.field if said else None) == field


@pytest.mark.parametrize(
    ("starts_on", "code"),
    [("2018-08-03", None), ("2018-09-02", None), ("2018-09-03", "FOLLOW_UP_GAP"), ("2018-08-02", "FOLLOW_UP_GAP")],
)
def test_a_work_study_contract_follows_within_30_days(starts_on: str, code: str | None) -> None:
    examined = case(follow_up={"kind": "ALTERNANCE", "contract_starts_on": starts_on})
    assert says(calendar.work_study_follows_at_once, examined) == code
    assert says(calendar.work_study_names_its_start, examined) is None


@pytest.mark.parametrize(
    ("start", "end", "starts_on", "code"),
    [
        ("2018-05-02", "2018-07-31", "2018-09-03", None),  # May to July, then the return of September: 34 days
        ("2018-05-02", "2018-07-02", "2018-09-28", None),
        ("2018-05-02", "2018-06-29", "2018-09-03", "FOLLOW_UP_GAP"),
        ("2018-05-02", "2018-07-31", "2018-10-01", "FOLLOW_UP_GAP"),
        ("2018-09-03", "2018-12-01", "2019-01-07", None),  # September to December, then January: 37 days
        ("2018-09-03", "2018-11-30", "2019-01-07", "FOLLOW_UP_GAP"),
        ("2018-05-02", "2018-07-31", "2019-09-02", "FOLLOW_UP_GAP"),
        ("2018-05-02", "2018-07-31", "2017-09-04", "FOLLOW_UP_GAP"),
    ],
)
def test_a_training_until_the_summer_or_the_winter_break_leads_to_the_return_after_it(
    start: str, end: str, starts_on: str, code: str | None
) -> None:
    follow_up = {"kind": "ALTERNANCE", "contract_starts_on": starts_on}
    examined = case(sessions=[session(start=start, end=end)], follow_up=follow_up)
    assert says(calendar.work_study_follows_at_once, examined) == code


def test_a_work_study_contract_names_its_start() -> None:
    assert says(calendar.work_study_names_its_start, case(follow_up={"kind": "ALTERNANCE"})) == "FOLLOW_UP_DATE"


@pytest.mark.parametrize(
    ("days", "code"),
    [
        (42, None),
        (41, "LEAD_TIME_SHORT"),
        (21, "LEAD_TIME_SHORT"),
        (20, "LEAD_TIME_CRITICAL"),
        (0, "LEAD_TIME_CRITICAL"),
        (-1, "SESSION_ALREADY_STARTED"),
    ],
)
def test_less_than_six_weeks_before_the_start_is_a_warning_and_less_than_three_a_stronger_one(days: int, code: str | None) -> None:
    examined = case(on=dt.date(2018, 4, 30) - dt.timedelta(days=days))
    rules = (calendar.there_is_time_for_sourcing, calendar.sourcing_is_not_hopeless, calendar.sessions_are_to_come)
    assert [said for rule in rules if (said := says(rule, examined))] == ([code] if code else [])


def test_dates_that_stay_are_not_warned_about_again() -> None:
    late = case(on=dt.date(2018, 4, 29), before=filed(), title="Un autre titre")
    assert says(calendar.there_is_time_for_sourcing, late) is None
    past = case(on=dt.date(2018, 6, 1), before=filed(), title="Un autre titre")
    assert says(calendar.sessions_are_to_come, past) is None


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("2018-03-31", None),
        ("2018-04-01", "PEAK_MONTH"),
        ("2018-05-01", None),
        ("2018-10-31", "PEAK_MONTH"),
        ("2018-11-30", "PEAK_MONTH"),
        ("2018-12-01", None),
    ],
)
def test_a_start_in_a_peak_month_is_advised_against_but_not_before_a_work_study_contract(
    start: str, code: str | None
) -> None:
    examined = case(sessions=[session(start=start, end="2018-12-21")])
    assert says(calendar.another_month_is_calmer, examined) == code
    follow_up = {"kind": "ALTERNANCE", "contract_starts_on": "2019-01-07"}
    examined = case(sessions=[session(start=start, end="2018-12-21")], follow_up=follow_up)
    assert says(calendar.another_month_is_calmer, examined) is None


def test_an_engaged_session_is_not_edited_away() -> None:
    before = engaged()
    for changed in ([session(number=2)], [session(start="2018-05-02")], [session(end="2018-08-10")]):
        assert says(calendar.engaged_sessions_stay, case(before=before, sessions=changed)) == "SESSION_ENGAGED"
    assert says(calendar.engaged_sessions_stay, case(before=before, sessions=[session(seats=14)])) is None


def test_the_number_of_a_cancelled_session_is_not_given_again() -> None:
    before = sessions.cancel_session(filed(two_sessions()), 2, SessionMotive.BESOIN_DISPARU).fiche
    kept = [session(), session(number=2, start="2018-06-04", end="2018-09-07")]
    again = [session(), session(number=2, start="2018-06-11", end="2018-09-14")]
    assert says(calendar.cancelled_sessions_stay_cancelled, case(before=before, sessions=kept)) is None
    assert says(calendar.cancelled_sessions_stay_cancelled, case(before=before, sessions=again)) == "SESSION_CANCELLED"
    only_cancelled = case(before=before, sessions=kept[1:])
    assert says(calendar.a_session_is_left, only_cancelled) == "SESSION_LEFT"


@pytest.mark.parametrize(
    ("figures", "opco", "code"),
    [
        ("{}", "opco-2i", None),
        ('{"opco-2i": {"lead_days": 60}}', "opco-2i", None),
        ('{"opco-2i": {"lead_days": 61}}', "opco-2i", "LEAD_TIME_SHORT"),
        ('{"opco-2i": {"lead_days": 61}}', "akto", None),
        ('{"opco-2i": {"gap_days": 10}}', "opco-2i", None),
        ('{"opco-2i": {"lead_days": 21}, "akto": {"cost_high_cents": 800}}', "opco-2i", None),
    ],
)
def test_an_opco_may_have_figures_of_its_own(
    monkeypatch: pytest.MonkeyPatch, figures: str, opco: str, code: str | None
) -> None:
    monkeypatch.setenv("POEC_OPCO_FIGURES", figures)
    examined = replace(case(opco), given=WarningSettings().given())
    assert says(calendar.there_is_time_for_sourcing, examined) == code


@pytest.mark.parametrize(
    "figures",
    [
        '{"opca": {"lead_days": 30}}',
        '{"akto": {"cap_hours": 500}}',
        '{"akto": {"gap_days": -1}}',
        '{"akto": {"lead_days": 20}}',
        '{"akto": {"lead_days": 30, "lead_days_critical": 31}}',
        '{"akto": {"cost_high_cents": 799}}',
    ],
)
def test_figures_of_no_opco_beyond_the_law_or_out_of_order_stop_the_start(monkeypatch: pytest.MonkeyPatch, figures: str) -> None:
    monkeypatch.setenv("POEC_OPCO_FIGURES", figures)
    with pytest.raises(ValidationError):
        WarningSettings()
