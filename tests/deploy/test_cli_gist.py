"""One French line per event: every event of the topics has one, and the dead letters."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.gist import KINDS, Gist
from deploy.cli.tail import TOLD
from shared.contracts.flow import CATALOGUE, EVENT_TYPES

GOLDEN = Path(__file__).parent.parent / "contracts" / "golden"


def test_every_event_but_the_catalogues_is_told() -> None:
    told = {name for name, event in EVENT_TYPES.items() if event.topic != CATALOGUE}
    assert set(KINDS) == {*told, "fr.poec.dead-letter.v1"}


def test_the_topics_told_are_the_business_topics_and_the_dead_letters() -> None:
    assert {topic.name for topic in TOLD if "dead" not in topic.name} == {
        event.topic for event in EVENT_TYPES.values() if event.topic != CATALOGUE
    }


@pytest.mark.parametrize("wire_type", sorted(KINDS))
def test_an_event_of_which_nothing_is_known_still_has_a_line(wire_type: str) -> None:
    kind, _, text = Gist().tell(wire_type, {})
    assert kind.word
    assert isinstance(text, str)


def test_a_fiche_is_called_by_its_opcos_reference_once_it_was_seen() -> None:
    gist = Gist()
    assert gist.tell("fr.poec.avis.given.v1", {"fiche_id": "0123456789"})[1] == "01234567"
    submitted = {"fiche_id": "0123456789", "reference": "2I-2018-042", "opco": "opco-2i"}
    submitted["content"] = json.loads((GOLDEN / "fiche_content.json").read_text("utf-8"))
    kind, name, text = gist.tell("fr.poec.fiche.submitted.v1", submitted)
    assert (kind.word, name) == ("fiche déposée", "2I-2018-042")
    assert "OPCO 2i" in text
    assert "399 h" in text
    assert gist.tell("fr.poec.avis.given.v1", {"fiche_id": "0123456789", "avis": "CONCURRENT"})[1:] == (
        "2I-2018-042",
        "concurrent",
    )


def golden(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))["value"]
    return value


def test_what_is_announced_and_what_became_of_a_group_is_told_in_figures() -> None:
    gist = Gist()
    kind, name, text = gist.tell("fr.poec.fiche.preprogrammed.v1", golden("fr.poec.fiche.preprogrammed.v1"))
    assert (kind.word, name) == ("intention annoncée", "2I-2018-042")
    assert text == "OPCO 2i · POEC - Peintre industriel · 12 places · début du 01/04/2018 au 30/06/2018"
    _, name, text = gist.tell("fr.poec.placements.returned.v1", golden("fr.poec.placements.returned.v1"))
    assert (name, text) == ("2I-2018-042", "session 1 · à la fin de la session · 7 en emploi sur 10")
