"""I13: the audit trail is whole: every entry's hash is what its content says, and holds the hash of the entry before it."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from deploy.audit.evidence import Evidence
from deploy.audit.shape import aggregates
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES

_TRAIL = "SELECT aggregate, n, at, actor, action, facts::text AS facts, previous_hash, hash FROM audit_entry ORDER BY aggregate, n"
_HEADS = 'SELECT id::text AS aggregate, version, audit_hash FROM "{table}"'


@dataclass(frozen=True)
class Entry:
    """One entry of the trail, as the table has it."""

    aggregate: str
    n: int
    at: dt.datetime
    actor: str
    action: str
    facts: dict[str, Any]
    previous_hash: str
    hash: str


def recomputed(entry: Entry, previous: str) -> str:
    """Return the hash an entry must have after `previous`: SHA-256 of its canonical JSON, written anew here on purpose."""
    content = {
        "action": entry.action,
        "actor": entry.actor,
        "aggregate": entry.aggregate,
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "facts": entry.facts,
        "n": entry.n,
        "previous_hash": previous,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass
class Chains:
    """Walks the entries of one service, aggregate by aggregate, each by number."""

    service: str
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    entries: int = 0

    def take(self, entry: Entry) -> None:
        """Take the next entry."""
        self.entries += 1
        n, previous = self.heads.get(entry.aggregate, (0, ""))
        where = f"{self.service}: entry {entry.n} of {entry.aggregate}"
        if entry.n != n + 1:
            self.wrong.append(f"{where} follows entry {n}")
        if entry.previous_hash != previous:
            self.wrong.append(f"{where} does not hold the hash of the entry before it")
        if entry.hash != recomputed(entry, entry.previous_hash):
            self.wrong.append(f"{where} was changed after it was written")
        if not entry.actor.strip():
            self.wrong.append(f"{where} names no actor")
        self.heads[entry.aggregate] = (entry.n, entry.hash)

    def verdict(self, rows: dict[str, tuple[int, str]]) -> Verdict:
        """Judge, with the version and last hash that each aggregate's own row claims."""
        sentences = list(self.wrong)
        for aggregate in sorted(rows.keys() | {a for a in self.heads if "/" not in a}):
            claimed, found = rows.get(aggregate, (0, "")), self.heads.get(aggregate, (0, ""))
            if claimed != found:
                sentences.append(
                    f"{self.service}: {aggregate} is at version {claimed[0]}, its trail ends at entry {found[0]} or elsewhere"
                )
        return verdict(self.entries, sentences)


async def look(evidence: Evidence) -> Verdict:
    """Walk every service's trail."""
    found = Verdict()
    for service in SERVICES:
        chains = Chains(service)
        async for row in evidence.stream(service, _TRAIL):
            chains.take(Entry(**{**row, "facts": json.loads(row["facts"])}))
        rows = {}
        for table in await aggregates(evidence, service):
            heads = await evidence.rows(service, _HEADS.format(table=table.name))
            rows.update({head["aggregate"]: (head["version"], head["audit_hash"]) for head in heads})
        found += chains.verdict(rows)
    return found


INVARIANT = Invariant("I13", "The audit trail is unbroken: every hash recomputed, every version has its entry.", look)
