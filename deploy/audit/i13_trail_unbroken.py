"""I13: the audit trail is whole: every entry's hash is what its content says and holds the hash before it, every anchor is still true.

One pass: the trail, the rows that claim a head and the heads that anchors took come in the same order, one chain at a time is held.
"""

import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from deploy.audit.anchors import Anchor, AnchorsSaid, Rebuilt, Witness, earliest, judged
from deploy.audit.evidence import Evidence
from deploy.audit.shape import aggregates
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES, anchors_topic

_TRAIL = (
    "SELECT aggregate, n, at, actor, action, facts::text AS facts, previous_hash, hash FROM audit_entry"
    ' ORDER BY aggregate COLLATE "C", n'
)
_HEADS = 'SELECT id::text AS aggregate, version, audit_hash FROM "{table}"'
_PRINCIPALS = "SELECT 'principal/' || id AS aggregate, version, audit_hash FROM principal"
_MARKS = 'SELECT aggregate, anchor, n, hash FROM anchored_head ORDER BY aggregate COLLATE "C", anchor'
_ANCHORS = "SELECT n, at, written_at, entries, heads, root, previous_hash, hash FROM anchor ORDER BY n"
_ON_THEIR_WAY = "SELECT sequence FROM outbox WHERE topic = $1 AND (published_at IS NULL OR published_at >= $2)"
_LOWEST = "SELECT lowest FROM clock_offset"
Sentence = tuple[str, str]
"""What found something (`chain`, `sequence`, `row`, `anchor`, `root`, `time`, `witness`), and what it found."""


class Entry(NamedTuple):
    """One entry of the trail, as the table has it; `facts` is JSON text."""

    aggregate: str
    n: int
    at: dt.datetime
    actor: str
    action: str
    facts: str
    previous_hash: str
    hash: str


class Mark(NamedTuple):
    """The head of a chain that an anchor took: entry `n` with this hash."""

    aggregate: str
    anchor: int
    n: int
    hash: str


Claim = tuple[int, str]
"""Version and last hash that an aggregate's own row claims."""
NOTHING: Final[Claim] = (0, "")
ROWLESS: Final = "dead_letter/"
"""Chains that no row claims the head of."""


def recomputed(entry: Entry) -> str:
    """Return the hash an entry must have: SHA-256 of its canonical JSON, written anew here on purpose."""
    content = {
        "action": entry.action,
        "actor": entry.actor,
        "aggregate": entry.aggregate,
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "facts": json.loads(entry.facts),
        "n": entry.n,
        "previous_hash": entry.previous_hash,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Leaf(NamedTuple):
    """What a chain puts under an anchor: the leaf, and how many of its entries this anchor is the first to cover."""

    anchor: int
    leaf: bytes
    entries: int


@dataclass
class Walk:
    """What was found along one chain."""

    wrong: list[Sentence] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)


def walked(
    service: str,
    aggregate: str,
    entries: Sequence[Entry],
    claim: Claim | None,
    marks: Sequence[Mark],
    not_before: Sequence[dt.datetime],
) -> Walk:
    """Walk one chain: `entries` by number, `claim` None where no row stands for it, `marks` by anchor.

    `not_before` holds, by the anchor that is the first to cover an entry, the earliest time it may name; the last one is for entries
    that no anchor covers.
    """
    walk = Walk()
    n, previous = NOTHING
    for entry in entries:
        where = f"{service}: entry {entry.n} of {aggregate}"
        if entry.n != n + 1:
            walk.wrong.append(("sequence", f"{where} follows entry {n}"))
        if entry.previous_hash != previous:
            walk.wrong.append(("chain", f"{where} does not hold the hash of the entry before it"))
        if entry.hash != recomputed(entry):
            walk.wrong.append(("chain", f"{where} was changed after it was written"))
        if not entry.actor.strip():
            walk.wrong.append(("chain", f"{where} names no actor"))
        n, previous = entry.n, entry.hash
    if (claim or NOTHING) != (n, previous) and (claim or not aggregate.startswith(ROWLESS)):
        version = (claim or NOTHING)[0]
        walk.wrong.append(
            ("row", f"{service}: {aggregate} is at version {version}, its trail ends at entry {n} or elsewhere")
        )
    _marked(walk, service, entries, marks)
    _dated(walk, service, entries, marks, not_before)
    return walk


def _marked(walk: Walk, service: str, entries: Sequence[Entry], marks: Sequence[Mark]) -> None:
    """Compare the heads that anchors took with the entries of today; what is there today is what goes under the root."""
    hashes = {entry.n: entry.hash for entry in entries}
    covered = 0
    for mark in marks:
        found = hashes.get(mark.n)
        if found is not None:
            leaf = f"{mark.aggregate}\0{mark.n}\0{found}".encode()
            walk.leaves.append(Leaf(mark.anchor, leaf, mark.n - covered))
        if found != mark.hash:
            what = "is gone" if found is None else "is another one"
            walk.wrong.append(
                ("root", f"{service}: entry {mark.n} of {mark.aggregate}, under anchor {mark.anchor}, {what}")
            )
        covered = mark.n


