"""Two topics without order between them: whatever the interleaving, the same statuses and the same catalogue."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.publication.domain.lifecycle import LISTED
from shared.contracts.events import Event
from shared.contracts.fiche import session_id
from shared.contracts.submission import FicheAmended, SessionPostponed
from tests.services.publication import heard
from tests.services.publication.heard import FICHE, START, Catalogue

_DAYS = st.sampled_from((0, 20, 31, 60))


@st.composite
def submissions(draw: st.DrawFn) -> list[Event]:
    """What submission may say of one fiche, in its order."""
    now = heard.content(START, START + dt.timedelta(draw(_DAYS)))
    said: list[Event] = [heard.submitted(now)]
    for step in draw(
        st.lists(st.sampled_from(("amend", "postpone", "drop", "confirm", "engage", "cancel", "withdraw")), max_size=6)
    ):
        revision = 1 + sum(isinstance(event, FicheAmended | SessionPostponed) for event in said)
        match step:
            case "amend":
                now = heard.content(*(plan.start for plan in now.sessions), title=f"Peintre {revision}")
                said.append(heard.amended(revision + 1, now))
            case "postpone":
                moved = now.sessions[0].start + dt.timedelta(draw(_DAYS))
                now = heard.content(moved, *(plan.start for plan in now.sessions[1:]))
                said.append(heard.postponed(revision + 1, now))
            case "drop":
                now = heard.content(now.sessions[0].start)
                said.append(heard.amended(revision + 1, now))
            case "confirm":
                said.append(heard.confirmed(revision, now))
            case "engage":
                said.append(heard.engaged())
            case "cancel":
                said.append(heard.cancelled(draw(st.sampled_from((1, 2)))))
            case _:
                return [*said, heard.withdrawn()]
    return said


@st.composite
def validations(draw: st.DrawFn) -> list[Event]:
    """What validation may say of one fiche, in its order."""
    said: list[Event] = []
    revision = 1
    for step in draw(st.lists(st.sampled_from(("avis", "validate", "lapse", "refuse")), max_size=6)):
        revision = min(revision + draw(st.integers(0, 1)), 5)
        said.append(
            {"avis": heard.avis, "validate": heard.validated, "lapse": heard.lapsed, "refuse": heard.refused}[step](
                revision
            )
        )
    return said


def interleaved(one: Sequence[Event], other: Sequence[Event], turns: Sequence[bool]) -> list[Event]:
    """Return both sequences as one, each in its own order, taking the first's turn where `turns` says so."""
    rest = [list(one), list(other)]
    merged = [rest[not turn].pop(0) for turn in turns if rest[not turn]]
    return merged + rest[0] + rest[1]


def end(events: Sequence[Event]) -> tuple[Any, ...]:
    """Return everything that must not depend on the interleaving."""
    catalogue = Catalogue().hears(*events)
    sessions = {n: catalogue.listing.session_of(FICHE, n) for n in (1, 2)}
    seen = {n: (s.status, s.reason, s.plan) for n, s in sessions.items() if s}
    listed = {str(s.id) for s in sessions.values() if s and s.status in LISTED}
    assert set(catalogue.compacted) == listed, "the compacted topic holds exactly the listed sessions"
    return seen, catalogue.compacted, catalogue.listing.fiches.get(FICHE)


@settings(max_examples=150, deadline=None)
@given(submissions(), validations(), st.lists(st.booleans(), max_size=14))
def test_any_interleaving_of_the_two_topics_ends_the_same(
    one: list[Event], other: list[Event], turns: list[bool]
) -> None:
    assert end(interleaved(one, other, turns)) == end([*one, *other]) == end([*other, *one])


@settings(max_examples=50, deadline=None)
@given(submissions(), validations(), st.lists(st.booleans(), max_size=14))
def test_every_transition_on_the_way_is_in_the_table(one: list[Event], other: list[Event], turns: list[bool]) -> None:
    catalogue = Catalogue().hears(*interleaved(one, other, turns))
    for number in (1, 2):
        before = None
        for change in catalogue.changes(session_id(FICHE, number)):
            assert change.before == before
            before = change.after
