"""The inbox on a real database: each record one outcome, whatever is in the batch."""

import dataclasses
import datetime as dt
from uuid import uuid4

import pytest

from shared.errors import NotAllowedNow
from shared.identity import Principal
from shared.messaging.letters import DeadLetters
from tests.support.heart import TOPIC, Heart, record
from tests.support.poison import EVENTS, with_header

OPERATOR = Principal("operations", "operations", "machine", frozenset({"operations"}))


async def test_every_event_is_applied_once_however_often_it_is_delivered(heart: Heart) -> None:
    key = uuid4()
    first, second = record(key, 1), record(key, 2)
    await heart.apply(first, first, second)
    await heart.apply(second, first, dataclasses.replace(second, offset=second.offset + 1000))
    assert await heart.seen(key) == 2
    assert await heart.positions_add_up()


async def test_a_gap_parks_and_filling_it_releases_in_order(heart: Heart) -> None:
    key = uuid4()
    await heart.apply(record(key, 3), record(key, 2))
    assert await heart.seen(key) == 0
    await heart.apply(record(key, 1))
    assert await heart.seen(key) == 3
    assert not await heart.fetch("SELECT 1 FROM parked")
    order = [
        row["sequence"] for row in await heart.fetch("SELECT sequence FROM inbox WHERE key = $1 ORDER BY n", str(key))
    ]
    assert order == [1, 2, 3]
    assert await heart.positions_add_up()


async def test_disorder_within_one_batch_leaves_nothing_parked(heart: Heart) -> None:
    key = uuid4()
    await heart.apply(record(key, 3), record(key, 2), record(key, 1))
    assert await heart.seen(key) == 3
    assert not await heart.fetch("SELECT 1 FROM parked")
    assert await heart.positions_add_up()


async def test_a_record_without_a_key_is_discarded_without_touching_any_sequence(heart: Heart) -> None:
    await heart.apply(dataclasses.replace(record(uuid4(), 1), key=None))
    letter = (await heart.fetch("SELECT id FROM dead_letter"))[0]["id"]
    assert (await DeadLetters(heart.inbox).discard(OPERATOR, letter, "essai")).state == "discarded"
    assert not await heart.fetch("SELECT 1 FROM stream")


async def test_an_event_that_is_impossible_parks_its_key_and_nothing_else(heart: Heart) -> None:
    bad, good = uuid4(), uuid4()
    heart.refusing.keys.add(bad)
    await heart.apply(record(bad, 1), record(good, 1), record(bad, 2), record(good, 2))
    assert (await heart.seen(bad), await heart.seen(good)) == (0, 2)
    letters = await heart.fetch("SELECT id, code FROM dead_letter")
    assert [row["code"] for row in letters] == ["REFUSED"]
    heart.refusing.keys.clear()
    settled = await DeadLetters(heart.inbox).replay(OPERATOR, letters[0]["id"])
    assert settled.state == "replayed"
    assert await heart.seen(bad) == 2
    assert (await DeadLetters(heart.inbox).replay(OPERATOR, letters[0]["id"])).state == "replayed"
    assert await heart.seen(bad) == 2
    assert await heart.positions_add_up()


async def test_a_replay_that_fails_again_is_counted_and_audited(heart: Heart) -> None:
    bad = uuid4()
    heart.refusing.keys.add(bad)
    await heart.apply(record(bad, 1))
    letter = (await heart.fetch("SELECT id FROM dead_letter"))[0]["id"]
    for attempt in (2, 3):
        settled = await DeadLetters(heart.inbox).replay(OPERATOR, letter)
        assert (settled.state, settled.attempts, settled.code) == ("dead", attempt, "REFUSED")
    trail = await heart.fetch(
        "SELECT n, actor FROM audit_entry WHERE aggregate = $1 ORDER BY n", f"dead_letter/{letter}"
    )
    assert [(row["n"], row["actor"]) for row in trail] == [(1, "operations"), (2, "operations")]


