"""The door by Kafka, as a partner's system uses it: a record on the organisation's own topic, one answer on its results topic."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

from deploy.demo.watch import ANSWERED, Seen, Watch
from deploy.journal import Journal
from shared.contracts.flow import ingress_topic
from shared.contracts.ingress import Command
from shared.messaging.clients import AIOKafkaProducer, KafkaAccess, new_producer

IN_FLIGHT: Final = 64  # commands waiting for their answer at once


@dataclass(frozen=True)
class Record:
    """One ingress record: whose topic, its key (the sender's reference), the sender's id of it, the command or raw bytes."""

    organisation: str
    key: str
    id: str
    type: str
    value: bytes

    @classmethod
    def of(cls, organisation: str, key: str, identifier: str, command: Command) -> "Record":
        """Return the record of a command."""
        value = command.model_dump_json(exclude_defaults=True).encode()
        return cls(organisation, key, identifier, command.wire_type, value)

    @property
    def operation(self) -> str:
        """Return what the journal calls it: `submit_fiche` of `fr.poec.command.submit_fiche.v1`."""
        return self.type.split(".")[-2]

    def headers(self) -> list[tuple[str, bytes]]:
        """Return its CloudEvents headers, binary mode."""
        texts = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_type": self.type,
            "ce_source": f"/{self.organisation}",
            "content-type": "application/json",
        }
        return [(name, text.encode()) for name, text in texts.items()]


@dataclass(frozen=True)
class Sent:
    """A record on its way: its place in the log, its entry in the journal (None: an earlier play's)."""

    record: Record
    place: str
    entry: str | None = None


@dataclass
class IngressDoor:
    """One idempotent producer per organisation, each signed in as that organisation; answers come by the watch."""

    access: Callable[[str], KafkaAccess]
    journal: Journal
    watch: Watch
    _producers: dict[str, "asyncio.Task[AIOKafkaProducer]"] = field(default_factory=dict)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT))

    async def __aenter__(self) -> Self:
        """Return the door; producers are made when they are needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop every producer."""
        made = await asyncio.gather(*self._producers.values(), return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in made if isinstance(one, AIOKafkaProducer)))

    async def ask(self, record: Record) -> Seen:
        """Send a command and return its answer."""
        async with self._gate:
            sent = await self.send(record)
            return await self.answer(sent)

    async def send(self, record: Record) -> Sent:
        """Write down and send a record; returns once all brokers in sync have it."""
        producer = await self._producer(record.organisation)
        principal = f"topic:{record.organisation}"
        entry = self.journal.sent("ingress", principal, record.id, record.operation, record.value, reference=record.key)
        topic = ingress_topic(record.organisation)
        kept = await producer.send_and_wait(topic, record.value, key=record.key.encode(), headers=record.headers())
        return Sent(record, f"{kept.topic}/{kept.partition}/{kept.offset}", entry)

    async def answer(self, sent: Sent, test: Callable[[Seen], bool] = lambda _: True) -> Seen:
        """Return the answer to the very record that was sent, and write it down."""
        seen = await self.watch.until(ANSWERED, sent.place, test)
        said: dict[str, Any] = seen.value
        if sent.entry is not None:
            self.journal.answered(sent.entry, None, seen.raw, fiche_id=said.get("fiche_id"), outcome=said["outcome"])
        return seen

    def sent_before(self, record: Record, outcome: str) -> Sent | None:
        """Return where a record lies that an earlier play sent and that was answered so; None where the log has no such answer."""
        for seen in self.watch.of_type(ANSWERED):
            said = seen.value
            if said.get("command_id") == record.id and said["outcome"] == outcome:
                return Sent(record, f"{said['topic']}/{said['partition']}/{said['offset']}")
        return None

    async def _producer(self, organisation: str) -> AIOKafkaProducer:
        if organisation not in self._producers:
            self._producers[organisation] = asyncio.create_task(
                _started(new_producer(self.access(organisation), organisation))
            )
        return await asyncio.shield(self._producers[organisation])


async def _started(producer: AIOKafkaProducer) -> AIOKafkaProducer:
    await producer.start()
    return producer
