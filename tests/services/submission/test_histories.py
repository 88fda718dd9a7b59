"""Any history of a fiche, commands and facts in any order: only legal transitions, revisions that only grow, events that fit."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.submission.domain import decisions, hearing, placements, preparing, sessions
from services.submission.domain.decisions import Decision
from services.submission.domain.fiche import FINAL, Fiche, SessionState, Status
from services.submission.domain.lifecycle import VERSION_WORDS, legal
from services.submission.domain.preparation import Held, Preparation
from services.submission.domain.sessions import NewDates
from services.submission.store import parsed, written
from shared.contracts.references import (
    PlacementContract,
    PlacementMoment,
    SessionMotive,
    SourcingCause,
    WithdrawalReason,
)
from shared.errors import Refused
from tests.services.submission import filings as f
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, golden_content

Move = tuple[str, Callable[[Fiche], Decision]]
MOTIVE = SessionMotive.BESOIN_DISPARU
TITLES = ("POEC - Peintre", "POEC - Peintre industriel", "POEC - Peinture")
FINALS = st.sampled_from(WithdrawalReason)


def _other(title: str, days: int, both: bool) -> decisions.Filing:
    start = dt.date(2018, 5, 1) + dt.timedelta(days=days)
    one = f.session(start=start.isoformat(), end=(start + dt.timedelta(days=90)).isoformat())
    plans = [one, {**one, "number": 2}] if both else [one]
    return f.filing(golden_content(title=title, sessions=plans, hires_announced=40))


def _dates(days: int) -> NewDates:
    start = dt.date(2018, 5, 1) + dt.timedelta(days=days)
    return NewDates(start, start + dt.timedelta(days=80), MOTIVE)


FILINGS = st.builds(_other, st.sampled_from(TITLES), st.integers(0, 200), st.booleans())
NUMBERS = st.integers(1, 2)
DATES = st.builds(_dates, st.integers(0, 200))


RETURNS = st.tuples(
    NUMBERS,
    st.builds(
        f.told,
        st.sampled_from(PlacementMoment),
        finishing=st.integers(0, 14),
        companies_asked=st.integers(0, 3),
        companies_answered=st.integers(0, 3),
        placed=st.lists(
            st.fixed_dictionaries({"contract": st.sampled_from(PlacementContract), "count": st.integers(0, 8)}), max_size=2
        ),
    ),
    st.sampled_from((f.NOON, f.AFTERWARDS)),
)


def _named(name: str, strategy: st.SearchStrategy[Callable[[Fiche], Decision]]) -> st.SearchStrategy[Move]:
    return strategy.map(lambda decide: (name, decide))


MOVES: st.SearchStrategy[Move] = st.one_of(
    _named("complete_fiche", FILINGS.map(lambda x: lambda fiche: decisions.complete_fiche(fiche, x, f.GIVEN))),
    _named("amend_fiche", FILINGS.map(lambda x: lambda fiche: decisions.amend_fiche(fiche, x, f.GIVEN))),
    _named("counter_propose", FILINGS.map(lambda x: lambda fiche: decisions.counter_propose(fiche, x, "R", f.GIVEN))),
    _named("accept_adaptation", st.just(lambda fiche: decisions.accept_adaptation(fiche, (), f.GIVEN, f.NOON))),
    _named("decline_adaptation", st.just(lambda fiche: decisions.decline_adaptation(fiche, "R", f.NOON))),
    _named("confirm_programmation", st.just(decisions.confirm_programmation)),
    _named("engage_session", NUMBERS.map(lambda n: lambda fiche: sessions.engage_session(fiche, n, 9, None))),
    _named(
        "postpone_session",
        st.tuples(NUMBERS, DATES).map(
            lambda x: lambda fiche: sessions.postpone_session(fiche, x[0], x[1], f.GIVEN, f.NOON)
        ),
    ),
    _named(
        "cancel_session",
        st.tuples(NUMBERS, st.sampled_from(SessionMotive), st.none() | st.sampled_from(SourcingCause)).map(
            lambda x: lambda fiche: sessions.cancel_session(fiche, *x)
        ),
    ),
    _named("return_placements", RETURNS.map(lambda x: lambda fiche: placements.return_placements(fiche, x[0], x[1], x[2]))),
    _named("withdraw_fiche", FINALS.map(lambda why: lambda fiche: decisions.withdraw_fiche(fiche, why))),
    _named("dossier_opened", st.just(lambda fiche: Decision(hearing.dossier_opened(fiche, f.OPENED)))),
    _named("completion_asked", st.just(lambda fiche: Decision(hearing.completion_asked(fiche, f.ASKED)))),
    _named("adaptation_proposed", st.just(lambda fiche: Decision(hearing.adaptation_proposed(fiche, f.PROPOSED)))),
    _named("avis_given", st.just(lambda fiche: Decision(hearing.avis_given(fiche, f.GAVE)))),
    _named("avis_lapsed", st.just(lambda fiche: Decision(hearing.avis_lapsed(fiche, f.LAPSED)))),
    _named("fiche_validated", st.just(lambda fiche: Decision(hearing.fiche_validated(fiche, f.VALIDATED)))),
    _named("fiche_refused", st.just(lambda fiche: Decision(hearing.fiche_refused(fiche, f.REFUSED)))),
)


@given(st.lists(MOVES, max_size=25))
@settings(max_examples=200, deadline=None)
def test_whatever_happens_is_legal_and_revisions_only_grow(history: list[Move]) -> None:
    fiche = f.filed(f.two_sessions())
    for action, decide in history:
        try:
            decision = decide(fiche)
        except Refused:
            continue
        after = decision.fiche
        assert legal(action, fiche.status, after.status), (action, fiche.status, after.status)
        assert after.revision == fiche.revision or action in VERSION_WORDS, action
        _check_revision(fiche, decision)
        _check_whole(after)
        fiche = after
    assert parsed(written(fiche), isinstance(fiche, Fiche)) == fiche


def test_a_decision_that_leads_elsewhere_than_its_row_says_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = {"status": Status.REVIEWED}
    monkeypatch.setattr(decisions, "withdraw_fiche", lambda fiche, _why: Decision(replace(fiche, **planted)))
    with pytest.raises((AssertionError, ExceptionGroup), match="withdraw_fiche"):
        test_whatever_happens_is_legal_and_revisions_only_grow()


PREPARING = st.lists(
    st.one_of(
        st.tuples(st.just("preprogramme_fiche"), st.integers(1, 3)),
        st.tuples(st.just("draft_fiche"), st.dictionaries(st.sampled_from(["title", "rome", "sessions.0.start"]), st.text(max_size=5))),
        st.tuples(st.just("submit_fiche"), st.none()),
        st.tuples(st.just("renew_fiche"), st.none()),
        st.tuples(st.just("withdraw_fiche"), FINALS),
    ),
    max_size=12,
)
PAST = f.confirmed()


def _prepare(action: str, told: Any, held: Held | None) -> Decision | preparing.Prepared:
    named = preparing.Named(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE)
    if action == "preprogramme_fiche":
        meant = f.INTENTION.model_copy(update={"seats": told})
        return preparing.preprogramme_fiche(named, meant, (), f.GIVEN, f.NOON, held)
    if action == "draft_fiche":
        return preparing.draft_fiche(named, told, f.NOON, held)
    if action == "renew_fiche":
        return preparing.renew_fiche(named, {}, f.NOON, PAST, held)
    if action == "withdraw_fiche" and isinstance(held, Preparation):
        return preparing.drop_preparation(held, told, f.NOON)
    if action == "withdraw_fiche":
        assert isinstance(held, Fiche)
        return decisions.withdraw_fiche(held, told)
    return decisions.submit_fiche(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN, held)


@given(PREPARING)
@settings(max_examples=200, deadline=None)
def test_whatever_is_prepared_every_step_is_legal_and_only_what_was_announced_is_dropped_aloud(
    history: list[tuple[str, Any]],
) -> None:
    held: Held | None = None
    announced = 0
    for action, told in history:
        if held is None and action == "withdraw_fiche":
            continue
        try:
            done = _prepare(action, told, held)
        except Refused:
            continue
        after = done.fiche
        if after is not held:
            assert legal(action, held.status if held else None, after.status), (action, held, after.status)
        said = [type(event).__name__ for event in done.events]
        announced += said.count("FichePreprogrammed")
        assert ("IntentionDropped" in said) == (action == "withdraw_fiche" and isinstance(held, Preparation) and announced > 0)
        if isinstance(after, Preparation) and isinstance(held, Preparation):
            assert after.revision == held.revision + (after is not held)
            assert (after.intention is not None) == (announced > 0)
        held = after
        assert parsed(written(held), isinstance(held, Fiche)) == held


def _check_revision(before: Fiche, decision: Decision) -> None:
    """Revisions count contents: one more exactly where the content was filed anew, and every event carries the new one."""
    after = decision.fiche
    assert after.revision in (before.revision, before.revision + 1)
    if after.content != before.content:
        assert after.revision == before.revision + 1
    assert all(event.revision == after.revision and event.fiche_id == after.id for event in decision.events)


def _check_whole(fiche: Fiche) -> None:
    """What waits for an answer is there exactly while it waits, and a cancelled fiche has no session left."""
    assert (fiche.proposal is not None) == (fiche.status is Status.TO_ADAPT)
    assert bool(fiche.completion) == (fiche.status is Status.TO_COMPLETE)
    assert {plan.number for plan in fiche.content.sessions} <= set(fiche.sessions)
    if fiche.status in (Status.VALIDATED, Status.CONFIRMED):
        assert fiche.validation is not None
        assert not fiche.avis_lapsed
    if fiche.status in (Status.CONFIRMED, Status.REVIEWED):
        assert fiche.confirmed_revision
    returned = [len(fiche.sessions[plan.number].returned) for plan in fiche.live_sessions]
    if fiche.status is Status.REVIEWED:
        assert set(returned) == {len(PlacementMoment)}
    if fiche.status is Status.AVIS_LAPSED:
        assert fiche.avis_lapsed
    if fiche.status is Status.CANCELLED:
        assert {session.state for session in fiche.sessions.values()} == {SessionState.CANCELLED}
    elif fiche.status not in FINAL:
        assert fiche.live_sessions
