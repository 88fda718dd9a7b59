"""The AsyncAPI 3 document of everything that goes over Kafka, made from the flow table and the contracts.

It is committed as `asyncapi.json` beside this file; a test compares the two.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts.anchors import TrailAnchored
from shared.contracts.flow import HEARERS, SERVICES, TOPICS, Topic, anchors_topic, dead_letters_topic
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS, CommandAnswered
from shared.contracts.letters import DeadLetterAnnounced
from shared.contracts.references import OPCOS

Document = dict[str, Any]
_SCHEMAS: Final = "#/components/schemas/"
_INGRESS: Final = "poec.ingress."
_RESULTS: Final = ".results."


def asyncapi(version: str) -> Document:
    """Return the whole document for a version of the product: channels, who sends and who receives on each, messages, schemas."""
    families = _families()
    channels = {name: _channel(topics, types) for name, (topics, types) in families.items()}
    spoken = {model.wire_type: model for _, types in families.values() for model in types}
    return {
        "asyncapi": "3.0.0",
        "info": _info(version),
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": _operations(families),
        "components": {
            "messages": {wire_type: _message(model) for wire_type, model in sorted(spoken.items())},
            "schemas": _schemas(spoken.values()),
        },
    }


def _info(version: str) -> Document:
    return {
        "title": "POEC",
        "version": version,
        "description": (
            "What the four services and their partners' systems say to each other over Apache Kafka. "
            "CloudEvents 1.0 in Kafka's binary mode: the headers say what it is, the value is JSON, the key is the identifier of the noun. "
            "Readers of events ignore fields that they do not know; commands with such a field are refused."
        ),
        "license": {"name": "MIT"},
    }


Family = tuple[tuple[Topic, ...], tuple[Any, ...]]
"""Topics that differ by the organisation alone, and the types that they carry."""


def _families() -> dict[str, Family]:
    """Return channels by name: one per business topic, one for all OPCOs' ingress topics, one for their answers."""
    found: dict[str, Family] = {}
    for topic in TOPICS:
        name = _family_of(topic)
        topics, types = found.get(name, ((), _types_of(topic)))
        found[name] = ((*topics, topic), types)
    return found


def _family_of(topic: Topic) -> str:
    organisation = _organisation(topic)
    return topic.name.replace(organisation, "opco") if organisation in OPCOS else topic.name


def _organisation(topic: Topic) -> str:
    """Return whose topic it is, or an empty string for one that belongs to no partner."""
    is_partners = topic.name.startswith(_INGRESS) or _RESULTS in topic.name
    return topic.name.rsplit(".", maxsplit=1)[-1] if is_partners else ""


def _types_of(topic: Topic) -> tuple[Any, ...]:
    if topic.name.startswith(_INGRESS):
        return OPCO_COMMANDS if topic.writer in OPCOS else ENTRY_COMMANDS
    if _RESULTS in topic.name:
        return (CommandAnswered,)
    if topic.name in {dead_letters_topic(service) for service in SERVICES}:
        return (DeadLetterAnnounced,)
    if topic.name in {anchors_topic(service) for service in SERVICES}:
        return (TrailAnchored,)
    return tuple(event for event in HEARERS if event.topic == topic.name)


def _channel(topics: tuple[Topic, ...], types: Iterable[Any]) -> Document:
    first = topics[0]
    several = len(topics) > 1
    organisation = _organisation(first)
    address = first.name.replace(organisation, "{opco}") if several else first.name
    cleanup = ["compact"] if first.compacted else ["delete"]
    kafka = {
        "partitions": first.partitions,
        "topicConfiguration": {"cleanup.policy": cleanup, "retention.ms": first.retention_ms},
    }
    channel: Document = {
        "address": address,
        "messages": {model.wire_type: {"$ref": f"#/components/messages/{model.wire_type}"} for model in types},
        "bindings": {"kafka": kafka},
    }
    if first.compacted:
        channel["description"] = "Compacted: the last word of each key; a record without value takes the key out."
    if several:
        channel["parameters"] = {"opco": {"enum": list(OPCOS), "description": "The OPCO, by its slug."}}
    return channel


def _operations(families: Mapping[str, Family]) -> Document:
    """Return one operation per channel and party: `submission.sends.…`, `validation.receives.…`."""
    operations: Document = {}
    for name, (topics, types) in families.items():
        first = topics[0]
        party = "opco" if first.writer in OPCOS else first.writer
        operations[f"{party}.sends.{name}"] = _operation("send", name, party, types)
        for reader in first.readers:
            party = "opco" if reader in OPCOS else reader
            heard = [model for model in types if reader in HEARERS.get(model, (reader,))]
            operations[f"{party}.receives.{name}"] = _operation("receive", name, party, heard)
    return operations


def _operation(action: str, channel: str, party: str, types: Iterable[Any]) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{model.wire_type}"} for model in types],
        "tags": [{"name": party}],
    }


def _message(model: Any) -> Document:
    return {
        "name": model.wire_type,
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().split("\n", maxsplit=1)[0],
        "headers": _headers(model.wire_type),
        "payload": {"$ref": f"{_SCHEMAS}{model.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": _key(model)}}},
    }


def _key(model: Any) -> str:
    if model in OPCO_COMMANDS or model is CommandAnswered:
        return "The OPCO's own reference of the fiche (or, in an answer to a record without key, its place in the log)."
    if model is TrailAnchored:
        return "The name of the service."
    return f"{getattr(model, 'key_field', 'session_id' if model in ENTRY_COMMANDS else 'id')}, a UUID."


_TEXT: Final = {"type": "string"}


def _headers(wire_type: str) -> Document:
    """Return what the headers must be: partners' commands need a type and an id, services' words are whole CloudEvents."""
    said = {
        "ce_type": {"type": "string", "const": wire_type},
        "ce_id": {"type": "string", "minLength": 1, "maxLength": 1000},
        "traceparent": {
            "type": "string",
            "description": "W3C trace context, followed from the door to everything it causes.",
        },
    }
    if wire_type.startswith("fr.poec.command.") and wire_type != CommandAnswered.wire_type:
        return {"type": "object", "required": ["ce_type", "ce_id"], "properties": said}
    events = {TrailAnchored.wire_type, *(event.wire_type for event in HEARERS)}
    sequence = {"ce_sequence": {"type": "string", "pattern": "^[1-9][0-9]{0,16}$"}} if wire_type in events else {}
    whole = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        **said,
        "ce_source": {"type": "string", "enum": [f"/poec/{service}" for service in SERVICES]},
        "ce_subject": _TEXT,
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": "application/json"},
        **sequence,
    }
    return {"type": "object", "required": list(whole), "properties": whole}


def _schemas(models: Iterable[type[BaseModel]]) -> Document:
    wanted = sorted(models, key=lambda model: model.__name__)
    _, found = models_json_schema([(model, "validation") for model in wanted], ref_template=f"{_SCHEMAS}{{model}}")
    schemas: Document = found["$defs"]
    return dict(sorted(schemas.items()))
