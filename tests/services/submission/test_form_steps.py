"""The form in steps: every field of a fiche has its place, nothing typed is lost on the way, rows come and go."""

from collections import Counter
from collections.abc import Iterator

import pytest

from services.submission.domain.fiche import Status
from services.submission.domain.preparation import Preparation
from services.submission.form_fields import Leaf, Plan, Rows, content_of, fields_of, form
from services.submission.pages.form_steps import STEPS, is_mark, step_of
from services.submission.pages.form_values import (
    begun_with,
    completed,
    entry_of,
    in_order_of,
    is_list,
    is_row,
    merged,
    rows_of,
    typed_in,
    without_row,
)
from shared.contracts.fiche import FicheContent
from tests.services.submission.filings import prepared
from tests.support.fiches import whole_json

WHOLE = FicheContent.model_validate(whole_json())


def patterns(plan: Plan, at: str = "") -> Iterator[str]:
    if isinstance(plan, Leaf):
        yield at
    elif isinstance(plan, Rows):
        yield from patterns(plan.each, f"{at}.*")
    else:
        for name, member in plan.members.items():
            yield from patterns(member, f"{at}.{name}" if at else name)


def test_every_field_of_a_fiche_stands_in_exactly_one_step() -> None:
    counted = Counter(one for step in STEPS for box in step.boxes for one in box.patterns)
    assert counted.keys() | {"sessions.*.number"} == set(patterns(form()))
    assert set(counted.values()) == {1}


def test_a_whole_fiche_goes_through_the_steps_and_comes_out_the_same() -> None:
    fields: dict[str, str] = {}
    for step in STEPS:
        shown = entry_of({path: text for path, text in fields_of(WHOLE).items() if step.owns(path)}, 1)
        fields = merged(fields, typed_in(shown.values, step), step)
    assert content_of(fields) == WHOLE


def test_a_step_changes_nothing_of_another_one() -> None:
    before = fields_of(WHOLE)
    emptied = merged(before, {}, STEPS[0])
    assert {path for path in before if not is_mark(path)} - emptied.keys() == {path for path in before if STEPS[0].owns(path)}


def test_what_is_no_field_of_the_step_is_not_taken() -> None:
    assert typed_in({"csrf_token": ["x"], "title": ["POEC"], "kind": ["?"]}, STEPS[1]) == {"title": "POEC"}


def test_sessions_get_the_next_number_and_empty_ones_none() -> None:
    typed = {"sessions.0.number": "4", "sessions.0.seats": "12", "sessions.1.start": "bientôt", "sessions.2.number": "9"}
    assert completed(typed) == {**{k: v for k, v in typed.items() if k != "sessions.2.number"}, "sessions.1.number": "10"}


@pytest.mark.parametrize(("typed", "code"), [("Caen", "14118"), ("saint lo", "50502"), ("14118", "14118"), ("Nulle part", "Nulle part")])
def test_a_commune_may_be_typed_by_its_name_and_brings_its_zone(typed: str, code: str) -> None:
    done = completed({"place.insee": typed})
    assert done["place.insee"] == code
    assert ("place.zone_emploi" in done) is code.isdigit()
    assert completed({"place.insee": typed, "place.zone_emploi": "x"})["place.zone_emploi"] == "x", "what was chosen stays"


def test_boxes_keep_the_order_in_which_they_were_ticked_first() -> None:
    had = {"target_contracts.0": "CDD_12_MOIS", "target_contracts.1": "CDI", "title": "x"}
    typed = typed_in({"target_contracts": ["CDI", "CDD_12_MOIS", "APPRENTISSAGE"], "title": ["y"]})
    assert [typed[f"target_contracts.{n}"] for n in range(2)] == ["CDI", "CDD_12_MOIS"], "as the page shows them"
    kept = in_order_of(had, typed)
    assert [kept[f"target_contracts.{n}"] for n in range(3)] == ["CDD_12_MOIS", "CDI", "APPRENTISSAGE"]
    assert kept["title"] == "y"


def test_a_row_taken_away_lets_those_after_it_move_up() -> None:
    typed = {"sessions.0.seats": "1", "sessions.1.seats": "2", "sessions.2.meetings.0.on": "3", "formacodes.0": "22472"}
    assert without_row(typed, "sessions.1") == {"sessions.0.seats": "1", "sessions.1.meetings.0.on": "3", "formacodes.0": "22472"}
    assert without_row(typed, "formacodes.0").get("formacodes.0") is None
    assert rows_of(typed, "sessions") == 3
    assert rows_of(typed, "audiences") == 0


@pytest.mark.parametrize("name", ["sessions.0", "sessions.12.meetings.3", "sourcing.partners.0"])
def test_a_row_is_named_by_its_list(name: str) -> None:
    assert is_row(name)
    assert is_list(name.rpartition(".")[0])


@pytest.mark.parametrize("name", ["", "sessions", "title.0", "sessions.x", "hours", "sessions.0.meetings", "../0", "need.0"])
def test_nothing_else_is_a_row(name: str) -> None:
    assert not is_row(name)


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("hours.total", "formation"),
        ("sessions", "sessions"),
        ("sessions.0.meetings.1.on", "sessions"),
        ("money", "financement"),
        ("place.address.lines.0", "organisme"),
        ("outside_campaign", None),
    ],
)
def test_an_objection_finds_its_step(path: str, slug: str | None) -> None:
    step = step_of(path)
    assert (step.slug if step else None) == slug


def test_an_intention_begins_the_form_that_it_announced() -> None:
    held = prepared(Status.PREPROGRAMMED)
    assert isinstance(held, Preparation)
    fields = begun_with(held)
    assert held.intention is not None
    assert fields["title"] == held.intention.title
    assert fields["rome"] == held.intention.rome
    assert fields["sessions.0.seats"] == str(held.intention.seats)
    assert all(step_of(path) for path in fields)
