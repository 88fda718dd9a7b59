"""What may be filed and what not: each rule at its boundary, all objections together."""

import datetime as dt
from typing import Any

import pytest

from services.submission.domain import calendar, decisions, hours, parties, programme, sessions
from services.submission.domain.admissibility import admit
from shared.contracts.references import SessionMotive
from shared.errors import RulesRefused, WarningsUnanswered
from tests.services.submission.filings import (
    GIVEN,
    NATIONAL,
    NOON,
    REGIONAL,
    case,
    codes,
    confirmed,
    engaged,
    filed,
    filing,
    lasting,
    says,
    session,
    two_sessions,
)
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, GOLDEN_WARNINGS, PAST_WARNINGS, golden_content


@pytest.mark.parametrize(("total", "code"), [(399, None), (400, None), (401, "HOURS_CAP")])
def test_without_a_derogation_400_hours_pass_and_401_do_not(total: int, code: str | None) -> None:
    assert says(hours.hours_within_cap, lasting(total)) == code


@pytest.mark.parametrize(("total", "code"), [(420, None), (434, None), (435, "HOURS_CAP")])
def test_the_national_derogation_goes_to_434_hours(total: int, code: str | None) -> None:
    assert says(hours.hours_within_cap, lasting(total, rome="N4103", derogation=NATIONAL)) == code


def test_a_national_derogation_of_435_hours_does_not_exist() -> None:
    examined = lasting(435, rome="N4101", derogation={**NATIONAL, "cap": 435})
    assert says(hours.hours_within_cap, examined) == "HOURS_CAP"
    assert says(hours.national_derogation_fits, examined) == "DEROGATION_NATIONAL"


@pytest.mark.parametrize(
    ("rome", "code"), [("N4101", None), ("N4103", None), ("N4105", None), ("H3404", "DEROGATION_NATIONAL")]
)
def test_the_national_derogation_is_for_the_two_driver_titles(rome: str, code: str | None) -> None:
    assert says(hours.national_derogation_fits, lasting(434, rome=rome, derogation=NATIONAL)) == code


@pytest.mark.parametrize(("total", "code"), [(401, None), (420, None), (421, "HOURS_CAP")])
def test_a_regional_decision_lifts_the_cap_to_its_own(total: int, code: str | None) -> None:
    assert says(hours.hours_within_cap, lasting(total, derogation=REGIONAL)) == code


def test_a_derogation_never_lowers_the_cap() -> None:
    assert says(hours.hours_within_cap, lasting(400, derogation={**REGIONAL, "cap": 300})) is None


@pytest.mark.parametrize(("day", "code"), [("2018-03-01", None), ("2018-03-02", "DEROGATION_DATE")])
def test_a_derogation_is_decided_by_the_day_of_filing(day: str, code: str | None) -> None:
    assert says(hours.derogation_is_decided, lasting(420, derogation={**REGIONAL, "decided_on": day})) == code


@pytest.mark.parametrize(
    ("zones", "code"), [(["2816"], None), (["2804"], "DEROGATION_ZONES"), ([], "DEROGATION_ZONES")]
)
def test_a_regional_derogation_names_the_zone_of_the_fiche(zones: list[str], code: str | None) -> None:
    assert (
        says(hours.regional_derogation_covers_the_zone, lasting(420, derogation={**REGIONAL, "zones": zones})) == code
    )


@pytest.mark.parametrize(
    ("company", "total", "code"), [(133, 399, None), (134, 399, "IMMERSION_THIRD"), (133, 400, None), (0, 400, None)]
)
def test_immersion_is_at_most_a_third_and_exactly_a_third_passes(company: int, total: int, code: str | None) -> None:
    assert says(hours.immersion_within_a_third, case(hours={"company": company, "total": total})) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"total": 0, "centre": 0}, "HOURS_TOTAL"),
        ({"centre": 400}, "HOURS_TOTAL"),
        ({"distance": 400}, "HOURS_TOTAL"),
    ],
)
def test_no_part_of_the_hours_is_more_than_the_whole(changes: dict[str, int], code: str | None) -> None:
    assert says(hours.parts_within_total, case(hours=changes)) == code


@pytest.mark.parametrize(("centre", "code"), [(329, None), (330, "HOURS_PARTS"), (399, "HOURS_PARTS")])
def test_parts_that_do_not_make_the_total_are_a_warning(centre: int, code: str | None) -> None:
    assert says(hours.parts_make_the_total, case(hours={"centre": centre})) == code


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
    ("insee", "department", "commune"),
    [
        ("50502", None, None),
        ("14118", None, None),
        ("27229", None, None),
        ("61001", None, None),
        ("76540", None, None),
        ("50999", None, "PLACE_COMMUNE"),
        ("35238", "PLACE_DEPARTMENT", None),
        ("2A004", "PLACE_DEPARTMENT", None),
    ],
)
def test_the_place_is_a_commune_of_normandie(insee: str, department: str | None, commune: str | None) -> None:
    assert says(parties.place_is_in_normandie, case(place={"insee": insee})) == department
    assert says(parties.commune_is_known, case(place={"insee": insee})) == commune


