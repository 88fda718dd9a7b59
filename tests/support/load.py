"""Partners at work while things are hurt: fiches on their whole way, over HTTP and by the ingress topics in turn.

Nobody gives up: a request without an answer is sent again under the same Idempotency-Key, a record without an answer under the
same id. Everything sent and answered is in the journal, which the audit holds the databases against.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self
from uuid import UUID, uuid4, uuid5

from aiokafka.errors import KafkaError

from deploy.demo.http_door import Ask, HttpDoor, Reply
from deploy.journal import Journal, journal_path
from shared.contracts import ingress as said
from shared.contracts import publication, validation
from shared.contracts.access import USERS
from shared.contracts.events import Event
from shared.contracts.fiche import POEC_NAMESPACE, fiche_id, session_id
from shared.contracts.flow import ingress_topic
from shared.contracts.references import FRANCE_TRAVAIL, OPERATIONS
from shared.messaging.clients import AIOKafkaProducer, KafkaAccess, new_producer
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_WARNINGS, golden_content
from tests.support.progress import LETTER, Progress, Seen
from tests.support.stack import Stack

PATIENCE: Final = 120.0
"""Seconds that one step of a fiche may take, faults included; generous, as only a hang is to be found by it."""
AGAIN: Final = 8.0
"""Seconds after which a partner sends a record again that was not answered."""
WAIT: Final = 15
AIS_PER_SESSION: Final = 3
ANSWERED: Final = said.CommandAnswered.wire_type


class Stuck(AssertionError):
    """A fiche that did not go on."""


@dataclass(frozen=True)
class Fiche:
    """One fiche on its way; odd ones go by Kafka where a partner can."""

    reference: str
    by_kafka: bool

    @property
    def id(self) -> UUID:
        """The id under which the product knows it."""
        return fiche_id(GOLDEN_OPCO, self.reference)

    @property
    def session(self) -> UUID:
        """The id of its only session."""
        return session_id(self.id, 1)


@dataclass
class Senders:
    """One producer per organisation, as its own system has it; made anew whenever it fails."""

    access: Callable[[str], KafkaAccess]
    _producers: dict[str, AIOKafkaProducer] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    remade: int = 0

    async def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, Any]]) -> Any:
        """Send until the broker has it; return its place."""
        until = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                producer = await self._producer(topic)
                async with asyncio.timeout(15):
                    return await producer.send_and_wait(topic, value, key=key, headers=list(headers))
            if time.monotonic() > until:
                raise Stuck(f"{topic} took nothing for {PATIENCE:.0f} s")
            await self._drop(topic)
            await asyncio.sleep(0.3)

    async def _producer(self, topic: str) -> AIOKafkaProducer:
        async with self._locks.setdefault(topic, asyncio.Lock()):
            if topic not in self._producers:
                user = next(one.user for one in USERS if topic in one.writes)
                producer = new_producer(self.access(user), user)
                async with asyncio.timeout(15):
                    await producer.start()
                self._producers[topic] = producer
            return self._producers[topic]

    async def _drop(self, topic: str) -> None:
        producer = self._producers.pop(topic, None)
        if producer is not None:
            self.remade += 1
            await _closed(producer)

    async def close(self) -> None:
        """Close every producer."""
        await asyncio.gather(*(_closed(producer) for producer in self._producers.values()))
        self._producers.clear()


async def _closed(producer: AIOKafkaProducer) -> None:
    # A producer of a hurt broker may raise anything on its way out; its client must go all the same.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(3):
            await producer.stop()
    with contextlib.suppress(Exception):
        await producer.client.close()


class Load:
    """Use as an async context manager; leaving it finishes every fiche that was begun, and fails if one is stuck."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack, self.name = stack, name
        self.access = stack.run.kafka.admin
        self.progress = Progress(stack.run.kafka.access(OPERATIONS))
        self.senders = Senders(stack.run.kafka.access)
        self.done: list[Fiche] = []
        self.answers: list[tuple[float, str]] = []
        """When (monotonic seconds) which service answered a write."""
        self._journal = Journal(journal_path(stack.home, f"{name}-{uuid4().hex[:6]}"))
        self._http = HttpDoor(stack.home, stack.run, self._journal, PATIENCE)
        self._numbers = itertools.count(1)
        self._lanes: list[asyncio.Task[None]] = []
        self._stopping = False

    async def __aenter__(self) -> Self:
        """Sign in and begin to watch."""
        await self._http.__aenter__()
        await self.progress.__aenter__()
        return self

    async def __aexit__(self, wrong: type[BaseException] | None, *_: object) -> None:
        """Let every fiche that was begun come to its end; after a failure nobody waits for any."""
        try:
            if wrong is None:
                await self.finish()
        finally:
            for lane in self._lanes:
                lane.cancel()
            await asyncio.gather(*self._lanes, return_exceptions=True)
            await self.senders.close()
            await self.progress.__aexit__()
            await self._http.__aexit__()
            self._journal.close()

    def begin(self, in_flight: int = 8) -> None:
        """Send fiche after fiche, so many at a time, until the load is left."""
        self._lanes = [asyncio.create_task(self._lane()) for _ in range(in_flight)]

    async def finish(self) -> None:
        """Begin no more fiches, and wait until those that were begun have come to their end."""
        self._stopping = True
        await asyncio.gather(*self._lanes)

    async def _lane(self) -> None:
        while not self._stopping:
            await self.whole_way()

    async def fiches(self, count: int) -> None:
        """Send so many fiches at once and wait until all have come to their end."""
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(self.whole_way())

    async def more(self, count: int, seconds: float = PATIENCE) -> None:
        """Wait until so many more fiches than now have come to their end; fails at once where one is stuck."""
        wanted, until = len(self.done) + count, time.monotonic() + seconds
        while len(self.done) < wanted:
            for lane in self._lanes:
                if lane.done():
                    lane.result()
            if time.monotonic() > until:
                raise Stuck(f"only {len(self.done)} of {wanted} fiches after {seconds:.0f} s")
            await asyncio.sleep(0.02)

    def fiche(self, *, by_kafka: bool | None = None) -> Fiche:
        """Return a fiche under a reference of its own; every second one goes by Kafka."""
        number = next(self._numbers)
        return Fiche(f"{self.name}-{uuid4().hex[:8]}-{number}", bool(number % 2) if by_kafka is None else by_kafka)

    async def whole_way(self) -> Fiche:
        """Take one fiche from its submission to its counted entries."""
        fiche = self.fiche()
        await self.go_through(fiche)
        await self._enter(fiche)
        for n in range(AIS_PER_SESSION):
            ais = str(_ais(fiche, n))
            await self.saw(publication.AisRecorded, fiche.session, lambda seen, ais=ais: seen.value["ais_id"] == ais)
        self.done.append(fiche)
        return fiche

    async def go_through(self, fiche: Fiche, **changes: Any) -> None:
        """Take a fiche from its submission into the catalogue; `changes` are those of `golden_content`."""
        await self.submit(fiche, **changes)
        await self.saw(validation.DossierOpened, fiche.id)
        await self._review("region", fiche, "give_avis", "avis", {"avis": "COMPLEMENTAIRE"})
        await self.saw(validation.AvisGiven, fiche.id)
        await self._review("pole-emploi", fiche, "validate_fiche", "validation", {})
        await self.saw(validation.FicheValidated, fiche.id)
        await self._confirm(fiche)
        await self.saw(publication.SessionPublished, fiche.session)

    async def submit(self, fiche: Fiche, **changes: Any) -> None:
        """File a fiche; the warnings of the golden one are acknowledged."""
        command = said.SubmitFiche(content=golden_content(**changes), acknowledged=GOLDEN_WARNINGS)
        if fiche.by_kafka:
            await self.ask(GOLDEN_OPCO, fiche.reference, command)
            return
        body = {"reference": fiche.reference, **command.model_dump(mode="json")}
        ask = Ask(GOLDEN_OPCO, "submission", "submit_fiche", "/fiches", body, str(uuid4()), fiche.reference)
        await self.write(ask)

    async def _review(self, who: str, fiche: Fiche, operation: str, path: str, body: dict[str, Any]) -> None:
        place = f"/dossiers/{fiche.id}/{path}"
        await self.write(
            Ask(who, "validation", operation, place, body, str(uuid4()), str(fiche.id), revision=1, wait=WAIT)
        )

    async def _confirm(self, fiche: Fiche) -> None:
        if fiche.by_kafka:
            await self._until_allowed(fiche, said.ConfirmProgrammation())
            return
        place = f"/fiches/{fiche.id}/programmation"
        await self.write(
            Ask(
                GOLDEN_OPCO,
                "submission",
                "confirm_programmation",
                place,
                {},
                str(uuid4()),
                fiche.reference,
                wait=WAIT,
            )
        )

    async def _until_allowed(self, fiche: Fiche, command: said.Command) -> None:
        """Send a command until the service has heard what it builds on: refused as too early, it is sent under a new id."""
        until = time.monotonic() + PATIENCE
        while (answer := await self.asked(GOLDEN_OPCO, fiche.reference, command)).value["outcome"] == "refused":
            if time.monotonic() > until:
                raise Stuck(f"{command.wire_type} of {fiche.reference}: {answer.value['objections']}")
            await asyncio.sleep(0.1)
        _accepted(answer, command)

    async def _enter(self, fiche: Fiche) -> None:
        rows = entries(fiche)
        if fiche.by_kafka:
            await self.ask(FRANCE_TRAVAIL, str(fiche.session), said.RecordAis(session_id=fiche.session, rows=rows))
            return
        body = {"rows": [row.model_dump(mode="json") for row in rows]}
        place = f"/sessions/{fiche.session}/ais"
        await self.write(
            Ask(
                FRANCE_TRAVAIL,
                "publication",
                "record_ais",
                place,
                body,
                str(uuid4()),
                str(fiche.session),
                wait=WAIT,
            )
        )

    async def saw(self, event: type[Event], key: UUID, test: Any = lambda _: True) -> Seen:
        """Wait until an event about a key is on its topic."""
        seen = await self.progress.until(event.wire_type, str(key), PATIENCE, test)
        if seen is None:
            raise Stuck(f"{event.__name__} of {key} did not come within {PATIENCE:.0f} s")
        return seen

    async def letter(self, place: str) -> Seen:
        """Wait until a record (`topic/partition/offset`) is announced as a dead letter."""
        seen = await self.progress.until(LETTER, place, PATIENCE)
        if seen is None:
            raise Stuck(f"{place} was not announced as a dead letter within {PATIENCE:.0f} s")
        return seen

    async def write(self, ask: Ask) -> Reply:
        """Send a write over HTTP until it is answered; fails where it is not accepted.

        One that waits for what the service has yet to hear, and is refused as too early, is sent again under a new key.
        """
        until = time.monotonic() + PATIENCE
        while True:
            reply = await self._http.write(ask)
            self.answers.append((time.monotonic(), ask.service))
            if not (ask.wait and reply.outcome == "not_allowed_now") or time.monotonic() > until:
                break
            ask = replace(ask, key=str(uuid4()))
        if reply.outcome != "accepted":
            raise Stuck(f"{ask.operation} of {ask.reference}: {reply.status} {reply.outcome} {reply.codes}")
        return reply

    async def read(self, client: str, service: str, path: str) -> Reply:
        """Read as a client until a service answers."""
        return await self._http.read(client, service, path)

    async def discard_letters(self, service: str) -> int:
        """Discard every open dead letter of a service, as operations; return how many there were."""
        listed = await self.operate(service, "/dead-letters?state=dead", method="GET")
        for letter in listed.body["dead_letters"]:
            settled = await self.operate(service, f"/dead-letters/{letter['id']}/discard", {"reason": "fault test"})
            assert settled.body.get("state") == "discarded", settled
        return len(listed.body["dead_letters"])

    async def operate(self, service: str, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Reply:
        """Do what operations may: read, replay and discard dead letters."""
        return await self._http.operate(Ask("operations", service, "operate", path, body or {}, method=method))

    async def ask(self, organisation: str, key: str, command: said.Command) -> Seen:
        """Send a command by Kafka until it is answered; fails where it is not accepted."""
        return _accepted(await self.asked(organisation, key, command), command)

    async def asked(self, organisation: str, key: str, command: said.Command) -> Seen:
        """Send a command by Kafka until it is answered, however; return the answer."""
        identifier = str(uuid4())
        value = command.model_dump_json().encode()
        operation = command.wire_type.split(".")[-2]
        entry = self._journal.sent("ingress", f"topic:{organisation}", identifier, operation, value, reference=key)
        headers = command_headers(organisation, identifier, command.wire_type)
        until = time.monotonic() + PATIENCE
        while True:
            await self.senders.send(ingress_topic(organisation), key.encode(), value, headers)
            answer = await self.progress.until(ANSWERED, identifier, AGAIN, _is_first)
            if answer is not None:
                break
            if time.monotonic() > until:
                raise Stuck(f"{operation} of {key} was not answered within {PATIENCE:.0f} s")
        outcome = answer.value["outcome"]
        self._journal.answered(entry, None, answer.raw, fiche_id=answer.value.get("fiche_id"), outcome=outcome)
        return answer


def entries(fiche: Fiche) -> tuple[said.AisRow, ...]:
    """Return the AIS of a fiche's session."""
    return tuple(
        said.AisRow.model_validate({"ais_id": _ais(fiche, n), "recorded_on": "2018-03-05"})
        for n in range(AIS_PER_SESSION)
    )


def command_headers(organisation: str, identifier: str, wire_type: str) -> list[tuple[str, bytes]]:
    """Return the CloudEvents headers of a partner's command."""
    texts = {
        "ce_specversion": "1.0",
        "ce_id": identifier,
        "ce_type": wire_type,
        "ce_source": f"/{organisation}",
        "content-type": "application/json",
    }
    return [(name, text.encode()) for name, text in texts.items()]


def _is_first(seen: Seen) -> bool:
    """A record that was sent again is answered 'duplicate' as well: the other answer counts."""
    return bool(seen.value["outcome"] != "duplicate")


def _accepted(answer: Seen, command: said.Command) -> Seen:
    if answer.value["outcome"] != "accepted":
        codes = [o["code"] for o in (*answer.value["objections"], *answer.value["warnings"])]
        raise Stuck(f"{command.wire_type} of {answer.value['reference']}: {answer.value['outcome']} {codes}")
    return answer


def _ais(fiche: Fiche, number: int) -> UUID:
    return uuid5(POEC_NAMESPACE, f"test/ais/{fiche.id}/{number}")
