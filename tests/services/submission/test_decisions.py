"""What an OPCO does with its fiche, and what comes of it: contents, revisions, sessions, events."""

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest

from services.submission import use_cases as story
from services.submission.domain import decisions, hearing, sessions
from services.submission.domain.content import shift_between
from services.submission.domain.decisions import Filing
from services.submission.domain.fiche import Fiche, SessionState, Status
from services.submission.domain.sessions import NewDates
from services.submission.store import Fiches, parsed, written
from services.submission.use_cases import Asker
from shared.contracts.fiche import fiche_id, session_id
from shared.contracts.references import SessionMotive, SourcingCause, WithdrawalReason
from shared.contracts.submission import (
    AdaptationAccepted,
    AdaptationDeclined,
    CounterProposed,
    FicheAmended,
    FicheCompleted,
    FicheSubmitted,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
)
from shared.contracts.validation import Adaptation, ProposedSession
from shared.errors import (
    Forbidden,
    Impossible,
    NotAllowedNow,
    NotFound,
    Objection,
    RulesRefused,
    Stale,
    WarningsUnanswered,
)
from shared.identity import Principal
from tests.services.submission import filings as f
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, GOLDEN_WARNINGS, golden_content

OPCO = Principal("opco-2i", GOLDEN_OPCO, "machine", frozenset({"opco"}))
AKTO = Principal("akto", "akto", "machine", frozenset({"opco"}))
REGION = Principal("region", "region", "machine", frozenset({"region_reviewer"}))
SOURCING, CAUSE = SessionMotive.SOURCING_INSUFFISANT, SourcingCause.MOBILITE


def to(start: str, end: str, acknowledged: tuple[str, ...] = ()) -> NewDates:
    return NewDates(dt.date.fromisoformat(start), dt.date.fromisoformat(end), SOURCING, acknowledged)


def test_filing_says_the_whole_fiche_at_revision_1_with_what_was_acknowledged() -> None:
    decision = decisions.submit_fiche(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN, None)
    (event,) = decision.events
    assert isinstance(event, FicheSubmitted)
    assert (event.revision, event.reference, event.content) == (1, GOLDEN_REFERENCE, golden_content())
    assert event.acknowledged == decision.fiche.acknowledged == GOLDEN_WARNINGS
    assert {number: one.state for number, one in decision.fiche.sessions.items()} == {1: SessionState.PLANNED}


def test_the_same_reference_is_not_filed_twice() -> None:
    with pytest.raises(NotAllowedNow) as refused:
        decisions.submit_fiche(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN, f.filed())
    assert f.codes(refused.value.objections) == ["REFERENCE_TAKEN"]


def test_unanswered_warnings_file_nothing() -> None:
    fiches = Fiches()
    with pytest.raises(WarningsUnanswered):
        story.submit_fiche(fiches, OPCO, GOLDEN_REFERENCE, f.filing(acknowledged=()), f.GIVEN)
    assert not fiches.states()


def test_a_completion_is_a_new_revision_and_nothing_is_asked_any_more() -> None:
    fiche = f.AT[Status.TO_COMPLETE]()
    new = golden_content(formacodes=["23053"], place={"insee": "50129", "zone_emploi": "2805", "address": {"postal_code": "50100"}})
    decision = decisions.complete_fiche(fiche, f.filing(new), f.GIVEN)
    (event,) = decision.events
    assert isinstance(event, FicheCompleted)
    assert (event.revision, decision.fiche.revision, decision.fiche.completion) == (2, 2, ())
    assert (event.shift.commune_moved, event.shift.zone_moved, event.shift.main_formacode_moved) == (True, True, True)


def test_a_completion_may_leave_the_content_as_it_is_but_an_amendment_changes_something() -> None:
    assert decisions.complete_fiche(f.AT[Status.TO_COMPLETE](), f.filing(), f.GIVEN).fiche.revision == 2
    with pytest.raises(RulesRefused) as refused:
        decisions.amend_fiche(f.filed(), f.filing(), f.GIVEN)
    assert f.codes(refused.value.objections) == ["CONTENT_UNCHANGED"]


def test_the_shift_is_the_largest_move_of_a_start_in_days_without_sign() -> None:
    before = f.two_sessions()
    after = golden_content(
        sessions=[f.session(start="2018-04-20"), f.session(number=2, start="2018-06-06", end="2018-09-07")]
    )
    assert shift_between(before, after).start_days == 10
    assert shift_between(before, golden_content()).start_days == 0


def test_an_amendment_adds_and_drops_planned_sessions() -> None:
    fiche = f.filed()
    more = decisions.amend_fiche(fiche, f.filing(f.two_sessions()), f.GIVEN)
    assert set(more.fiche.sessions) == {1, 2}
    assert isinstance(more.events[0], FicheAmended)
    fewer = decisions.amend_fiche(more.fiche, f.filing(), f.GIVEN)
    assert set(fewer.fiche.sessions) == {1}


