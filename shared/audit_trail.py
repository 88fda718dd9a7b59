"""The audit trail: one entry per transition, chained by hash per aggregate, written in the business transaction; and its anchors.

Entry n holds the hash of entry n-1. An anchor holds the root of a Merkle tree (RFC 9162) over the heads of the chains that grew since
the anchor before, and the hash of that one: together they hold every entry.
The canonical form is JSON with sorted keys and no spaces; as entries hold only strings, whole numbers and booleans under ASCII keys,
that is RFC 8785 to the byte.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.contracts.anchors import TrailAnchored
from shared.contracts.events import Event
from shared.messaging.records import Tombstone
from shared.trace import current_trace


@dataclass(frozen=True)
class Change:
    """One transition of an aggregate, decided and not yet written: who did what, from which status to which, and what it says.

    `facts` holds strings, whole numbers, booleans and None only.
    """

    action: str
    actor: str
    before: str | None
    after: str
    events: tuple[Event, ...] = ()
    facts: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    tombstones: tuple[Tombstone, ...] = ()
    traceparent: str = field(default_factory=current_trace)


@dataclass(frozen=True)
class Link:
    """One entry of the trail, with its place in the chain."""

    aggregate: str
    n: int
    at: dt.datetime
    actor: str
    action: str
    facts: str
    previous_hash: str
    hash: str

    def as_row(self) -> dict[str, Any]:
        """Return the columns of table `audit_entry`."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Head:
    """What an aggregate's row knows of its own history: version (= last audit entry), last sequence said, last hash."""

    version: int = 0
    sequence: int = 0
    hash: str = ""

    def after(self, links: Sequence[Link], sequence: int) -> "Head":
        """Return the head once these links are written and the last event said has this sequence."""
        return Head(links[-1].n, sequence, links[-1].hash) if links else self


NEW = Head()


def entry_hash(
    previous: str, aggregate: str, n: int, at: dt.datetime, actor: str, action: str, facts: Mapping[str, Any]
) -> str:
    """Return the SHA-256 (hex) of an entry and of the hash before it."""
    entry = {
        "action": action,
        "actor": actor,
        "aggregate": aggregate,
        "at": _instant(at),
        "facts": dict(facts),
        "n": n,
        "previous_hash": previous,
    }
    return _digest(entry)


def chained(aggregate: str, head: Head, changes: Sequence[Change], at: dt.datetime) -> list[Link]:
    """Return the links that continue an aggregate's chain after `head`."""
    links: list[Link] = []
    previous = head.hash
    for n, change in enumerate(changes, head.version + 1):
        facts = {"from": change.before, "to": change.after, **change.facts}
        digest = entry_hash(previous, aggregate, n, at, change.actor, change.action, facts)
        text = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()
        links.append(Link(aggregate, n, at, change.actor, change.action, text, previous, digest))
        previous = digest
    return links


class MerkleTree:
    """The tree hash of RFC 9162 (2.1.1) over leaves given one by one; holds one hash per level, whatever their number."""

    def __init__(self) -> None:
        self._levels: list[tuple[int, bytes]] = []
        self.leaves = 0

    def add(self, leaf: bytes) -> None:
        """Take the next leaf."""
        height, digest = 0, hashlib.sha256(b"\x00" + leaf).digest()
        while self._levels and self._levels[-1][0] == height:
            digest = _node(self._levels.pop()[1], digest)
            height += 1
        self._levels.append((height, digest))
        self.leaves += 1

    def root(self) -> str:
        """Return the root (hex) over the leaves taken so far."""
        digests = [digest for _, digest in self._levels]
        if not digests:
            return hashlib.sha256().hexdigest()
        root = digests.pop()
        while digests:
            root = _node(digests.pop(), root)
        return root.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def head_leaf(aggregate: str, n: int, digest: str) -> bytes:
    """Return the leaf of a chain's head; no part can hold the NUL between them."""
    return f"{aggregate}\0{n}\0{digest}".encode()


def anchor_of(
    service: str,
    *,
    n: int,
    at: dt.datetime,
    written_at: dt.datetime,
    entries: int,
    heads: int,
    root: str,
    previous_hash: str,
) -> TrailAnchored:
    """Return an anchor with its own hash; its fields are those of `TrailAnchored`."""
    content = {
        "at": _instant(at),
        "entries": entries,
        "heads": heads,
        "n": n,
        "previous_hash": previous_hash,
        "root": root,
        "service": service,
        "written_at": _instant(written_at),
    }
    return TrailAnchored.model_validate({**content, "hash": _digest(content)})


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
