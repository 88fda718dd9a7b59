"""A session in the catalogue: its status is a pure function of the facts of its fiche and of the count of its AIS."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import TypeAlias, TypedDict
from uuid import UUID

from services.publication.domain.facts import FicheFacts, Limits, holds, moved
from services.publication.domain.lifecycle import LISTED, UPDATE, SessionStatus, transition
from shared.contracts.events import Event
from shared.contracts.fiche import SessionPlan, session_id
from shared.contracts.publication import (
    CatalogueEntry,
    SessionFilled,
    SessionPublished,
    SessionRemoved,
    SessionSuspended,
)
from shared.contracts.references import RemovalReason, SuspensionReason

Reason: TypeAlias = SuspensionReason | RemovalReason


class Place(TypedDict):
    """What every event on `poec.publication.sessions` says of whom it speaks."""

    session_id: UUID
    fiche_id: UUID
    opco: str


@dataclass(frozen=True)
class CatalogueSession:
    """One session: its last known plan, its status with the coded reason of it, its AIS (net of cancelled ones) and AES.

    `changed_at` is when its entry in the catalogue last changed (UTC); None while it never stood there.
    """

    id: UUID
    fiche_id: UUID
    opco: str
    number: int
    plan: SessionPlan
    status: SessionStatus
    reason: Reason | None = None
    ais: int = 0
    aes: int = 0
    changed_at: dt.datetime | None = None

    @property
    def place(self) -> Place:
        """Return the fields that its events share."""
        return {"session_id": self.id, "fiche_id": self.fiche_id, "opco": self.opco}


@dataclass(frozen=True)
class Turn:
    """What a decision makes of a session: its new state, the events that say so, whether it leaves the catalogue."""

    command: str
    before: SessionStatus | None
    session: CatalogueSession
    events: tuple[Event, ...] = ()
    leaves: bool = False


@dataclass(frozen=True)
class Derived:
    """A status and the coded reason of it, where it has one."""

    status: SessionStatus
    reason: Reason | None = None


def derive(facts: FicheFacts, number: int, ais: int, limits: Limits) -> Derived | None:
    """Return the status of a session of this fiche with this net count of AIS; None before the fiche was ever validated."""
    if facts.validation.reference is None:
        return None
    if removal := _removal(facts, number):
        return Derived(SessionStatus.REMOVED, removal)
    if not facts.confirmed_revision:
        return Derived(SessionStatus.EXPECTED)
    if not holds(facts):
        return Derived(SessionStatus.SUSPENDED, SuspensionReason.AVIS_A_RENOUVELER)
    if moved(facts, limits.shift_days):
        return Derived(SessionStatus.SUSPENDED, SuspensionReason.REPORT)
    return Derived(SessionStatus.FULL if ais >= facts.plans[number].seats else SessionStatus.PUBLISHED)


def _removal(facts: FicheFacts, number: int) -> RemovalReason | None:
    if facts.withdrawn:
        return RemovalReason.FICHE_RETIREE
    if facts.validation.refused:
        return RemovalReason.FICHE_REFUSEE
    if number in facts.cancelled or not facts.plans_now(number):
        return RemovalReason.SESSION_ANNULEE
    return None


def entry_of(facts: FicheFacts, session: CatalogueSession) -> CatalogueEntry | None:
    """Return the whole entry of a session in the catalogue; None where it has none."""
    said = facts.validation
    if session.status not in LISTED or facts.content is None or said.reference is None or said.validated_on is None:
        return None
    return CatalogueEntry(
        session_id=session.id,
        fiche_id=facts.id,
        opco=facts.opco,
        number=session.number,
        status=session.status.value,
        reference=said.reference,
        validated_on=said.validated_on,
        validated_by=said.validated_by or "",
        content=facts.content,
    )


def follow(
    before: FicheFacts,
    after: FicheFacts,
    session: CatalogueSession | None,
    number: int,
    at: dt.datetime,
    limits: Limits,
) -> Turn | None:
    """Return what newer facts of its fiche make of a session (None: not made yet); None where nothing changes."""
    derived = derive(after, number, session.ais if session else 0, limits)
    if derived is None:
        return None
    status, reason, plan = derived.status, derived.reason, after.plans[number]
    if session is None:
        new = CatalogueSession(session_id(after.id, number), after.id, after.opco, number, plan, status, reason)
    else:
        new = replace(session, plan=plan, status=status, reason=reason)
    return settle(before, after, session, new, at)


def settle(
    before: FicheFacts, after: FicheFacts, old: CatalogueSession | None, new: CatalogueSession, at: dt.datetime
) -> Turn | None:
    """Return the turn from `old` to `new` with the events that follow from the difference; None where there is none.

    The event of the status comes when the status or its reason changed, the whole entry when it differs from the one said last.
    """
    status_before = old.status if old else None
    again = old is not None and old.reason != new.reason and new.status is SessionStatus.SUSPENDED
    step = transition(status_before, new.status, again=again)
    entry_before = entry_of(before, old) if old else None
    entry = entry_of(after, new)
    events: list[Event] = []
    if step.command != UPDATE:
        events += status_events(after, new, was_listed=entry_before is not None)
    if entry and entry != entry_before:
        events.append(entry)
    if new == old and entry == entry_before:
        return None
    if entry != entry_before:
        new = replace(new, changed_at=at)
    return Turn(step.command, status_before, new, tuple(events), leaves=entry is None and entry_before is not None)


def status_events(facts: FicheFacts, session: CatalogueSession, *, was_listed: bool) -> list[Event]:
    """Return the event that says the status a session came to; nothing for one that is not in the catalogue and was not."""
    match session.status, session.reason:
        case SessionStatus.PUBLISHED, _:
            plan, reference = session.plan, facts.validation.reference or ""
            return [
                SessionPublished(**session.place, reference=reference, start=plan.start, end=plan.end, seats=plan.seats)
            ]
        case SessionStatus.FULL, _:
            return [SessionFilled(**session.place)]
        case SessionStatus.SUSPENDED, SuspensionReason() as why:
            return [SessionSuspended(**session.place, reason=why)]
        case SessionStatus.REMOVED, RemovalReason() as why if was_listed:
            return [SessionRemoved(**session.place, reason=why)]
    return []
