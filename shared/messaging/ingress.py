"""What partners' systems write to their ingress topics: each record becomes a command of that organisation, and gets one answer.

A record a rule refuses is no failure: it is answered with all objections, parks nothing, and the corrected one passes.
One that cannot be read is answered too, by its place in the log, and kept as a dead letter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

from shared.contracts.fiche import POEC_NAMESPACE
from shared.contracts.flow import results_topic
from shared.contracts.ingress import Command, CommandAnswered, ObjectionOut, Outcome
from shared.contracts.text import CODE
from shared.database import UnitOfWork
from shared.errors import (
    Impossible,
    InvalidInput,
    Malformed,
    NotYet,
    Objection,
    Refused,
    WarningsUnanswered,
)
from shared.logs import log
from shared.messaging.hearing import Done, Hearing
from shared.messaging.known import Known, read_known
from shared.messaging.ledger import Ledger, letter_id
from shared.messaging.records import HeaderMissing, Outgoing, Received, cloud_headers
from shared.parsing import parse_json
from shared.personal_data import objections_to
from shared.trace import follow

W = TypeVar("W")
_PREFIX: Final = "poec.ingress."
_LOG = log("ingress")


def is_ingress(topic: str) -> bool:
    """Return whether a topic is an organisation's own way in."""
    return topic.startswith(_PREFIX)


@dataclass(frozen=True)
class _Asked:
    """A record on its way: what could be read of it, the command or the reason why there is none."""

    record: Received
    key: str | None
    command_id: str | None
    command: Command | None
    refusal: Refused | Impossible | None

    @property
    def place_mark(self) -> str:
        """Return the inbox id of a refused record: its place, so that the corrected one may carry the same `ce_id`."""
        return f"{self.command_id}@{self.record.partition}/{self.record.offset}"


async def take_commands(
    unit: UnitOfWork,
    hearing: Hearing[Any],
    topic: str,
    records: Sequence[Received],
    ledger: Ledger,
    replaying: UUID | None,
) -> set[UUID]:
    """Give every ingress record its outcome and its answer; return the ids of the aggregates that were opened."""
    types = {command.wire_type: command for command in hearing.commands}
    asked = [_read(record, types) for record in records]
    marks = [mark for a in asked if a.command_id for mark in (a.command_id, a.place_mark)]
    known = await read_known(unit, topic, marks, [], records, replaying)
    ids = {i for a in asked if a.command and a.key for i in hearing.command_ids(unit.principal, a.key, a.command)}
    working = await hearing.open(unit, sorted(ids))
    desk = _Desk(unit, hearing, topic, known, ledger, working, replaying)
    for one in asked:
        desk.take(one)
    hearing.write(working, unit)
    return ids


def _read(record: Received, types: Mapping[str, type[Command]]) -> _Asked:
    key = command_id = None
    try:
        named = record.text_key
        if personal := tuple(objections_to(named, "reference", CODE)):
            raise InvalidInput(*personal)  # such a key is answered by the record's place, and not repeated
        key = named
        command_id = _command_id(record)
        command_type = types.get(record.needed("ce_type"))
        if command_type is None:
            raise Impossible("TYPE_UNKNOWN", "a command or version that this service does not know")
        if record.value is None:
            raise Impossible("VALUE_EMPTY", "a tombstone where a command is due")
        return _Asked(record, key, command_id, parse_json(record.value, command_type), None)
    except (Impossible, Refused) as reason:
        return _Asked(record, key, command_id, None, reason)


def _command_id(record: Received) -> str:
    """Return the sender's own id of the record; one that is an e-mail address would be repeated in answers and marks."""
    command_id = record.needed("ce_id")
    if "@" in command_id and (personal := tuple(objections_to(command_id, "ce_id", CODE))):
        raise InvalidInput(*personal)
    return command_id


