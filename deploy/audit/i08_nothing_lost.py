"""I8: no event is lost, none is invented: what the outboxes say was published is what lies in the log."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from deploy.audit.emitted import COMPACTED, DIGEST_SQL, EMITTED_BY, Emitted, Said, TopicLog, place_of, said
from deploy.audit.evidence import Evidence
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import TOPICS

_OUTBOX = f"""
SELECT event_id::text AS event_id, key, {DIGEST_SQL} AS digest, value IS NULL AS tombstone,
  published_at IS NOT NULL AND published_at < $2 AS published,
  $3::bigint > 0 AND created_at < $2 - make_interval(secs => $3::bigint / 1000) AS expired
FROM outbox WHERE topic = $1 ORDER BY id
"""
_LETTERS = "SELECT topic, kafka_partition, kafka_offset FROM dead_letter"
Places = AbstractSet[tuple[int, int]]


@dataclass
class Outbox:
    """What one outbox says of one topic: published or not, and per key what must be there of a compacted topic.

    `last_of_key` is the last record published (True: a tombstone), `later` what was said after it and may be on its way.
    """

    published: dict[Said, bool] = field(default_factory=dict)
    last_of_key: dict[str, tuple[Said, bool]] = field(default_factory=dict)
    later: dict[str, set[Said]] = field(default_factory=dict)


def judge(topic: str, outbox: Outbox, log: TopicLog, dead: Places) -> Verdict:
    """Compare an outbox with the log both ways; `dead` are the places of records that some reader keeps as dead letters."""
    missing = _missing_last(outbox, log) if topic in COMPACTED else _missing(outbox.published, log.first)
    foreign = [at for what, at in log.first.items() if what not in outbox.published] + log.nameless
    unexplained = sorted(at for at in foreign if at not in dead)
    sentences = [f"{topic}: {_name(what)} was published, but is not in the log as it was said" for what in missing]
    sentences += [f"{place_of(topic, at)} holds a record that its writer's outbox does not know" for at in unexplained]
    return verdict(len(outbox.published), sentences)


def _missing(published: Mapping[Said, bool], found: Mapping[Said, tuple[int, int]]) -> list[Said]:
    return [what for what, is_published in published.items() if is_published and what not in found]


def _missing_last(outbox: Outbox, log: TopicLog) -> list[Said]:
    """On a compacted topic the last record of each key must be there, except a tombstone that the broker has forgotten with its key."""
    missing = []
    for key, (what, tombstone) in outbox.last_of_key.items():
        found = log.last_of_key.get(key)
        forgotten = tombstone and found is None
        if found != what and not forgotten and found not in outbox.later.get(key, ()):
            missing.append(what)
    return missing


def _name(what: Said) -> str:
    return str(UUID(bytes=what[:16])) if len(what) == 32 else what[:-16].decode(errors="replace")


async def look(evidence: Evidence) -> Verdict:
    """Read each outbox topic by topic and compare it with the log."""
    dead: dict[str, set[tuple[int, int]]] = {}
    for service in EMITTED_BY:
        for row in await evidence.rows(service, _LETTERS):
            dead.setdefault(row["topic"], set()).add((row["kafka_partition"], row["kafka_offset"]))
    found, log = Verdict(), evidence.fold(Emitted)
    for service, topics in EMITTED_BY.items():
        for topic in topics:
            outbox = await _outbox(evidence, service, topic)
            found += judge(topic, outbox, log.of(topic), dead.get(topic, set()))
    return found


async def _outbox(evidence: Evidence, service: str, topic: str) -> Outbox:
    outbox = Outbox()
    async for row in evidence.stream(service, _OUTBOX, topic, evidence.began[service], _RETENTION_MS[topic]):
        what = said(row["event_id"], bytes(row["digest"]))
        # What the broker may have deleted for its age is known, but no longer looked for.
        outbox.published[what] = row["published"] and not row["expired"]
        if row["published"]:
            outbox.last_of_key[row["key"]] = (what, row["tombstone"])
            outbox.later.pop(row["key"], None)
        else:
            outbox.later.setdefault(row["key"], set()).add(what)
    return outbox


_RETENTION_MS = {topic.name: topic.retention_ms for topic in TOPICS}
INVARIANT = Invariant(
    "I8", "No event is lost or invented: published outbox rows are what lies in the log.", look, (Emitted,)
)
