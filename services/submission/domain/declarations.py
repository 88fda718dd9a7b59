"""How many projects an OPCO says it has for a year: the 178 of the survey, against the 162 in the fiches (minutes L209-212)."""

import datetime as dt
from dataclasses import dataclass, replace
from uuid import UUID

from services.submission.domain.dates import civil_date
from services.submission.domain.yearbook import Decided, changes, refused_with, said
from shared.contracts.campaigns import ProjectsDeclared, declaration_id
from shared.contracts.references import DeclarationSource
from shared.errors import Objection

_SURVEY = "minutes L77-82, L209-212"


@dataclass(frozen=True)
class Figure:
    """A number of projects, as of a day, by a source."""

    as_of: dt.date
    number: int
    source: DeclarationSource


@dataclass(frozen=True)
class Declared:
    """What was declared once, and when."""

    revision: int
    declared_at: dt.datetime
    figure: Figure


@dataclass(frozen=True)
class Declaration:
    """What an OPCO declares for a year; a correction is a new declaration, `history` holds all of them, the first one first."""

    id: UUID
    opco: str
    year: int
    revision: int
    history: tuple[Declared, ...]

    @property
    def now(self) -> Declared:
        """Return what was declared last."""
        return self.history[-1]


def declare_projects(
    before: Declaration | None, opco: str, year: int, figure: Figure, at: dt.datetime
) -> Decided[Declaration]:
    """Declare how many projects there are, or something else than before."""
    changes(before is not None and before.now.figure == figure)
    refused_with(_was(figure, at))
    revision = before.revision + 1 if before else 1
    declared = Declared(revision, at, figure)
    declaration = (
        replace(before, revision=revision, history=(*before.history, declared))
        if before
        else Declaration(declaration_id(opco, year), opco, year, revision, (declared,))
    )
    event = ProjectsDeclared(
        declaration_id=declaration.id,
        opco=opco,
        year=year,
        revision=revision,
        as_of=figure.as_of,
        number=figure.number,
        source=figure.source,
    )
    return Decided(declaration, (event,))


def _was(figure: Figure, at: dt.datetime) -> Objection | None:
    """A number is as of a day that was, not of one to come."""
    today = civil_date(at)
    if figure.as_of <= today:
        return None
    message = f"Nous sommes le {said(today)}\u202f: indiquez le jour auquel ce nombre a été arrêté."
    return Objection("DECLARED_AHEAD", message, _SURVEY, "as_of", {"today": today.isoformat()})