async def test_discarding_lets_what_was_parked_go_on_without_it(heart: Heart) -> None:
    bad = uuid4()
    heart.refusing.keys.add(bad)
    await heart.apply(record(bad, 1), record(bad, 2), record(bad, 3))
    heart.refusing.keys.clear()
    letters = DeadLetters(heart.inbox)
    letter = (await heart.fetch("SELECT id FROM dead_letter"))[0]["id"]
    await letters.discard(OPERATOR, letter, "essai")
    assert await heart.seen(bad) == 2
    assert (await letters.discard(OPERATOR, letter, "essai")).state == "discarded"
    with pytest.raises(NotAllowedNow):
        await _replayed_then_discarded(heart, letters)


async def _replayed_then_discarded(heart: Heart, letters: DeadLetters) -> None:
    key = uuid4()
    heart.refusing.keys.add(key)
    await heart.apply(record(key, 1))
    heart.refusing.keys.clear()
    letter = (await heart.fetch("SELECT id FROM dead_letter WHERE state = 'dead'"))[0]["id"]
    await letters.replay(OPERATOR, letter)
    await letters.discard(OPERATOR, letter, "trop tard")


async def test_a_defect_in_a_handler_is_a_dead_letter_and_the_partition_goes_on(heart: Heart) -> None:
    bad, good = uuid4(), uuid4()
    heart.refusing.defects.add(bad)
    await heart.apply(record(bad, 1), record(good, 1))
    assert await heart.seen(good) == 1
    assert [tuple(row) for row in await heart.fetch("SELECT code, detail FROM dead_letter")] == [
        ("DEFECT", "ZeroDivisionError")
    ]


async def test_poison_of_every_kind_is_explained_and_stops_nothing(heart: Heart) -> None:
    good = [uuid4() for _ in EVENTS]
    poison = [spoil(record(uuid4(), 1)) for spoil in EVENTS.values()]
    mixed = [r for pair in zip([record(key, 1) for key in good], poison, strict=True) for r in pair]
    await heart.apply(*mixed, *(record(key, 2) for key in good))
    taken = [await heart.seen(key) for key in good[: len(poison)]]
    assert taken == [2] * len(poison)
    letters = await heart.fetch("SELECT code FROM dead_letter")
    assert len(letters) == len(EVENTS)
    assert all(row["code"] != "DEFECT" for row in letters)
    said = await heart.fetch("SELECT 1 FROM outbox WHERE topic = 'poec.validation.dead-letters'")
    assert len(said) == len(EVENTS)
    assert await heart.positions_add_up()


async def test_what_is_parked_or_dead_is_delivered_again_without_being_doubled(heart: Heart) -> None:
    key, broken = uuid4(), dataclasses.replace(record(uuid4(), 1), value=b"{")
    ahead = record(key, 2)
    for _ in range(3):
        await heart.apply(ahead, broken)
    assert len(await heart.fetch("SELECT 1 FROM parked")) == 1
    assert len(await heart.fetch("SELECT 1 FROM dead_letter")) == 1
    assert await heart.positions_add_up()


async def test_the_trace_of_an_event_reaches_what_it_causes(heart: Heart) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    broken = dataclasses.replace(record(uuid4(), 1), offset=7, value=b"{")
    await heart.apply(with_header(record(uuid4(), 1), "traceparent", trace.encode()), broken)
    rows = await heart.fetch("SELECT headers->>'traceparent' AS trace FROM outbox")
    assert rows and rows[0]["trace"] == trace


async def test_time_is_the_business_clock_of_the_database(heart: Heart) -> None:
    import asyncpg

    owner = await asyncpg.connect(heart.owner_url)
    await owner.execute("UPDATE clock_offset SET seconds = -86400 * 365")
    await owner.close()
    await heart.apply(record(uuid4(), 1))
    at = (await heart.fetch("SELECT at FROM audit_entry"))[0]["at"]
    assert dt.timedelta(days=364) < dt.datetime.now(dt.UTC) - at < dt.timedelta(days=366)


def test_the_toy_hears_a_real_topic() -> None:
    assert TOPIC == "poec.submission.fiches"
