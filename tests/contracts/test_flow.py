"""The flow table is whole: every event has a topic, an emitter and a hearer; every service hears what it is sent, and nothing else."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

import pytest

from shared.contracts import flow
from shared.contracts.campaigns import CAMPAIGN_EVENTS
from shared.contracts.events import Event
from shared.contracts.flow import (
    EVENT_TYPES,
    HEARERS,
    INGRESS_SERVICE,
    SERVICES,
    TOPICS,
    check_handlers,
    events_heard_by,
    ingress_topic,
    results_topic,
    topic_named,
    topics_heard_by,
)
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS
from shared.contracts.publication import PUBLICATION_EVENTS
from shared.contracts.references import FRANCE_TRAVAIL, OPCOS
from shared.contracts.submission import SUBMISSION_EVENTS, FicheSubmitted
from shared.contracts.validation import VALIDATION_EVENTS
from tests.support.documents import ROOT
from tests.support.ears import ears, present

EMITTED: dict[str, tuple[type[Event], ...]] = {
    "submission": (*SUBMISSION_EVENTS, *CAMPAIGN_EVENTS),
    "validation": VALIDATION_EVENTS,
    "publication": PUBLICATION_EVENTS,
    "analytics": (),
}


def test_the_table_has_every_event_that_a_service_emits_and_no_other() -> None:
    assert set(HEARERS) == {event for events in EMITTED.values() for event in events}


def unnamed(readme: str, events: Iterable[type[Event]]) -> set[str]:
    """Return the events that the README of a service does not name where it says what it emits, and what it names there beside them."""
    parts = re.split(r"\n(?=## |\*\*|\| )", readme)  # a section, a paragraph or a row begins with the word
    said = [part for part in parts if re.match(r"(## |\*\*|\| )emits\b", part, re.IGNORECASE)]
    return {event.__name__ for event in events} ^ set(re.findall(r"`([A-Z][A-Za-z]+)`", "".join(said)))


@pytest.mark.parametrize("service", EMITTED)
def test_the_readme_of_a_service_names_every_event_that_it_emits_and_no_other(service: str) -> None:
    assert unnamed((ROOT / "services" / service / "README.md").read_text("utf-8"), EMITTED[service]) == set()


def test_an_event_that_a_readme_leaves_out_or_makes_up_is_found() -> None:
    assert unnamed("| hears | `FicheSubmitted` |\n| emits | `FicheForgotten` |\n", [FicheSubmitted]) == {"FicheSubmitted", "FicheForgotten"}


def test_every_event_is_heard_by_somebody() -> None:
    assert [event.__name__ for event, hearers in HEARERS.items() if not hearers] == []


@pytest.mark.parametrize("event", HEARERS, ids=lambda event: event.__name__)
def test_an_event_has_its_place(event: type[Event]) -> None:
    topic = topic_named(event.topic)
    assert event in EMITTED[topic.writer]
    assert event.key_field in event.model_fields
    assert re.fullmatch(r"fr\.poec\.[a-z]+\.[a-z]+\.v[1-9]\d*", event.wire_type)
    assert set(HEARERS[event]) <= set(topic.readers)


def test_two_types_never_share_a_name_on_the_wire() -> None:
    names = [*(event.wire_type for event in HEARERS), *(command.wire_type for command in (*OPCO_COMMANDS, *ENTRY_COMMANDS))]
    assert len(names) == len(set(names))
    assert len(EVENT_TYPES) == len(HEARERS)


def test_a_topic_has_one_row_and_one_writer() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))
    assert {topic.name.split(".")[1] for topic in TOPICS if topic.writer in SERVICES} == set(SERVICES)


def test_nothing_is_read_by_nobody_and_nothing_is_subscribed_to_in_vain() -> None:
    for topic in TOPICS:
        assert topic.readers, topic.name
        said = [event for event in HEARERS if event.topic == topic.name]
        for reader in topic.readers if said else ():
            assert any(reader in HEARERS[event] for event in said), f"{reader} reads {topic.name} for nothing"


def test_business_topics_are_kept_for_ever() -> None:
    for topic in {topic_named(event.topic) for event in HEARERS}:
        assert topic.retention_ms == flow.FOR_EVER or topic.compacted


def test_every_partner_has_a_way_in_and_a_way_out() -> None:
    assert set(INGRESS_SERVICE) == {*OPCOS, FRANCE_TRAVAIL}
    for organisation, service in INGRESS_SERVICE.items():
        assert topic_named(ingress_topic(organisation)).writer == organisation
        assert topic_named(ingress_topic(organisation)).readers == (service,)
        assert topic_named(results_topic(service, organisation)).readers == (organisation,)
        assert ingress_topic(organisation) in topics_heard_by(service)


@pytest.mark.parametrize("service", present())
def test_a_service_hears_what_the_table_sends_it(service: str) -> None:
    ears()[service].check()
    assert set(ears()[service].handlers) == set(events_heard_by(service))
    wanted = {command for organisation, reader in INGRESS_SERVICE.items() if reader == service for command in _commands(organisation)}
    assert set(ears()[service].commands) == wanted


def _commands(organisation: str) -> tuple[type[Any], ...]:
    return ENTRY_COMMANDS if organisation == FRANCE_TRAVAIL else OPCO_COMMANDS


def test_all_four_services_are_looked_at() -> None:
    assert set(present()) == set(SERVICES)


class _Unknown(Event):
    wire_type = "fr.poec.planted.said.v1"
    topic = "poec.submission.fiches"


def test_a_handler_that_is_missing_is_named() -> None:
    handled = events_heard_by("validation") - {FicheSubmitted}
    assert check_handlers("validation", handled) == ["validation has no handler for FicheSubmitted"]


def test_a_handler_of_nothing_is_named() -> None:
    handled: set[type[Event]] = {*events_heard_by("validation"), _Unknown}
    assert check_handlers("validation", handled) == ["validation handles _Unknown, which the flow table does not send to it"]


def test_an_event_that_nobody_hears_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    table: dict[type[Event], tuple[str, ...]] = {**HEARERS, _Unknown: ()}
    monkeypatch.setattr(flow, "HEARERS", table)
    assert check_handlers("validation", events_heard_by("validation")) == ["_Unknown is heard by nobody"]


def test_a_service_does_not_start_on_such_a_table() -> None:
    ear = ears()["validation"]
    deaf = dataclasses.replace(ear, handlers={e: h for e, h in ear.handlers.items() if e is not FicheSubmitted})
    with pytest.raises(RuntimeError, match="no handler for FicheSubmitted"):
        deaf.check()
