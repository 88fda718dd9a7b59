"""What is kept of a fiche: its last known state, of which the counts are a function.

Submission, validation and publication speak of the same fiche on three topics without an order between them, so a fact holds
what each of them last said, apart; what cannot be counted yet (no month known) waits in it and counts for nothing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from shared.contracts.fiche import FicheContent, session_id
from shared.contracts.publication import (
    AesRecorded,
    AisCancelled,
    AisRecorded,
    SessionPublished,
    SessionRemoved,
    SessionSuspended,
)
from shared.contracts.references import AvisKind, SessionMotive
from shared.contracts.submission import (
    FichePreprogrammed,
    PlacementsReturned,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
)


class State(StrEnum):
    """A session as submission last said it; `dropped`: its fiche was amended without it."""

    PLANNED = "planned"
    ENGAGED = "engaged"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class SessionFact:
    """What submission said of one session: number, current start, seats, state.

    `left` is the start before the first postponement, `hours` (of one trainee) and `committed` (cents) come with the engagement.
    `returned`: people who finished and people in a job, by moment (`FIN`, `TROIS_MOIS`).
    """

    number: int
    start: dt.date
    seats: int
    state: State = State.PLANNED
    left: dt.date | None = None
    motive: SessionMotive | None = None
    hours: int = 0
    committed: int = 0
    returned: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IntentionFact:
    """What an OPCO announced and has not filed: the earliest first day, seats."""

    start: dt.date
    seats: int


@dataclass(frozen=True, slots=True)
class EntryFact:
    """What publication said of one session: AIS that stand, AIS cancelled, AES, whether it was ever in the catalogue."""

    ais: int = 0
    cancelled: int = 0
    aes: int = 0
    listed: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class FicheFact:
    """The last known state of a fiche.

    `month` (YYYY-MM) is that of the first start that was submitted; None until the submission is heard. `sessions` and
    `entries` are keyed by session id; the rest says what happened to the fiche.
    """

    opco: str
    month: str | None = None
    sessions: Mapping[str, SessionFact] = field(default_factory=dict)
    entries: Mapping[str, EntryFact] = field(default_factory=dict)
    validated: bool = False
    against_avis: bool = False
    refused: bool = False
    withdrawn: bool = False
    avis: AvisKind | None = None
    avis_lapsed: int = 0
    sent_back: int = 0
    completed: int = 0
    proposed: int = 0
    accepted: int = 0
    declined: int = 0
    countered: int = 0
    intention: IntentionFact | None = None


SessionEvent: TypeAlias = (
    SessionPublished | SessionSuspended | SessionRemoved | AisRecorded | AisCancelled | AesRecorded
)


def month_of(day: dt.date) -> str:
    """Return the month of a day, YYYY-MM."""
    return day.isoformat()[:7]


def submitted(fact: FicheFact, fiche: UUID, content: FicheContent) -> FicheFact:
    """Take the first content: it gives the fiche its month for good."""
    first = min(plan.start for plan in content.sessions)
    return replace(with_content(fact, fiche, content), month=month_of(first), intention=None)


def preprogrammed(fact: FicheFact, event: FichePreprogrammed) -> FicheFact:
    """Take what is meant: it is kept apart from all that was filed, and gone once the fiche is (rule 12, minutes L384-391)."""
    return replace(fact, intention=IntentionFact(event.intention.starts_from, event.intention.seats))


def with_content(fact: FicheFact, fiche: UUID, content: FicheContent) -> FicheFact:
    """Take a newer content: new sessions are planned, cancelled ones stay as they were, those left out are dropped."""
    known = {session.number: (key, session) for key, session in fact.sessions.items()}
    sessions = {key: _dropped(session) for key, session in fact.sessions.items()}
    for plan in content.sessions:
        key, old = known.get(plan.number) or (str(session_id(fiche, plan.number)), None)
        if old is None:
            sessions[key] = SessionFact(plan.number, plan.start, plan.seats)
        elif old.state is State.CANCELLED:
            sessions[key] = old
        else:
            state = State.PLANNED if old.state is State.DROPPED else old.state
            sessions[key] = replace(old, start=plan.start, seats=plan.seats, state=state)
    return replace(fact, sessions=sessions)


def _dropped(session: SessionFact) -> SessionFact:
    return session if session.state is State.CANCELLED else replace(session, state=State.DROPPED)


def engaged(fact: FicheFact, event: SessionEngaged) -> FicheFact:
    """The OPCO said go: the session engagée of the minutes (L107)."""
    key, old = _session(fact, event)
    new = replace(
        old or SessionFact(event.number, event.start, event.seats),
        start=event.start,
        seats=event.seats,
        state=State.ENGAGED,
        hours=event.hours,
        committed=event.committed,
        returned={},
    )
    return _with_session(fact, key, new)


def postponed(fact: FicheFact, event: SessionPostponed) -> FicheFact:
    """The session got other dates: it is engaged no more until its OPCO says go again."""
    key, old = _session(fact, event)
    left = old.left or old.start if old else event.start - dt.timedelta(days=event.shift_days)
    moved = with_content(fact, event.fiche_id, event.content)
    new = replace(moved.sessions.get(key) or SessionFact(event.number, event.start, 0), start=event.start)
    return _with_session(moved, key, replace(new, state=State.POSTPONED, left=left))


def cancelled(fact: FicheFact, event: SessionCancelled) -> FicheFact:
    """The session will not take place; also one that was engaged."""
    key, old = _session(fact, event)
    return fact if old is None else _with_session(fact, key, replace(old, state=State.CANCELLED, motive=event.motive))


def returned(fact: FicheFact, event: PlacementsReturned) -> FicheFact:
    """Take what became of a group at one moment; a later return of the same moment takes its place."""
    key, old = _session(fact, event)
    if old is None:
        return fact
    told = event.placements
    after = {**old.returned, told.moment.value: (told.finishing, told.placed_people)}
    return _with_session(fact, key, replace(old, returned=after))


def _session(
    fact: FicheFact, event: SessionEngaged | SessionPostponed | SessionCancelled | PlacementsReturned
) -> tuple[str, SessionFact | None]:
    key = str(event.session_id)
    return key, fact.sessions.get(key)


def _with_session(fact: FicheFact, key: str, session: SessionFact) -> FicheFact:
    return replace(fact, sessions={**fact.sessions, key: session})


def with_entry(fact: FicheFact, event: SessionEvent) -> FicheFact:
    """Take what publication says of a session; submission may not have spoken of it here yet."""
    key = str(event.session_id)
    return replace(fact, entries={**fact.entries, key: _after(fact.entries.get(key) or _NO_ENTRY, event)})


_NO_ENTRY = EntryFact()


def _after(entry: EntryFact, event: SessionEvent) -> EntryFact:
    if isinstance(event, AisRecorded):
        return EntryFact(event.net, entry.cancelled, entry.aes, entry.listed, entry.removed)
    if isinstance(event, AisCancelled):
        return EntryFact(event.net, entry.cancelled + 1, entry.aes, entry.listed, entry.removed)
    if isinstance(event, AesRecorded):
        return replace(entry, aes=event.total)
    if isinstance(event, SessionRemoved):
        return replace(entry, removed=True)
    return replace(entry, listed=True, removed=False)
