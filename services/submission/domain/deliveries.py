"""What an OPCO expects for the months to come, told month by month (minutes L218-222): it keeps the programme alive, and is no fiche."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from services.submission.domain.case import Facts
from services.submission.domain.dates import civil_date
from services.submission.domain.programme import known_rome
from services.submission.domain.yearbook import Decided, changes, refused_with
from shared.contracts.fiche import POEC_NAMESPACE
from shared.errors import Objection

_MONTHLY = "minutes L218-222"


@dataclass(frozen=True)
class Estimate:
    """How many projects an OPCO expects to start in a month (YYYY-MM) for a métier; 0 says that it expects none."""

    rome: str
    month: str
    projects: int


@dataclass(frozen=True)
class Delivered:
    """One version of a delivery, and when it was made."""

    revision: int
    delivered_at: dt.datetime
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class Delivery:
    """What an OPCO told in a month (YYYY-MM) about a programme year; `history` holds every version, the first one first."""

    id: UUID
    opco: str
    year: int
    month: str
    revision: int
    history: tuple[Delivered, ...]

    @property
    def now(self) -> Delivered:
        """Return the version that holds."""
        return self.history[-1]


def delivery_id(opco: str, year: int, month: str) -> UUID:
    """Return the identifier of what an OPCO tells in a month (YYYY-MM) about a programme year."""
    return uuid5(POEC_NAMESPACE, f"delivery/{opco}/{year}/{month}")


def month_of(at: dt.datetime) -> str:
    """Return the month (YYYY-MM) of an instant in Normandie."""
    return civil_date(at).isoformat()[:7]


def months_around(now: dt.datetime) -> tuple[str, str]:
    """Return the month of now and the next one: the command is carried out a moment later, by then it may have begun."""
    month = month_of(now)
    year, number = int(month[:4]), int(month[5:])
    return month, f"{year + number // 12}-{number % 12 + 1:02}"


def deliver_estimates(
    before: Delivery | None,
    opco: str,
    year: int,
    estimates: tuple[Estimate, ...],
    at: dt.datetime,
    rome: frozenset[str],
) -> Decided[Delivery]:
    """Tell what is expected for a year; told again within the month, it replaces what was told."""
    month = month_of(at)
    changes(before is not None and before.now.estimates == estimates)
    refused_with(*_estimates(year, month, estimates, rome), *_twice(estimates))
    revision = before.revision + 1 if before else 1
    told = Delivered(revision, at, estimates)
    delivery = (
        replace(before, revision=revision, history=(*before.history, told))
        if before
        else Delivery(delivery_id(opco, year, month), opco, year, month, revision, (told,))
    )
    return Decided(delivery)


def _estimates(year: int, month: str, estimates: tuple[Estimate, ...], rome: frozenset[str]) -> Iterator[Objection]:
    """An estimate is for a month of the year that has not passed: what has is known by its fiches."""
    for n, estimate in enumerate(estimates):
        if wrong := known_rome(estimate.rome, rome, f"estimates.{n}.rome"):
            yield wrong
        if not max(month, f"{year}-01") <= estimate.month <= f"{year}-12":
            message = (
                f"Le mois {estimate.month} n’est pas à venir dans l’année {year}\u202f: retirez-le ou corrigez-le."
            )
            facts: Facts = {"month": estimate.month, "from": month, "year": year}
            yield Objection("ESTIMATE_MONTH", message, _MONTHLY, f"estimates.{n}.month", facts)


def _twice(estimates: tuple[Estimate, ...]) -> Iterator[Objection]:
    """A month has one estimate for a métier."""
    times = Counter((estimate.rome, estimate.month) for estimate in estimates)
    for (rome, month), found in times.items():
        if found > 1:
            message = f"L’estimation pour {rome} en {month} figure {found} fois\u202f: gardez-en une."
            yield Objection("ESTIMATE_TWICE", message, _MONTHLY, "estimates", {"rome": rome, "month": month})
