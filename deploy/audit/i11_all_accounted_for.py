"""I11: every record received has exactly one outcome, and every record of the log below the position has one at all."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from deploy.audit.emitted import Emitted, TopicLog, place_of
from deploy.audit.evidence import Evidence
from deploy.audit.log import compact_id
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES, topics_heard_by

_OF_PARTITION = "x.topic = p.topic AND x.kafka_partition = p.kafka_partition"
_ACCOUNTS = f"""
SELECT p.topic, p.kafka_partition, p.next_offset,
  p.received, p.applied, p.ignored, p.duplicates, p.parked, p.released, p.dead, p.answered,
  (SELECT count(*) FROM inbox x WHERE {_OF_PARTITION}) AS marks,
  (SELECT count(*) FROM parked x WHERE {_OF_PARTITION}) AS waiting,
  (SELECT count(*) FROM dead_letter x WHERE {_OF_PARTITION}) AS letters
FROM position p ORDER BY 1, 2
"""
_BOTH = (
    "SELECT d.topic, d.kafka_partition, d.kafka_offset FROM dead_letter d JOIN inbox i USING (topic, kafka_partition, kafka_offset)"
    " WHERE d.state <> 'replayed' AND i.event_id = d.event_id"
)
_KNOWN = (
    "SELECT event_id FROM inbox WHERE topic = $1 UNION ALL SELECT event_id FROM parked WHERE topic = $1"
    " UNION ALL SELECT event_id FROM dead_letter WHERE topic = $1 AND event_id IS NOT NULL"
)
_LETTERS = "SELECT kafka_partition, kafka_offset FROM dead_letter WHERE topic = $1"


@dataclass(frozen=True)
class Account:
    """The counters of one partition in one service's ledger, beside the rows that stand in its tables."""

    topic: str
    kafka_partition: int
    next_offset: int
    received: int
    applied: int
    ignored: int
    duplicates: int
    parked: int
    released: int
    dead: int
    answered: int
    marks: int
    waiting: int
    letters: int

    def wrongs(self) -> Iterator[str]:
        """Yield what does not add up.

        A parked record that dies when it is released, and a dead letter that is replayed, have a second outcome:
        there may be as many more outcomes as there are letters, never fewer.
        """
        effects = self.applied + self.ignored + self.answered
        outcomes = effects + self.duplicates + self.parked + self.dead
        if not self.received <= outcomes <= self.received + self.letters:
            yield f"{self.received} records received, but {outcomes} outcomes"
        if not effects <= self.marks <= effects + self.released:
            yield f"{effects} effects counted and {self.released} released, but {self.marks} marks in the inbox"
        if not self.parked - self.released - self.letters <= self.waiting <= self.parked + self.letters:
            yield f"{self.parked} parked and {self.released} released, but {self.waiting} wait"
        if self.letters > self.dead + self.released or (self.dead and not self.letters):
            yield f"{self.dead} deaths and {self.released} released counted, but {self.letters} dead letters"


def judge_accounts(service: str, accounts: Iterable[Account], both: Iterable[str]) -> Verdict:
    """Judge the conservation of records; `both` are places of records that were processed and are dead letters all the same."""
    rows = list(accounts)
    sentences = [f"{service}: {a.topic}/{a.kafka_partition}: {wrong}" for a in rows for wrong in a.wrongs()]
    sentences += [f"{service}: {place} was processed and is a dead letter" for place in both]
    return verdict(sum(a.received for a in rows), sentences)


def judge_traces(
    service: str,
    topic: str,
    log: TopicLog,
    next_offsets: Mapping[int, int],
    known: AbstractSet[bytes],
    dead: AbstractSet[tuple[int, int]],
) -> Verdict:
    """Look for the trace of every record below the positions: a mark, a parked row or a dead letter."""
    below = [(what, at) for what, at in log.first.items() if at[1] < next_offsets.get(at[0], 0)]
    lost = [at for what, at in below if at not in dead and not _traces(what, at) & known]
    lost += [at for at in log.nameless if at[1] < next_offsets.get(at[0], 0) and at not in dead]
    return verdict(
        len(below), [f"{service}: {place_of(topic, at)} was passed over without a trace" for at in sorted(lost)]
    )


def _traces(what: bytes, at: tuple[int, int]) -> set[bytes]:
    """Return the ids under which the inbox may know a record: its own, or that of a partner's record refused at this place."""
    event_id = what[:-16]
    names = {event_id}
    names.update(f"{text}@{at[0]}/{at[1]}".encode() for text in _texts(event_id))
    return names


def _texts(event_id: bytes) -> Iterator[str]:
    if len(event_id) == 16:
        text = event_id.hex()
        yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        yield text
    yield event_id.decode(errors="replace")


async def look(evidence: Evidence) -> Verdict:
    """Add up each service's ledger, then look for the traces of the log's records in its tables."""
    found, log = Verdict(), evidence.fold(Emitted)
    for service in SERVICES:
        accounts = [Account(**row) for row in await evidence.rows(service, _ACCOUNTS)]
        both = [place_of(row[0], (row[1], row[2])) for row in await evidence.rows(service, _BOTH)]
        found += judge_accounts(service, accounts, both)
        for topic in topics_heard_by(service):
            positions = {a.kafka_partition: a.next_offset for a in accounts if a.topic == topic}
            known = {compact_id(row[0]) async for row in evidence.stream(service, _KNOWN, topic)}
            dead = {(row[0], row[1]) for row in await evidence.rows(service, _LETTERS, topic)}
            found += Verdict(0, judge_traces(service, topic, log.of(topic), positions, known, dead).violations)
    return found


INVARIANT = Invariant(
    "I11",
    "Every record received has exactly one outcome: applied, a duplicate, parked or a dead letter.",
    look,
    (Emitted,),
)