def test_a_cancelled_session_that_is_dropped_stays_cancelled() -> None:
    fiche = sessions.cancel_session(f.filed(f.two_sessions()), 2, SOURCING, CAUSE).fiche
    dropped = decisions.amend_fiche(fiche, f.filing(golden_content()), f.GIVEN).fiche
    assert dropped.sessions[2].state is SessionState.CANCELLED


def test_an_accepted_adaptation_becomes_the_content() -> None:
    decision = decisions.accept_adaptation(f.AT[Status.TO_ADAPT](), (), f.GIVEN, f.NOON)
    (event,) = decision.events
    assert isinstance(event, AdaptationAccepted)
    assert event.content.sessions[0].start == dt.date(2018, 5, 14)
    assert event.shift.start_days == 14
    assert (decision.fiche.content, decision.fiche.revision, decision.fiche.proposal) == (event.content, 2, None)


def test_an_adaptation_of_the_place_moves_the_place() -> None:
    place = golden_content(place={"insee": "50129", "zone_emploi": "2805", "address": {"postal_code": "50100"}}).place
    proposed = f.PROPOSED.model_copy(update={"adaptation": Adaptation(place=place)})
    fiche = hearing.adaptation_proposed(f.filed(), proposed)
    assert decisions.accept_adaptation(fiche, (), f.GIVEN, f.NOON).fiche.content.place == place


def test_a_proposal_is_answered_until_the_end_of_its_last_day() -> None:
    fiche = f.AT[Status.TO_ADAPT]()
    last = dt.datetime(2018, 3, 20, 22, 59, tzinfo=dt.UTC)  # 23:59 in Normandie
    assert decisions.decline_adaptation(fiche, "Besoin daté.", last).fiche.status is Status.SUBMITTED
    with pytest.raises(NotAllowedNow) as late:
        decisions.decline_adaptation(fiche, "Besoin daté.", last + dt.timedelta(minutes=1))
    assert f.codes(late.value.objections) == ["ADAPTATION_EXPIRED"]


def test_a_proposal_about_a_session_that_is_gone_cannot_be_accepted() -> None:
    gone = Adaptation(sessions=(ProposedSession(number=2, start=dt.date(2018, 6, 1), end=dt.date(2018, 7, 1)),))
    fiche = hearing.adaptation_proposed(f.filed(), f.PROPOSED.model_copy(update={"adaptation": gone}))
    with pytest.raises(RulesRefused) as refused:
        decisions.accept_adaptation(fiche, (), f.GIVEN, f.NOON)
    assert f.codes(refused.value.objections) == ["ADAPTATION_OUTDATED"]


def test_a_declined_adaptation_keeps_content_and_revision() -> None:
    decision = decisions.decline_adaptation(f.AT[Status.TO_ADAPT](), "Besoin daté.", f.NOON)
    (event,) = decision.events
    assert isinstance(event, AdaptationDeclined)
    assert (event.reason, decision.fiche.revision, decision.fiche.content) == ("Besoin daté.", 1, golden_content())


def test_a_counter_proposal_is_another_content_with_its_reason() -> None:
    new = golden_content(sessions=[f.session(start="2018-05-07", end="2018-08-10")])
    (event,) = decisions.counter_propose(f.AT[Status.TO_ADAPT](), f.filing(new), "Une semaine suffit.", f.GIVEN).events
    assert isinstance(event, CounterProposed)
    assert (event.revision, event.reason, event.shift.start_days) == (2, "Une semaine suffit.", 7)


@pytest.mark.parametrize(
    ("state", "passes"), [("AUCUN", True), ("ATTRIBUE", True), ("PUBLIE", False), ("EN_PREPARATION", False)]
)
def test_programmation_is_confirmed_once_the_provider_is_chosen(state: str, passes: bool) -> None:
    fiche = replace(f.validated(), content=golden_content(procurement=state))
    if passes:
        assert decisions.confirm_programmation(fiche).fiche.confirmed_revision == 1
        return
    with pytest.raises(RulesRefused) as refused:
        decisions.confirm_programmation(fiche)
    assert f.codes(refused.value.objections) == ["PROCUREMENT_OPEN"]


@pytest.mark.parametrize("enrolled", [6, 12])
def test_a_session_is_engaged_from_its_minimum(enrolled: int) -> None:
    decision = sessions.engage_session(f.confirmed(), 1, enrolled, None)
    (event,) = decision.events
    assert isinstance(event, SessionEngaged)
    assert (event.hours, event.committed, event.seats, event.forced_reason) == (399, 6_703_200, 12, None)
    assert event.session_id == session_id(f.FICHE, 1)
    assert decision.fiche.sessions[1].enrolled == enrolled


