"""What aiokafka cannot unpack, and what makes a whole batch fail: each record gets its outcome, and the rest goes on."""

import asyncio
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from shared.messaging.clients import confluent_settings
from shared.messaging.records import Received
from shared.messaging.worker import Worker
from shared.metrics import INBOX_RETRIES
from tests.support.heart import TOPIC, Heart, eventually, make_topic, record, running


def _send(heart: Heart, topic: str, sent: Received, codec: str) -> None:
    settings = {**confluent_settings(heart.access, "test"), "compression.type": codec}
    producer = Producer(settings)
    headers: list[tuple[str, str | bytes | None]] = list(sent.headers)
    producer.produce(topic, sent.value, sent.key, headers=headers)
    assert producer.flush(10) == 0


@pytest.mark.parametrize("codec", ["lz4", "snappy", "zstd", "gzip"])
async def test_a_compressed_record_is_heard_like_any_other(heart: Heart, codec: str) -> None:
    before, packed, after = uuid4(), uuid4(), uuid4()
    if not await _exists(heart):
        make_topic(heart, TOPIC, 3)
    worker = Worker(heart.inbox, heart.access, [TOPIC], f"rescue-{uuid4().hex[:8]}")
    async with running(asyncio.create_task(worker.run())):
        for key, how in ((before, "none"), (packed, codec), (after, "none")):
            _send(heart, TOPIC, record(key, 1), how)

        async def all_seen() -> bool:
            return [await heart.seen(key) for key in (before, packed, after)] == [1, 1, 1]

        await eventually(all_seen, 40)


async def _exists(heart: Heart) -> bool:
    from deploy.local.topics import admin_client

    return TOPIC in admin_client(heart.access).list_topics(timeout=10).topics


async def test_a_record_that_makes_its_batch_fail_is_found_and_kept(
    heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [uuid4() for _ in range(3)]
    records = [record(key, 1) for key in keys]
    apply = heart.inbox.apply

    async def failing(topic: str, batch: list[Received]) -> None:
        if any(one is records[1] for one in batch):
            raise LookupError("a value that no table takes")
        await apply(topic, batch)

    monkeypatch.setattr(heart.inbox, "apply", failing)
    await Worker(heart.inbox, heart.access, [TOPIC], "one-by-one").apply_with_retries(TOPIC, records)
    assert [await heart.seen(key) for key in keys] == [1, 0, 1]
    letters = await heart.fetch("SELECT code, detail, parks, sequence FROM dead_letter")
    assert [tuple(row) for row in letters] == [("DEFECT", "LookupError", True, 1)]
    assert await heart.positions_add_up()


async def test_a_value_that_cannot_be_sent_to_the_database_is_no_failure_of_the_moment(heart: Heart) -> None:
    keys = [uuid4() for _ in range(3)]
    heart.refusing.beyond.add(keys[1])
    retries = INBOX_RETRIES._value.get()
    await Worker(heart.inbox, heart.access, [TOPIC], "beyond").apply_with_retries(TOPIC, [record(key, 1) for key in keys])
    assert INBOX_RETRIES._value.get() == retries
    assert [await heart.seen(key) for key in keys] == [1, 0, 1]
    letters = await heart.fetch("SELECT code, detail, parks, sequence FROM dead_letter")
    assert [tuple(row) for row in letters] == [("DEFECT", "DataError", True, 1)]
    assert await heart.positions_add_up()
