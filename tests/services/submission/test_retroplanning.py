"""The retro-planning: each step's last day from the first start back, working days alone, what is done, late or to be checked."""

import datetime as dt
import re
from dataclasses import replace

import pytest

from services.submission.domain.fiche import Status
from services.submission.domain.retroplanning import LABELS, Milestone, Pace, Standing, Step, retroplanning
from services.submission.form_fields import typed_start
from services.submission.working_days import is_working_day
from shared.errors import NotAllowedNow
from tests.services.submission import filings as f
from tests.support.fiches import golden_content

START = dt.date(2018, 4, 30)


def every_day(_: dt.date) -> bool:
    return True


def seen(on: dt.date, **changes: object) -> dict[Step, Milestone]:
    fiche = replace(f.filed(), content=golden_content(**changes))
    return {one.step: one for one in retroplanning(fiche, on, every_day)}


def days(**changes: object) -> dict[Step, dt.date]:
    return {step: one.last_day for step, one in seen(f.TODAY, **changes).items()}


def test_the_last_days_are_reckoned_back_from_the_first_start() -> None:
    found = days(sessions=[f.session()])
    before_start = {step: (START - day).days for step, day in found.items()}
    assert before_start == {
        Step.START: 0,
        Step.MEETING: 1,
        Step.PUBLISHED: 11,
        Step.CONFIRMED: 18,
        Step.AWARDED: 18,
        Step.VALIDATED: 42,
        Step.AVIS: 57,
        Step.FILED: 72,
        Step.OFFERS_DUE: 32,
        Step.TENDER_PUBLISHED: 61,
    }


def test_steps_come_in_the_order_of_their_days_whatever_is_the_tenders_and_whatever_the_fiches() -> None:
    fiche = replace(f.filed(), content=golden_content(sessions=[f.session()]))
    found = retroplanning(fiche, f.TODAY, every_day)
    assert [one.last_day for one in found] == sorted(one.last_day for one in found)
    assert [one.step for one in found[:3]] == [Step.FILED, Step.TENDER_PUBLISHED, Step.AVIS]


def test_an_early_meeting_pulls_publication_and_with_it_the_validation() -> None:
    meeting = {"on": "2018-03-26", "starts_at": "09:30", "place": "Saint-Lô", "audience": "Tous", "seats": 20}
    found = days(sessions=[f.session(meetings=[meeting])])
    assert found[Step.MEETING] == dt.date(2018, 3, 26)
    assert found[Step.PUBLISHED] == dt.date(2018, 3, 16)
    assert found[Step.CONFIRMED] == found[Step.VALIDATED] == dt.date(2018, 3, 9)


def test_of_several_sessions_the_first_one_that_is_left_counts() -> None:
    late = f.session(number=2, start="2018-06-04", end="2018-09-07")
    assert days(sessions=[late, f.session()])[Step.START] == START


def test_a_last_day_on_a_holiday_is_the_working_day_before() -> None:
    fiche = replace(f.filed(), content=golden_content(sessions=[f.session(start="2018-05-14", end="2018-08-17")]))
    found = {one.step: one.last_day for one in retroplanning(fiche, f.TODAY, is_working_day)}
    assert found[Step.MEETING] == dt.date(2018, 5, 11)  # a Friday: the day before the start is a Sunday
    assert found[Step.PUBLISHED] == dt.date(2018, 4, 30)  # 1 May is a holiday
    assert found[Step.VALIDATED] == dt.date(2018, 3, 30)  # Easter Monday and its week-end before it
    assert all(map(is_working_day, found.values()))


@pytest.mark.parametrize("day", ["2018-05-01", "2018-05-08", "2018-05-10", "2018-05-21", "2018-07-14", "2018-12-25", "2018-05-05"])
def test_nobody_works_on_a_holiday_or_a_saturday(day: str) -> None:
    assert not is_working_day(dt.date.fromisoformat(day))
    assert is_working_day(dt.date(2018, 5, 2))


@pytest.mark.parametrize(
    ("days_after", "standing", "says"),
    [(-1, Standing.TO_COME, "Au plus tard le 19/03/2018"), (0, Standing.TO_COME, "Au plus tard"),
     (1, Standing.LATE, "En retard de 1 jour"), (2, Standing.LATE, "En retard de 2 jours")],
)  # fmt: skip
def test_a_step_is_late_the_day_after_its_last_day(days_after: int, standing: Standing, says: str) -> None:
    last_day = START - dt.timedelta(days=Pace().sourcing)
    found = seen(last_day + dt.timedelta(days=days_after), sessions=[f.session()])[Step.VALIDATED]
    assert (found.standing, found.last_day) == (standing, last_day)
    assert says in found.sentence


@pytest.mark.parametrize(
    ("status", "done"),
    [
        (Status.SUBMITTED, set()),
        (Status.AVIS_LAPSED, set()),
        (Status.VALIDATED, {Step.AVIS, Step.VALIDATED}),
        (Status.CONFIRMED, {Step.AVIS, Step.VALIDATED, Step.CONFIRMED}),
        (Status.REVIEWED, {Step.AVIS, Step.VALIDATED, Step.CONFIRMED}),
    ],
)
def test_what_is_done_follows_from_the_status(status: Status, done: set[Step]) -> None:
    found = retroplanning(f.held(status), f.TODAY, every_day)
    tender = {Step.TENDER_PUBLISHED, Step.OFFERS_DUE, Step.AWARDED}
    assert {one.step for one in found if one.standing is Standing.DONE} == done | tender | {Step.FILED}


def test_what_others_do_is_to_be_checked_once_its_day_has_passed() -> None:
    found = seen(START + dt.timedelta(days=1))
    assert {step for step, one in found.items() if one.standing is Standing.TO_CHECK} == {
        Step.PUBLISHED,
        Step.MEETING,
        Step.START,
    }


def test_without_a_tender_there_are_no_days_of_a_tender() -> None:
    tender = {Step.TENDER_PUBLISHED, Step.OFFERS_DUE, Step.AWARDED}
    assert not tender & days(procurement="AUCUN").keys()
    assert not tender & days(procurement="PUBLIE", tender={"contract_ends_on": "2018-08-03"}).keys()
    assert tender <= days(procurement="PUBLIE", tender={"contract_ends_on": "2018-08-02"}).keys()


def test_what_is_prepared_is_reckoned_from_what_was_announced_or_typed() -> None:
    meant = {one.step: one for one in retroplanning(f.prepared(Status.PREPROGRAMMED), f.TODAY, every_day)}
    assert meant[Step.START].last_day == f.INTENTION.starts_from
    assert meant[Step.FILED].standing is Standing.LATE
    fields = {"sessions.1.start": "30/04/2018", "sessions.0.start": "mai ?", "sessions.2.start": "2018-06-01", "title": "2018-01-01"}
    typed = retroplanning(f.prepared(), f.TODAY, every_day, typed_start(fields))
    assert typed[-1].last_day == START
    with pytest.raises(NotAllowedNow) as refused:
        retroplanning(f.prepared(), f.TODAY, every_day, typed_start({"sessions.0.start": "31/02/2018"}))
    assert f.codes(refused.value.objections) == ["START_UNKNOWN"]


def test_every_step_has_its_label_and_its_sentence_in_french() -> None:
    for on in (f.TODAY, START + dt.timedelta(days=1)):
        for one in seen(on, procurement="PUBLIE").values():
            assert one.label == LABELS[one.step]
            assert one.sentence.endswith(".")
            assert not re.search(r"(?<!\u202f)[;:!?]", one.sentence)
            assert "'" not in one.sentence
