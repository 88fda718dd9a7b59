"""`shared/contracts/asyncapi.json` is what the flow table says, valid, and true of the golden messages."""

import copy
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.contracts.asyncapi import asyncapi
from shared.contracts.flow import HEARERS, TOPICS
from tests.support.documents import ROOT, is_committed, references, resolved

SHAPE: dict[str, Any] = json.loads((Path(__file__).parent / "asyncapi_shape.json").read_bytes())
GOLDEN = sorted((Path(__file__).parent / "golden").rglob("fr.*.json"))
DOCUMENT = asyncapi(version("poec"))
HOW = "run `make docs`"


def problems(document: dict[str, Any]) -> list[str]:
    """Return what is wrong with the form of a document, and the references that lead nowhere."""
    found = [error.message for error in jsonschema.Draft202012Validator(SHAPE).iter_errors(document)]
    for reference in references(document):
        try:
            resolved(document, reference)
        except (KeyError, TypeError):
            found.append(f"{reference} leads nowhere")
    return found


def test_the_committed_document_is_the_generated_one() -> None:
    text = json.dumps(DOCUMENT, ensure_ascii=False, indent=2) + "\n"
    assert is_committed(ROOT / "shared/contracts/asyncapi.json", text), HOW


def test_the_document_has_the_form_of_asyncapi_3() -> None:
    assert problems(DOCUMENT) == []


PLANTED: dict[str, Callable[[dict[str, Any]], object]] = {
    "version": lambda d: d.update(asyncapi="2.6.0"),
    "no channels": lambda d: d.pop("channels"),
    "reference to nowhere": lambda d: d["channels"]["poec.submission.fiches"]["messages"].update(x={"$ref": "#/components/messages/x"}),
    "unknown action": lambda d: d["operations"]["opco.sends.poec.ingress.opco"].update(action="publish"),
    "no payload": lambda d: d["components"]["messages"]["fr.poec.avis.given.v1"].pop("payload"),
    "schema gone": lambda d: d["components"]["schemas"].pop("AvisGiven"),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_a_document_that_is_wrong_is_found_out(plant: Callable[[dict[str, Any]], object]) -> None:
    document = copy.deepcopy(DOCUMENT)
    plant(document)
    assert problems(document)


def test_every_topic_stands_in_the_document() -> None:
    addresses = set()
    for channel in DOCUMENT["channels"].values():
        slugs = channel.get("parameters", {}).get("opco", {}).get("enum", [""])
        addresses |= {channel["address"].replace("{opco}", slug) for slug in slugs}
    assert addresses == {topic.name for topic in TOPICS}


def test_every_event_is_sent_once_and_received_by_each_of_its_hearers() -> None:
    said: dict[tuple[str, str], list[str]] = {}
    for operation in DOCUMENT["operations"].values():
        for message in operation["messages"]:
            wire_type = message["$ref"].rsplit("/", maxsplit=1)[-1]
            said.setdefault((operation["action"], wire_type), []).append(operation["tags"][0]["name"])
    for event, hearers in HEARERS.items():
        assert said["send", event.wire_type] == [event.topic.split(".")[1]]
        assert sorted(said["receive", event.wire_type]) == sorted(hearers)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_golden_messages_are_as_the_document_says(path: Path) -> None:
    golden = json.loads(path.read_bytes())
    message = DOCUMENT["components"]["messages"][golden["headers"]["ce_type"]]
    schema = {"components": DOCUMENT["components"], "$ref": message["payload"]["$ref"]}
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    checker.validate(golden["value"])
    jsonschema.Draft202012Validator(message["headers"]).validate(golden["headers"])
    wrong = {**golden["value"], next(iter(golden["value"]), "number"): {"not": "this"}}
    assert golden["value"] == {} or list(checker.iter_errors(wrong))
