"""What may be filed and what not: each rule at its boundary, all objections together."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from services.submission.domain import calendar, decisions, hearing, hours, parties, programme, sessions
from services.submission.domain.admissibility import admit
from services.submission.domain.desk import Desk
from shared.contracts.fiche import OutsideCampaign
from shared.contracts.references import OutsideMotive, SessionMotive
from shared.contracts.submission import FicheSubmitted
from shared.errors import RulesRefused, WarningsUnanswered
from tests.services.submission.filings import (
    GIVEN,
    IN_FORCE,
    NATIONAL,
    NOON,
    PARTNER,
    REGIONAL,
    SPRING,
    VALIDATED,
    at_desk,
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

OUTSIDE = OutsideCampaign(motive=OutsideMotive.MARCHE_PUBLIC, reason="Marché attribué fin mai.")
OPEN_CAMPAIGN = replace(SPRING, deadline=NOON.date())


@pytest.mark.parametrize(("total", "code"), [(399, None), (400, None), (401, "HOURS_CAP")])
def test_without_a_derogation_400_hours_pass_and_401_do_not(total: int, code: str | None) -> None:
    assert says(hours.hours_within_cap, lasting(total)) == code


@pytest.mark.parametrize(("total", "code"), [(420, None), (434, None), (435, "HOURS_CAP")])
def test_the_national_derogation_goes_to_434_hours(total: int, code: str | None) -> None:
    assert says(hours.hours_within_cap, lasting(total, rome="N4103", derogation=NATIONAL, on=IN_FORCE)) == code


def test_a_national_derogation_of_435_hours_does_not_exist() -> None:
    examined = lasting(435, rome="N4101", derogation={**NATIONAL, "cap": 435}, on=IN_FORCE)
    assert says(hours.hours_within_cap, examined) == "HOURS_CAP"
    assert says(hours.national_derogation_fits, examined) == "DEROGATION_NATIONAL"


@pytest.mark.parametrize(
    ("rome", "code"), [("N4101", None), ("N4103", None), ("N4105", None), ("H3404", "DEROGATION_NATIONAL")]
)
def test_the_national_derogation_is_for_the_two_driver_titles(rome: str, code: str | None) -> None:
    assert says(hours.national_derogation_fits, lasting(434, rome=rome, derogation=NATIONAL, on=IN_FORCE)) == code


@pytest.mark.parametrize(
    ("day", "codes"),
    [(dt.date(2021, 6, 7), ("DEROGATION_NATIONAL", "HOURS_CAP")), (dt.date(2021, 6, 8), (None, None))],
)
def test_a_national_derogation_holds_from_the_day_of_its_decision(
    day: dt.date, codes: tuple[str | None, str | None]
) -> None:
    examined = lasting(434, rome="N4103", derogation=NATIONAL, on=day)
    assert (says(hours.national_derogation_fits, examined), says(hours.hours_within_cap, examined)) == codes


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
    ("bounds", "code"),
    [
        ({}, None),
        ({"valid_from": "2018-04-30"}, None),
        ({"valid_from": "2018-05-01"}, "DEROGATION_PERIOD"),
        ({"valid_until": "2018-04-30"}, None),
        ({"valid_until": "2018-04-29"}, "DEROGATION_PERIOD"),
        ({"valid_from": "2018-01-01", "valid_until": "2018-12-31"}, None),
        ({"valid_from": "2018-12-31", "valid_until": "2018-01-01"}, "DEROGATION_PERIOD"),
    ],
)
def test_a_regional_derogation_is_for_sessions_that_start_within_its_days(
    bounds: dict[str, str], code: str | None
) -> None:
    assert says(hours.derogation_covers_the_start, lasting(420, derogation={**REGIONAL, **bounds})) == code


def test_a_session_is_not_postponed_out_of_the_days_of_its_derogation() -> None:
    derogation = {**REGIONAL, "zones": ["2816"], "valid_until": "2018-05-31"}
    content = lasting(420, derogation=derogation).content
    fiche = confirmed(hearing.fiche_validated(filed(content), VALIDATED))
    to = sessions.NewDates(dt.date(2018, 6, 4), dt.date(2018, 9, 7), SessionMotive.ENVELOPPE)
    with pytest.raises(RulesRefused) as refused:
        sessions.postpone_session(fiche, 1, to, GIVEN, NOON)
    assert codes(refused.value.objections) == ["DEROGATION_PERIOD"]


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


@pytest.mark.parametrize(
    ("insee", "zone", "code"),
    [
        ("50502", "2816", None),
        ("50502", "2805", "PLACE_ZONE_COMMUNE"),
        ("50129", "2805", None),
        ("50129", "2816", "PLACE_ZONE_COMMUNE"),
        ("50502", "5315", None),  # PLACE_ZONE says more
        ("50999", "2816", None),  # PLACE_COMMUNE says more
    ],
)
def test_a_commune_in_another_zone_is_a_warning(insee: str, zone: str, code: str | None) -> None:
    examined = case(place={"insee": insee, "zone_emploi": zone})
    assert says(parties.zone_is_that_of_the_commune, examined) == code


@pytest.mark.parametrize(
    ("insee", "postal_code", "code"),
    [("14118", "14000", None), ("14118", "14118", "PLACE_POSTAL_CODE"), ("14118", "14052", "PLACE_POSTAL_CODE"), ("14999", "1", None)],
)
def test_a_postal_code_of_another_commune_is_a_warning(insee: str, postal_code: str, code: str | None) -> None:
    examined = case(place={"insee": insee, "address": {"postal_code": postal_code.zfill(5)}})
    assert says(parties.postal_code_is_that_of_the_commune, examined) == code


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
        ("73282932100072", "PROVIDER_SIRET"),  # its own key holds, that of the SIREN in it does not
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


@pytest.mark.parametrize(
    ("siret", "code"),
    [("73282932000074", None), ("99912345800013", "TRAINER_SIRET"), ("73282932000075", "TRAINER_SIRET")],
)
def test_who_trains_is_another_organisation_with_a_valid_siret(siret: str, code: str | None) -> None:
    assert says(parties.trainer_is_another_organisation, case()) is None
    assert says(parties.trainer_is_another_organisation, case(trainer={"siret": siret, "name": "Enduits"})) == code


@pytest.mark.parametrize(("until", "code"), [(None, None), ("2018-08-03", None), ("2018-08-02", "QUALIOPI_ENDS")])
def test_the_certificate_lasts_until_the_last_day(until: str | None, code: str | None) -> None:
    assert says(parties.certificate_lasts, case(provider={"qualiopi_until": until})) == code


@pytest.mark.parametrize(
    ("audiences", "code"),
    [(["80009"], None), (["81024", "80009"], None), (["80009", "80006"], "CFA_AUDIENCE"), (["83056"], "CFA_AUDIENCE")],
)
def test_an_apprenticeship_centre_trains_people_under_26(audiences: list[str], code: str | None) -> None:
    assert says(parties.cfa_is_for_the_young, case(audiences=audiences, provider={"cfa": True})) == code
    assert says(parties.cfa_is_for_the_young, case(audiences=audiences)) is None


def test_partners_are_in_the_directory_or_were_in_the_fiche_before() -> None:
    examined = case(sourcing={"partner_ids": [str(PARTNER)]})
    assert says(parties.partners_are_known, examined) == "PARTNER_UNKNOWN"
    assert says(parties.partners_are_known, at_desk(Desk(partners=frozenset({PARTNER})), examined)) is None
    before = replace(filed(), content=examined.content)
    assert says(parties.partners_are_known, replace(examined, before=before)) is None


@pytest.mark.parametrize(
    ("opco", "on", "code"),
    [
        ("opco-2i", dt.date(2018, 2, 28), None),
        ("opco-2i", dt.date(2018, 3, 1), "CAMPAIGN_CLOSED"),
        ("akto", dt.date(2018, 3, 15), None),  # the conference gave this one two weeks more
        ("akto", dt.date(2018, 3, 16), "CAMPAIGN_CLOSED"),
    ],
)
def test_a_fiche_is_filed_by_the_last_day_of_its_campaign(opco: str, on: dt.date, code: str | None) -> None:
    examined = at_desk(Desk((SPRING,)), case(opco, on))
    assert says(calendar.campaign_is_open, examined) == code
    assert says(calendar.campaign_is_open, replace(examined, outside_campaign=OUTSIDE)) is None
    assert says(calendar.campaign_is_open, replace(examined, before=filed())) is None


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("2018-03-31", None),
        ("2018-04-01", "CAMPAIGN_CLOSED"),
        ("2018-06-30", "CAMPAIGN_CLOSED"),
        ("2018-07-01", None),
        ("2019-04-01", None),
    ],
)
def test_the_campaign_is_that_of_the_quarter_of_the_first_start(start: str, code: str | None) -> None:
    examined = case(sessions=[session(start=start, end="2019-12-31"), session(number=2, start="2019-12-01")])
    assert says(calendar.campaign_is_open, at_desk(Desk((SPRING,)), examined)) == code
    assert says(calendar.campaign_is_open, examined) is None


def test_an_extension_that_ends_before_the_deadline_takes_nothing_away() -> None:
    early = Desk((replace(SPRING, extensions={GOLDEN_OPCO: dt.date(2018, 1, 1)}),))
    assert says(calendar.campaign_is_open, at_desk(early, case(on=SPRING.deadline))) is None


@pytest.mark.parametrize(
    ("desk", "kept"), [(Desk((SPRING,)), OUTSIDE), (Desk(), OUTSIDE), (Desk((OPEN_CAMPAIGN,)), None)]
)
def test_why_a_fiche_comes_late_is_kept_and_said_unless_it_is_in_time(
    desk: Desk, kept: OutsideCampaign | None
) -> None:
    late = replace(filing(), outside_campaign=OUTSIDE)
    done = decisions.submit_fiche(filed().id, GOLDEN_OPCO, GOLDEN_REFERENCE, late, GIVEN.beside(desk), None)
    assert done.fiche.outside_campaign == kept
    (event,) = done.events
    assert isinstance(event, FicheSubmitted)
    assert event.outside_campaign == kept


def test_a_person_named_in_the_reason_for_coming_late_is_a_warning() -> None:
    said = OutsideCampaign(motive=OutsideMotive.CONJONCTUREL, reason="Demandé par Mme Exemple.")
    with pytest.raises(WarningsUnanswered) as unanswered:
        decisions.submit_fiche(
            filed().id, GOLDEN_OPCO, GOLDEN_REFERENCE, replace(filing(), outside_campaign=said), GIVEN, None
        )
    assert [one.field for one in unanswered.value.warnings if one.code == "PERSON_NAME_SUSPECTED"] == ["outside_campaign.reason"]


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
        {"sourcing": {"partner_ids": [str(PARTNER)] * 2}},
        {"sourcing": {"pilots": ["CAP_EMPLOI"] * 2}},
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