class _Desk:
    """Answers the commands of one batch in their order."""

    def __init__(
        self,
        unit: UnitOfWork,
        hearing: Hearing[Any],
        topic: str,
        known: Known,
        ledger: Ledger,
        working: Any,
        replaying: UUID | None,
    ) -> None:
        self._unit, self._hearing, self._topic, self._known = unit, hearing, topic, known
        self._ledger, self._working, self._replaying = ledger, working, replaying

    def take(self, asked: _Asked) -> None:
        """Give one record its outcome and its answer."""
        place = (asked.record.partition, asked.record.offset)
        if self._known.is_dead(asked.record) or (asked.command_id and asked.place_mark in self._known.seen):
            self._ledger.duplicate(asked.record)
        elif asked.command_id in self._known.seen:
            self._ledger.duplicate(asked.record)
            if self._known.seen[asked.command_id] != place:
                self._answer(asked, "duplicate")
        else:
            self._do(asked)

    def _do(self, asked: _Asked) -> None:
        follow(_traceparent(asked.record))
        try:
            if asked.refusal is not None:
                raise asked.refusal
            assert asked.command is not None and asked.key is not None, "a record without refusal has both"
            handler = self._hearing.commands[type(asked.command)]
            done = handler(self._working, self._unit.principal, asked.key, asked.command, self._unit.now)
        except Malformed as refused:
            self._lost(asked, "unreadable", refused.objections[0].code, "the value cannot be read", refused.objections)
        except Refused as refused:
            self._refuse(asked, refused)
        except NotYet as early:
            self._lost(asked, "kept", early.code, early.detail, (Objection(early.code, _KEPT),))
        except Impossible as reason:
            self._lost(asked, "unreadable", reason.code, reason.detail, (_unreadable(reason),))
        except Exception as defect:  # a defect must not stop the topic: the record is kept, and replayed once mended
            _LOG.exception("command_defect", event_id=asked.command_id)
            self._lost(asked, "kept", "DEFECT", type(defect).__name__, (Objection("DEFECT", _KEPT),))
        else:
            self._accept(asked, done)

    def _accept(self, asked: _Asked, done: Done) -> None:
        assert asked.command_id is not None and asked.key is not None, "an accepted record has both"
        self._known.seen[asked.command_id] = (asked.record.partition, asked.record.offset)
        self._ledger.mark(asked.record, asked.command_id, asked.key, None, "applied")
        self._answer(asked, "accepted", done=done, warnings=done.warnings)

    def _refuse(self, asked: _Asked, refused: Refused) -> None:
        outcome: Outcome = "warned" if isinstance(refused, WarningsUnanswered) else "refused"
        mark = asked.place_mark if asked.command_id else f"@{asked.record.partition}/{asked.record.offset}"
        self._ledger.mark(asked.record, mark, asked.key or "", None, "answered")
        self._answer(asked, outcome, objections=refused.objections, warnings=refused.warnings)

    def _lost(self, asked: _Asked, outcome: Outcome, code: str, detail: str, objections: Sequence[Objection]) -> None:
        self._ledger.die(asked.record, asked.command_id, code, detail, parks=False)
        if self._replaying is None:
            self._answer(asked, outcome, objections=objections)

    def _answer(
        self,
        asked: _Asked,
        outcome: Outcome,
        *,
        done: Done | None = None,
        objections: Sequence[Objection] = (),
        warnings: Sequence[Objection] = (),
    ) -> None:
        record, done = asked.record, done or Done()
        answer = CommandAnswered(
            reference=asked.key,
            command=type(asked.command).wire_type if asked.command else None,
            command_id=asked.command_id,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            outcome=outcome,
            fiche_id=done.fiche_id,
            revision=done.revision,
            status=done.status,
            objections=tuple(map(shown, objections)),
            warnings=tuple(map(shown, warnings)),
            rows=done.rows,
        )
        self._unit.send(self._record(asked, answer))

    def _record(self, asked: _Asked, answer: CommandAnswered) -> Outgoing:
        turn = "replayed" if self._replaying else "first"
        return _answer_record(self._hearing.service, asked.record, asked.key, answer, turn, self._unit.now)


def _answer_record(
    service: str, record: Received, key: str | None, answer: CommandAnswered, turn: str, at: datetime
) -> Outgoing:
    name = f"answer/{record.topic}/{record.partition}/{record.offset}/{letter_id(record)}/{turn}"
    identifier = uuid5(POEC_NAMESPACE, name)
    subject = key or f"{record.topic}/{record.partition}/{record.offset}"
    headers = cloud_headers(identifier, CommandAnswered.wire_type, service, subject, at, None)
    topic = results_topic(service, record.topic.removeprefix(_PREFIX))
    return Outgoing(identifier, topic, subject, headers, answer.model_dump_json())


def defect_answer(service: str, record: Received, at: datetime) -> Outgoing:
    """Return the answer to a record that made its transaction fail: nothing to correct, it is kept."""
    asked = _read(record, {})
    answer = CommandAnswered(
        reference=asked.key,
        command=None,
        command_id=asked.command_id,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        outcome="kept",
        objections=(shown(Objection("DEFECT", _KEPT)),),
    )
    return _answer_record(service, record, asked.key, answer, "first", at)


_KEPT: Final = "Rien n’est à corriger\u202f: la demande est gardée et sera rejouée par l’exploitation dès que possible."
_UNREADABLE: Final = (
    "L’enregistrement est illisible\u202f: vérifiez ses en-têtes, son type et son contenu, puis renvoyez-le."
)
_LISTED: Final = "asyncapi.json liste les types de commande"


def _unreadable(reason: Impossible) -> Objection:
    """Return why a record cannot be read, with the header that is to be mended where it is one of ours."""
    if isinstance(reason, HeaderMissing):
        text = f"L’en-tête {reason.name} manque ou est vide\u202f: renseignez-le, puis renvoyez l’enregistrement\u202f;"
        return Objection(reason.code, f"{text} {_LISTED}, leurs en-têtes et leurs contenus.", field=reason.name)
    if reason.code == "TYPE_UNKNOWN":
        text = "L’en-tête ce_type nomme une commande ou une version que ce service ne connaît pas\u202f: corrigez-le\u202f;"
        return Objection(reason.code, f"{text} {_LISTED} de chaque topic.", field="ce_type")
    return Objection(reason.code, _UNREADABLE)


def _traceparent(record: Received) -> str | None:
    try:
        return record.header("traceparent")
    except Impossible:
        return None


def shown(objection: Objection) -> ObjectionOut:
    """Return an objection as it is answered."""
    return ObjectionOut(code=objection.code, field=objection.field, message=objection.message, source=objection.source)
