"""What all that is put on record for a year has in common: its lifecycle, its revision, how a decision on it is answered.

Campaigns, conferences and the programme are the conference's; deliveries and declarations are each OPCO's own. Nothing on record is
ever taken away: what is decided anew is a further revision, and the ones before stay.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from services.submission.domain.sources import AS_READ, ONE_NAME, RIGHTS, SOMETHING_CHANGES
from shared.contracts.events import Event
from shared.contracts.references import OPCOS
from shared.errors import NotAllowedNow, NotFound, Objection, RulesRefused, Stale

S = TypeVar("S")
CONFERENCE: Final = "conference"
OPCO: Final = "OPCO"


@dataclass(frozen=True)
class Decided(Generic[S]):
    """What a decision leads to: the new state, the events that say so, the warnings that stand acknowledged."""

    state: S
    events: tuple[Event, ...] = ()
    warnings: tuple[Objection, ...] = ()


@dataclass(frozen=True)
class RecordStep:
    """A row of the lifecycle: a command, on which kind of record, by whom, when; `first`: there is none yet, `again`: there is one."""

    command: str
    kind: str
    by: str
    guard: str
    first: bool
    again: bool
    status: str


TABLE: Final = (
    RecordStep("open_campaign", "campaign", CONFERENCE, "one for a year and quarter; dates", True, False, "open"),
    RecordStep("move_campaign", "campaign", CONFERENCE, "other dates, a reason", False, True, "open"),
    RecordStep("extend_campaign", "campaign", CONFERENCE, "a later day, a reason", False, True, "open"),
    RecordStep("record_conference", "conference", CONFERENCE, "one for a day; links exist", True, False, "recorded"),
    RecordStep("correct_conference", "conference", CONFERENCE, "something changes, a reason", False, True, "recorded"),
    RecordStep("adopt_programme", "programme", CONFERENCE, "one target per OPCO and métier", True, True, "adopted"),
    RecordStep("deliver_estimates", "delivery", OPCO, "months to come of the year", True, True, "delivered"),
    RecordStep("declare_projects", "declaration", OPCO, "as of a day that was", True, True, "declared"),
)
"""What is done with a record. Whether a campaign is open on a day is no status: its dates say it."""

UNKNOWN: Final = Objection("UNKNOWN", "Aucun objet de ce nom n’est visible pour votre organisation.", RIGHTS)
_ORDERS: Final = "arrêtés d’agrément publiés le 31 mars 2019"


def existing(state: S | None) -> S:
    """Return a record; raises `NotFound` where there is none."""
    if state is None:
        raise NotFound(UNKNOWN)
    return state


def free(state: object | None, code: str, message: str) -> None:
    """Let a first record pass; raises `NotAllowedNow` with this code where there is one already."""
    if state is not None:
        raise NotAllowedNow(Objection(code, message, ONE_NAME))


def at_revision(current: int, read: int) -> None:
    """Raise `Stale` where the caller has read another revision than the current one (0: there is none yet)."""
    if read != current:
        message = (
            f"Cet objet en est à la révision {current}, vous avez lu la {read}\u202f: relisez-le, puis recommencez."
        )
        raise Stale(Objection("REVISION", message, AS_READ, facts={"read": read, "current": current}))


def changes(same: bool) -> None:
    """Raise `NotAllowedNow` for a decision that changes nothing."""
    if same:
        message = "Rien ne change\u202f: c’est déjà ce qui est enregistré."
        raise NotAllowedNow(Objection("NOTHING_CHANGES", message, SOMETHING_CHANGES))


def refused_with(*objections: Objection | None) -> None:
    """Raise `RulesRefused` with every objection there is."""
    found = [objection for objection in objections if objection is not None]
    if found:
        raise RulesRefused(*found)


def opco_is_known(opco: str | None, field: str = "opco") -> Objection | None:
    """The OPCO is one of the eleven; None stands for all of them."""
    if opco is None or opco in OPCOS:
        return None
    return Objection("OPCO_UNKNOWN", "Indiquez un des onze OPCO par son nom ou son identifiant.", _ORDERS, field)


def quarter_of(day: dt.date) -> int:
    """Return the quarter of a day, 1 to 4: 31 March lies in the first, 1 April in the second."""
    return (day.month + 2) // 3


def last_day_of(deadline: dt.date, extensions: Mapping[str, dt.date], opco: str | None) -> dt.date:
    """Return the last day on which an OPCO files for a quarter: an extension never takes time away. None: the day that holds for all."""
    return max(deadline, extensions.get(opco or "", deadline))


def end_of_quarter(year: int, quarter: int) -> dt.date:
    """Return the last day of a quarter."""
    following = dt.date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return following - dt.timedelta(days=1)


def said(day: dt.date) -> str:
    """Return a date as it is written in French sentences: 15/05/2022."""
    return day.strftime("%d/%m/%Y")
