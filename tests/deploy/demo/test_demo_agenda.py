"""The order of the play and the doors: pure, on the year as it was written down."""

import datetime as dt
from itertools import pairwise

import pytest

from deploy.demo.agenda import Turn, agenda
from deploy.demo.contents import is_announced
from deploy.demo.incidents import choose
from deploy.demo.moves import ENTRIES, record_of, request_of
from deploy.demo.year_2021 import load

MONTHS = agenda(load().fiches)
DAYS = [day for month in MONTHS for day in month.days]
TURNS = [turn for day in DAYS for turn in day.turns]


def test_days_only_go_forward() -> None:
    assert all(before.on < after.on for before, after in pairwise(DAYS))


def test_every_step_is_played_once_and_each_fiche_in_its_own_order() -> None:
    assert len(TURNS) == sum(len(fiche.steps) for fiche in load().fiches)
    played: dict[str, list[int]] = {}
    for turn in TURNS:
        played.setdefault(turn.fiche.reference, []).append(turn.n)
    assert all(steps == list(range(len(steps))) for steps in played.values())


def test_a_step_is_played_on_its_day() -> None:
    assert all(turn.step.on == day.on for day in DAYS for turn in day.turns)


def test_the_year_runs_from_october_2020_to_december_2021() -> None:
    assert (MONTHS[0].name, MONTHS[-1].name) == ("octobre 2020", "décembre 2021")


def test_a_story_that_goes_back_in_time_is_refused() -> None:
    fiche = load().fiches[0]
    early = fiche.steps[-1].model_copy(update={"on": dt.date(2020, 1, 1)})
    with pytest.raises(ValueError, match="goes back in time"):
        agenda([fiche.model_copy(update={"steps": (*fiche.steps[:-1], early)})])


@pytest.mark.parametrize("batches", [False, True])
def test_half_goes_over_http_half_by_kafka(batches: bool) -> None:
    doors = [
        t.door for t in TURNS if (t.step.do in ENTRIES) == batches and t.step.by in (t.fiche.opco, "france-travail")
    ]
    assert 0.45 < doors.count("http") / len(doors) < 0.55


def test_reviewers_decide_over_http() -> None:
    assert {t.door for t in TURNS if t.step.by in ("region", "pole-emploi")} == {"http"}


def test_names_of_steps_are_unique_and_fit_an_idempotency_key() -> None:
    names = [turn.name for turn in TURNS]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and " " not in name and len(name) < 180 for name in names)


def test_every_step_can_be_said_through_its_door_and_entries_through_both() -> None:
    for turn in TURNS:
        if turn.door == "ingress" or turn.step.do in ENTRIES:
            assert record_of(turn).value
        if turn.door == "http" or turn.step.do in ENTRIES:
            assert request_of(turn).path


def test_the_key_of_a_record_is_the_opcos_reference_and_for_entries_the_session() -> None:
    submitted = next(t for t in TURNS if t.step.do == "submit_fiche" and t.door == "ingress")
    recorded = next(t for t in TURNS if t.step.do == "record_ais" and t.door == "ingress")
    assert record_of(submitted).key == submitted.fiche.reference
    assert record_of(recorded).key in record_of(recorded).value.decode()
    assert record_of(recorded).organisation == "france-travail"


def test_a_decision_names_the_revision_it_is_taken_on() -> None:
    later = next(t for t in TURNS if t.step.do == "give_avis" and t.fiche.steps[t.n - 1].do == "complete_fiche")
    assert request_of(later).headers()["If-Match"] == '"2"'


def test_filing_what_was_announced_names_the_announcement_and_no_other_filing_names_anything() -> None:
    filings = [t for t in TURNS if t.step.do == "submit_fiche" and t.door == "http"]
    named = {t.fiche.reference: request_of(t).headers().get("If-Match") for t in filings}
    announced = {t.fiche.reference for t in filings if is_announced(t.fiche)}
    assert announced and named == {reference: '"1"' if reference in announced else None for reference in named}


def test_a_later_try_has_a_key_of_its_own() -> None:
    turn: Turn = next(t for t in TURNS if t.step.do == "submit_fiche")
    assert request_of(turn, ("HOURS_PARTS",), "/acknowledged").key == f"{turn.name}/acknowledged"


def test_every_incident_has_its_place_and_the_early_batch_comes_before_its_session() -> None:
    chosen = choose(MONTHS)
    assert chosen.early.fiche is chosen.kept.fiche
    assert chosen.early.n < chosen.kept.n
    assert chosen.kept.door == "ingress"
    assert len([t for t in chosen.killed.turns if t.step.do in ENTRIES and t.door == "ingress"]) >= 2
