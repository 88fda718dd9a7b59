"""I2: what a client was told is done is done, whatever crashed since: the effect, its audit entry and the answer are all there."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final
from uuid import UUID

from deploy.audit.evidence import Evidence
from deploy.audit.shape import BESIDE_FICHES, OPERATIONS
from deploy.audit.verdict import Invariant, Verdict, verdict
from deploy.journal import Entry
from shared.contracts.fiche import fiche_id
from shared.contracts.flow import SERVICES, ingress_topic

_ANSWERS_FROM = "SELECT max(before) FROM removal WHERE what = 'answers'"
_SKEW: Final = dt.timedelta(minutes=5)
"""How far a client's clock may be from the database's."""
_ANSWERS = "SELECT principal, key FROM idempotency"
_HEARD = "SELECT topic, event_id FROM inbox WHERE sequence IS NULL AND outcome = 'applied'"
_TRAIL = "SELECT aggregate, actor, action, count(*) AS times FROM audit_entry GROUP BY aggregate, actor, action"
_PER_ROW = frozenset({"record_ais", "cancel_ais", "record_aes"})
"""Batches: each row has its own answer, and a batch of rows that were known already rightly leaves no audit entry."""
_AS_IT_IS = frozenset({"draft_fiche", "record_partner"})
"""Saving what is there already is accepted and rightly leaves no further entry: the first one must be there."""

Mark = tuple[str, str, str]
"""Service, principal and Idempotency-Key; by Kafka: service, topic and the record's id."""
Trace = tuple[str, str, str, str]
"""Service, aggregate, actor, action."""


def aggregate_of(entry: Entry) -> str | None:
    """Return what an entry is about: the answer names the fiche, else it follows from the OPCO's reference, or is the reference."""
    if entry.fiche_id is not None:
        return str(entry.fiche_id)
    if entry.reference is None:
        return None
    if OPERATIONS.get(entry.operation) == "submission" and entry.operation not in BESIDE_FICHES:
        return str(fiche_id(entry.organisation, entry.reference))
    return entry.reference if _is_uuid(entry.reference) else None


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def mark_of(entry: Entry) -> Mark:
    """Return under which key the service must know that it answered; the entry is of a known command."""
    return (
        OPERATIONS[entry.operation],
        ingress_topic(entry.organisation) if entry.kind == "ingress" else entry.principal,
        entry.key,
    )


def judge(
    entries: Iterable[Entry],
    marks: AbstractSet[Mark],
    trail: Mapping[Trace, int],
    answers_from: Mapping[str, dt.datetime] = MappingProxyType({}),
) -> Verdict:
    """Look for what is behind each accepted entry: `marks` are the keys kept with the effects, `trail` counts the audit entries.

    `answers_from` says from when on each service keeps its answers, where retention has removed older ones: of those the trail alone
    can speak.
    """
    done = [entry for entry in entries if entry.accepted]
    accepted = {mark_of(entry): entry for entry in done if entry.operation in OPERATIONS}
    unknown = Counter(entry.operation for entry in done if entry.operation not in OPERATIONS)
    sentences = [
        f"{times} journal entries are of {operation}, which is no command's name: where they were carried out cannot be said"
        for operation, times in unknown.items()
    ]
    sentences += [
        f"{mark[0]}: {entry.operation} of {entry.reference or entry.fiche_id} was accepted under {mark[2]}, but no trace is kept"
        for mark, entry in accepted.items()
        if mark not in marks and not _is_out_of_time(entry, answers_from.get(mark[0]))
    ]
    promised: Counter[Trace] = Counter()
    for mark, entry in accepted.items():
        aggregate = aggregate_of(entry)
        if aggregate is not None and entry.operation not in _PER_ROW:
            trace = (mark[0], aggregate, entry.principal, entry.operation)
            promised[trace] = 1 if entry.operation in _AS_IT_IS else promised[trace] + 1
    for trace, times in promised.items():
        if trail.get(trace, 0) < times:
            service, aggregate, actor, action = trace
            sentences.append(
                f"{service}: {action} of {aggregate} by {actor} was accepted {times} times, done {trail.get(trace, 0)} times"
            )
    return verdict(len(accepted) + unknown.total(), sentences)


def _is_out_of_time(entry: Entry, answers_from: dt.datetime | None) -> bool:
    if answers_from is None or entry.sent_at is None or entry.kind != "http":
        return False
    return entry.sent_at < answers_from + _SKEW


async def look(evidence: Evidence) -> Verdict:
    """Hold the journals against the databases; without a journal there is nothing to hold."""
    if not evidence.journal:
        return Verdict()
    marks: set[Mark] = set()
    trail: dict[Trace, int] = {}
    answers_from: dict[str, dt.datetime] = {}
    for service in SERVICES:
        if (since := (await evidence.rows(service, _ANSWERS_FROM))[0][0]) is not None:
            answers_from[service] = since
        for query in (_ANSWERS, _HEARD):
            async for row in evidence.stream(service, query):
                marks.add((service, row[0], row[1]))
        async for row in evidence.stream(service, _TRAIL):
            trail[(service, row["aggregate"], row["actor"], row["action"])] = row["times"]
    return judge(evidence.journal, marks, trail, answers_from)


INVARIANT = Invariant("I2", "What a client was told is done is done, whatever crashed since.", look)
