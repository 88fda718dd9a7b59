"""What may be filed and what not: all objections together, warnings answered one by one; each rule is tested with those of its subject."""

import datetime as dt
from typing import Any

import pytest

from services.submission.domain import decisions, sessions
from services.submission.domain.admissibility import RULES, admit, said
from services.submission.reference.lists import ListName, reference_list
from shared.contracts.references import SessionMotive
from shared.errors import RulesRefused, WarningsUnanswered
from tests.services.submission.filings import (
    GIVEN,
    NATIONAL,
    NOON,
    case,
    codes,
    confirmed,
    filed,
    filing,
)
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, GOLDEN_WARNINGS, PAST_WARNINGS, golden_content


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


BESIDE: dict[ListName, dict[str, Any]] = {
    ListName.BRANCHES: {"branch_idcc": "9999"},
    ListName.COMMUNES: {"place": {"insee": "14000"}},
    ListName.DEPARTMENTS: {"place": {"insee": "75056"}},
    ListName.ZONES: {"place": {"zone_emploi": "2899"}},
    ListName.ROME: {"rome": "H9999"},
    ListName.NSF: {"nsf": ["999"]},
    ListName.AUDIENCES: {"audiences": ["80001"]},
    ListName.DEROGATIONS: {"derogation": NATIONAL},
}
"""Of each closed list whose codes are texts in a fiche, a content with a code beside it."""


@pytest.mark.parametrize("name", BESIDE)
def test_a_code_beside_a_closed_list_is_refused(name: ListName) -> None:
    assert reference_list(name).closed
    assert said(case(**BESIDE[name]), RULES)


def test_a_list_that_is_open_refuses_nothing() -> None:
    assert [name for name in ListName if not reference_list(name).closed] == [ListName.FORMACODES]
    assert said(case(formacodes=["99999"]), RULES) == ()
