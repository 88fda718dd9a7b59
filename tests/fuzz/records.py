"""Kafka records of every kind a service reads, told as stories of fiches that never were, and spoilt by chance."""

import dataclasses
import json
import random
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from shared.contracts.fiche import fiche_id, session_id
from shared.contracts.flow import EVENT_TYPES, INGRESS_SERVICE, ingress_topic, topics_heard_by
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS, Command, RecordAis
from shared.contracts.references import FRANCE_TRAVAIL
from shared.messaging.inbox import Inbox
from shared.messaging.records import Received
from tests.fuzz.effort import Found
from tests.fuzz.mutations import mutated, varied
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE
from tests.support.poison import COMMANDS as COMMAND_POISON
from tests.support.poison import EVENTS as EVENT_POISON
from tests.support.wire_examples import FICHE, SESSION

GOLDEN: Final = Path(__file__).parent.parent / "contracts" / "golden"
_COMMANDS: Final[tuple[type[Command], ...]] = (*OPCO_COMMANDS, *ENTRY_COMMANDS)
_NAMES: Final = ("ce_id", "ce_type", "ce_sequence", "ce_specversion", "ce_time", "traceparent", "content-type", "")
_LISTED: Final = ("fr.poec.avis.given.v1", "fr.poec.fiche.validated.v1", "fr.poec.programmation.confirmed.v1")
"""What brings a fiche that was submitted into the catalogue."""
_ENTERED: Final = RecordAis.wire_type
"""What is possible there from then on."""
_ENTRIES: Final = ("7a9e3c1e-6a0f-4f0b-9a52-0d5a7f3c2b11", "c2f4b7d0-91e8-4f6e-8b57-3e1d2a6c9f22")
"""The AIS and the AES of the golden messages: one belongs to one session, so that each story has its own."""


def golden(wire_type: str) -> Mapping[str, Any]:
    """Return a golden message: topic, key, headers, value."""
    found: Mapping[str, Any] = json.loads((GOLDEN / f"{wire_type}.json").read_bytes())
    return found


