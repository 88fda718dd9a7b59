"""A topic that is made anew: every process is told, and a worker reads it from its beginning whatever was committed."""

import asyncio
from collections.abc import Collection
from uuid import UUID, uuid4

from deploy.local.topics import create_missing
from shared.messaging.clients import AIOKafkaConsumer, KafkaAccess, TopicPartition, kafka_settings
from shared.messaging.watch import TopicWatch
from shared.messaging.worker import Worker
from tests.support.heart import TOPIC, Heart, drop_topic, eventually, make_topic, new_producer, record, running


async def _send(access: KafkaAccess, keys: Collection[UUID]) -> None:
    producer = new_producer(access, "test")
    await producer.start()
    for key in keys:
        said = record(key, 1)
        await producer.send_and_wait(TOPIC, said.value, key=said.key, headers=list(said.headers), partition=0)
    await producer.stop()


async def _commit_beyond(heart: Heart) -> None:
    """Leave the group where a reader of the old log would have left it: beyond all that the new one holds."""
    place = TopicPartition(TOPIC, 0)
    member = AIOKafkaConsumer(**kafka_settings(heart.access, "test"), group_id="validation", enable_auto_commit=False)
    await member.start()
    member.assign([place])
    end = (await member.end_offsets([place]))[place]
    await member.commit({place: end})
    await member.stop()


async def test_a_worker_reads_a_new_log_from_its_beginning_whatever_was_committed(heart: Heart) -> None:
    create_missing(heart.access)
    unheard, later = [uuid4() for _ in range(5)], uuid4()
    await _send(heart.access, unheard)
    await _commit_beyond(heart)
    worker = Worker(heart.inbox, heart.access, [TOPIC], f"test-{uuid4().hex[:8]}")
    async with running(asyncio.create_task(worker.run())):
        await _send(heart.access, [later])

        async def heard_what_came_later() -> bool:
            return await heart.seen(later) == 1

        await eventually(heard_what_came_later, 30)
        assert [await heart.seen(key) for key in unheard] == [0] * 5, "the test has not skipped anything"
        worker.begin_again({TOPIC})

        async def heard_all() -> bool:
            return [await heart.seen(key) for key in unheard] == [1] * 5

        await eventually(heard_all, 30)
        assert await heart.seen(later) == 1


async def test_every_process_that_watches_is_told_not_the_first_alone(heart: Heart) -> None:
    topic, told = f"t.{uuid4().hex}", list[str]()
    make_topic(heart, topic, 1)

    def watch(name: str) -> TopicWatch:
        return TopicWatch(heart.database, heart.access, [topic], lambda: None, lambda _: told.append(name))

    first, second = watch("first"), watch("second")
    for one in (first, second):
        await one.look()
    assert told == []
    drop_topic(heart, topic)
    make_topic(heart, topic, 1)
    for number, one in enumerate((first, second), 1):

        async def is_told(one: TopicWatch = one, number: int = number) -> bool:
            await one.look()
            return len(told) == number

        await eventually(is_told, 30)
    for one in (first, second):
        await one.look()
    assert told == ["first", "second"]
