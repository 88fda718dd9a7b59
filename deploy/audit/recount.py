"""What is counted, written down anew: a fiche's and its sessions' facts to counts by measure, OPCO and month.

A fiche counts in the month of the first start it was submitted with, a session in that of its current start, a postponement in
that of the start it left. Quarters and years are sums of months. Of a fiche that was never validated no session is postponed, and
those that are cancelled are counted apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from uuid import UUID

from deploy.audit.chronicle import Chronicle, Dossier, Fiche, Listed, Session, Year
from shared.contracts.fiche import session_id

Bucket: TypeAlias = tuple[str, str, str]
"""Measure, OPCO, month (YYYY-MM)."""
AVIS: Final = {
    "COMPLEMENTAIRE": "avis_complementaire",
    "COMPLEMENTAIRE_SOUS_ADAPTATION": "avis_sous_adaptation",
    "CONCURRENT": "avis_concurrent",
}


@dataclass(frozen=True)
class SessionFacts:
    """One session; ISO dates, `state` as submission names it or `dropped`; hours of one trainee and euro cents when engaged."""

    start: str
    seats: int
    state: str
    left: str | None = None
    motive: str | None = None
    hours: int = 0
    committed: int = 0
    ais: int = 0
    ais_cancelled: int = 0
    aes: int = 0
    listed: bool = False
    returned: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class FicheFacts:
    """One fiche with its sessions by number; the counters say how often something happened to it.

    `first` is empty while it is an intention; `meant` is then what was announced: earliest first day (ISO), seats.
    """

    opco: str
    first: str
    validated: bool = False
    against: bool = False
    refused: bool = False
    withdrawn: bool = False
    avis: str | None = None
    sent_back: int = 0
    completed: int = 0
    proposed: int = 0
    accepted: int = 0
    declined: int = 0
    countered: int = 0
    meant: tuple[str, int] | None = None
    sessions: Mapping[int, SessionFacts] = field(default_factory=dict)


def counts_of(fiches: Iterable[FicheFacts], years: Iterable[Year] = ()) -> Counter[Bucket]:
    """Return every count that is not zero; what is said of a whole year is counted in its January."""
    counts: Counter[Bucket] = Counter()
    for year in years:
        for opco, number in year.numbers.items():
            counts[(year.measure, opco, f"{year.year}-01")] += number
    for fiche in fiches:
        if fiche.meant is not None:
            counts[("intended", fiche.opco, fiche.meant[0][:7])] += 1
            counts[("intended_seats", fiche.opco, fiche.meant[0][:7])] += fiche.meant[1]
        for measure, value in (_of_fiche(fiche) if fiche.first else {}).items():
            counts[(measure, fiche.opco, fiche.first[:7])] += value
        for session in fiche.sessions.values():
            for measure, value in {**_of_session(fiche, session), **_of_entries(session)}.items():
                counts[(measure, fiche.opco, session.start[:7])] += value
            for measure, value in _of_postponement(session).items() if fiche.validated else ():
                counts[(measure, fiche.opco, (session.left or "")[:7])] += value
    return Counter({bucket: value for bucket, value in counts.items() if value})


def _of_fiche(fiche: FicheFacts) -> dict[str, int]:
    avis = {AVIS[fiche.avis]: 1} if fiche.avis else {}
    return avis | {
        "submitted": 1,
        "validated": int(fiche.validated),
        "validated_against_avis": int(fiche.against),
        "refused": int(fiche.refused),
        "withdrawn": int(fiche.withdrawn),
        "sent_back": int(fiche.sent_back > 0),
        "completed": int(fiche.completed > 0),
        "adaptations_proposed": fiche.proposed,
        "adaptations_accepted": fiche.accepted,
        "adaptations_declined": fiche.declined,
        "adaptations_countered": fiche.countered,
    }


def _of_session(fiche: FicheFacts, session: SessionFacts) -> dict[str, int]:
    if session.state == "cancelled" and not fiche.validated:
        return {"cancelled_unvalidated": 1}
    if session.state == "cancelled":
        return {"cancelled": 1, f"cancelled_{(session.motive or '').lower()}": 1}
    if session.state == "dropped" or fiche.refused or fiche.withdrawn:
        return {}
    engaged = {"engaged": 1, "hours": session.hours, "committed_cents": session.committed}
    people = {
        f"{name}_{moment.lower()}": count
        for moment, counted in session.returned.items()
        for name, count in zip(("finished", "placed"), counted, strict=True)
    }
    return {"planned": 1, "seats": session.seats} | (engaged | people if session.state == "engaged" else {})


def _of_entries(session: SessionFacts) -> dict[str, int]:
    published = int(session.listed)
    return {"ais": session.ais, "ais_cancelled": session.ais_cancelled, "aes": session.aes, "published": published}


def _of_postponement(session: SessionFacts) -> dict[str, int]:
    if session.left is None:
        return {}
    year, month = session.left[:4], session.left[:7]
    within = session.start[:4] == year and session.start[:7] != month
    return {
        "postponed": 1,
        "postponed_within_year": int(within),
        "postponed_to_next_year": int(session.start[:4] > year),
    }


def facts_of_log(chronicle: Chronicle) -> dict[str, FicheFacts]:
    """Return the facts of every fiche that was submitted, and of what is meant and not submitted, by id, as the log tells them."""
    return {
        identifier: _told(
            fiche, chronicle.dossiers.get(identifier, Dossier(identifier, fiche.opco)), chronicle.sessions
        )
        for identifier, fiche in chronicle.fiches.items()
        if fiche.first is not None or fiche.meant is not None
    }


def _told(fiche: Fiche, dossier: Dossier, listed: Mapping[str, Listed]) -> FicheFacts:
    steps = Counter(dossier.steps)
    sessions = {
        number: _session(session, listed.get(str(session_id(UUID(fiche.id), number))))
        for number, session in fiche.sessions.items()
    }
    return FicheFacts(
        opco=fiche.opco,
        first=fiche.first or "",
        validated=bool(dossier.references),
        against=dossier.against,
        refused=dossier.refused,
        withdrawn=fiche.withdrawn,
        avis=dossier.avis,
        sent_back=steps["completion.asked.v1"],
        completed=fiche.said["fiche.completed.v1"],
        proposed=steps["adaptation.proposed.v1"],
        accepted=fiche.said["adaptation.accepted.v1"],
        declined=fiche.said["adaptation.declined.v1"],
        countered=fiche.said["adaptation.countered.v1"],
        meant=fiche.meant,
        sessions=sessions,
    )


def _session(session: Session, listed: Listed | None) -> SessionFacts:
    entries = listed or Listed("", "", "")
    state = "dropped" if not session.planned and session.state != "cancelled" else session.state
    return SessionFacts(
        start=session.start,
        seats=session.seats,
        state=state,
        left=session.left,
        motive=session.motive if state == "cancelled" else None,
        hours=session.hours if state == "engaged" else 0,
        committed=session.committed if state == "engaged" else 0,
        ais=entries.ais,
        ais_cancelled=entries.ais_cancelled,
        aes=entries.aes,
        listed=entries.listed,
        returned=session.returned if state == "engaged" else {},
    )
