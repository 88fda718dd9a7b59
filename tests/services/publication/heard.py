"""What publication hears, ready to say in a test: one fiche with the golden content and as many sessions as a test wants."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.publication.consumers import hearing
from services.publication.domain.facts import Limits
from services.publication.domain.session import CatalogueSession
from services.publication.store import Listing, write_listing
from shared.audit_trail import Change, Head
from shared.contracts.events import Event
from shared.contracts.fiche import FicheContent, fiche_id, session_id
from shared.contracts.publication import CatalogueEntry
from shared.contracts.references import AvisKind, AvisReason, RefusalReason, SessionMotive, WithdrawalReason
from shared.contracts.submission import (
    FicheAmended,
    FicheSubmitted,
    FicheWithdrawn,
    ProgrammationConfirmed,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
    Shift,
)
from shared.contracts.validation import AvisGiven, AvisLapsed, FicheRefused, FicheValidated
from shared.identity import Principal
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, golden_content

FICHE = fiche_id(GOLDEN_OPCO, GOLDEN_REFERENCE)
FIRST = session_id(FICHE, 1)
SECOND = session_id(FICHE, 2)
NOW = dt.datetime(2018, 3, 1, 9, 0, tzinfo=dt.UTC)
START = dt.date(2018, 4, 30)
END = dt.date(2018, 8, 3)
LIMITS = Limits()
FRANCE_TRAVAIL = Principal("france-travail", "france-travail", "machine", frozenset({"entries"}))
OPCO = Principal("opco-2i", "opco-2i", "machine", frozenset({"opco"}))


def content(*starts: dt.date, seats: int = 12, **changes: Any) -> FicheContent:
    """Return the golden content with one session per start (its own by default), each as long as the golden one."""
    plans = [
        {
            "number": number,
            "start": start,
            "end": start + (END - START),
            "seats": seats,
            "minimum": 1,
            "meetings": [],
        }
        for number, start in enumerate(starts or (START,), 1)
    ]
    return golden_content(
        **{"sessions": [{**p, "start": str(p["start"]), "end": str(p["end"])} for p in plans], **changes}
    )


def _base(revision: int) -> dict[str, Any]:
    return {"fiche_id": FICHE, "opco": GOLDEN_OPCO, "revision": revision}


def submitted(content_: FicheContent | None = None) -> FicheSubmitted:
    """The fiche is filed."""
    return FicheSubmitted(**_base(1), reference=GOLDEN_REFERENCE, content=content_ or content())


def amended(revision: int, content_: FicheContent) -> FicheAmended:
    """The content changes."""
    shift = Shift(start_days=0, commune_moved=False, zone_moved=False, main_formacode_moved=False)
    return FicheAmended(**_base(revision), content=content_, shift=shift)


def postponed(revision: int, content_: FicheContent, number: int = 1) -> SessionPostponed:
    """A session gets other dates."""
    plan = next(plan for plan in content_.sessions if plan.number == number)
    return SessionPostponed(
        **_base(revision),
        session_id=session_id(FICHE, number),
        number=number,
        start=plan.start,
        end=plan.end,
        shift_days=(plan.start - START).days,
        motive=SessionMotive.SOURCING_INSUFFISANT,
        content=content_,
    )


def confirmed(revision: int = 1, content_: FicheContent | None = None) -> ProgrammationConfirmed:
    """The OPCO says that the fiche is really programmed."""
    return ProgrammationConfirmed(**_base(revision), content=content_ or content())


def engaged(number: int = 1) -> SessionEngaged:
    """The OPCO says go for a session."""
    place = {"session_id": session_id(FICHE, number), "number": number, "start": START, "end": END}
    return SessionEngaged(**_base(1), **place, seats=12, hours=399, committed=1)


def cancelled(number: int = 1) -> SessionCancelled:
    """A session will not take place."""
    return SessionCancelled(
        **_base(1),
        session_id=session_id(FICHE, number),
        number=number,
        motive=SessionMotive.OF_DEFAILLANT,
        fiche_cancelled=False,
    )


def withdrawn() -> FicheWithdrawn:
    """The OPCO takes the fiche back."""
    return FicheWithdrawn(**_base(1), reason=WithdrawalReason.BESOIN_DISPARU)


def avis(revision: int = 1) -> AvisGiven:
    """The Région gives its avis on a revision."""
    return AvisGiven(**_base(revision), avis=AvisKind.COMPLEMENTAIRE, reasons=(AvisReason.DOMAINE,), comment="Rien.")


def validated(revision: int = 1) -> FicheValidated:
    """Pôle emploi validates a revision."""
    return FicheValidated(
        **_base(revision),
        reference=f"PE-28-2018-REV{revision}",
        validated_on=dt.date(2018, 2, 20),
        validated_by="Pôle emploi Normandie",
        against_avis=False,
    )


def lapsed(revision: int = 2) -> AvisLapsed:
    """The avis no longer holds."""
    return AvisLapsed(**_base(revision), avis_revision=1, reasons=(AvisReason.CALENDRIER,), was_validated=True)


def refused(revision: int = 1) -> FicheRefused:
    """Pôle emploi refuses the fiche."""
    return FicheRefused(**_base(revision), reasons=(RefusalReason.CONCURRENCE_PRF,), comment="Concurrence.")


@dataclass
class PaperUnit:
    """A unit of work that only keeps what is handed to it."""

    now: dt.datetime = NOW
    saved: list[tuple[str, UUID, Mapping[str, Any], Sequence[Change]]] = field(default_factory=list)
    inserted: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    added: list[tuple[Any, ...]] = field(default_factory=list)

    def save(
        self, table: sa.Table, identifier: UUID, _: Head, columns: Mapping[str, Any], changes: Sequence[Change]
    ) -> None:
        self.saved.append((table.name, identifier, columns, changes))

    def insert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, on_conflict: str = "") -> None:
        self.inserted.setdefault(table.name, []).extend(rows)

    def add(self, statement: str, *args: Any) -> None:
        self.added.append((statement, *args))


@dataclass
class Catalogue:
    """Publication in memory: hears through its real ears, and keeps what it said and what the compacted topic holds."""

    limits: Limits = LIMITS
    listing: Listing = field(default_factory=Listing)

    def hears(self, *events: Event) -> "Catalogue":
        """Hear events in this order; return itself."""
        handlers = hearing(self.limits).handlers
        for event in events:
            handlers[type(event)](self.listing, event, NOW)
        return self

    def session(self, identifier: UUID = FIRST) -> CatalogueSession | None:
        """Return a session as it is now."""
        return self.listing.sessions.get(identifier)

    @property
    def status(self) -> str | None:
        """Return the first session's status."""
        found = self.session()
        return found.status.value if found else None

    @property
    def written(self) -> PaperUnit:
        """Return what would be written."""
        unit = PaperUnit()
        write_listing(self.listing, unit, self.limits)  # type: ignore[arg-type]  # a unit on paper
        return unit

    def changes(self, identifier: UUID = FIRST) -> list[Change]:
        """Return the audit entries of an aggregate, in order."""
        return [change for _, key, _, changes in self.written.saved if key == identifier for change in changes]

    def said(self, identifier: UUID = FIRST) -> list[Event]:
        """Return the events of an aggregate on the topic of sessions, in order."""
        events = [event for change in self.changes(identifier) for event in change.events]
        return [event for event in events if not isinstance(event, CatalogueEntry)]

    @property
    def compacted(self) -> dict[str, CatalogueEntry]:
        """Return what the compacted topic holds once compacted: the last entry of each session, none after a tombstone."""
        held: dict[str, CatalogueEntry] = {}
        for _, _, _, changes in self.written.saved:
            for change in changes:
                held.update({e.key: e for e in change.events if isinstance(e, CatalogueEntry)})
                for tombstone in change.tombstones:
                    held.pop(tombstone.key)
        return held


def names(events: Sequence[Event]) -> list[str]:
    """Return the names of events."""
    return [type(event).__name__ for event in events]
