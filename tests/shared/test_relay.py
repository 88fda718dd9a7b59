"""The relay and the reconciler on a real broker."""

import asyncio
from collections import defaultdict
from uuid import uuid4

import pytest

from shared.contracts import flow
from shared.contracts.flow import Topic
from shared.messaging import reconciler as reconciling
from shared.messaging.reconciler import Reconciler
from shared.messaging.relay import Relay
from tests.support.heart import (
    Heart,
    drop_topic,
    emit,
    eventually,
    make_topic,
    new_producer,
    read_log,
    running,
)


async def _nothing_left(heart: Heart) -> bool:
    return not await heart.fetch("SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT 1")


async def test_two_relays_keep_the_order_of_each_key_and_double_nothing(heart: Heart) -> None:
    topic, keys = f"t.{uuid4().hex}", [str(uuid4()) for _ in range(12)]
    make_topic(heart, topic)
    relays = [Relay(heart.database, heart.access, batch=40, poll=0.02) for _ in range(2)]
    async with running(*(asyncio.create_task(relay.run()) for relay in relays)):
        await emit(heart, topic, keys, 50)
        await eventually(lambda: _nothing_left(heart), 30)
    sent = await heart.fetch("SELECT key, headers->>'ce_id' AS ce_id FROM outbox WHERE topic = $1 ORDER BY id", topic)
    expected = defaultdict(list)
    for row in sent:
        expected[row["key"]].append(row["ce_id"])
    found = defaultdict(list)
    for key, ce_id, _ in await read_log(heart, topic, 600):
        found[key].append(ce_id)
    assert found == expected


async def test_a_row_knows_its_place_in_the_log(heart: Heart) -> None:
    topic = f"t.{uuid4().hex}"
    make_topic(heart, topic, 1)
    await emit(heart, topic, [str(uuid4())], 5)
    relay = Relay(heart.database, heart.access, poll=0.02)
    async with running(asyncio.create_task(relay.run())):
        await eventually(lambda: _nothing_left(heart))
    places = await heart.fetch(
        "SELECT kafka_partition AS p, kafka_offset AS o FROM outbox WHERE topic = $1 ORDER BY id", topic
    )
    assert [(row["p"], row["o"]) for row in places] == [(0, n) for n in range(5)]


async def test_a_topic_that_lost_everything_is_rebuilt_from_the_outbox(heart: Heart, monkeypatch: object) -> None:
    topic = f"t.{uuid4().hex}"
    make_topic(heart, topic, 2)
    monkeypatch.setattr(reconciling, "TOPICS", (*flow.TOPICS, Topic(topic, "validation", (), 2)))  # type: ignore[attr-defined]
    keys = [str(uuid4()) for _ in range(6)]
    await emit(heart, topic, keys, 10)
    relay = Relay(heart.database, heart.access, poll=0.05)
    reconciler = Reconciler(heart.database, heart.access, relay, 3600)
    async with running(asyncio.create_task(relay.run())):
        await eventually(lambda: _nothing_left(heart))
        assert await reconciler.reconcile() == 0
        drop_topic(heart, topic)
        make_topic(heart, topic, 2)
        assert await reconciler.reconcile() == 60
        await eventually(lambda: _nothing_left(heart))
        assert await reconciler.reconcile() == 0
    assert len({ce_id for _, ce_id, _ in await read_log(heart, topic, 60)}) == 60


async def test_a_row_of_the_outbox_that_the_log_never_had_is_found(heart: Heart, monkeypatch: object) -> None:
    topic = f"t.{uuid4().hex}"
    make_topic(heart, topic, 1)
    monkeypatch.setattr(reconciling, "TOPICS", (Topic(topic, "validation", (), 1),))  # type: ignore[attr-defined]
    await emit(heart, topic, [str(uuid4())], 3)
    async with heart.database.connection() as connection:
        await connection.execute("UPDATE outbox SET published_at = now(), kafka_partition = 0, kafka_offset = id")
    reconciler = Reconciler(heart.database, heart.access, Relay(heart.database, heart.access), 3600)
    assert await reconciler.reconcile() == 3


async def test_records_of_others_in_the_log_are_passed_over(heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = f"t.{uuid4().hex}"
    make_topic(heart, topic, 1)
    monkeypatch.setattr(reconciling, "TOPICS", (Topic(topic, "validation", (), 1),))
    await emit(heart, topic, [str(uuid4())], 3)
    relay = Relay(heart.database, heart.access, poll=0.02)
    producer = new_producer(heart.access, "test")
    await producer.start()
    for identifier in (None, b"\xff", b"no uuid", str(uuid4()).encode()):
        await producer.send_and_wait(topic, b"{}", key=None, headers=[("ce_id", identifier)])
    await producer.stop()
    async with running(asyncio.create_task(relay.run())):
        await eventually(lambda: _nothing_left(heart))
        assert await Reconciler(heart.database, heart.access, relay, 3600).reconcile() == 0
