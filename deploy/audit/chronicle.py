"""The log told again: what each topic's events say of each fiche and session, in the order they were said. Written anew for the audit.

Each topic is told by itself; whatever needs two topics joins them at the end, so the order between topics does not matter.
Values are read and forgotten; what is kept are dates, counts, statuses and identifiers.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from deploy.audit.log import LogRecord
from shared.contracts.flow import CAMPAIGNS, CATALOGUE, DOSSIERS, EVENT_TYPES, FICHES, SESSIONS

_PREFIX: Final = "fr.poec."
_TOLD: Final = frozenset({FICHES, CAMPAIGNS, DOSSIERS, SESSIONS, CATALOGUE})


@dataclass
class Session:
    """One session as submission speaks of it, state and motive in its words; ISO dates, seats.

    `planned`: the latest content still has it. `left` is the start before the first postponement; `hours` of one trainee and
    `committed` euro cents come with the engagement. `returned`: people who finished and those in a job, by moment.
    """

    number: int
    start: str
    end: str
    seats: int
    state: str = "planned"
    planned: bool = True
    motive: str | None = None
    left: str | None = None
    hours: int = 0
    committed: int = 0
    returned: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Fiche:
    """One fiche as submission speaks of it; it keeps every session it ever had. `first` is the first start submitted.

    `meant` is what is announced and not submitted: earliest first day, seats.
    """

    id: str
    opco: str
    first: str | None = None
    meant: tuple[str, int] | None = None
    sessions: dict[int, Session] = field(default_factory=dict)
    confirmed: bool = False
    withdrawn: bool = False
    cancelled: bool = False
    said: Counter[str] = field(default_factory=Counter)


@dataclass
class Dossier:
    """One dossier as validation speaks of it.

    `references` are all it was ever validated under, `avis` and `against` what was said last, `steps` everything, in order.
    """

    id: str
    opco: str
    references: list[str] = field(default_factory=list)
    against: bool = False
    avis: str | None = None
    refused: bool = False
    lapsed: bool = False
    steps: list[str] = field(default_factory=list)


@dataclass
class Listed:
    """One session as publication speaks of it: AIS net of cancelled ones, AES, the references it was published under."""

    id: str
    fiche: str
    opco: str
    ais: int = 0
    ais_cancelled: int = 0
    aes: int = 0
    listed: bool = False
    references: list[str] = field(default_factory=list)
    miscounted: int = 0


@dataclass(frozen=True)
class Year:
    """What was said last of a year, to be counted: the measure, and numbers of projects by OPCO."""

    measure: str
    year: int
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class CatalogueLine:
    """The last word of the catalogue topic on one session."""

    fiche: str
    opco: str
    status: str
    reference: str


class _InOrder:
    """Gives back what was said of each key in the order of its sequence, each once, whatever the order in the log."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._early: dict[str, dict[int, tuple[str, dict[str, Any]]]] = {}

    def due(self, key: str, sequence: int, kind: str, said: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Return what can be told now."""
        last = self._last.get(key, 0)
        if sequence <= last:
            return []
        early = self._early.setdefault(key, {})
        early.setdefault(sequence, (kind, said))
        told = []
        while last + 1 in early:
            last += 1
            told.append(early.pop(last))
        self._last[key] = last
        if not early:
            del self._early[key]
        return told


class Chronicle:
    """The fold: fiches, dossiers and sessions by id, and the catalogue topic with compaction done."""

    def __init__(self) -> None:
        """Begin before the first record."""
        self.fiches: dict[str, Fiche] = {}
        self.dossiers: dict[str, Dossier] = {}
        self.sessions: dict[str, Listed] = {}
        self.years: dict[str, Year] = {}
        self.catalogue: dict[str, CatalogueLine] = {}
        self._order = {FICHES: _InOrder(), CAMPAIGNS: _InOrder(), DOSSIERS: _InOrder(), SESSIONS: _InOrder()}
        self._tell: dict[str, Callable[[str, str, dict[str, Any]], None]] = {
            FICHES: self._of_fiche,
            CAMPAIGNS: self._of_year,
            DOSSIERS: self._of_dossier,
            SESSIONS: self._of_session,
        }

    def take(self, record: LogRecord) -> None:
        """Take one record into account; what cannot be read is another invariant's business."""
        topic, key = record.place.topic, record.text_key
        if key is None or topic not in _TOLD:
            return
        kind = record.header("ce_type") or ""
        said = _read(record, key, kind)
        if topic == CATALOGUE:
            self._of_catalogue(key, record.value is None, said)
        elif (sequence := record.sequence) is not None and said is not None:
            for what, content in self._order[topic].due(key, sequence, kind.removeprefix(_PREFIX), said):
                self._tell[topic](key, what, content)

    def _of_catalogue(self, key: str, gone: bool, said: dict[str, Any] | None) -> None:
        if gone:
            self.catalogue.pop(key, None)
        elif said is not None:
            self.catalogue[key] = CatalogueLine(said["fiche_id"], said["opco"], said["status"], said["reference"])

    def _of_fiche(self, key: str, kind: str, said: dict[str, Any]) -> None:
        fiche = self.fiches.setdefault(key, Fiche(key, said.get("opco", "")))
        fiche.said[kind] += 1
        if "content" in said:
            _take_content(fiche, said["content"])
        match kind:
            case "fiche.submitted.v1":
                fiche.first = min(plan["start"] for plan in said["content"]["sessions"])
                fiche.meant = None
            case "fiche.preprogrammed.v1":
                fiche.meant = (said["intention"]["starts_from"], said["intention"]["seats"])
            case "intention.dropped.v1":
                fiche.meant = None
            case "programmation.confirmed.v1":
                fiche.confirmed = True
            case "fiche.withdrawn.v1":
                fiche.withdrawn = True
            case "session.cancelled.v1":
                fiche.cancelled = fiche.cancelled or said["fiche_cancelled"]
        if session := fiche.sessions.get(said.get("number", 0)):
            _take_session(session, kind, said)

    def _of_year(self, key: str, kind: str, said: dict[str, Any]) -> None:
        match kind:
            case "programme.adopted.v1":
                aimed: Counter[str] = Counter()
                for target in said["targets"]:
                    aimed[target["opco"]] += target["number"]
                self.years[key] = Year("targeted", said["year"], dict(aimed))
            case "projects.declared.v1":
                self.years[key] = Year("declared", said["year"], {said["opco"]: said["number"]})

    def _of_dossier(self, key: str, kind: str, said: dict[str, Any]) -> None:
        dossier = self.dossiers.setdefault(key, Dossier(key, said.get("opco", "")))
        dossier.steps.append(kind)
        match kind:
            case "avis.given.v1":
                dossier.avis = said["avis"]
            case "fiche.validated.v1":
                dossier.references.append(said["reference"])
                dossier.against, dossier.lapsed = said["against_avis"], False
            case "avis.lapsed.v1":
                dossier.lapsed = True
            case "fiche.refused.v1":
                dossier.refused = True

    def _of_session(self, key: str, kind: str, said: dict[str, Any]) -> None:
        session = self.sessions.setdefault(key, Listed(key, said.get("fiche_id", ""), said.get("opco", "")))
        match kind:
            case "session.published.v1":
                session.listed = True
                session.references.append(said["reference"])
            case "session.suspended.v1":
                session.listed = True
            case "ais.recorded.v1":
                session.ais += 1
                session.miscounted += session.ais != said["net"]
            case "ais.cancelled.v1":
                session.ais -= 1
                session.ais_cancelled += 1
                session.miscounted += session.ais != said["net"]
            case "aes.recorded.v1":
                session.aes += 1
                session.miscounted += session.aes != said["total"]


def _read(record: LogRecord, key: str, kind: str) -> dict[str, Any] | None:
    """Return what an event says, or None for a record that is not an event of its topic and key by the contract."""
    event_type = EVENT_TYPES.get(kind)
    if event_type is None or event_type.topic != record.place.topic or record.value is None:
        return None
    try:
        event = event_type.model_validate_json(record.value)
    except ValidationError:
        return None
    return record.json() if event.key == key else None


def _take_content(fiche: Fiche, content: dict[str, Any]) -> None:
    """Take a newer content: its sessions' plans; what was said of a session before stays."""
    numbers = {plan["number"] for plan in content["sessions"]}
    for plan in content["sessions"]:
        known = fiche.sessions.get(plan["number"])
        if known is None:
            fiche.sessions[plan["number"]] = Session(plan["number"], plan["start"], plan["end"], plan["seats"])
        else:
            known.start, known.end, known.seats = plan["start"], plan["end"], plan["seats"]
            if not known.planned and known.state != "cancelled":
                known.state = "planned"
    for number, session in fiche.sessions.items():
        session.planned = number in numbers


def _take_session(session: Session, kind: str, said: dict[str, Any]) -> None:
    """Take what was said of one session of the fiche."""
    match kind:
        case "session.engaged.v1":
            session.state, session.hours, session.committed = "engaged", said["hours"], said["committed"]
            session.returned = {}
        case "placements.returned.v1":
            told = said["placements"]
            session.returned[told["moment"]] = (told["finishing"], sum(one["count"] for one in told["placed"]))
        case "session.postponed.v1":
            before = dt.date.fromisoformat(said["start"]) - dt.timedelta(said["shift_days"])
            session.state, session.left = "postponed", session.left or before.isoformat()
        case "session.cancelled.v1":
            session.state, session.motive = "cancelled", said["motive"]
