"""The content of a fiche grows by optional fields: what was written before is read, and readers of before read what is written now."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.fiche import FicheContent, OutsideCampaign
from shared.contracts.flow import EVENT_TYPES
from shared.contracts.references import OutsideMotive
from shared.contracts.submission import FicheSubmitted
from shared.messaging.records import Outgoing, Received, decode_event, outgoing_event
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, GOLDEN_WARNINGS, golden_json, whole_content, whole_json
from tests.support.wire_examples import AT, EVENTS, FICHE, TRACE

GOLDEN = Path(__file__).parent / "golden"
BEFORE = sorted((GOLDEN / "before").glob("*.json"))
WHOLE = GOLDEN / "whole" / "fr.poec.fiche.submitted.v1.json"
LATER = {
    "": {"modalities", "shortage", "trainer", "tender"},
    "derogation": {"valid_from", "valid_until"},
    "provider": {"qualiopi_until", "cfa"},
    "sourcing": {"partner_ids", "pilots"},
    "money": {"other_costs"},
}
"""What the content gained since the messages in `before` were written, by the object that holds it."""


def _filed_whole() -> FicheSubmitted:
    return FicheSubmitted(
        fiche_id=FICHE,
        opco=GOLDEN_OPCO,
        revision=1,
        reference=GOLDEN_REFERENCE,
        content=whole_content(),
        acknowledged=GOLDEN_WARNINGS,
        outside_campaign=OutsideCampaign(motive=OutsideMotive.MARCHE_PUBLIC, reason="Marché attribué en juin."),
    )


def _received(golden: dict[str, Any]) -> Received:
    headers = tuple((name, text.encode()) for name, text in golden["headers"].items())
    return Received(golden["topic"], 0, 17, golden["key"].encode(), headers, json.dumps(golden["value"]).encode())


def _as_file(record: Outgoing) -> str:
    value = json.loads(record.value or "null")
    shown = {"topic": record.topic, "key": record.key, "headers": dict(record.headers), "value": value}
    return json.dumps(shown, ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize("path", BEFORE, ids=lambda path: path.stem)
def test_what_was_written_before_the_content_grew_reads_as_the_golden_message_of_today(path: Path) -> None:
    heard = decode_event(_received(json.loads(path.read_bytes())), EVENT_TYPES)
    assert heard.event == next(event for event in EVENTS if event.wire_type == path.stem)


def test_the_messages_of_before_have_nothing_of_what_came_later() -> None:
    content = json.loads((GOLDEN / "before" / WHOLE.name).read_bytes())["value"]["content"]
    for place, names in LATER.items():
        inner = (content[place] if place else content) or {}
        assert not names & set(inner)
    assert content == golden_json()


def test_a_filing_with_every_field_is_written_and_read_as_its_golden_message() -> None:
    text = _as_file(outgoing_event(_filed_whole(), 3, "submission", AT, TRACE))
    if os.environ.get("UPDATE_GOLDEN"):
        WHOLE.parent.mkdir(exist_ok=True)
        WHOLE.write_text(text, "utf-8")
    assert WHOLE.read_text("utf-8") == text
    assert decode_event(_received(json.loads(text)), EVENT_TYPES).event == _filed_whole()


def test_the_whole_content_fills_every_field_in() -> None:
    assert FicheContent.model_validate(whole_json()) == whole_content()
    assert _unfilled(whole_json()) == []
    assert _unfilled({**whole_json(), "tender": None}) == ["tender"]


def _unfilled(content: dict[str, Any]) -> list[str]:
    """Return the members that a content leaves at nothing, the one that goes with another choice apart."""
    dumped = FicheContent.model_validate(content).model_dump(mode="json")
    inner = {f"{name}.": value for name, value in dumped.items() if isinstance(value, dict)}
    named = {(prefix + name): value for prefix, each in {"": dumped, **inner}.items() for name, value in each.items()}
    return sorted(name for name, value in named.items() if value in (None, [], "") and name not in _ELSEWHERE)


_ELSEWHERE = {"certification.rs", "follow_up.contract_starts_on"}
"""Fields that a fiche leaves empty where it says something else: another certification, a direct hire."""


def test_whoever_reads_as_before_reads_past_what_a_content_gained_at_any_depth() -> None:
    """Readers of before know a part of what is written: unknown members, wherever they stand, change nothing of the rest."""
    golden = json.loads((GOLDEN / "fr.poec.fiche.submitted.v1.json").read_bytes())
    grown = {**golden, "value": _grown(golden["value"])}
    assert json.dumps(grown).count("field_of_tomorrow") > 10
    assert decode_event(_received(grown), EVENT_TYPES).event == decode_event(_received(golden), EVENT_TYPES).event


def _grown(value: Any) -> Any:
    """Return the value with one more member in every object of it."""
    if isinstance(value, dict):
        return {**{name: _grown(inner) for name, inner in value.items()}, "field_of_tomorrow": [{"deep": 1}]}
    return [_grown(inner) for inner in value] if isinstance(value, list) else value