@pytest.mark.parametrize(("zone", "code"), [("2816", None), ("0051", None), ("5315", "PLACE_ZONE")])
def test_the_employment_zone_touches_normandie(zone: str, code: str | None) -> None:
    assert says(parties.zone_is_known, case(place={"zone_emploi": zone})) == code


@pytest.mark.parametrize(
    ("siret", "code"),
    [
        ("73282932000074", None),
        ("35600000049837", None),  # La Poste: the sum of the digits is a multiple of 5
        ("35600000000048", None),  # La Poste's head office passes the usual check
        ("35600000000049", "PROVIDER_SIRET"),
        ("73282932000075", "PROVIDER_SIRET"),
        ("7328293200007", "PROVIDER_SIRET"),
        ("732 829 320 00074", "PROVIDER_SIRET"),
        ("٧٣٢٨٢٩٣٢٠٠٠٠٧٤", "PROVIDER_SIRET"),
    ],
)
def test_the_siret_passes_its_check_digits(siret: str, code: str | None) -> None:
    assert says(parties.siret_is_valid, case(provider={"siret": siret})) == code


@pytest.mark.parametrize(
    ("nda", "form", "structure"),
    [
        ("28500123401", None, None),
        ("2576P001876", None, None),
        ("2850012340", "PROVIDER_NDA", None),
        ("285001234011", "PROVIDER_NDA", None),
        ("28 50012340", "PROVIDER_NDA", None),
        ("2850012340x", "PROVIDER_NDA", None),
        ("A8500123401", None, "PROVIDER_NDA_STRUCTURE"),
    ],
)
def test_the_nda_has_eleven_characters_and_usually_a_structure(
    nda: str, form: str | None, structure: str | None
) -> None:
    assert says(parties.nda_has_its_form, case(provider={"nda": nda})) == form
    assert says(parties.nda_has_the_usual_structure, case(provider={"nda": nda})) == structure


@pytest.mark.parametrize(
    ("opco", "idcc", "code"),
    [
        ("opco-2i", "3248", None),
        ("akto", "1979", None),
        ("akto", "3248", "BRANCH_OPCO"),
        ("akto", "9999", "BRANCH_OPCO"),
    ],
)
def test_the_branch_belongs_to_the_opco(opco: str, idcc: str, code: str | None) -> None:
    assert says(parties.branch_belongs_to_the_opco, case(opco, branch_idcc=idcc)) == code


def test_the_provider_is_qualiopi_certified() -> None:
    assert says(parties.provider_is_certified, case(provider={"qualiopi": False})) == "PROVIDER_QUALIOPI"


@pytest.mark.parametrize(("postal_code", "code"), [("76000", None), ("35000", "PROVIDER_OUTSIDE")])
def test_a_provider_from_elsewhere_is_a_warning(postal_code: str, code: str | None) -> None:
    examined = case(provider={"address": {"postal_code": postal_code}})
    assert says(parties.provider_is_of_the_region, examined) == code


def test_job_and_audiences_come_from_the_lists() -> None:
    assert says(programme.rome_is_known, case(rome="H3499")) == "ROME_UNKNOWN"
    assert says(programme.audiences_are_known, case(audiences=["80006", "80001"])) == "AUDIENCE_UNKNOWN"


@pytest.mark.parametrize(
    "twice",
    [
        {"audiences": ["80006"] * 2},
        {"formacodes": ["22472"] * 2},
        {"nsf": ["220"] * 2},
        {"target_contracts": ["CDI"] * 2},
    ],
)
def test_no_code_comes_twice(twice: dict[str, Any]) -> None:
    assert says(programme.no_code_comes_twice, case(**twice)) == "CODE_TWICE"


@pytest.mark.parametrize(("cents", "code"), [(0, None), (1, "MONEY_PARTS")])
def test_the_parts_of_the_money_make_the_cost_to_the_cent(cents: int, code: str | None) -> None:
    assert says(programme.money_adds_up, case(money={"company": cents})) == code


@pytest.mark.parametrize(
    ("cents", "code"), [(799, "COST_BAND"), (800, None), (2500, None), (2501, "COST_BAND"), (0, "COST_BAND")]
)
def test_a_cost_outside_8_to_25_euros_an_hour_and_trainee_is_a_warning(cents: int, code: str | None) -> None:
    assert says(programme.cost_is_in_the_usual_band, case(money={"teaching_cost": cents * 12 * 399})) == code


@pytest.mark.parametrize(("hires", "code"), [(6, None), (5, "HIRES_LOW")])
def test_fewer_hires_than_one_for_two_seats_are_a_warning(hires: int, code: str | None) -> None:
    assert says(programme.hires_are_announced, case(hires_announced=hires)) == code


@pytest.mark.parametrize(("companies", "code"), [(0, None), (1, "POEI_LIKELY"), (2, None)])
def test_a_single_company_is_asked_whether_this_is_not_a_poei(companies: int, code: str | None) -> None:
    assert says(programme.several_companies_hire, case(companies=companies)) == code


