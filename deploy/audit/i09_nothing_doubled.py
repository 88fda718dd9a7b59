"""I9: no event has its effect twice: every inbox and every outbox knows each event once, and each sequence of a key once."""

from collections.abc import Iterable

from deploy.audit.evidence import Evidence
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES

_KEYS = (
    "SELECT c.conrelid::regclass::text AS name, array_agg(a.attname::text ORDER BY a.attname) AS columns FROM pg_constraint c"
    " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)"
    " WHERE c.contype IN ('p', 'u') AND c.convalidated AND c.conrelid::regclass::text IN ('inbox', 'outbox', 'idempotency', 'audit_entry')"
    " GROUP BY c.oid, c.conrelid"
)
_COUNTS = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM outbox)"
_TWICE = (
    "SELECT 'event' AS what, topic, event_id AS key, count(*) AS times FROM inbox GROUP BY topic, event_id HAVING count(*) > 1"
    " UNION ALL SELECT 'sequence', topic, key || ' no. ' || sequence, count(*) FROM inbox WHERE sequence IS NOT NULL"
    " GROUP BY topic, key, sequence HAVING count(*) > 1"
    " UNION ALL SELECT 'outbox', topic, event_id::text, count(*) FROM outbox GROUP BY topic, event_id HAVING count(*) > 1"
)
UNIQUE = frozenset(
    {
        ("inbox", ("event_id", "topic")),
        ("outbox", ("event_id",)),
        ("idempotency", ("key", "principal")),
        ("audit_entry", ("aggregate", "n")),
    }
)
"""The constraints that keep effects single, whatever a process does."""

_SAYS = {
    "event": "{service}: event {key} of {topic} had its effect {times} times",
    "sequence": "{service}: {key} of {topic} had its effect {times} times, under different ids",
    "outbox": "{service}: event {key} stands {times} times in the outbox for {topic}",
}


def judge(
    service: str, keys: Iterable[tuple[str, tuple[str, ...]]], twice: Iterable[tuple[str, str, str, int]], rows: int
) -> Verdict:
    """Judge one service: `keys` are its unique constraints (table, sorted columns), `twice` (what, topic, key, times)."""
    sentences = [f"{service}: nothing keeps {table} single any more" for table, _ in sorted(UNIQUE - set(keys))]
    sentences += [
        _SAYS[what].format(service=service, topic=topic, key=key, times=times) for what, topic, key, times in twice
    ]
    return verdict(rows, sentences)


async def look(evidence: Evidence) -> Verdict:
    """Look for the constraints, then for doubles all the same."""
    found = Verdict()
    for service in SERVICES:
        keys = [(row["name"], tuple(row["columns"])) for row in await evidence.rows(service, _KEYS)]
        twice = [tuple(row) for row in await evidence.rows(service, _TWICE)]
        found += judge(service, keys, twice, (await evidence.rows(service, _COUNTS))[0][0])
    return found


INVARIANT = Invariant("I9", "No event has its effect twice: each is known once to every inbox.", look)
