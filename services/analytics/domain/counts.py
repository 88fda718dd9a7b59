"""From facts to counts: what one fiche contributes, what a change moves, what all of them add up to."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from services.analytics.domain.facts import EntryFact, FicheFact, SessionFact, State, month_of
from services.analytics.domain.measures import AVIS_MEASURES, CANCELLED_FOR, PLACEMENTS, Measure
from shared.contracts.references import PlacementMoment

Bucket: TypeAlias = tuple[str, str, str]
"""Measure, OPCO, month (YYYY-MM)."""
Counts: TypeAlias = dict[Bucket, int]


@dataclass(frozen=True)
class AsOf:
    """Up to where the counts go: business time of the last batch counted, records consumed of each topic."""

    at: dt.datetime | None
    consumed: Mapping[str, int]


def contribution(fact: FicheFact) -> Counts:
    """Return what a fiche adds to the counts, as it was last known; zeros are left out."""
    counts: Counts = {}
    if fact.month is not None:
        _add(counts, fact.opco, fact.month, _of_fiche(fact))
    if fact.month is None and fact.intention is not None:
        meant = {Measure.INTENDED: 1, Measure.INTENDED_SEATS: fact.intention.seats}
        _add(counts, fact.opco, month_of(fact.intention.start), meant)
    for key, session in fact.sessions.items():
        month = month_of(session.start)
        _add(counts, fact.opco, month, _of_session(fact, session))
        if session.left is not None and fact.validated:
            _add(counts, fact.opco, month_of(session.left), _of_postponement(session, session.left))
        if entry := fact.entries.get(key):
            _add(counts, fact.opco, month, _of_entry(entry))
    return counts


def _add(counts: Counts, opco: str, month: str, values: Mapping[Measure, int]) -> None:
    for measure, value in values.items():
        if value:
            bucket = (measure.value, opco, month)
            counts[bucket] = counts.get(bucket, 0) + value


def _of_fiche(fact: FicheFact) -> dict[Measure, int]:
    values: dict[Measure, int] = {
        Measure.SUBMITTED: 1,
        Measure.VALIDATED: fact.validated,
        Measure.VALIDATED_AGAINST_AVIS: fact.against_avis,
        Measure.REFUSED: fact.refused,
        Measure.WITHDRAWN: fact.withdrawn,
        Measure.SENT_BACK: fact.sent_back > 0,
        Measure.COMPLETED: fact.completed > 0,
        Measure.ADAPTATIONS_PROPOSED: fact.proposed,
        Measure.ADAPTATIONS_ACCEPTED: fact.accepted,
        Measure.ADAPTATIONS_DECLINED: fact.declined,
        Measure.ADAPTATIONS_COUNTERED: fact.countered,
    }
    if fact.avis is not None:
        values[AVIS_MEASURES[fact.avis]] = 1
    return values


def _of_session(fact: FicheFact, session: SessionFact) -> dict[Measure, int]:
    if session.state is State.CANCELLED and not fact.validated:
        return {Measure.CANCELLED_UNVALIDATED: 1}
    if session.state is State.CANCELLED:
        motive = {CANCELLED_FOR[session.motive]: 1} if session.motive else {}
        return {Measure.CANCELLED: 1, **motive}
    if session.state is State.DROPPED or fact.refused or fact.withdrawn:
        return {}
    planned = {Measure.PLANNED: 1, Measure.SEATS: session.seats}
    if session.state is not State.ENGAGED:
        return planned
    return {
        **planned,
        Measure.ENGAGED: 1,
        Measure.HOURS: session.hours,
        Measure.COMMITTED_CENTS: session.committed,
        **_of_returns(session),
    }


def _of_returns(session: SessionFact) -> dict[Measure, int]:
    values: dict[Measure, int] = {}
    for moment, people in session.returned.items():
        values |= dict(zip(PLACEMENTS[PlacementMoment(moment)], people, strict=True))
    return values


def _of_postponement(session: SessionFact, left: dt.date) -> dict[Measure, int]:
    same_year = session.start.year == left.year
    return {
        Measure.POSTPONED: 1,
        Measure.POSTPONED_WITHIN_YEAR: same_year and session.start.month != left.month,
        Measure.POSTPONED_TO_NEXT_YEAR: session.start.year > left.year,
    }


def _of_entry(entry: EntryFact) -> dict[Measure, int]:
    return {
        Measure.AIS: entry.ais,
        Measure.AIS_CANCELLED: entry.cancelled,
        Measure.AES: entry.aes,
        Measure.PUBLISHED: entry.listed,
    }


def moved(before: FicheFact | None, after: FicheFact, into: Counts) -> None:
    """Add to `into` what the change from one state of a fiche to the next moves: contribution(after) - contribution(before)."""
    shift(contribution(before) if before is not None else {}, contribution(after), into)


def shift(before: Mapping[Bucket, int], after: Mapping[Bucket, int], into: Counts) -> None:
    """Add to `into` the difference of what a fact contributed and what it contributes now."""
    for bucket, value in after.items():
        into[bucket] = into.get(bucket, 0) + value
    for bucket, value in before.items():
        into[bucket] = into.get(bucket, 0) - value


def recount(facts: Iterable[FicheFact]) -> Counts:
    """Return the counts from nothing but the facts; the running counts must equal them."""
    counts: Counts = {}
    for fact in facts:
        moved(None, fact, counts)
    return counts


@dataclass(frozen=True)
class Difference:
    """A bucket in which the running count is not the recount."""

    measure: str
    opco: str
    month: str
    running: int
    recounted: int


def differences(running: Mapping[Bucket, int], recounted: Mapping[Bucket, int]) -> list[Difference]:
    """Return every bucket in which the two differ, in order; a bucket that is not there is zero."""
    buckets = sorted(running.keys() | recounted.keys())
    pairs = ((bucket, running.get(bucket, 0), recounted.get(bucket, 0)) for bucket in buckets)
    return [Difference(*bucket, have, should) for bucket, have, should in pairs if have != should]


def by_opco(counts: Mapping[Bucket, int], measure: Measure) -> dict[str, int]:
    """Return a measure by OPCO."""
    return _summed(counts, measure, lambda bucket: bucket[1])


def by_month(counts: Mapping[Bucket, int], measure: Measure) -> dict[str, int]:
    """Return a measure by month (YYYY-MM)."""
    return _summed(counts, measure, lambda bucket: bucket[2])


def by_quarter(counts: Mapping[Bucket, int], measure: Measure) -> dict[str, int]:
    """Return a measure by quarter (YYYY-T1 … YYYY-T4): sums of months, never counted apart."""
    return _summed(counts, measure, lambda bucket: quarter_of(bucket[2]))


def by_year(counts: Mapping[Bucket, int], measure: Measure) -> dict[str, int]:
    """Return a measure by year (YYYY)."""
    return _summed(counts, measure, lambda bucket: bucket[2][:4])


def total(counts: Mapping[Bucket, int], measure: Measure) -> int:
    """Return a measure over everything given."""
    return sum(value for bucket, value in counts.items() if bucket[0] == measure)


def quarter_of(month: str) -> str:
    """Return the quarter of a month: 2021-03 lies in 2021-T1."""
    return f"{month[:4]}-T{(int(month[5:]) + 2) // 3}"


def _summed(counts: Mapping[Bucket, int], measure: Measure, key: Callable[[Bucket], str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for bucket, value in counts.items():
        if bucket[0] == measure:
            name = key(bucket)
            sums[name] = sums.get(name, 0) + value
    return sums
