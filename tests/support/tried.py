"""What the brokers let a user do, found by asking them: one request to write to every topic, one to read every topic, as that user.

The requests are sent as they are, without the metadata that a client library looks up first: what is refused here, the broker
refuses whatever a client believes.
"""

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local.topics import admin_client
from shared.contracts.flow import TOPICS
from shared.messaging.clients import KafkaAccess, confluent_settings, kafka_settings

PATIENCE = 30.0
ALL = tuple(topic.name for topic in TOPICS)
DENIED = "TopicAuthorizationFailedError"
DENIED_GROUP = "GROUP_AUTHORIZATION_FAILED"
OK = "ok"


async def written(access: KafkaAccess, topics: Iterable[str] = ALL) -> dict[str, str]:
    """Write one record to partition 0 of every topic; return `ok` or the broker's error by topic."""
    records = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000)
    records.append(0, int(time.time() * 1000), b"key", b"{}", [])
    batch = bytes(records.build())
    async with _connected(access) as client:
        request = ProduceRequest(None, -1, 20_000, [(topic, [(0, batch)]) for topic in topics])
        answer = await client.send(client.get_random_node(), request)
    return {topic: _name(code) for topic, ((_, code, *_),) in answer.topics}


async def read(access: KafkaAccess, topics: Iterable[str] = ALL) -> dict[str, str]:
    """Read partition 0 of every topic from its start; return `ok` or the broker's error by topic."""
    async with _connected(access) as client:
        request = FetchRequest(100, 1, 10_000_000, 0, [(topic, [(0, 0, 100_000)]) for topic in topics])
        answer = await client.send(client.get_random_node(), request)
    found = {topic: (_name(code), records) for topic, ((_, code, *_, records),) in answer.topics}
    assert all(bool(records) == (said == OK) for said, records in found.values()), "read, and nothing came"
    return {topic: said for topic, (said, _) in found.items()}


@asynccontextmanager
async def _connected(access: KafkaAccess) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**kafka_settings(access, "test"))
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


def _name(code: int) -> str:
    return OK if code == 0 else str(for_code(code).__name__)


def committed(access: KafkaAccess, topic: str, groups: Iterable[str]) -> dict[str, str]:
    """Commit an offset of a topic that the user reads in the name of each group; return `ok` or the broker's error by group."""
    admin, found, left = admin_client(access), dict[str, str](), list(groups)
    until = time.monotonic() + PATIENCE
    while left and time.monotonic() < until:
        found |= _committed(admin, topic, left)
        # The first commit of all makes the topic of the offsets, and its partitions take a moment to find their leaders.
        left = [group for group in left if "COORDINATOR" in found[group]]
    return found


def _committed(admin: AdminClient, topic: str, groups: Iterable[str]) -> dict[str, str]:
    offset, found = [TopicPartition(topic, 0, 0)], dict[str, str]()
    asked = {
        group: admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, offset)], request_timeout=PATIENCE)[group]
        for group in groups
    }
    for group, answer in asked.items():
        try:
            wrong = [place.error for place in answer.result(PATIENCE).topic_partitions if place.error]
            found[group] = wrong[0].name() if wrong else OK
        except KafkaException as failure:
            found[group] = failure.args[0].name()
    return found


def sign_in(access: KafkaAccess, seconds: float = 5.0) -> str:
    """Sign in with a new connection; return `ok`, or what Kafka's C client was told."""
    told: list[str] = []
    settings = {**confluent_settings(access, "test"), "error_cb": lambda error: told.append(error.name())}
    producer = Producer(settings)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            producer.list_topics(timeout=0.5)
        except KafkaException:
            producer.poll(0)
            if wrong := [name for name in told if name in ("_AUTHENTICATION", "_SSL")]:
                return wrong[0]
        else:
            return OK
    return told[0] if told else "nothing"


def as_user(access: KafkaAccess, user: str, password: str) -> KafkaAccess:
    """Return the same brokers for somebody else."""
    return replace(access, user=user, password=password)
