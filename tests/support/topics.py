"""The log of a running stack, hurt and looked at with clients of the tests' own."""

import contextlib
import time
from collections import Counter

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local.topics import admin_client, create_missing
from shared.contracts.flow import topic_named
from shared.messaging.clients import AIOKafkaConsumer, KafkaAccess, TopicPartition, new_reader
from shared.messaging.clients import received as as_received
from shared.messaging.records import Received
from tests.support.stack import NotHurt, Stack, eventually


def make_anew(access: KafkaAccess, topic: str) -> None:
    """Delete a topic and create it again, empty; raises `NotHurt` where it is the old one."""
    admin = admin_client(access)
    before = _topic_id(admin, topic)
    admin.delete_topics([topic])[topic].result(30)
    until = time.monotonic() + 30
    while True:
        with contextlib.suppress(KafkaException):
            create_missing(access)
            if _topic_id(admin, topic) != before:
                return
        if time.monotonic() > until:
            raise NotHurt(f"{topic} is still the topic it was")
        time.sleep(0.1)


def _topic_id(admin: AdminClient, topic: str) -> str:
    from confluent_kafka import TopicCollection

    described = admin.describe_topics(TopicCollection([topic]), request_timeout=10)[topic].result(15)
    return str(described.topic_id)


async def read_topic(access: KafkaAccess, topic: str) -> list[Received]:
    """Return every record of a topic, as it stands now."""
    reader: AIOKafkaConsumer = new_reader(access, "operations")
    found: list[Received] = []
    await reader.start()
    try:
        places = [TopicPartition(topic, p) for p in range(topic_named(topic).partitions)]
        reader.assign(places)
        ends = await reader.end_offsets(places)
        left = {place for place, end in ends.items() if end}
        while left:
            for place, records in (await reader.getmany(*left, timeout_ms=500)).items():
                found += [as_received(record) for record in records if record.offset < ends[place]]
            left = {place for place in left if await reader.position(place) < ends[place]}
    finally:
        await reader.stop()
    return found


async def ids_in_log(access: KafkaAccess, topic: str) -> Counter[str]:
    """Return how often each event id stands in a topic."""
    return Counter(record.header("ce_id") or "" for record in await read_topic(access, topic))


async def rebuilt(stack: Stack, access: KafkaAccess, service: str, topic: str, seconds: float = 120) -> None:
    """Wait until everything that a service said on a topic stands in it."""

    async def all_there() -> bool:
        rows = await stack.rows(service, "SELECT event_id::text AS id FROM outbox WHERE topic = $1", topic)
        with contextlib.suppress(KafkaError):
            found = await ids_in_log(access, topic)
            return bool(rows) and all(row["id"] in found for row in rows)
        return False

    await eventually(all_there, seconds, f"{topic} is rebuilt")
