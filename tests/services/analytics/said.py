"""Events as the other services say them, and a small inbox in memory: sequence guard, batches, facts stored as text."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import orjson

from services.analytics.consumers import hearing
from services.analytics.domain.counts import Counts, recount
from services.analytics.domain.facts import FicheFact
from services.analytics.domain.measures import Measure
from services.analytics.store import FactSet, parsed, written
from shared.contracts.events import Event
from shared.contracts.fiche import POEC_NAMESPACE, FicheContent, Intention, SessionPlan, fiche_id, session_id
from shared.contracts.placements import Placements
from shared.contracts.publication import AesRecorded, AisCancelled, AisRecorded, SessionPublished
from shared.contracts.references import AvisKind, PlacementMoment, SessionMotive
from shared.contracts.submission import (
    AdaptationAccepted,
    CounterProposed,
    FicheAmended,
    FicheCompleted,
    FichePreprogrammed,
    FicheSubmitted,
    FicheWithdrawn,
    IntentionDropped,
    PlacementsReturned,
    ProgrammationConfirmed,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
    Shift,
)
from shared.contracts.validation import AvisGiven, FicheRefused, FicheValidated
from tests.support.fiches import golden_content

AT = dt.datetime(2021, 12, 31, 12, tzinfo=dt.UTC)
SHIFT = Shift(start_days=0, commune_moved=False, zone_moved=False, main_formacode_moved=False)
HANDLERS = hearing().handlers
REST: dict[type[Event], dict[str, Any]] = {
    FicheSubmitted: {"reference": "R"},
    FicheCompleted: {"shift": SHIFT},
    FicheAmended: {"shift": SHIFT},
    AdaptationAccepted: {"shift": SHIFT},
    CounterProposed: {"shift": SHIFT, "reason": "Autre date."},
    ProgrammationConfirmed: {},
}


@cache
def golden() -> FicheContent:
    return golden_content()


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def content(*starts: str, seats: int = 10) -> FicheContent:
    """Return a content with a session of ten weeks per start."""
    plans = (
        SessionPlan(number=n, start=day(start), end=day(start) + dt.timedelta(days=67), seats=seats, minimum=6)
        for n, start in enumerate(starts, 1)
    )
    return golden().model_copy(update={"sessions": tuple(plans)})


@dataclass(frozen=True)
class Speaker:
    """One fiche of an OPCO, and what may be said of it."""

    opco: str = "akto"
    name: str = "1"

    @property
    def fiche(self) -> UUID:
        return fiche_id(self.opco, self.name)

    def session(self, number: int = 1) -> UUID:
        return session_id(self.fiche, number)

    @property
    def _head(self) -> dict[str, Any]:
        return {"fiche_id": self.fiche, "opco": self.opco, "revision": 1}

    def content_event(self, kind: type[Event], new: FicheContent) -> Event:
        return kind(**self._head, content=new, **REST[kind])

    def preprogrammed(self, start: str, seats: int = 12) -> Event:
        meant = Intention(
            programme_year=day(start).year, title="POEC", rome="H3404", zone_emploi="2816", starts_from=day(start),
            starts_until=day(start), seats=seats,
        )  # fmt: skip
        return FichePreprogrammed(**self._head, reference=self.name, intention=meant)

    def dropped(self) -> Event:
        return IntentionDropped(**self._head, reason="BESOIN_DISPARU")

    def returned(self, moment: PlacementMoment, finishing: int, placed: int, number: int = 1) -> Event:
        told = Placements(moment=moment, finishing=finishing, placed=({"contract": "CDI", "count": placed},))
        ids = {"session_id": self.session(number), "number": number}
        return PlacementsReturned(**self._head, **ids, placements=told, fiche_reviewed=False)

    def submitted(self, *starts: str, seats: int = 10) -> Event:
        return self.content_event(FicheSubmitted, content(*starts, seats=seats))

    def validated(self, against: bool = False) -> Event:
        head = {**self._head, "reference": "PE-28-2021-TEST", "validated_on": day("2021-01-04")}
        return FicheValidated(**head, validated_by="Pôle emploi", against_avis=against)

    def refused(self) -> Event:
        return FicheRefused(**self._head, reasons=("HORS_CADRE_POEC",), comment="Hors cadre.")

    def withdrawn(self) -> Event:
        return FicheWithdrawn(**self._head, reason="AUTRE")

    def avis(self, kind: AvisKind) -> Event:
        return AvisGiven(**self._head, avis=kind, reasons=(), comment="")

    def other(self, kind: type[Event], **rest: Any) -> Event:
        return kind(**self._head, **rest)

    def engaged(self, start: str, number: int = 1, hours: int = 350, committed: int = 4_800_000) -> Event:
        facts = {"start": day(start), "end": day(start) + dt.timedelta(days=67), "seats": 10}
        ids = {"session_id": self.session(number), "number": number}
        return SessionEngaged(**self._head, **ids, **facts, hours=hours, committed=committed)

    def postponed(self, before: str, after: str, number: int = 1, others: Sequence[str] = ()) -> Event:
        starts = list(others) or [after]
        starts[number - 1] = after
        return SessionPostponed(
            **self._head,
            session_id=self.session(number),
            number=number,
            start=day(after),
            end=day(after) + dt.timedelta(days=67),
            shift_days=(day(after) - day(before)).days,
            motive=SessionMotive.SOURCING_INSUFFISANT,
            content=content(*starts),
        )

    def cancelled(self, motive: SessionMotive = SessionMotive.SOURCING_INSUFFISANT, number: int = 1) -> Event:
        ids = {"session_id": self.session(number), "number": number}
        return SessionCancelled(**self._head, **ids, motive=motive, fiche_cancelled=True)

    def _entry(self, number: int) -> dict[str, Any]:
        return {"session_id": self.session(number), "fiche_id": self.fiche, "opco": self.opco}

    def published(self, start: str = "2021-03-01", number: int = 1) -> Event:
        return SessionPublished(**self._entry(number), reference="R", start=day(start), end=day(start), seats=10)

    def ais(self, net: int, number: int = 1) -> Event:
        identifier = uuid5(POEC_NAMESPACE, f"{self.name}/{number}/{net}")
        return AisRecorded(**self._entry(number), ais_id=identifier, recorded_on=day("2021-01-04"), net=net)

    def ais_cancelled(self, net: int, number: int = 1) -> Event:
        return AisCancelled(**self._entry(number), ais_id=uuid5(POEC_NAMESPACE, f"{net}"), net=net)

    def aes(self, total: int, number: int = 1) -> Event:
        identifier = uuid5(POEC_NAMESPACE, f"aes/{total}")
        return AesRecorded(**self._entry(number), aes_id=identifier, entered_on=day("2021-03-01"), total=total)


@dataclass
class Counting:
    """Analytics without its database: hears batches, keeps facts as stored text, adds deltas to the running counts."""

    stored: dict[UUID, str] = field(default_factory=dict)
    running: Counts = field(default_factory=dict)
    last: dict[tuple[str, str], int] = field(default_factory=dict)

    def hear(self, *events: Event) -> "Counting":
        """Hear each event as a batch of its own; sequences are given in order."""
        for event in events:
            self.batch([(event, self.last.get((event.topic, event.key), 0) + 1)])
        return self

    def batch(self, said: Iterable[tuple[Event, int]]) -> None:
        """Hear one batch of events with their sequences; those heard before are dropped, as the inbox does."""
        facts = FactSet({fiche: parsed(orjson.loads(text)) for fiche, text in self.stored.items()})
        for event, sequence in said:
            stream = (event.topic, event.key)
            if sequence == self.last.get(stream, 0) + 1:
                self.last[stream] = sequence
                HANDLERS[type(event)](facts, event, AT)
        for bucket, value in facts.delta().items():
            self.running[bucket] = self.running.get(bucket, 0) + value
        for part in facts.changed():
            self.stored.update({fiche: written(fact) for fiche, fact in part.items()})

    @property
    def facts(self) -> dict[UUID, FicheFact]:
        """Return the facts as they are stored, by fiche."""
        return {fiche: parsed(orjson.loads(text)) for fiche, text in self.stored.items()}

    @property
    def counts(self) -> Counts:
        """Return the running counts without zeros, having checked that they are what the facts add up to."""
        counts = {bucket: value for bucket, value in self.running.items() if value}
        assert counts == recount(self.facts.values())
        return counts

    def of(self, measure: Measure) -> dict[str, int]:
        """Return a measure by month."""
        months: dict[str, int] = {}
        for (name, _, month), value in self.counts.items():
            if name == measure:
                months[month] = months.get(month, 0) + value
        return months
