"""The inbox: a batch of records of one topic becomes one transaction, whatever is in it.

Event by event: seen before -> duplicate; key held by a dead letter -> parked; sequence ahead -> parked until the gap is filled;
next in sequence -> applied; cannot be decoded or applied, ever -> dead letter, and later events of that key are parked.
The partition goes on in every case. Marks, effects, dead letters and new events stand or fall together.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from shared.crash import crash_point
from shared.database import Database, UnitOfWork
from shared.errors import Impossible
from shared.identity import Principal, principal_of_topic, service_principal
from shared.logs import log
from shared.messaging.hearing import Hearing
from shared.messaging.ingress import is_ingress, take_commands
from shared.messaging.known import Known, Unreadable, decoded, read_known
from shared.messaging.ledger import Ledger
from shared.messaging.records import Heard, Received
from shared.policy import authorize
from shared.trace import follow

W = TypeVar("W")
_LOG = log("inbox")
Settle = Callable[[UnitOfWork, Ledger], Awaitable[None]]


class Inbox(Generic[W]):
    """Applies records for one service; `news` is told the ids of the aggregates that changed, after each commit."""

    def __init__(
        self, database: Database, hearing: Hearing[W], news: Callable[[Iterable[UUID]], None] = lambda _: None
    ) -> None:
        self.database, self.hearing, self._news = database, hearing, news
        self._worker = service_principal(hearing.service, "worker")

    async def apply(self, topic: str, records: Sequence[Received]) -> None:
        """Give every record its outcome in one transaction. Raises what is transient, and `Conflict`; nothing else on purpose."""
        await crash_point("inbox.before_transaction")
        ledger = Ledger(self.hearing.service, topic)
        ledger.received(records)
        ids = await self.settle(topic, records, ledger, None)
        await crash_point("inbox.after_commit")
        _LOG.info("batch_applied", topic=topic, records=len(records), **ledger.outcomes())
        self._news(ids)

    async def settle(
        self,
        topic: str,
        records: Sequence[Received],
        ledger: Ledger,
        replaying: UUID | None,
        also: Settle | None = None,
        asker: Principal | None = None,
    ) -> set[UUID]:
        """Apply records in one unit of work with their ledger; `also` adds its own writes (a dead letter's new state).

        `asker` is who asked for it, if it was not the log: raises `RightsChanged` where they no longer have the rights they came with.
        """
        if is_ingress(topic):
            async with self.database.unit(principal_of_topic(topic), asker=asker) as unit:
                ids = await take_commands(unit, self.hearing, topic, records, ledger, replaying)
                await self._finish(unit, ledger, also)
            return ids
        async with self.database.unit(self._worker, asker=asker) as unit:
            ids = await self._take_events(unit, topic, records, ledger, replaying)
            await self._finish(unit, ledger, also)
        return ids

    async def _finish(self, unit: UnitOfWork, ledger: Ledger, also: Settle | None) -> None:
        ledger.write(unit)
        if also is not None:
            await also(unit, ledger)
        await unit.flush()
        await crash_point("inbox.before_commit")

    async def _take_events(
        self, unit: UnitOfWork, topic: str, records: Sequence[Received], ledger: Ledger, replaying: UUID | None
    ) -> set[UUID]:
        authorize(unit.principal, "hear_event")
        items = [decoded(record) for record in records]
        heard = [item for item in items if isinstance(item, Heard)]
        keys = {item.key for item in items if item.key is not None}
        known = await read_known(unit, topic, [item.event_id for item in heard], keys, records, replaying)
        ids = self._touched([*heard, *(event for parked in known.parked.values() for event in parked)])
        working = await self.hearing.open(unit, ids)
        batch = _Batch(self.hearing, working, known, ledger, unit.now)
        for item in items:
            batch.take(item)
        self.hearing.write(working, unit)
        return set(ids)

    async def release(
        self, topic: str, key: str, settling: UUID | None, gives_up: int | None, also: Settle, asker: Principal
    ) -> None:
        """Apply what is parked of a key, in order, as far as it goes.

        `settling` is the letter that no longer holds the key, `gives_up` the sequence that will never come, `asker` as in `settle`.
        """
        ledger = Ledger(self.hearing.service, topic)
        async with self.database.unit(self._worker, asker=asker) as unit:
            authorize(unit.principal, "hear_event")
            await unit.read("SELECT 1")
            await also(unit, ledger)
            known = await read_known(unit, topic, [], [key], [], settling)
            if gives_up is not None:
                known.discarded.setdefault(key, set()).add(gives_up)
            ids = self._touched(known.parked.get(key, []))
            working = await self.hearing.open(unit, ids)
            _Batch(self.hearing, working, known, ledger, unit.now).release(key)
            self.hearing.write(working, unit)
            ledger.write(unit)
            await unit.flush()
        self._news(ids)

    def _touched(self, heard: Iterable[Heard]) -> list[UUID]:
        """Return the ids of the aggregates that these events are about, where they are handled here."""
        handled = (item for item in heard if type(item.event) in self.hearing.handlers)
        return sorted({identifier for item in handled for identifier in self.hearing.event_ids(item.event)})


class _Batch(Generic[W]):
    """Decides the outcome of each event of one batch, in order."""

    def __init__(self, hearing: Hearing[W], working: W, known: Known, ledger: Ledger, now: datetime) -> None:
        self._hearing, self._working, self._known, self._ledger, self._now = hearing, working, known, ledger, now

    def take(self, item: Heard | Unreadable) -> None:
        """Give one record its outcome."""
        if self._known.is_dead(item.record):
            self._ledger.duplicate(item.record)
        elif isinstance(item, Unreadable):
            self._die(item.record, None, item.key, item.code, item.detail)
        else:
            self._take_event(item)

    def _take_event(self, item: Heard) -> None:
        known, last = self._known, self._known.last.get(item.key, 0)
        if item.event_id in known.seen or self._is_parked(item):
            self._ledger.duplicate(item.record)
        elif item.sequence <= last:
            self._take_late(item)
        elif item.key in known.held:
            self._park(item, "dead_letter")
        elif item.sequence > known.reach(item.key):
            self._park(item, "gap")
        elif self._apply(item):
            self.release(item.key)

    def _take_late(self, item: Heard) -> None:
        """A sequence that was passed: a repetition, unless it was given up and something unheard comes under it after all."""
        if item.sequence in self._known.discarded.get(item.key, ()):
            self._ledger.die(item.record, item.event_id, "SEQUENCE_GIVEN_UP", "its sequence was discarded", parks=False)
        else:
            self._ledger.duplicate(item.record)

    def _is_parked(self, item: Heard) -> bool:
        return any(parked.event_id == item.event_id for parked in self._known.parked.get(item.key, ()))

    def _park(self, item: Heard, reason: str) -> None:
        self._ledger.park(item, reason)
        self._known.parked.setdefault(item.key, []).append(item)

    def _apply(self, item: Heard, *, released: bool = False) -> bool:
        handler = self._hearing.handlers.get(type(item.event))
        follow(item.traceparent)
        try:
            if handler is not None:
                handler(self._working, item.event, self._now)
        except Impossible as reason:
            self._die(item.record, item.event_id, item.key, reason.code, reason.detail, released=released)
            return False
        except Exception as defect:
            # A defect in a handler must not stop the partition: the record is kept, to be replayed once it is mended.
            _LOG.exception("handler_defect", event_id=item.event_id, type=item.event.wire_type)
            self._die(item.record, item.event_id, item.key, "DEFECT", type(defect).__name__, released=released)
            return False
        self._known.last[item.key] = item.sequence
        self._known.seen[item.event_id] = (item.record.partition, item.record.offset)
        self._ledger.advance(item.key, item.sequence)
        outcome = "applied" if handler is not None else "ignored"
        self._ledger.mark(item.record, item.event_id, item.key, item.sequence, outcome, released=released)
        return True

    def release(self, key: str) -> None:
        """Apply parked events of a key as long as each is the next one."""
        parked = sorted(self._known.parked.get(key, ()), key=lambda item: item.sequence)
        for item in parked:
            last = self._known.last.get(key, 0)
            if key in self._known.held or item.sequence > self._known.reach(key):
                return
            self._ledger.release(key, item.sequence, item.event_id)
            self._known.parked[key].remove(item)
            if item.sequence <= last:
                self._ledger.passed(item.record)
                continue
            if not self._apply(item, released=True):
                return

    def _die(
        self, record: Received, event_id: str | None, key: str | None, code: str, detail: str, *, released: bool = False
    ) -> None:
        self._ledger.die(record, event_id, code, detail, parks=key is not None, released=released)
        if key is not None:
            self._known.held.add(key)
