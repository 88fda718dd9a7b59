"""What publication does, in the order of the story: hear the fiche, hear the validation, list, record AIS and AES."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeAlias
from uuid import UUID

from services.publication.domain.entries import Recorded, add_aes, add_ais, drop_ais
from services.publication.domain.facts import FicheFacts, Limits, Validation, standing_of, with_content, with_validation
from services.publication.domain.lifecycle import allowed
from services.publication.domain.session import CatalogueSession, Turn, derive, follow, settle
from services.publication.store import Listing
from shared.audit_trail import Change
from shared.contracts.events import Event, FicheEvent
from shared.contracts.ingress import AesRow, AisRow, RowOut
from shared.contracts.publication import CatalogueEntry
from shared.contracts.submission import (
    AdaptationAccepted,
    CounterProposed,
    FicheAmended,
    FicheCompleted,
    FicheSubmitted,
    FicheWithdrawn,
    ProgrammationConfirmed,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
)
from shared.contracts.validation import AvisGiven, AvisLapsed, FicheRefused, FicheValidated
from shared.errors import NotFound, Objection
from shared.identity import Principal, service_principal
from shared.messaging.records import Tombstone
from shared.policy import authorize

WORKER: Final = service_principal("publication", "worker")
UNKNOWN_SESSION: Final = Objection("UNKNOWN_SESSION", "Aucune session de cet identifiant n’est attendue au catalogue.")
"""What is said of a session that does not exist, and in the same words of another organisation's."""
NewContent: TypeAlias = FicheCompleted | FicheAmended | AdaptationAccepted | CounterProposed | SessionPostponed


def hear_submitted(listing: Listing, event: FicheSubmitted, at: dt.datetime, limits: Limits) -> None:
    """Take the first content of a fiche, and the name its OPCO gave it."""
    _hear(
        listing,
        event,
        at,
        limits,
        lambda f: replace(with_content(f, event.revision, event.content), reference=event.reference),
    )


def hear_content(listing: Listing, event: NewContent, at: dt.datetime, limits: Limits) -> None:
    """Take a newer content: completed, amended, adapted, or with other dates."""
    _hear(listing, event, at, limits, lambda f: with_content(f, event.revision, event.content))


def hear_avis(listing: Listing, event: AvisGiven, at: dt.datetime, limits: Limits) -> None:
    """Keep the avis and the revision it was given on: departures are measured from there."""
    _hear_validation(listing, event, at, limits, lambda v: replace(v, avis=event.avis, avis_revision=event.revision))


def hear_validated(listing: Listing, event: FicheValidated, at: dt.datetime, limits: Limits) -> None:
    """Keep the validation; its sessions are expected in the catalogue, or listed where the programmation was confirmed before."""
    by, on = event.validated_by, event.validated_on
    _hear(listing, event, at, limits, lambda f: with_validation(f, event.revision, event.reference, on, by))
    listing.name(event.reference, event.fiche_id, event.opco)


def hear_confirmed(listing: Listing, event: ProgrammationConfirmed, at: dt.datetime, limits: Limits) -> None:
    """Keep the OPCO's word that the fiche is really programmed (minutes L502); its sessions are listed if it is validated."""

    def confirmed(facts: FicheFacts) -> FicheFacts:
        return replace(with_content(facts, event.revision, event.content), confirmed_revision=event.revision)

    _hear(listing, event, at, limits, confirmed)


def hear_engaged(listing: Listing, event: SessionEngaged, at: dt.datetime, limits: Limits) -> None:
    """Keep that the OPCO said go for a session (minutes L107)."""
    _hear(listing, event, at, limits, lambda f: replace(f, engaged=f.engaged | {event.number}))


def hear_lapsed(listing: Listing, event: AvisLapsed, at: dt.datetime, limits: Limits) -> None:
    """Keep that the avis no longer holds: listed sessions stop recruiting until the fiche is validated anew."""
    _hear_validation(listing, event, at, limits, lambda v: replace(v, lapsed=True))


def hear_refused(listing: Listing, event: FicheRefused, at: dt.datetime, limits: Limits) -> None:
    """Keep the refusal: final."""
    _hear_validation(listing, event, at, limits, lambda v: replace(v, refused=True))


def hear_cancelled(listing: Listing, event: SessionCancelled, at: dt.datetime, limits: Limits) -> None:
    """Keep that a session will not take place: it leaves the catalogue."""
    _hear(listing, event, at, limits, lambda f: replace(f, cancelled=f.cancelled | {event.number}))


def hear_withdrawn(listing: Listing, event: FicheWithdrawn, at: dt.datetime, limits: Limits) -> None:
    """Keep that the OPCO took the fiche back: all its sessions leave the catalogue."""
    _hear(listing, event, at, limits, lambda f: replace(f, withdrawn=event.reason))


