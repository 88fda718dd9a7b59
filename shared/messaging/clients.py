"""Kafka clients, made in one place only: what a principal needs to connect is `kafka_settings(principal)` and nothing else.

`confluent_settings` is the same for the clients of confluent-kafka.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.messaging.records import Received

_METADATA_MS: Final = 5_000
_DENIED: Final = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)


SecurityProtocol = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class KafkaAccess:
    """Where the brokers are, and as whom to sign in there; `ca_file` (PEM) says whose certificates to trust, else the system's.

    `user` and `password` mean nothing with PLAINTEXT.
    """

    bootstrap_servers: str
    session_timeout_ms: int = 10_000
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: Mechanism = "SCRAM-SHA-256"
    ca_file: Path | None = None
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def signs_in(self) -> bool:
        """Return whether the brokers are shown a user and a password."""
        return self.security_protocol != "PLAINTEXT"


def kafka_settings(access: KafkaAccess, principal: str) -> dict[str, Any]:
    """Return the connection settings of any Kafka client; `principal` names it in the brokers' logs, whoever it signs in as."""
    settings: dict[str, Any] = {
        "bootstrap_servers": access.bootstrap_servers,
        "client_id": f"poec-{principal}",
        "security_protocol": access.security_protocol,
    }
    if access.signs_in:
        settings |= {
            "sasl_mechanism": access.sasl_mechanism,
            "sasl_plain_username": access.user,
            "sasl_plain_password": access.password,
        }
    if access.security_protocol == "SASL_SSL":
        settings["ssl_context"] = ssl.create_default_context(cafile=access.ca_file)
    return settings


def confluent_settings(access: KafkaAccess, principal: str) -> dict[str, Any]:
    """Return the same access as `kafka_settings`, in the words of confluent-kafka; the library itself writes no log."""
    settings: dict[str, Any] = {
        "bootstrap.servers": access.bootstrap_servers,
        "client.id": f"poec-{principal}",
        "security.protocol": access.security_protocol,
        "log_level": 0,
    }
    if access.signs_in:
        settings |= {
            "sasl.mechanisms": access.sasl_mechanism,
            "sasl.username": access.user,
            "sasl.password": access.password,
        }
    if access.security_protocol == "SASL_SSL" and access.ca_file is not None:
        settings["ssl.ca.location"] = str(access.ca_file)
    return settings


def may_mean(failure: BaseException, access: KafkaAccess) -> str | None:
    """Return what a client's failure may mean where the library does not say it; None where it says enough."""
    if isinstance(failure, _DENIED):
        return f"the brokers give the user {access.user} no right to this: see shared/contracts/access.py"
    if isinstance(failure, KafkaConnectionError) and access.signs_in:
        return (
            f"no broker answers, or they refuse the user {access.user}: wrong password, unknown user,"
            " another security protocol or mechanism, a certificate of another authority"
        )
    return None


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
    "Mechanism",
    "SecurityProtocol",
    "TopicPartition",
    "cancelled_from_outside",
    "confluent_settings",
    "kafka_settings",
    "may_mean",
    "new_group_consumer",
    "new_producer",
    "new_reader",
    "received",
]