@dataclass
class Storyteller:
    """Tells one service what it hears: for each fiche all that can be said of it, topic by topic, each record good or spoilt."""

    service: str
    chance: random.Random
    spoilt: float = 0.4
    offset: int = 0

    def story(self) -> Iterator[Received]:
        """Yield some of what this service hears of one new fiche; about `spoilt` of it is wrong in some way, a little comes twice.

        What begins a fiche comes first; half of them are brought into the catalogue, where an entry follows; a few others come in
        any order, so that some are possible there.
        """
        reference = f"FUZZ-{self._id().hex[:12]}"
        fiche = fiche_id(GOLDEN_OPCO, reference)
        new = {str(FICHE): str(fiche), str(SESSION): str(session_id(fiche, 1)), GOLDEN_REFERENCE: reference}
        new |= {entry: str(self._id()) for entry in _ENTRIES}
        said: Counter[tuple[str, str]] = Counter()
        heard = list(self._heard())
        listed = [one for one in heard[1:] if one[0] in (*_LISTED, _ENTERED)] if self.chance.random() < 0.5 else []
        later = self.chance.sample(heard[1:], min(len(heard) - 1, 5))
        for wire_type, topic in (heard[0], *listed, *(one for one in later if one not in listed)):
            text = json.dumps(golden(wire_type))
            for old, other in new.items():
                text = text.replace(old, other)
            message = json.loads(text)
            said[topic, message["key"]] += 1
            headers = {**message["headers"], "ce_id": str(self._id())}
            if "ce_sequence" in headers:
                headers["ce_sequence"] = str(said[topic, message["key"]])
            raw = tuple((name, value.encode()) for name, value in headers.items())
            self.offset += 1
            good = Received(topic, 0, self.offset, message["key"].encode(), raw, json.dumps(message["value"]).encode())
            first = (
                wire_type == heard[0][0] or wire_type in (*_LISTED, _ENTERED)
            )  # an object that nobody made would hide all the rest
            told = self.spoil(good) if self.chance.random() < self.spoilt * (0.3 if first else 1) else good
            yield told
            if self.spoilt and self.chance.random() < 0.05:
                self.offset += 1
                yield dataclasses.replace(told, offset=self.offset)

    def _id(self) -> UUID:
        """Return an id of this story alone, the same one whenever it is told by the same chance."""
        return UUID(int=self.chance.getrandbits(128), version=4)

    def _heard(self) -> Iterator[tuple[str, str]]:
        """Yield type and topic of what this service reads: what begins a fiche, then events in the order of the story, then commands."""
        heard = topics_heard_by(self.service)
        own = INGRESS_SERVICE.get(GOLDEN_OPCO) == self.service
        opco = [(command.wire_type, ingress_topic(GOLDEN_OPCO)) for command in OPCO_COMMANDS] if own else []
        yield from opco[:1]
        yield from ((name, event.topic) for name, event in EVENT_TYPES.items() if event.topic in heard)
        yield from opco[1:]
        if INGRESS_SERVICE.get(FRANCE_TRAVAIL) == self.service:
            yield from ((command.wire_type, ingress_topic(FRANCE_TRAVAIL)) for command in ENTRY_COMMANDS)

    def spoil(self, good: Received) -> Received:
        """Return a record with something wrong in its value, its headers or its key."""
        chance = self.chance
        what = chance.randrange(10)
        if what < 3:
            return dataclasses.replace(good, value=mutated(chance, good.value or b"", (good.key or b"",)))
        if what < 6:
            return dataclasses.replace(good, value=json.dumps(varied(chance, json.loads(good.value or b"{}"))).encode())
        if what == 6:
            return dataclasses.replace(good, key=chance.choice((None, b"", mutated(chance, good.key or b""))))
        if what == 7:
            poison = COMMAND_POISON if good.topic.startswith("poec.ingress.") else EVENT_POISON
            return chance.choice(tuple(poison.values()))(good)
        return dataclasses.replace(good, headers=tuple(self._headers(list(good.headers))))

    def _headers(self, headers: list[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
        chance = self.chance
        n = chance.randrange(len(headers))
        name, value = headers[n]
        what = chance.randrange(8)
        if what == 7:
            headers.append((mutated(chance, name.encode()).decode("utf-8", "replace"), value))
        elif what < 2:
            headers[n] = (name, mutated(chance, value or b""))
        elif what == 2:
            headers.insert(n, (name, mutated(chance, value or b"")))
        elif what == 3:
            del headers[n]
        elif what == 4:
            headers += [
                (chance.choice(_NAMES), chance.randbytes(chance.choice((0, 9, 600))))
                for _ in range(chance.choice((1, 40)))
            ]
        elif what == 5:
            other = chance.choice((*EVENT_TYPES, *(command.wire_type for command in _COMMANDS)))
            headers = [(k, other.encode() if k == "ce_type" else v) for k, v in headers]
        else:
            headers = [
                (k, str(chance.choice((0, 1, 2, 3, 9, 10**17))).encode() if k == "ce_sequence" else v)
                for k, v in headers
            ]
        return headers


async def heard(inbox: Inbox[Any], records: list[Received], chance: random.Random, found: Found) -> None:
    """Apply records in batches as a worker reads them, topic by topic; note each batch that did not get its outcomes.

    Entries come after the events of their batch: before them, most name a session that nobody knows yet.
    """
    while records:
        size = chance.choice((1, 5, 40, 200))
        batch, records = records[:size], records[size:]
        for topic in sorted(dict.fromkeys(record.topic for record in batch), key=ingress_topic(FRANCE_TRAVAIL).__eq__):
            some = [record for record in batch if record.topic == topic]
            try:
                await inbox.apply(topic, some)
            except Exception:  # whatever it is, the worker has to apply them one by one
                for one in some:
                    await _alone(inbox, one, found)


async def _alone(inbox: Inbox[Any], record: Received, found: Found) -> None:
    try:
        await inbox.apply(record.topic, [record])
    except Exception as failure:
        at = traceback.extract_tb(failure.__traceback__)[-1]
        found.wrong.append(
            f"{record.topic}: {type(failure).__name__} {Path(at.filename).name}:{at.lineno} at {described(record)}"
        )


def described(record: Received) -> str:
    """Return all that is needed to make the record again."""
    return f"key={record.key!r} headers={record.headers!r} value={record.value!r}"