def test_below_its_minimum_a_session_is_engaged_only_with_a_reason() -> None:
    with pytest.raises(RulesRefused) as refused:
        sessions.engage_session(f.confirmed(), 1, 5, None)
    assert f.codes(refused.value.objections) == ["ENGAGE_MINIMUM"]
    (event,) = sessions.engage_session(f.confirmed(), 1, 5, "Deux entrées promises.").events
    assert isinstance(event, SessionEngaged)
    assert event.forced_reason == "Deux entrées promises."


def test_a_reason_that_was_not_needed_is_not_kept() -> None:
    (event,) = sessions.engage_session(f.confirmed(), 1, 6, "Au cas où.").events
    assert isinstance(event, SessionEngaged)
    assert event.forced_reason is None


def test_a_postponed_session_is_a_new_content_and_may_be_engaged_again() -> None:
    decision = sessions.postpone_session(f.engaged(), 1, to("2018-06-04", "2018-09-07"), f.GIVEN, f.NOON)
    (event,) = decision.events
    assert isinstance(event, SessionPostponed)
    assert (event.shift_days, event.revision, event.motive) == (35, 2, SOURCING)
    assert event.content.sessions[0].start == dt.date(2018, 6, 4)
    assert decision.fiche.sessions[1].state is SessionState.POSTPONED
    assert f.engaged(decision.fiche).sessions[1].state is SessionState.ENGAGED


def test_bringing_a_session_forward_counts_its_days_backwards() -> None:
    new = f.filed(golden_content(sessions=[f.session()]))
    (event,) = sessions.postpone_session(new, 1, to("2018-04-23", "2018-07-27"), f.GIVEN, f.NOON).events
    assert isinstance(event, SessionPostponed)
    assert event.shift_days == -7


def test_postponing_to_the_same_dates_is_refused_and_too_short_a_notice_is_warned_about() -> None:
    with pytest.raises(RulesRefused) as refused:
        sessions.postpone_session(f.confirmed(), 1, to("2018-04-30", "2018-08-03"), f.GIVEN, f.NOON)
    assert f.codes(refused.value.objections) == ["POSTPONE_SAME_DATES"]
    fiche, soon = f.filed(golden_content(sessions=[f.session()])), ("2018-04-09", "2018-07-13")
    with pytest.raises(WarningsUnanswered) as warned:
        sessions.postpone_session(fiche, 1, to(*soon), f.GIVEN, f.NOON)
    assert f.codes(warned.value.warnings) == ["LEAD_TIME_SHORT"]
    assert sessions.postpone_session(fiche, 1, to(*soon, ("LEAD_TIME_SHORT",)), f.GIVEN, f.NOON).fiche.revision == 2


def test_who_cancels_for_want_of_people_says_why_they_did_not_come_and_nobody_else_does() -> None:
    for motive in SessionMotive:
        for cause in (None, *SourcingCause):
            wrong = {(True, True): "CAUSE_MISSING", (False, False): "CAUSE_UNFIT"}.get((motive is SOURCING, cause is None))
            if wrong is None:
                decision = sessions.cancel_session(f.filed(), 1, motive, cause)
                (event,) = decision.events
                assert isinstance(event, SessionCancelled)
                assert (decision.fiche.sessions[1].cause, event.cause) == (cause, cause)
                continue
            with pytest.raises(RulesRefused) as refused:
                sessions.cancel_session(f.filed(), 1, motive, cause)
            assert f.codes(refused.value.objections) == [wrong]
            (objection,) = refused.value.objections
            assert objection.field == "cause"
            causes = "attractivité du métier, connaissance du métier, mobilité, calendrier ou concurrence d’une autre formation"
            assert (causes if wrong == "CAUSE_MISSING" else "«\u202fPas assez de candidats\u202f»") in objection.message


def test_who_postpones_for_want_of_people_may_say_why_and_nobody_else_may() -> None:
    start, end = dt.date(2018, 5, 14), dt.date(2018, 8, 17)
    given = sessions.NewDates(start, end, SOURCING, cause=CAUSE)
    postponed = sessions.postpone_session(f.confirmed(), 1, given, f.GIVEN, f.NOON)
    assert postponed.fiche.sessions[1].cause is CAUSE
    sessions.postpone_session(f.confirmed(), 1, sessions.NewDates(start, end, SOURCING), f.GIVEN, f.NOON)
    unfit = sessions.NewDates(start, start - dt.timedelta(days=1), SessionMotive.SANITAIRE, cause=CAUSE)
    with pytest.raises(RulesRefused) as refused:
        sessions.postpone_session(f.confirmed(), 1, unfit, f.GIVEN, f.NOON)
    assert f.codes(refused.value.objections) == ["CAUSE_UNFIT", "SESSION_DATES"]


