"""Kafka clients, made in one place only: what a principal needs to connect is `kafka_settings(principal)` and nothing else.

`confluent_settings` is the same for the clients of confluent-kafka.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.messaging.records import Received

_METADATA_MS: Final = 5_000


@dataclass(frozen=True)
class KafkaAccess:
    """Where the brokers are; the seam where a principal's user, mechanism and certificates will be given."""

    bootstrap_servers: str
    session_timeout_ms: int = 10_000


def kafka_settings(access: KafkaAccess, principal: str) -> dict[str, Any]:
    """Return the connection settings of any Kafka client that acts as `principal` (a service's or an organisation's name)."""
    return {"bootstrap_servers": access.bootstrap_servers, "client_id": f"poec-{principal}"}


def confluent_settings(access: KafkaAccess, principal: str) -> dict[str, Any]:
    """Return the same access as `kafka_settings`, in the words of confluent-kafka; the library itself writes no log."""
    settings = kafka_settings(access, principal)
    return {"bootstrap.servers": settings["bootstrap_servers"], "client.id": settings["client_id"], "log_level": 0}


def new_producer(access: KafkaAccess, principal: str) -> AIOKafkaProducer:
    """Return an idempotent producer (not started): acks from all in-sync replicas, order kept per partition."""
    return AIOKafkaProducer(
        **kafka_settings(access, principal),
        acks="all",
        enable_idempotence=True,
        max_batch_size=262_144,
        max_request_size=1_048_576,
        request_timeout_ms=10_000,
        metadata_max_age_ms=60_000,
    )


def new_group_consumer(access: KafkaAccess, group: str, instance: str) -> AIOKafkaConsumer:
    """Return a member (not started) of a service's group: static, nothing committed by itself, never skipping to the end."""
    return AIOKafkaConsumer(
        **kafka_settings(access, group),
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=access.session_timeout_ms,
        heartbeat_interval_ms=max(300, access.session_timeout_ms // 10),
        rebalance_timeout_ms=60_000,
        metadata_max_age_ms=_METADATA_MS,
        fetch_max_wait_ms=500,
        max_partition_fetch_bytes=1_500_000,
    )


def new_reader(access: KafkaAccess, principal: str) -> AIOKafkaConsumer:
    """Return a consumer without a group (not started): for the reconciler, which assigns itself what it reads."""
    return AIOKafkaConsumer(
        **kafka_settings(access, principal),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        metadata_max_age_ms=_METADATA_MS,
        fetch_max_wait_ms=200,
    )


def received(record: "ConsumerRecord[bytes | None, bytes | None]") -> Received:
    """Return a record of aiokafka as ours, undecoded."""
    return Received(record.topic, record.partition, record.offset, record.key, tuple(record.headers), record.value)


def cancelled_from_outside() -> bool:
    """Return whether somebody cancelled the running task: aiokafka lets the end of its own tasks through as `CancelledError`."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


__all__ = [
    "AIOKafkaConsumer",
    "AIOKafkaProducer",
    "ConsumerRebalanceListener",
    "KafkaAccess",
    "TopicPartition",
    "cancelled_from_outside",
    "confluent_settings",
    "kafka_settings",
    "new_group_consumer",
    "new_producer",
    "new_reader",
    "received",
]
