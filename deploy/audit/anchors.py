"""Anchors as the audit sees them: what databases, the log and files that were taken away say of them; roots computed anew.

Nothing here is shared with what writes anchors: forms and hashes are written a second time, from their description.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from deploy.audit.log import LogRecord
from shared.contracts.flow import SERVICES, anchors_topic

LATE: Final = dt.timedelta(minutes=15)
"""How long before an anchor a transaction may have begun that it does not see: the server ends those that idle for four minutes."""
SERVICE_OF: Final = {anchors_topic(service): service for service in SERVICES}


@dataclass(frozen=True)
class Anchor:
    """One anchor, wherever it was found; times are aware, `previous_hash` of the first one is empty."""

    service: str
    n: int
    at: dt.datetime
    written_at: dt.datetime
    entries: int
    heads: int
    root: str
    previous_hash: str
    hash: str

    @classmethod
    def parsed(cls, said: Mapping[str, Any]) -> Self:
        """Return the anchor that a JSON object describes. Raises ValueError, KeyError or TypeError where it describes none."""
        values = {each.name: said[each.name] for each in fields(cls)}
        times = {name: dt.datetime.fromisoformat(values[name]) for name in ("at", "written_at")}
        if any(type(values[name]) is not int for name in ("n", "entries", "heads")):
            raise TypeError("a number is due")
        if any(type(values[name]) is not str for name in ("service", "root", "previous_hash", "hash")):
            raise TypeError("a text is due")
        return cls(**{**values, **times})

    def recomputed(self) -> str:
        """Return the hash that the anchor must have for what it says."""
        content = {name: value for name, value in self.as_json().items() if name != "hash"}
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the anchor as JSON values; times in UTC, with six digits."""
        times = {name: _instant(getattr(self, name)) for name in ("at", "written_at")}
        return {**self.__dict__, **times}


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


class AnchorsSaid:
    """The fold: what the log says of anchors; the first word about a number counts, another one is a contradiction."""

    def __init__(self) -> None:
        """Begin with an empty log."""
        self.of: dict[str, dict[int, Anchor]] = {service: {} for service in SERVICES}
        self.wrong: dict[str, list[str]] = {service: [] for service in SERVICES}

    def take(self, record: LogRecord) -> None:
        """Take one record into account; those of other topics are none of its business."""
        service = SERVICE_OF.get(record.place.topic)
        if service is None:
            return
        try:
            anchor = Anchor.parsed(record.json() or {})
        except (ValueError, KeyError, TypeError):
            self.wrong[service].append(f"{record.place} holds no anchor")
            return
        first = self.of[service].setdefault(anchor.n, anchor)
        if anchor != first or anchor.service != service:
            self.wrong[service].append(f"{record.place} says something else of anchor {anchor.n} than was said before")


class Tree:
    """The Merkle tree hash of RFC 9162 over leaves that come one by one: a forest of perfect trees, joined from the right."""

    __slots__ = ("_forest", "leaves")

    def __init__(self) -> None:
        """Begin without leaves."""
        self._forest: list[bytes] = []
        self.leaves = 0

    def add(self, leaf: bytes) -> None:
        """Take the next leaf: as many perfect trees are joined as the number of leaves before ends in ones."""
        digest, before = hashlib.sha256(b"\x00" + leaf).digest(), self.leaves
        while before & 1:
            digest = hashlib.sha256(b"\x01" + self._forest.pop() + digest).digest()
            before >>= 1
        self._forest.append(digest)
        self.leaves += 1

    def root(self) -> str:
        """Return the root (hex)."""
        if not self._forest:
            return hashlib.sha256(b"").hexdigest()
        digest = self._forest[-1]
        for left in reversed(self._forest[:-1]):
            digest = hashlib.sha256(b"\x01" + left + digest).digest()
        return digest.hex()


@dataclass
class Rebuilt:
    """What the trail itself puts under one anchor: the tree over the heads, and how many entries it is the first to cover."""

    tree: Tree = field(default_factory=Tree)
    entries: int = 0


@dataclass(frozen=True)
class Witness:
    """What is known of a service's anchors outside its tables.

    `said`: what the log holds; `kept`: what was taken away in files; `on_their_way`: numbers whose record the relay still has to send.
    """

    said: Mapping[int, Anchor] = field(default_factory=dict)
    kept: Sequence[Anchor] = ()
    on_their_way: AbstractSet[int] = frozenset()


def judged(
    service: str, anchors: Sequence[Anchor], rebuilt: Mapping[int, Rebuilt], witness: Witness
) -> Iterable[tuple[str, str]]:
    """Yield what is wrong with a service's anchors, in their order, as (`anchor`, `root` or `witness`, sentence)."""
    before: Anchor | None = None
    for anchor in anchors:
        where = f"{service}: anchor {anchor.n}"
        expected = before.n + 1 if before else 1
        if anchor.n != expected:
            yield "anchor", f"{where} stands where anchor {expected} is due"
        if anchor.previous_hash != (before.hash if before else ""):
            yield "anchor", f"{where} does not hold the hash of the one before it"
        if anchor.hash != anchor.recomputed():
            yield "anchor", f"{where} was changed after it was written"
        found = rebuilt.get(anchor.n, Rebuilt())
        if (anchor.root, anchor.heads) != (found.tree.root(), found.tree.leaves):
            yield "root", f"{where} holds another root than the trail has now"
        if anchor.entries - (before.entries if before else 0) != found.entries:
            yield "root", f"{where} covers another number of entries than the trail has now"
        before = anchor
    yield from _compared(service, {anchor.n: anchor for anchor in anchors}, rebuilt, witness)


def _compared(
    service: str, here: Mapping[int, Anchor], rebuilt: Mapping[int, Rebuilt], witness: Witness
) -> Iterable[tuple[str, str]]:
    for n in sorted(rebuilt.keys() - here.keys()):
        yield "anchor", f"{service}: heads are kept for anchor {n}, which is not there"
    for n, anchor in sorted(witness.said.items()):
        if here.get(n) != anchor:
            yield "witness", f"{service}: anchor {n} is not the one that was said to the log"
    for n in sorted(here.keys() - witness.said.keys() - witness.on_their_way):
        yield "witness", f"{service}: anchor {n} was never said to the log"
    for anchor in witness.kept:
        if here.get(anchor.n) != anchor:
            yield "witness", f"{service}: anchor {anchor.n} is not the one that was taken away in a file"


def earliest(anchors: Sequence[Anchor], lowest_offset: int) -> list[dt.datetime]:
    """Return, by number of the anchor that is the first to cover an entry, the earliest time that this entry may name.

    Index 0 and 1 are without bound; the last index is for entries that no anchor covers yet. `lowest_offset` is how far back the
    business clock ever stood, in seconds: 0 where it was never moved.
    """
    none = dt.datetime.min.replace(tzinfo=dt.UTC)
    moved = dt.timedelta(seconds=lowest_offset) - LATE
    return [none, none, *(anchor.written_at + moved for anchor in anchors)]
