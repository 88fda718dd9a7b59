"""I12: no consumer believes to be further than the log goes, and none went back without writing down why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploy.audit.evidence import Evidence
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES, topics_heard_by

_POSITIONS = """
SELECT p.topic, p.kafka_partition, p.next_offset,
  coalesce((SELECT max(furthest) FROM (
    SELECT max(kafka_offset) AS furthest FROM inbox i WHERE i.topic = p.topic AND i.kafka_partition = p.kafka_partition
    UNION ALL SELECT max(kafka_offset) FROM parked k WHERE k.topic = p.topic AND k.kafka_partition = p.kafka_partition
    UNION ALL SELECT max(kafka_offset) FROM dead_letter d WHERE d.topic = p.topic AND d.kafka_partition = p.kafka_partition
  ) seen), -1) AS furthest
FROM position p ORDER BY 1, 2
"""
_RESETS = "SELECT topic, kafka_partition, from_offset, to_offset, reason FROM position_reset ORDER BY id"


@dataclass(frozen=True)
class Position:
    """Where one service stands in one partition, and the furthest record that left a trace in its tables (-1: none)."""

    topic: str
    kafka_partition: int
    next_offset: int
    furthest: int


@dataclass(frozen=True)
class Reset:
    """A step back that was written down."""

    topic: str
    kafka_partition: int
    from_offset: int
    to_offset: int
    reason: str


def judge(
    service: str, positions: Iterable[Position], resets: Iterable[Reset], ends: Mapping[tuple[str, int], int]
) -> Verdict:
    """Compare one service's positions with the ends of the log, by (topic, partition)."""
    known, written = list(positions), list(resets)
    excused = {(reset.topic, reset.kafka_partition) for reset in written if reset.reason.strip()}
    sentences = []
    for p in known:
        where, end = f"{service}: {p.topic}/{p.kafka_partition}", ends.get((p.topic, p.kafka_partition), 0)
        if p.next_offset > end:
            sentences.append(f"{where}: stands at {p.next_offset}, beyond the log's end at {end}")
        if p.furthest >= p.next_offset and (p.topic, p.kafka_partition) not in excused:
            sentences.append(
                f"{where}: stands at {p.next_offset} and has gone back from {p.furthest + 1} without a reason"
            )
        if p.topic not in topics_heard_by(service):
            sentences.append(f"{where}: a position in a topic that the flow table does not send here")
    unreasoned = [r for r in written if not r.reason.strip() or r.to_offset > r.from_offset]
    sentences += [
        f"{service}: {r.topic}/{r.kafka_partition}: a step back from {r.from_offset} without a reason"
        for r in unreasoned
    ]
    return verdict(len(known), sentences)


async def look(evidence: Evidence) -> Verdict:
    """Compare every service's positions with the log."""
    ends = {(place.topic, place.partition): end for place, end in evidence.ends.ends.items()}
    found = Verdict()
    for service in SERVICES:
        positions = [Position(**row) for row in await evidence.rows(service, _POSITIONS)]
        resets = [Reset(**row) for row in await evidence.rows(service, _RESETS)]
        found += judge(service, positions, resets, ends)
    return found


INVARIANT = Invariant("I12", "No position lies beyond the log's end, none went back without a written reason.", look)
