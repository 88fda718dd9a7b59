"""The golden messages: one file per type, as the emitter writes it and as every reader must be able to read it.

`UPDATE_GOLDEN=1 pytest tests/contracts` writes them again. A change here that is not an addition is a change that a reader may misread:
it needs a new version of the type.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.anchors import TrailAnchored
from shared.contracts.events import Event
from shared.contracts.flow import (
    EVENT_TYPES,
    HEARERS,
    INGRESS_SERVICE,
    SERVICES,
    dead_letters_topic,
    ingress_topic,
    results_topic,
)
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS, Command, CommandAnswered
from shared.contracts.letters import DeadLetterAnnounced
from shared.contracts.references import FRANCE_TRAVAIL
from shared.errors import Impossible, InvalidInput
from shared.messaging.anchors import outgoing_anchor
from shared.messaging.records import Outgoing, Received, cloud_headers, decode_event, outgoing_event
from shared.parsing import parse_json
from tests.support.ears import ears
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE
from tests.support.wire_examples import ANCHOR, ANSWER, AT, COMMANDS, EVENTS, LETTER, TRACE, key_of

GOLDEN = Path(__file__).parent / "golden"
COMMAND_TYPES = {command.wire_type: command for command in (*OPCO_COMMANDS, *ENTRY_COMMANDS)}
_CE_ID = "3f0c2f0e-5f5a-4bb7-9d0a-6a1c7d1b9a77"


def _emitter(topic: str) -> str:
    return topic.split(".")[1]


def _event_record(event: Event) -> Outgoing:
    return outgoing_event(event, 3, _emitter(event.topic), AT, TRACE)


def _command_record(command: Command) -> Outgoing:
    organisation = FRANCE_TRAVAIL if isinstance(command, ENTRY_COMMANDS) else GOLDEN_OPCO
    headers = {"ce_type": command.wire_type, "ce_id": "opco-2i/2018/000117", "traceparent": TRACE}
    return Outgoing(UUID(_CE_ID), ingress_topic(organisation), key_of(command), headers, command.model_dump_json())


def _answer_record() -> Outgoing:
    headers = cloud_headers(UUID(_CE_ID), ANSWER.wire_type, "submission", GOLDEN_REFERENCE, AT, None, TRACE)
    return Outgoing(UUID(_CE_ID), results_topic("submission", GOLDEN_OPCO), GOLDEN_REFERENCE, headers, ANSWER.model_dump_json())


def _letter_record() -> Outgoing:
    headers = cloud_headers(LETTER.id, LETTER.wire_type, "validation", str(LETTER.id), AT, None, TRACE)
    return Outgoing(LETTER.id, dead_letters_topic("validation"), str(LETTER.id), headers, LETTER.model_dump_json())


def _anchor_record() -> Outgoing:
    return outgoing_anchor(ANCHOR, TRACE)


RECORDS: dict[str, Outgoing] = {
    **{event.wire_type: _event_record(event) for event in EVENTS},
    **{command.wire_type: _command_record(command) for command in COMMANDS},
    ANSWER.wire_type: _answer_record(),
    LETTER.wire_type: _letter_record(),
    ANCHOR.wire_type: _anchor_record(),
}


def _as_file(record: Outgoing) -> str:
    shown = {
        "topic": record.topic,
        "key": record.key,
        "headers": dict(record.headers),
        "value": json.loads(record.value or "null"),
    }
    return json.dumps(shown, ensure_ascii=False, indent=2) + "\n"


def _golden(wire_type: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{wire_type}.json").read_bytes())
    return found


def _received(golden: Mapping[str, Any]) -> Received:
    headers = tuple((name, text.encode()) for name, text in golden["headers"].items())
    return Received(golden["topic"], 0, 17, golden["key"].encode(), headers, json.dumps(golden["value"]).encode())


def test_every_type_has_an_example() -> None:
    assert {type(event) for event in EVENTS} == set(HEARERS)
    assert {type(command) for command in COMMANDS} == set(COMMAND_TYPES.values())


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("fr.*.json")} == set(RECORDS)


@pytest.mark.parametrize("wire_type", RECORDS)
def test_emitters_write_the_golden_message(wire_type: str) -> None:
    text, path = _as_file(RECORDS[wire_type]), GOLDEN / f"{wire_type}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.wire_type)
def test_every_reader_reads_the_golden_event(event: Event) -> None:
    heard = decode_event(_received(_golden(event.wire_type)), EVENT_TYPES)
    assert heard.event == event
    assert (heard.key, heard.sequence, heard.traceparent) == (event.key, 3, TRACE)
    for service in set(HEARERS[type(event)]) & set(SERVICES):
        ear = ears()[service]
        assert type(event) in ear.handlers
        assert all(isinstance(identifier, UUID) for identifier in ear.event_ids(heard.event))


@pytest.mark.parametrize("wire_type", COMMAND_TYPES)
def test_the_reader_of_a_command_reads_the_golden_one(wire_type: str) -> None:
    golden = _golden(wire_type)
    organisation = golden["topic"].removeprefix("poec.ingress.")
    assert COMMAND_TYPES[wire_type] in ears()[INGRESS_SERVICE[organisation]].commands
    raw = _received(golden).value
    assert raw is not None
    read = parse_json(raw, COMMAND_TYPES[wire_type])
    assert read == next(command for command in COMMANDS if command.wire_type == wire_type)


def test_a_partner_reads_the_golden_answer() -> None:
    assert CommandAnswered.model_validate(_golden(CommandAnswered.wire_type)["value"]) == ANSWER


def test_whoever_checks_the_trail_reads_the_golden_anchor() -> None:
    assert TrailAnchored.model_validate(_golden(ANCHOR.wire_type)["value"]) == ANCHOR


def test_operations_read_the_golden_dead_letter() -> None:
    assert DeadLetterAnnounced.model_validate(_golden(LETTER.wire_type)["value"]) == LETTER


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.wire_type)
def test_an_event_with_a_field_of_tomorrow_is_read_as_if_it_were_not_there(event: Event) -> None:
    golden = _golden(event.wire_type)
    heard = decode_event(_received({**golden, "value": {**golden["value"], "field_of_tomorrow": {"deep": [1]}}}), EVENT_TYPES)
    assert heard.event == event


@pytest.mark.parametrize("wire_type", COMMAND_TYPES)
def test_a_command_with_a_field_that_nobody_knows_is_refused(wire_type: str) -> None:
    value = {**_golden(wire_type)["value"], "field_of_tomorrow": 1}
    with pytest.raises(InvalidInput) as refused:
        parse_json(json.dumps(value).encode(), COMMAND_TYPES[wire_type])
    assert [objection.code for objection in refused.value.objections] == ["FORM_EXTRA_FORBIDDEN"]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.wire_type)
def test_a_version_that_a_reader_does_not_know_is_a_dead_letter(event: Event) -> None:
    golden = _golden(event.wire_type)
    tomorrow = event.wire_type.removesuffix("v1") + "v2"
    with pytest.raises(Impossible) as reason:
        decode_event(_received({**golden, "headers": {**golden["headers"], "ce_type": tomorrow}}), EVENT_TYPES)
    assert reason.value.code == "TYPE_UNKNOWN"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.wire_type)
def test_no_field_of_an_event_can_be_left_out_unnoticed(event: Event) -> None:
    """A field with a default may be absent; any other one must be missed: an emitter that forgets it is found at once."""
    golden = _golden(event.wire_type)
    for name, field in type(event).model_fields.items():
        less = {key: value for key, value in golden["value"].items() if key != name}
        record = _received({**golden, "value": less})
        if field.is_required():
            with pytest.raises(Impossible):
                decode_event(record, EVENT_TYPES)
        else:
            decode_event(record, EVENT_TYPES)


def test_a_golden_message_that_was_changed_is_noticed() -> None:
    record = RECORDS["fr.poec.fiche.withdrawn.v1"]
    changed = dataclasses.replace(record, value=(record.value or "").replace("BESOIN_DISPARU", "AUTRE"))
    assert _as_file(changed) != (GOLDEN / "fr.poec.fiche.withdrawn.v1.json").read_text("utf-8")
