"""Raw Kafka: an idempotent producer with explicit batches, and a consumer that decodes nothing."""

import asyncio
import time
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka.admin import NewTopic

from deploy.local.topics import admin_client
from shared.messaging.clients import KafkaAccess, kafka_settings

_PARTITIONS = 6
_HEADERS = [(f"header-{n}", b"a value of the usual length") for n in range(9)]
"""As many headers as an event has."""


async def raw_kafka(access: KafkaAccess, records: int, size: int) -> dict[str, float]:
    """Return records per second of `size` bytes on a topic of its own: in explicit batches, by `send`, and consumed."""
    topic, admin = f"poec.bench.{uuid4().hex[:8]}", admin_client(access)
    for made in admin.create_topics([NewTopic(topic, _PARTITIONS, 1)]).values():
        made.result(20)
    try:
        value = b"x" * size
        produced = await _produce(access, topic, records, value)
        sent = await _send(access, topic, records, value)
        consumed = await _consume(access, topic, 2 * records)
    finally:
        for gone in admin.delete_topics([topic]).values():
            gone.result(20)
    return {"produced_per_s": round(produced), "sent_per_s": round(sent), "consumed_per_s": round(consumed)}


async def _produce(access: KafkaAccess, topic: str, records: int, value: bytes) -> float:
    producer = AIOKafkaProducer(
        **kafka_settings(access, "bench"),
        enable_idempotence=True,
        acks="all",
        max_batch_size=262_144,
    )
    await producer.start()
    try:
        began = time.perf_counter()
        pending: list[asyncio.Future[object]] = []
        batch, left, partition = producer.create_batch(), records, 0
        while left:
            if batch.append(key=b"k", value=value, timestamp=None, headers=_HEADERS) is None:
                pending.append(await producer.send_batch(batch, topic, partition=partition % _PARTITIONS))
                batch, partition = producer.create_batch(), partition + 1
            else:
                left -= 1
        pending.append(await producer.send_batch(batch, topic, partition=partition % _PARTITIONS))
        await asyncio.gather(*pending)
        return records / (time.perf_counter() - began)
    finally:
        await producer.stop()


async def _send(access: KafkaAccess, topic: str, records: int, value: bytes) -> float:
    producer = AIOKafkaProducer(
        **kafka_settings(access, "bench"),
        enable_idempotence=True,
        acks="all",
        max_batch_size=262_144,
        linger_ms=5,
    )
    await producer.start()
    try:
        began = time.perf_counter()
        for first in range(0, records, 5_000):
            some = range(first, min(first + 5_000, records))
            await asyncio.gather(*[await producer.send(topic, value, b"%d" % n, headers=_HEADERS) for n in some])
        return records / (time.perf_counter() - began)
    finally:
        await producer.stop()


async def _consume(access: KafkaAccess, topic: str, records: int) -> float:
    consumer = AIOKafkaConsumer(
        **kafka_settings(access, "bench"),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    consumer.assign([TopicPartition(topic, partition) for partition in range(_PARTITIONS)])
    await consumer.start()
    try:
        seen, began = 0, time.perf_counter()
        while seen < records:
            seen += sum(map(len, (await consumer.getmany(timeout_ms=1000, max_records=500)).values()))
        return records / (time.perf_counter() - began)
    finally:
        await consumer.stop()
