"""What lies in the log, by identity and content: a fold that three invariants share. About 100 bytes a distinct record."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from deploy.audit.log import LogRecord, Place, compact_id
from shared.contracts.flow import SERVICES, TOPICS

COMPACTED: Final = frozenset(topic.name for topic in TOPICS if topic.compacted)
EMITTED_BY: Final = {service: tuple(t.name for t in TOPICS if t.writer == service) for service in SERVICES}
Said = bytes
"""An event id and the digest of what was said under it: the id's bytes, then 16 bytes."""


def said(event_id: str, digest: bytes) -> Said:
    """Return what stands for one record: its id and the digest of its key and value."""
    return compact_id(event_id) + digest


def digest_of(key: str, value: bytes | None) -> bytes:
    """Return the digest by which the outbox's SQL and the log compare records (not a safeguard: both ends are ours)."""
    return hashlib.md5(key.encode() + b"|" + (b"\x01" if value is None else value), usedforsecurity=False).digest()


DIGEST_SQL: Final = "decode(md5(key || '|' || coalesce(value, E'\\x01')), 'hex')"
"""`digest_of` in the outbox's SQL."""


@dataclass
class TopicLog:
    """One topic: every distinct record with its first place, records without an id, and per key the last of a compacted topic."""

    first: dict[Said, tuple[int, int]] = field(default_factory=dict)
    nameless: list[tuple[int, int]] = field(default_factory=list)
    last_of_key: dict[str, Said] = field(default_factory=dict)


class Emitted:
    """The fold: topic name to what lies in it."""

    def __init__(self) -> None:
        """Begin with an empty log."""
        self.topics: dict[str, TopicLog] = {}

    def take(self, record: LogRecord) -> None:
        """Take one record into account."""
        topic = self.topics.setdefault(record.place.topic, TopicLog())
        event_id, key, at = record.header("ce_id"), record.text_key, (record.place.partition, record.place.offset)
        if not event_id or key is None:
            topic.nameless.append(at)
            return
        what = said(event_id, digest_of(key, record.value))
        topic.first.setdefault(what, at)
        if record.place.topic in COMPACTED:
            topic.last_of_key[key] = what

    def of(self, topic: str) -> TopicLog:
        """Return a topic's log; an empty one for a topic without records."""
        return self.topics.get(topic, TopicLog())


def place_of(topic: str, at: tuple[int, int]) -> str:
    """Return a place as text."""
    return str(Place(topic, *at))