@dataclass(frozen=True)
class Batch:
    """What a batch of AIS or AES led to: the session as it is now and an answer per row."""

    session: CatalogueSession
    rows: tuple[RowOut, ...]


def record_ais(
    listing: Listing, principal: Principal, session_id: UUID, rows: Sequence[AisRow], at: dt.datetime, limits: Limits
) -> Batch:
    """Record AIS of a session that recruits. Raises `NotFound`, `NotAllowedNow`."""
    authorize(principal, "record_ais")
    session = _session(listing, "record_ais", session_id)
    return _keep(
        listing, principal, "record_ais", session, add_ais(session, listing.ais, rows, limits.overbooking), at, limits
    )


def cancel_ais(
    listing: Listing, principal: Principal, session_id: UUID, ids: Sequence[UUID], at: dt.datetime, limits: Limits
) -> Batch:
    """Cancel AIS of a session, also of one that was suspended or removed since. Raises `NotFound`, `NotAllowedNow`."""
    authorize(principal, "cancel_ais")
    session = _session(listing, "cancel_ais", session_id)
    return _keep(listing, principal, "cancel_ais", session, drop_ais(session, listing.ais, ids), at, limits)


def record_aes(
    listing: Listing, principal: Principal, session_id: UUID, rows: Sequence[AesRow], at: dt.datetime, limits: Limits
) -> Batch:
    """Record effective entries of a session. Raises `NotFound`, `NotAllowedNow`."""
    authorize(principal, "record_aes")
    session = _session(listing, "record_aes", session_id)
    recorded = add_aes(session, listing.ais, listing.aes, rows, limits.overbooking)
    return _keep(listing, principal, "record_aes", session, recorded, at, limits)


def _hear_validation(
    listing: Listing, event: FicheEvent, at: dt.datetime, limits: Limits, learn: Callable[[Validation], Validation]
) -> None:
    _hear(listing, event, at, limits, lambda f: replace(f, validation=learn(f.validation)))


def _hear(
    listing: Listing, event: FicheEvent, at: dt.datetime, limits: Limits, learn: Callable[[FicheFacts], FicheFacts]
) -> None:
    """Add one fact to what is known of a fiche, and let each of its sessions follow; a fact known already changes nothing."""
    authorize(WORKER, "hear_event")
    known = listing.fiches.get(event.fiche_id)
    before = known or FicheFacts(event.fiche_id, event.opco)
    after = learn(before)
    if after == known:
        return
    turns = [
        turn
        for number in sorted(after.plans)
        if (turn := follow(before, after, listing.session_of(after.id, number), number, at, limits))
    ]
    was = standing_of(known, limits.shift_days).value if known else None
    now = standing_of(after, limits.shift_days).value
    facts = {"revision": event.revision}
    listing.fiches.put(after.id, after, Change(_action(type(event)), WORKER.id, was, now, facts=facts))
    for turn in turns:
        _put(listing, WORKER, turn.command, turn, {"revision": after.revision})


def _keep(
    listing: Listing,
    principal: Principal,
    command: str,
    old: CatalogueSession,
    done: Recorded,
    at: dt.datetime,
    limits: Limits,
) -> Batch:
    """Take what a batch led to into the working set; a batch that changed nothing leaves no trace but its answer."""
    facts = listing.fiches.get(old.fiche_id)
    derived = derive(facts, old.number, done.session.ais, limits) if facts else None
    if facts is None or derived is None:
        raise RuntimeError("a session without the fiche that it came from")
    new = replace(done.session, status=derived.status, reason=derived.reason)
    turn = settle(facts, facts, old, new, at)
    if turn is None:
        return Batch(old, done.rows)
    listing.take(done.ais, done.aes)
    count = {"rows": len(done.rows), "effective": len(done.events), "ais": new.ais, "aes": new.aes}
    _put(listing, principal, command, replace(turn, events=(*done.events, *turn.events)), count)
    return Batch(turn.session, done.rows)


def _put(listing: Listing, principal: Principal, action: str, turn: Turn, facts: dict[str, int]) -> None:
    session, before = turn.session, turn.before.value if turn.before else None
    gone = (Tombstone(CatalogueEntry.topic, str(session.id), CatalogueEntry.wire_type),) if turn.leaves else ()
    change = Change(action, principal.id, before, session.status.value, turn.events, facts, gone)
    listing.sessions.put(session.id, session, change)


def _session(listing: Listing, command: str, session_id: UUID) -> CatalogueSession:
    """Return the session a command is for. Raises `NotFound` where there is none, `NotAllowedNow` where its status forbids it."""
    session = listing.sessions.get(session_id)
    if session is None:
        raise NotFound(UNKNOWN_SESSION)
    allowed(command, session.status)
    return session


@cache
def _action(event: type[Event]) -> str:
    """Return the action's name in the audit trail: `hear_fiche_submitted` for `FicheSubmitted`."""
    return "hear" + re.sub(r"([A-Z])", r"_\1", event.__name__).lower()
