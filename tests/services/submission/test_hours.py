"""Hours, the cap of 400 and its derogations: each rule at its boundary."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from services.submission.domain import decisions, hearing, hours, sessions
from shared.contracts.references import SessionMotive
from shared.contracts.validation import Adaptation
from shared.errors import RulesRefused
from tests.services.submission.filings import (
    GIVEN,
    IN_FORCE,
    NATIONAL,
    NOON,
    PROPOSED,
    REGIONAL,
    VALIDATED,
    case,
    codes,
    confirmed,
    filed,
    lasting,
    says,
    session,
)

PLANS = [session(), session(number=2, start="2018-06-04", end="2018-09-07")]


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
        ({"valid_until": None}, None),
        ({"decided_on": "2018-04-30"}, None),
        ({"decided_on": "2018-05-01"}, "DEROGATION_PERIOD"),
        ({"decided_on": "2018-05-01", "valid_from": "2018-04-30"}, None),
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


@pytest.mark.parametrize(
    ("derogation", "code"),
    [
        (REGIONAL, None),
        ({**REGIONAL, "valid_until": None}, "DEROGATION_UNBOUNDED"),
        ({**REGIONAL, "valid_until": None, "valid_from": "2018-01-01"}, "DEROGATION_UNBOUNDED"),
        (NATIONAL, None),
        (None, None),
    ],
)
def test_a_regional_derogation_has_a_last_day_a_national_one_needs_none(
    derogation: dict[str, Any] | None, code: str | None
) -> None:
    assert says(hours.derogation_is_bounded, lasting(400, derogation=derogation)) == code


def test_a_place_in_a_zone_that_the_derogation_does_not_name_is_not_accepted_from_the_region() -> None:
    fiche = filed(lasting(420, derogation={**REGIONAL, "zones": ["2816"]}).content)
    elsewhere = fiche.content.place.model_copy(update={"insee": "14118", "zone_emploi": "2804"})
    proposed = PROPOSED.model_copy(update={"adaptation": Adaptation(sessions=(), place=elsewhere)})
    with pytest.raises(RulesRefused) as refused:
        decisions.accept_adaptation(hearing.adaptation_proposed(fiche, proposed), (), GIVEN, NOON)
    assert codes(refused.value.objections) == ["DEROGATION_ZONES"]


def test_a_session_is_not_postponed_out_of_the_days_of_its_derogation() -> None:
    derogation = {**REGIONAL, "zones": ["2816"], "valid_until": "2018-05-31"}
    content = lasting(420, derogation=derogation).content
    fiche = confirmed(hearing.fiche_validated(filed(content), VALIDATED))
    to = sessions.NewDates(dt.date(2018, 6, 4), dt.date(2018, 9, 7), SessionMotive.ENVELOPPE)
    with pytest.raises(RulesRefused) as refused:
        sessions.postpone_session(fiche, 1, to, GIVEN, NOON)
    assert codes(refused.value.objections) == ["DEROGATION_PERIOD"]


@pytest.mark.parametrize(
    ("start", "until", "code"),
    [
        ("2018-06-11", "2018-12-31", None),  # the second moves, and the first, of before the decision, stays
        ("2018-06-11", "2018-06-10", "DEROGATION_PERIOD"),
        ("2018-06-04", "2018-12-30", "DEROGATION_PERIOD"),  # another derogation is held against every session
    ],
)
def test_a_session_that_stays_is_not_held_against_one_that_moves(start: str, until: str, code: str | None) -> None:
    last = "2018-12-31" if start == "2018-06-04" else until
    derogation = {**REGIONAL, "decided_on": "2018-05-01", "valid_until": last}
    fiche = replace(filed(), content=lasting(420, derogation=derogation, sessions=PLANS).content)
    moved = [PLANS[0], {**PLANS[1], "start": start}]
    new = lasting(420, derogation={**derogation, "valid_until": until}, sessions=moved, before=fiche)
    assert says(hours.derogation_covers_the_start, new) == code


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
