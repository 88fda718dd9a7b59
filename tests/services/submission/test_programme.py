"""What a fiche promises and costs, and the lists it chooses from: each rule at its boundary."""

from dataclasses import replace
from typing import Any

import pytest

from services.submission.domain import programme
from tests.services.submission.filings import (
    PARTNER,
    case,
    says,
)


def test_job_and_audiences_come_from_the_lists() -> None:
    assert says(programme.rome_is_known, case(rome="H3499")) == "ROME_UNKNOWN"
    assert says(programme.audiences_are_known, case(audiences=["80006", "80001"])) == "AUDIENCE_UNKNOWN"


@pytest.mark.parametrize(
    ("nsf", "code"),
    [([], None), (["100"], None), (["220", "326"], None), (["220", "999"], "NSF_UNKNOWN"), (["22_"], "NSF_UNKNOWN")],
)
def test_specialities_are_groups_of_the_nsf(nsf: list[str], code: str | None) -> None:
    content = case().content.model_copy(update={"nsf": tuple(nsf)})
    assert says(programme.nsf_are_known, replace(case(), content=content)) == code


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
