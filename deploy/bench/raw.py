"""Raw Kafka: an idempotent producer with explicit batches, and a consumer that decodes nothing."""

import asyncio
import time
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka.admin import NewTopic

from deploy.local.topics import admin_client
from shared.messaging.clients import KafkaAccess, kafka_settings

_PARTITIONS = 6


async def raw_kafka(bootstrap_servers: str, records: int, size: int) -> dict[str, float]:
    """Return records per second produced (acknowledged) and consumed, of `size` bytes, on a topic of its own that is deleted."""
    topic, admin = f"poec.bench.{uuid4().hex[:8]}", admin_client(bootstrap_servers)
    for made in admin.create_topics([NewTopic(topic, _PARTITIONS, 1)]).values():
        made.result(20)
    try:
        produced = await _produce(bootstrap_servers, topic, records, b"x" * size)
        consumed = await _consume(bootstrap_servers, topic, records)
    finally:
        for gone in admin.delete_topics([topic]).values():
            gone.result(20)
    return {"produced_per_s": round(produced), "consumed_per_s": round(consumed)}


async def _produce(bootstrap_servers: str, topic: str, records: int, value: bytes) -> float:
    producer = AIOKafkaProducer(
        **kafka_settings(KafkaAccess(bootstrap_servers), "bench"),
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
            if batch.append(key=b"k", value=value, timestamp=None) is None:
                pending.append(await producer.send_batch(batch, topic, partition=partition % _PARTITIONS))
                batch, partition = producer.create_batch(), partition + 1
            else:
                left -= 1
        pending.append(await producer.send_batch(batch, topic, partition=partition % _PARTITIONS))
        await asyncio.gather(*pending)
        return records / (time.perf_counter() - began)
    finally:
        await producer.stop()


async def _consume(bootstrap_servers: str, topic: str, records: int) -> float:
    consumer = AIOKafkaConsumer(
        **kafka_settings(KafkaAccess(bootstrap_servers), "bench"),
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