def test_the_fiche_is_cancelled_with_its_last_session_and_not_before() -> None:
    first = sessions.cancel_session(f.filed(f.two_sessions()), 1, SOURCING, CAUSE)
    assert first.fiche.status is Status.SUBMITTED
    last = sessions.cancel_session(first.fiche, 2, SOURCING, CAUSE)
    assert last.fiche.status is Status.CANCELLED
    said = [event.fiche_cancelled for event in (*first.events, *last.events) if isinstance(event, SessionCancelled)]
    assert said == [False, True]


def test_a_session_that_the_fiche_has_not_is_unknown() -> None:
    with pytest.raises(NotFound):
        sessions.cancel_session(f.filed(), 7, SOURCING, CAUSE)


def test_an_opco_cannot_see_another_ones_fiche_and_the_region_may_not_touch_any() -> None:
    fiches = Fiches()
    filed = story.submit_fiche(fiches, OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN).fiche
    with pytest.raises(NotFound):
        story.withdraw_fiche(fiches, Asker(AKTO, filed.id), WithdrawalReason.AUTRE, f.NOON)
    with pytest.raises(NotFound):
        story.withdraw_fiche(fiches, Asker(OPCO, uuid4()), WithdrawalReason.AUTRE, f.NOON)
    with pytest.raises(Forbidden):
        story.withdraw_fiche(fiches, Asker(REGION, filed.id), WithdrawalReason.AUTRE, f.NOON)
    with pytest.raises(Forbidden):
        story.submit_fiche(fiches, REGION, "R-1", f.filing(), f.GIVEN)
    assert fiches.get(filed.id) is filed


def test_two_opcos_may_use_the_same_reference() -> None:
    assert fiche_id("akto", "1") != fiche_id("opco-2i", "1")


def test_who_read_another_revision_is_told_the_current_one() -> None:
    fiches = Fiches()
    filed = story.submit_fiche(fiches, OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN).fiche
    with pytest.raises(Stale) as stale:
        story.withdraw_fiche(fiches, Asker(OPCO, filed.id, 2), WithdrawalReason.AUTRE, f.NOON)
    assert stale.value.objections[0].facts == {"read": 2, "current": 1, "changed": None}
    assert (
        story.withdraw_fiche(fiches, Asker(OPCO, filed.id, 1), WithdrawalReason.AUTRE, f.NOON).fiche.status is Status.WITHDRAWN
    )


def test_who_read_an_older_revision_is_told_what_changed_since() -> None:
    fiche = decisions.amend_fiche(f.filed(), f.filing(golden_content(title="POEC - Peintre")), f.GIVEN).fiche
    fiche = decisions.amend_fiche(fiche, f.filing(golden_content(title="POEC - Peintre", rome="H2902")), f.GIVEN).fiche
    for read, changed in ((1, "title,rome"), (2, "rome")):
        with pytest.raises(Stale) as stale:
            decisions.at_revision(fiche, read)
        assert stale.value.objections[0].facts["changed"] == changed
    decisions.at_revision(fiche, 3)


def test_what_is_heard_of_an_unknown_fiche_is_impossible() -> None:
    with pytest.raises(Impossible):
        story.hear_validated(Fiches(), f.VALIDATED, f.NOON)


def test_validation_leaves_its_reference_and_the_avis_its_kind() -> None:
    fiche = f.validated()
    assert fiche.validation is not None
    assert (fiche.validation.reference, fiche.avis) == ("POEC-2018-A1B2C3", f.GAVE.avis)
    opened = hearing.dossier_opened(fiche, f.OPENED)
    assert opened.avis_due_on == dt.date(2018, 3, 16)


def test_the_day_of_filing_is_the_day_in_normandie() -> None:
    midnight = dt.datetime(2018, 3, 18, 23, 30, tzinfo=dt.UTC)  # the 19th in Normandie: 42 days before the start
    late = Filing(golden_content(), (*GOLDEN_WARNINGS, "LEAD_TIME_SHORT"), midnight + dt.timedelta(days=1))
    on_time = Filing(golden_content(), GOLDEN_WARNINGS, midnight)
    assert f.codes(_filed(on_time)) == ["HOURS_PARTS"]
    assert f.codes(_filed(late)) == ["HOURS_PARTS", "LEAD_TIME_SHORT"]


def _filed(filing: Filing) -> tuple[Objection, ...]:
    return decisions.submit_fiche(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, filing, f.GIVEN, None).warnings


@pytest.mark.parametrize("status", Status)
def test_a_fiche_is_read_back_as_it_was_written(status: Status) -> None:
    fiche = f.held(status)
    assert parsed(written(fiche), isinstance(fiche, Fiche)) == fiche
