"""Any history of a fiche, commands and facts in any order: only legal transitions, revisions that only grow, events that fit."""

import datetime as dt
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from services.submission.domain import decisions, hearing, sessions
from services.submission.domain.decisions import Decision
from services.submission.domain.fiche import FINAL, Fiche, SessionState, Status
from services.submission.domain.lifecycle import legal
from services.submission.domain.sessions import NewDates
from services.submission.store import parsed, written
from shared.contracts.references import SessionMotive, WithdrawalReason
from shared.errors import Refused
from tests.services.submission import filings as f
from tests.support.fiches import golden_content

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
    _named("cancel_session", NUMBERS.map(lambda n: lambda fiche: sessions.cancel_session(fiche, n, MOTIVE))),
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
        _check_revision(fiche, decision)
        _check_whole(after)
        fiche = after
    assert parsed(written(fiche), isinstance(fiche, Fiche)) == fiche


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
    if fiche.status is Status.CONFIRMED:
        assert fiche.confirmed_revision
    if fiche.status is Status.AVIS_LAPSED:
        assert fiche.avis_lapsed
    if fiche.status is Status.CANCELLED:
        assert {session.state for session in fiche.sessions.values()} == {SessionState.CANCELLED}
    elif fiche.status not in FINAL:
        assert fiche.live_sessions
