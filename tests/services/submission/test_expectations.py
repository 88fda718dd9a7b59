"""What a fiche waits for from its OPCO, and by when; what is offered is what the lifecycle has."""

import datetime as dt
from dataclasses import replace

import pytest

from services.submission.domain import hearing
from services.submission.domain.expectations import due_on, duties
from services.submission.domain.fiche import Status
from services.submission.domain.lifecycle import COMMANDS, allowed, possible
from shared.contracts.references import PlacementMoment
from shared.errors import NotAllowedNow
from tests.services.submission.filings import AT, EXPIRES, OPENED, confirmed, engaged, filed, two_sessions, validated

START = dt.date(2018, 4, 30)


def test_a_completion_is_due_while_the_avis_can_still_be_given_in_time() -> None:
    assert due_on(AT[Status.TO_COMPLETE]()) is None, "no dossier said when"
    asked = hearing.dossier_opened(AT[Status.TO_COMPLETE](), OPENED)
    assert [(one.command, one.due_on) for one in duties(asked)] == [("complete_fiche", OPENED.avis_due_on)]


def test_a_proposal_is_due_on_its_last_day() -> None:
    assert [(one.command, one.due_on) for one in duties(AT[Status.TO_ADAPT]())] == [("accept_adaptation", EXPIRES)]


def test_a_validated_fiche_waits_for_its_programmation_until_it_starts() -> None:
    assert [(one.command, one.due_on) for one in duties(validated())] == [("confirm_programmation", START)]


def test_each_session_waits_for_its_go_until_it_starts() -> None:
    fiche = confirmed(replace(validated(), content=two_sessions(), sessions=filed(two_sessions()).sessions))
    assert [(one.command, one.session, one.due_on) for one in duties(fiche)] == [
        ("engage_session", 1, START),
        ("engage_session", 2, dt.date(2018, 6, 4)),
    ]
    assert due_on(engaged(fiche)) == dt.date(2018, 6, 4)


def test_an_engaged_session_waits_for_both_its_returns_from_their_moments_on() -> None:
    fiche = engaged()
    assert [(one.moment, one.since, one.due_on) for one in duties(fiche)] == [
        (PlacementMoment.FIN, dt.date(2018, 8, 4), None),
        (PlacementMoment.TROIS_MOIS, dt.date(2018, 11, 4), None),
    ]
    assert due_on(fiche) is None, "nothing says by when"


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.AVIS_LAPSED, Status.REFUSED, Status.WITHDRAWN, Status.CANCELLED])
def test_nothing_is_waited_for_where_others_decide_or_all_is_over(status: Status) -> None:
    assert duties(AT[status]()) == ()


@pytest.mark.parametrize("status", Status)
def test_what_is_offered_is_what_is_allowed(status: Status) -> None:
    for command in {step.command for step in COMMANDS}:
        try:
            allowed(command, status)
        except NotAllowedNow:
            assert not possible(command, status)
        else:
            assert possible(command, status)