def _dated(
    walk: Walk, service: str, entries: Sequence[Entry], marks: Sequence[Mark], not_before: Sequence[dt.datetime]
) -> None:
    """Find entries that name a time before an anchor that does not cover them: they were added afterwards, or escaped it."""
    coming = iter(marks)
    mark = next(coming, None)
    for entry in entries:
        while mark is not None and mark.n < entry.n:
            mark = next(coming, None)
        bound = not_before[min(mark.anchor, len(not_before) - 1) if mark else -1]
        if entry.at < bound:
            sentence = (
                f"{service}: entry {entry.n} of {entry.aggregate} names a time before an anchor that does not cover it"
            )
            walk.wrong.append(("time", sentence))


@dataclass
class Chains:
    """Walks the chains of one service and judges its anchors."""

    service: str
    anchors: Sequence[Anchor] = ()
    lowest_offset: int = 0
    wrong: list[Sentence] = field(default_factory=list)
    rebuilt: dict[int, Rebuilt] = field(default_factory=dict)
    entries: int = 0

    def __post_init__(self) -> None:
        """Compute the bounds once."""
        self._not_before = earliest(self.anchors, self.lowest_offset)

    def take(self, aggregate: str, entries: Sequence[Entry], claim: Claim | None, marks: Sequence[Mark]) -> None:
        """Take the next chain; chains come in the order of the bytes of their names, so that leaves do."""
        walk = walked(self.service, aggregate, entries, claim, marks, self._not_before)
        self.entries += len(entries)
        self.wrong += walk.wrong
        for anchor, leaf, covered in walk.leaves:
            under = self.rebuilt.setdefault(anchor, Rebuilt())
            under.tree.add(leaf)
            under.entries += covered

    def sentences(self, witness: Witness) -> list[Sentence]:
        """Return everything found, with what is known of the anchors elsewhere."""
        return [*self.wrong, *judged(self.service, self.anchors, self.rebuilt, witness)]


async def look(evidence: Evidence) -> Verdict:
    """Walk every service's trail."""
    found = Verdict()
    for service in SERVICES:
        found += await look_at(evidence, service)
    return found


async def look_at(evidence: Evidence, service: str) -> Verdict:
    """Walk one service's trail; entries and anchors are what was looked at."""
    anchors = [Anchor(service, *row) for row in await evidence.rows(service, _ANCHORS)]
    lowest = (await evidence.rows(service, _LOWEST))[0]["lowest"]
    chains = Chains(service, anchors, lowest)
    async for aggregate, entries, claim, marks in _chains(evidence, service):
        chains.take(aggregate, entries, claim, marks)
    said = evidence.fold(AnchorsSaid)
    pending = await evidence.rows(service, _ON_THEIR_WAY, anchors_topic(service), evidence.began[service])
    kept = [anchor for anchor in evidence.anchors if anchor.service == service]
    witness = Witness(said.of[service], kept, frozenset(row["sequence"] for row in pending))
    sentences = [sentence for _, sentence in chains.sentences(witness)]
    return verdict(chains.entries + len(anchors), [*sentences, *(f"{service}: {one}" for one in said.wrong[service])])


Chain = tuple[str, list[Entry], Claim | None, list[Mark]]


async def _chains(evidence: Evidence, service: str) -> AsyncIterator[Chain]:
    """Yield every chain that trail, rows or anchors know of, in the order of the bytes of its name."""
    rows = await _claims(evidence, service)
    claims = iter([*sorted(rows), None])
    marks = _Grouped(evidence.stream(service, _MARKS))
    trail = _Grouped(evidence.stream(service, _TRAIL))
    claimed = next(claims)
    while names := [name for name in (claimed, await marks.next_name(), await trail.next_name()) if name is not None]:
        name = min(names)
        entries = [Entry(*row) for row in await trail.of(name)]
        taken = [Mark(*row) for row in await marks.of(name)]
        yield name, entries, rows.get(name), taken
        if claimed == name:
            claimed = next(claims)


async def _claims(evidence: Evidence, service: str) -> Mapping[str, Claim]:
    found: dict[str, Claim] = {}
    queries = [_HEADS.format(table=table.name) for table in await aggregates(evidence, service)]
    for query in (*queries, _PRINCIPALS):
        heads = await evidence.rows(service, query)
        found.update({head["aggregate"]: (head["version"], head["audit_hash"]) for head in heads})
    return found


class _Grouped:
    """Rows that come in the order of their `aggregate` (first column), taken chain by chain."""

    def __init__(self, rows: AsyncIterator[Any]) -> None:
        self._rows = rows
        self._next: Any = None
        self._begun = False

    async def next_name(self) -> str | None:
        """Return the aggregate of the next row; None after the last one."""
        if not self._begun:
            self._begun = True
            self._next = await anext(self._rows, None)
        name: str | None = self._next[0] if self._next is not None else None
        return name

    async def of(self, name: str) -> list[Any]:
        """Return the rows of this aggregate, if it is the next one."""
        found = []
        while await self.next_name() == name:
            found.append(self._next)
            self._next = await anext(self._rows, None)
        return found


INVARIANT = Invariant(
    "I13",
    "The audit trail is unbroken: every hash recomputed, every version has its entry, every anchor still true.",
    look,
    (AnchorsSaid,),
)
