"""Waiting for what must appear on the topics: past or to come, the nth, never twice the same, and not for what cannot come."""

import asyncio
import json

import pytest

from deploy.demo.watch import ANSWERED, LETTER, NothingCame, Watch
from shared.messaging.clients import KafkaAccess

OPENED = "fr.poec.dossier.opened.v1"


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr("deploy.demo.watch.new_reader", lambda *_: None)
    return Watch(KafkaAccess("127.0.0.1:1"))


def say(watch: Watch, wire_type: str, key: str, identifier: str, **value: object) -> None:
    watch.take({"ce_type": wire_type, "ce_id": identifier}, key, json.dumps(value).encode())


async def test_what_was_seen_before_is_found(watch: Watch) -> None:
    say(watch, OPENED, "f1", "e1")
    assert (await watch.until(OPENED, "f1")).id == "e1"


async def test_what_comes_later_wakes_who_waits(watch: Watch) -> None:
    waiting = asyncio.create_task(watch.until(OPENED, "f1"))
    await asyncio.sleep(0)
    say(watch, OPENED, "f2", "e0")
    say(watch, OPENED, "f1", "e1")
    assert (await waiting).id == "e1"


async def test_the_second_is_not_the_first_delivered_twice(watch: Watch) -> None:
    say(watch, OPENED, "f1", "e1")
    waiting = asyncio.create_task(watch.until(OPENED, "f1", nth=2))
    await asyncio.sleep(0)
    say(watch, OPENED, "f1", "e1")
    assert not waiting.done()
    say(watch, OPENED, "f1", "e2")
    assert (await waiting).id == "e2"


async def test_only_what_passes_the_test_counts(watch: Watch) -> None:
    waiting = asyncio.create_task(watch.until(OPENED, "f1", lambda seen: seen.value["reference"] == "new"))
    await asyncio.sleep(0)
    say(watch, OPENED, "f1", "e1", reference="old")
    say(watch, OPENED, "f1", "e2", reference="new")
    assert (await waiting).id == "e2"


async def test_an_answer_is_found_by_the_place_of_its_record(watch: Watch) -> None:
    place = {"topic": "poec.ingress.akto", "partition": 1, "offset": 7}
    say(watch, ANSWERED, "A-1", "e1", outcome="accepted", command_id="c1", **place)
    assert (await watch.until(ANSWERED, "poec.ingress.akto/1/7")).value["outcome"] == "accepted"


async def test_waiting_ends_when_nothing_comes(watch: Watch) -> None:
    with pytest.raises(NothingCame, match="f1"):
        await watch.until(OPENED, "f1", patience=0.01)


async def test_nobody_waits_behind_an_event_that_became_a_dead_letter(watch: Watch) -> None:
    waiting = asyncio.create_task(watch.until(OPENED, "f1"))
    await asyncio.sleep(0)
    say(watch, LETTER, "l1", "l1", topic="poec.submission.fiches", partition=0, offset=3, code="DEFECT")
    with pytest.raises(NothingCame, match="DEFECT"):
        await waiting


async def test_a_partners_dead_letter_stops_nobody(watch: Watch) -> None:
    say(watch, LETTER, "l1", "l1", topic="poec.ingress.akto", partition=0, offset=3, code="NOT_UTF8")
    say(watch, OPENED, "f1", "e1")
    assert (await watch.until(LETTER, "poec.ingress.akto/0/3")).value["code"] == "NOT_UTF8"
    assert await watch.until(OPENED, "f1")
