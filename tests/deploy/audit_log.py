"""A small log for the audit's tests: real events of the contracts, numbered per key, as records that a fold can take."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from deploy.audit.log import Fold, LogRecord, Place
from shared.contracts.events import Event
from shared.messaging.records import Outgoing, Tombstone, outgoing_event

NOW = dt.datetime(2021, 3, 1, 9, 0, tzinfo=dt.UTC)


@dataclass
class SmallLog:
    """Records in the order they were said; every topic has one partition."""

    records: list[LogRecord] = field(default_factory=list)
    _said: Counter[tuple[str, str]] = field(default_factory=Counter)

    def say(self, *events: Event) -> "SmallLog":
        """Say events, each with the next sequence of its key."""
        for event in events:
            place = (event.topic, event.key)
            self._said[place] += 1
            self.put(outgoing_event(event, self._said[place], "test", NOW))
        return self

    def forget(self, topic: str, key: str) -> "SmallLog":
        """Say a tombstone."""
        self._said[(topic, key)] += 1
        self.put(Tombstone(topic, key, "fr.poec.catalogue.entry.v1").at(self._said[(topic, key)], "test", NOW))
        return self

    def put(self, record: Outgoing) -> None:
        """Put a record at the end of its topic."""
        offset = sum(one.place.topic == record.topic for one in self.records)
        value = None if record.value is None else record.value.encode()
        headers: dict[str, bytes | None] = {name: text.encode() for name, text in record.headers.items()}
        self.records.append(LogRecord(Place(record.topic, 0, offset), record.key.encode(), headers, value))

    def read(self, *folds: Fold) -> None:
        """Hand every record to every fold."""
        for record in self.records:
            for fold in folds:
                fold.take(record)