@pytest.mark.parametrize(
    ("starts_on", "code"),
    [("2018-08-03", None), ("2018-09-02", None), ("2018-09-03", "FOLLOW_UP_GAP"), ("2018-08-02", "FOLLOW_UP_GAP")],
)
def test_a_work_study_contract_follows_within_30_days(starts_on: str, code: str | None) -> None:
    examined = case(follow_up={"kind": "ALTERNANCE", "contract_starts_on": starts_on})
    assert says(calendar.work_study_follows_at_once, examined) == code
    assert says(calendar.work_study_names_its_start, examined) is None


def test_a_work_study_contract_names_its_start() -> None:
    assert says(calendar.work_study_names_its_start, case(follow_up={"kind": "ALTERNANCE"})) == "FOLLOW_UP_DATE"


@pytest.mark.parametrize(
    ("days", "lead", "started"),
    [
        (42, None, None),
        (41, "LEAD_TIME_SHORT", None),
        (0, "LEAD_TIME_SHORT", None),
        (-1, None, "SESSION_ALREADY_STARTED"),
    ],
)
def test_less_than_six_weeks_before_the_start_is_a_warning(days: int, lead: str | None, started: str | None) -> None:
    examined = case(on=dt.date(2018, 4, 30) - dt.timedelta(days=days))
    assert says(calendar.there_is_time_for_sourcing, examined) == lead
    assert says(calendar.sessions_are_to_come, examined) == started


def test_dates_that_stay_are_not_warned_about_again() -> None:
    late = case(on=dt.date(2018, 4, 29), before=filed(), title="Un autre titre")
    assert says(calendar.there_is_time_for_sourcing, late) is None
    past = case(on=dt.date(2018, 6, 1), before=filed(), title="Un autre titre")
    assert says(calendar.sessions_are_to_come, past) is None


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


def test_the_golden_fiche_is_admissible_with_its_one_warning() -> None:
    assert codes(admit(case(), GOLDEN_WARNINGS)) == list(GOLDEN_WARNINGS)


def test_the_golden_fiche_filed_years_later_is_a_regularisation() -> None:
    assert codes(admit(case(on=dt.date(2026, 11, 23)), PAST_WARNINGS)) == list(PAST_WARNINGS)


def test_all_objections_come_back_together_and_warnings_with_them() -> None:
    examined = case(
        "akto", rome="H3499", provider={"qualiopi": False}, hours={"total": 401}, place={"zone_emploi": "5315"}
    )
    with pytest.raises(RulesRefused) as refused:
        admit(examined, ())
    expected = ["HOURS_CAP", "PLACE_ZONE", "BRANCH_OPCO", "PROVIDER_QUALIOPI", "ROME_UNKNOWN"]
    assert codes(refused.value.objections) == expected
    assert codes(refused.value.warnings) == ["HOURS_PARTS"]


def test_a_warning_that_is_not_acknowledged_is_the_answer() -> None:
    with pytest.raises(WarningsUnanswered) as unanswered:
        admit(case(companies=1), ("POEI_LIKELY",))
    assert codes(unanswered.value.warnings) == ["HOURS_PARTS", "POEI_LIKELY"]
    assert unanswered.value.objections == ()


def test_acknowledging_what_is_not_warned_about_changes_nothing() -> None:
    assert codes(admit(case(), (*GOLDEN_WARNINGS, "POEI_LIKELY", "UNHEARD_OF"))) == list(GOLDEN_WARNINGS)


@pytest.mark.parametrize("reference", ["2I-2018-042", "POEC 2018/042", "é", "x" * 80])
def test_an_opco_may_call_its_fiche_by_any_visible_name(reference: str) -> None:
    assert decisions.reference_form(reference) is None


@pytest.mark.parametrize("reference", ["", " x", "x ", "x" * 81, "a\nb", "a\u200bb", "e\u0301"])
def test_a_reference_that_could_be_mistaken_for_another_is_refused(reference: str) -> None:
    with pytest.raises(RulesRefused) as refused:
        decisions.submit_fiche(filed().id, GOLDEN_OPCO, reference, filing(), GIVEN, None)
    assert codes(refused.value.objections) == ["REFERENCE_FORM"]


def test_postponing_looks_at_the_rules_of_dates_only() -> None:
    fiche = confirmed()
    to = sessions.NewDates(dt.date(2018, 6, 4), dt.date(2018, 6, 1), SessionMotive.SOURCING_INSUFFISANT)
    with pytest.raises(RulesRefused) as refused:
        sessions.postpone_session(fiche, 1, to, GIVEN, NOON)
    assert codes(refused.value.objections) == ["SESSION_DATES"]
    assert refused.value.warnings == ()


def test_the_reference_lists_are_whole() -> None:
    assert len(GIVEN.references.communes) == 2644
    assert len(GIVEN.references.rome) == 532
    assert golden_content().rome in GIVEN.references.rome
    assert GOLDEN_REFERENCE
