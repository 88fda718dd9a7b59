"""What may be announced before a fiche is written: each rule of an intention at its boundary."""

import pytest

from services.submission.domain import intention as rules
from services.submission.domain.intention import IntentionRule, Meant, admit_intention
from shared.contracts.fiche import Intention
from shared.errors import WarningsUnanswered
from tests.services.submission import filings as f
from tests.support.fiches import GOLDEN_OPCO


def meant(**changes: object) -> Meant:
    return Meant(Intention.model_validate(f.INTENTION.model_dump() | changes), GOLDEN_OPCO, f.GIVEN)


def says(rule: IntentionRule, examined: Meant) -> tuple[str, str | None] | None:
    found = rule(examined)
    return (found.code, found.field) if found else None


@pytest.mark.parametrize(("until", "wrong"), [("2018-04-01", False), ("2018-04-02", False), ("2018-03-31", True)])
def test_the_period_of_the_start_may_be_one_day_but_does_not_run_backwards(until: str, wrong: bool) -> None:
    expected = ("INTENTION_PERIOD", "intention.starts_until") if wrong else None
    assert says(rules.period_runs_forward, meant(starts_until=until)) == expected


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2018-01-01", "2018-12-31", None),
        ("2017-12-31", "2018-12-31", "intention.starts_from"),
        ("2018-01-01", "2019-01-01", "intention.starts_until"),
    ],
)
def test_the_period_lies_within_the_year_it_is_programmed_for(first: str, last: str, field: str | None) -> None:
    examined = meant(starts_from=first, starts_until=last)
    assert says(rules.period_is_in_its_year, examined) == (("INTENTION_YEAR", field) if field else None)


@pytest.mark.parametrize(("idcc", "code"), [(None, None), ("3248", None), ("1413", "BRANCH_OPCO"), ("9999", "BRANCH_OPCO")])
def test_a_branch_that_is_named_is_one_of_the_opco(idcc: str | None, code: str | None) -> None:
    assert says(rules.branch_is_of_the_opco, meant(branch_idcc=idcc)) == ((code, "intention.branch_idcc") if code else None)


def test_a_person_named_in_the_title_is_a_warning_to_answer() -> None:
    named = meant(title="Poste de Mme Exemple")
    with pytest.raises(WarningsUnanswered) as warned:
        admit_intention(named, ())
    assert f.codes(warned.value.warnings) == ["PERSON_NAME_SUSPECTED"]
    assert f.codes(admit_intention(named, ("PERSON_NAME_SUSPECTED",))) == ["PERSON_NAME_SUSPECTED"]
