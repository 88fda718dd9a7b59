"""The audit trail: one entry per transition, chained by hash per aggregate, written in the business transaction.

Entry n holds the hash of entry n-1. The canonical form is JSON with sorted keys and no spaces; as entries hold only strings, whole
numbers and booleans under ASCII keys, that is RFC 8785 to the byte.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

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
        "at": at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "facts": dict(facts),
        "n": n,
        "previous_hash": previous,
    }
    return hashlib.sha256(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hexdigest()


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
