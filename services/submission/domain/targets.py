"""The programme of a year: how many projects the conference aims at, per OPCO and métier, and all its revisions (minutes L176-182)."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from services.submission.domain.dates import civil_date
from services.submission.domain.programme import known_rome
from services.submission.domain.texts import heeded, name_warning
from services.submission.domain.yearbook import Decided, changes, opco_is_known, refused_with, said
from shared.contracts.campaigns import ProgrammeAdopted, Target, programme_id
from shared.errors import Objection

_PROGRAMME = "minutes L176-182, L296"


@dataclass(frozen=True)
class Adopted:
    """One version of a programme, whole: the day it was adopted, and when that was put on record."""

    revision: int
    adopted_on: dt.date
    recorded_at: dt.datetime
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Programme:
    """The programme of a year; `revisions` holds every version, the first one first."""

    id: UUID
    year: int
    revision: int
    revisions: tuple[Adopted, ...]

    @property
    def now(self) -> Adopted:
        """Return the version that holds."""
        return self.revisions[-1]


@dataclass(frozen=True)
class Adopting:
    """What is adopted: the day, the targets, the codes of the warnings that were read, the instant, the list of ROME codes."""

    adopted_on: dt.date
    targets: tuple[Target, ...]
    acknowledged: tuple[str, ...]
    at: dt.datetime
    rome: frozenset[str]


def adopt_programme(before: Programme | None, year: int, adopting: Adopting) -> Decided[Programme]:
    """Adopt the programme of a year, or revise it: what is adopted replaces the whole of it."""
    changes(before is not None and before.now.targets == adopting.targets)
    refused_with(_adopted_by_now(adopting), *_targets(adopting), *_twice(adopting.targets))
    texts = ((f"targets.{n}.words", target.words or "") for n, target in enumerate(adopting.targets))
    warnings = heeded(name_warning(texts), adopting.acknowledged)
    revision = before.revision + 1 if before else 1
    adopted = Adopted(revision, adopting.adopted_on, adopting.at, adopting.targets)
    programme = (
        replace(before, revision=revision, revisions=(*before.revisions, adopted))
        if before
        else Programme(programme_id(year), year, revision, (adopted,))
    )
    event = ProgrammeAdopted(
        programme_id=programme.id,
        year=year,
        revision=revision,
        adopted_on=adopting.adopted_on,
        targets=adopting.targets,
    )
    return Decided(programme, (event,), warnings)


def _adopted_by_now(adopting: Adopting) -> Objection | None:
    """A programme is adopted before it is put on record."""
    today = civil_date(adopting.at)
    if adopting.adopted_on <= today:
        return None
    message = f"Nous sommes le {said(today)}\u202f: indiquez le jour où la conférence a adopté le programme."
    return Objection("ADOPTED_AHEAD", message, _PROGRAMME, "adopted_on", {"today": today.isoformat()})


def _targets(adopting: Adopting) -> Iterator[Objection]:
    """Each target is for one of the eleven OPCOs and a job of the ROME list."""
    for n, target in enumerate(adopting.targets):
        if unknown := opco_is_known(target.opco, f"targets.{n}.opco"):
            yield unknown
        if wrong := known_rome(target.rome, adopting.rome, f"targets.{n}.rome"):
            yield wrong


def _twice(targets: tuple[Target, ...]) -> Iterator[Objection]:
    """An OPCO has one target for a métier: two would be added by some and not by others."""
    times = Counter((target.opco, target.rome) for target in targets)
    for (opco, rome), found in times.items():
        if found > 1:
            message = f"L’objectif pour {rome} figure {found} fois pour le même OPCO\u202f: gardez-en un."
            yield Objection("TARGET_TWICE", message, _PROGRAMME, "targets", {"opco": opco, "rome": rome})
