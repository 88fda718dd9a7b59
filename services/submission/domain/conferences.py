"""The conference: who programmes with whom is decided there, once or twice a year (minutes L479-497). Its agenda and its decisions.

A decision may say what it led to: a campaign (as of which revision), a revision of a year's programme.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from services.submission.domain.dates import civil_date
from services.submission.domain.texts import heeded, name_warning
from services.submission.domain.yearbook import Decided, changes, free, refused_with, said
from shared.contracts.fiche import POEC_NAMESPACE
from shared.errors import Objection

_CONFERENCE = "minutes L479-497"


@dataclass(frozen=True)
class Resolution:
    """One decision in words, and what it led to: a revision of a campaign or of a programme, each by its identifier."""

    text: str
    decides: UUID | None = None
    revision: int | None = None


@dataclass(frozen=True)
class Minutes:
    """What was put on record, once or corrected: `reason` says why it was corrected."""

    revision: int
    recorded_at: dt.datetime
    agenda: tuple[str, ...]
    decisions: tuple[Resolution, ...]
    reason: str = ""


@dataclass(frozen=True)
class Conference:
    """One conference; `history` holds every version of its record, the first one first."""

    id: UUID
    held_on: dt.date
    revision: int
    history: tuple[Minutes, ...]

    @property
    def now(self) -> Minutes:
        """Return the record as it stands."""
        return self.history[-1]


@dataclass(frozen=True)
class Recording:
    """What is to be put on record, the codes of the warnings that were read, the instant; `known` are revisions by identifier."""

    agenda: tuple[str, ...]
    decisions: tuple[Resolution, ...]
    acknowledged: tuple[str, ...]
    at: dt.datetime
    known: Mapping[UUID, int]
    reason: str = ""


def conference_id(held_on: dt.date) -> UUID:
    """Return the identifier of the conference of a day: there is one of them."""
    return uuid5(POEC_NAMESPACE, f"conference/{held_on.isoformat()}")


def record_conference(taken: Conference | None, held_on: dt.date, recording: Recording) -> Decided[Conference]:
    """Put a conference on record; before it is held it has an agenda and no decision yet."""
    free(taken, "CONFERENCE_TAKEN", "La conférence de ce jour est déjà enregistrée\u202f: corrigez-la.")
    warnings = _admitted(held_on, recording)
    minutes = _minutes(1, recording)
    return Decided(Conference(conference_id(held_on), held_on, 1, (minutes,)), (), warnings)


def correct_conference(conference: Conference, recording: Recording) -> Decided[Conference]:
    """Put something else on record; what stood there before stays in the history."""
    now = conference.now
    changes((now.agenda, now.decisions) == (recording.agenda, recording.decisions))
    warnings = _admitted(conference.held_on, recording)
    minutes = _minutes(conference.revision + 1, recording)
    corrected = replace(conference, revision=minutes.revision, history=(*conference.history, minutes))
    return Decided(corrected, (), warnings)


def _minutes(revision: int, recording: Recording) -> Minutes:
    return Minutes(revision, recording.at, recording.agenda, recording.decisions, recording.reason)


def _admitted(held_on: dt.date, recording: Recording) -> tuple[Objection, ...]:
    refused_with(_held(held_on, recording), *_linked(recording))
    return heeded(name_warning(_texts(recording)), recording.acknowledged)


def _held(held_on: dt.date, recording: Recording) -> Objection | None:
    """Nothing is decided before the day; the agenda may be known."""
    if not recording.decisions or held_on <= civil_date(recording.at):
        return None
    message = f"La conférence se tient le {said(held_on)}\u202f: enregistrez ses décisions à partir de ce jour."
    return Objection("CONFERENCE_AHEAD", message, _CONFERENCE, "decisions", {"held_on": held_on.isoformat()})


def _linked(recording: Recording) -> Iterator[Objection]:
    """What a decision led to exists, in the revision that is named."""
    for n, decision in enumerate(recording.decisions):
        if decision.decides is None:
            continue
        known = recording.known.get(decision.decides)
        if known is None or not 1 <= (decision.revision or 1) <= known:
            message = (
                "Cette décision renvoie à une campagne, un programme ou une révision qui n’existe pas\u202f:"
                " enregistrez-les d’abord."
            )
            facts = {"revision": decision.revision, "current": known}
            yield Objection("LINK_UNKNOWN", message, _CONFERENCE, f"decisions.{n}.decides", facts)


def _texts(recording: Recording) -> Iterator[tuple[str, str]]:
    yield from ((f"agenda.{n}", text) for n, text in enumerate(recording.agenda))
    yield from ((f"decisions.{n}.text", decision.text) for n, decision in enumerate(recording.decisions))
    yield "reason", recording.reason
