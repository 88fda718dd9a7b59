"""AIS and AES of a session: intentions to enter, and entries (minutes L73-76). Ids only, no person.

Every row of a batch has its own answer; a row that was recorded before is answered `already`, whatever comes after it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.publication.domain.session import CatalogueSession
from shared.contracts.events import Event
from shared.contracts.ingress import AesRow, AisRow, RowOut
from shared.contracts.publication import AesRecorded, AisCancelled, AisRecorded

EARLY_ENTRY_DAYS: Final = 7
"""An entry may be dated this long before the first day of its session; earlier, it is another session's."""


@dataclass(frozen=True)
class Ais:
    """One AIS as it is kept: its session, the day it was recorded, whether it was cancelled since."""

    session_id: UUID
    recorded_on: dt.date
    cancelled: bool = False


@dataclass(frozen=True)
class Aes:
    """One AES as it is kept: its session, the day of entry, the AIS it names, and whether none stands behind it."""

    session_id: UUID
    entered_on: dt.date
    ais_id: UUID | None = None
    without_ais: bool = False


@dataclass(frozen=True)
class Recorded:
    """What a batch led to: the session with its new counts, the AIS and AES it touched, an answer per row, the events."""

    session: CatalogueSession
    ais: Mapping[UUID, Ais]
    aes: Mapping[UUID, Aes]
    rows: tuple[RowOut, ...]
    events: tuple[Event, ...]


def limit_of(session: CatalogueSession, overbooking: int) -> int:
    """Return how many AIS (or AES) a session may have: its seats and `overbooking` percent more, rounded down."""
    seats = session.plan.seats
    return seats + seats * overbooking // 100


def add_ais(session: CatalogueSession, known: Mapping[UUID, Ais], rows: Sequence[AisRow], overbooking: int) -> Recorded:
    """Record AIS one after the other; `known` are those of these ids that are kept already, of whatever session."""
    limit, touched = limit_of(session, overbooking), dict[UUID, Ais]()
    answers, events = list[RowOut](), list[Event]()
    for row in rows:
        refused = _against_ais(session, touched.get(row.ais_id) or known.get(row.ais_id), row, limit)
        if refused:
            answers.append(refused)
            continue
        session = replace(session, ais=session.ais + 1)
        touched[row.ais_id] = Ais(session.id, row.recorded_on)
        answers.append(RowOut(id=row.ais_id, outcome="recorded"))
        events.append(AisRecorded(**session.place, ais_id=row.ais_id, recorded_on=row.recorded_on, net=session.ais))
    return Recorded(session, touched, {}, tuple(answers), tuple(events))


def _against_ais(session: CatalogueSession, kept: Ais | None, row: AisRow, limit: int) -> RowOut | None:
    if kept and kept.session_id != session.id:
        return _no(
            row.ais_id,
            "AIS_ELSEWHERE",
            "Cet identifiant est celui d’une AIS d’une autre session\u202f: donnez-en un autre.",
        )
    if kept and kept.cancelled:
        return _no(
            row.ais_id, "AIS_CANCELLED", "Cette AIS a été annulée\u202f: une nouvelle AIS porte un nouvel identifiant."
        )
    if kept:
        return RowOut(id=row.ais_id, outcome="already")
    if row.recorded_on > session.plan.end:
        return _no(
            row.ais_id, "AIS_AFTER_END", "La date de l’AIS est postérieure à la fin de la session\u202f: corrigez-la."
        )
    if session.ais >= limit:
        return _no(row.ais_id, "OVERBOOKED", f"La session a déjà {session.ais} AIS, le plus qu’elle puisse avoir.")
    return None


def drop_ais(session: CatalogueSession, known: Mapping[UUID, Ais], ids: Sequence[UUID]) -> Recorded:
    """Cancel AIS one after the other; an id that this session has no AIS of is refused."""
    touched, answers, events = dict[UUID, Ais](), list[RowOut](), list[Event]()
    for ais_id in ids:
        kept = touched.get(ais_id) or known.get(ais_id)
        if kept is None or kept.session_id != session.id:
            answers.append(
                _no(ais_id, "AIS_UNKNOWN", "La session n’a pas d’AIS de cet identifiant\u202f: vérifiez-le.")
            )
        elif kept.cancelled:
            answers.append(RowOut(id=ais_id, outcome="already"))
        else:
            session = replace(session, ais=session.ais - 1)
            touched[ais_id] = replace(kept, cancelled=True)
            answers.append(RowOut(id=ais_id, outcome="cancelled"))
            events.append(AisCancelled(**session.place, ais_id=ais_id, net=session.ais))
    return Recorded(session, touched, {}, tuple(answers), tuple(events))


def add_aes(
    session: CatalogueSession,
    ais: Mapping[UUID, Ais],
    known: Mapping[UUID, Aes],
    rows: Sequence[AesRow],
    overbooking: int,
) -> Recorded:
    """Record AES one after the other; one without an AIS of this session is accepted and flagged (rule 23)."""
    limit, touched = limit_of(session, overbooking), dict[UUID, Aes]()
    answers, events = list[RowOut](), list[Event]()
    for row in rows:
        refused = _against_aes(session, touched.get(row.aes_id) or known.get(row.aes_id), row, limit)
        if refused:
            answers.append(refused)
            continue
        behind = ais.get(row.ais_id) if row.ais_id else None
        without = behind is None or behind.cancelled or behind.session_id != session.id
        session = replace(session, aes=session.aes + 1)
        touched[row.aes_id] = Aes(session.id, row.entered_on, row.ais_id, without)
        answers.append(_entered(row.aes_id, without))
        events.append(AesRecorded(**session.place, aes_id=row.aes_id, entered_on=row.entered_on, total=session.aes))
    return Recorded(session, {}, touched, tuple(answers), tuple(events))


def _entered(aes_id: UUID, without: bool) -> RowOut:
    if not without:
        return RowOut(id=aes_id, outcome="recorded")
    message = "L’entrée est enregistrée sans AIS en cours dans cette session\u202f: vérifiez-la."
    return RowOut(id=aes_id, outcome="recorded", code="AES_WITHOUT_AIS", message=message)


def _against_aes(session: CatalogueSession, kept: Aes | None, row: AesRow, limit: int) -> RowOut | None:
    if kept and kept.session_id != session.id:
        return _no(
            row.aes_id,
            "AES_ELSEWHERE",
            "Cet identifiant est celui d’une AES d’une autre session\u202f: donnez-en un autre.",
        )
    if kept:
        return RowOut(id=row.aes_id, outcome="already")
    plan = session.plan
    if not plan.start - dt.timedelta(EARLY_ENTRY_DAYS) <= row.entered_on <= plan.end:
        return _no(row.aes_id, "AES_OUTSIDE_SESSION", "La date d’entrée n’est pas dans la session\u202f: corrigez-la.")
    if session.aes >= limit:
        return _no(row.aes_id, "OVERBOOKED", f"La session a déjà {session.aes} AES, le plus qu’elle puisse avoir.")
    return None


def _no(identifier: UUID, code: str, message: str) -> RowOut:
    return RowOut(id=identifier, outcome="refused", code=code, message=message)
