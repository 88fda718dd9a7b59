"""Reads with Kafka's C client what aiokafka cannot unpack: compressed records, header names that are not UTF-8.

One partner's odd record must not stop a service for all of them: it is read here, and gets its outcome in the inbox.
"""

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, Message
from confluent_kafka import TopicPartition as Place

from shared.messaging.clients import KafkaAccess, TopicPartition, confluent_settings
from shared.messaging.records import Received

MOST_PER_PARTITION: Final = 2_000
"""Records taken over at one go: bounded memory; what is left is read the usual way, or at the next go."""
_PATIENCE_SECONDS: Final = 30.0


def read_raw(
    access: KafkaAccess, group: str, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[Received]]:
    """Return records of each partition from its start up to its end, at most `MOST_PER_PARTITION`; blocks, in a thread.

    `group` is one that the user of `access` may use: the client wants one, although it neither joins nor commits.
    """
    wanted = {place: start for place, start in starts.items() if start < ends[place]}
    found: dict[TopicPartition, list[Received]] = {}
    if not wanted:
        return found
    settings = confluent_settings(access, f"{group}-rescue")
    consumer = Consumer({**settings, "group.id": group, "enable.auto.commit": False})
    try:
        consumer.assign([Place(place.topic, place.partition, start) for place, start in wanted.items()])
        until = time.monotonic() + _PATIENCE_SECONDS
        while wanted and time.monotonic() < until:
            for message in consumer.consume(500, 1.0):
                if message.error() is None:
                    _take(message, found, wanted, ends)
    finally:
        consumer.close()
    return found


def _take(
    message: Message,
    found: dict[TopicPartition, list[Received]],
    wanted: dict[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> None:
    place = TopicPartition(message.topic(), message.partition())
    if place not in wanted:
        return
    records = found.setdefault(place, [])
    records.append(_received(message))
    if len(records) >= MOST_PER_PARTITION or records[-1].offset + 1 >= ends[place]:
        del wanted[place]


def _received(message: Message) -> Received:
    headers: tuple[tuple[str, bytes | None], ...]
    try:
        headers = tuple((str(name), _bytes(value)) for name, value in dict(message.headers() or ()).items())
    except UnicodeDecodeError:
        headers = ()  # a name that is no text: without its headers the record cannot be decoded, and is told so
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise ValueError("a record without a place")
    return Received(topic, partition, offset, _bytes(message.key()), headers, _bytes(message.value()))


def _bytes(raw: str | bytes | None) -> bytes | None:
    return raw.encode() if isinstance(raw, str) else raw
