"""The audit's own reader on a real broker: an audit that reads nothing would find nothing."""

from deploy.audit.log import LogReader, LogRecord
from deploy.local.topics import create_missing
from shared.contracts.flow import TOPICS, dead_letters_topic
from shared.messaging.clients import new_producer
from tests.support.servers import Servers

TOPIC = dead_letters_topic("analytics")


class Keys:
    """A fold that keeps the keys of one topic."""

    def __init__(self) -> None:
        self.found: list[bytes | None] = []

    def take(self, record: LogRecord) -> None:
        if record.place.topic == TOPIC:
            self.found.append(record.key)


async def test_every_record_of_every_topic_is_handed_to_every_fold(servers: Servers) -> None:
    create_missing(servers.kafka.access)
    access = servers.kafka.access
    keys = [b"%d" % n for n in range(20)]
    producer = new_producer(access, "test")
    await producer.start()
    for key in keys:
        await producer.send_and_wait(TOPIC, b"{}", key=key)
    await producer.stop()
    folds = [Keys(), Keys()]
    async with LogReader(access) as reader:
        bounds = await reader.bounds(topic.name for topic in TOPICS)
        assert {place.topic for place in bounds.ends} == {topic.name for topic in TOPICS}
        assert await reader.read(bounds, folds) >= len(keys)
    assert folds[0].found[-len(keys) :] == folds[1].found[-len(keys) :] == keys
