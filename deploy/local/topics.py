"""The topics of the flow table on the broker: made where they are missing, compared where they are there."""

import logging
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from deploy.local.errors import LocalError
from shared.contracts.flow import TOPICS, Topic
from shared.messaging.clients import KafkaAccess, confluent_settings

TIMEOUT = 30.0
# The broker's own; they hold offsets and transactions, nothing of ours.
INTERNAL = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"})
_QUIET = logging.getLogger("poec.local.topics")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


@dataclass(frozen=True)
class Shape:
    """What a topic has: partitions, retention in ms (-1: for ever), compaction."""

    partitions: int
    retention_ms: int
    compacted: bool


@dataclass(frozen=True)
class Comparison:
    """One topic: its row in the flow table (`wanted`, None: foreign) beside what the broker has (`found`, None: missing)."""

    name: str
    writer: str | None
    wanted: Shape | None
    found: Shape | None

    @property
    def difference(self) -> str | None:
        """What is wrong, in a few words; None when they agree."""
        if self.wanted is None:
            return "not in the flow table"
        if self.found is None:
            return "missing"
        pairs = (
            ("partitions", self.wanted.partitions, self.found.partitions),
            ("retention.ms", self.wanted.retention_ms, self.found.retention_ms),
            ("compaction", self.wanted.compacted, self.found.compacted),
        )
        wrong = [f"{what} {found} instead of {wanted}" for what, wanted, found in pairs if wanted != found]
        return ", ".join(wrong) or None


def admin_client(access: KafkaAccess) -> AdminClient:
    """A client for administration, silent in the log: what fails is raised."""
    return AdminClient(confluent_settings(access, "local"), logger=_QUIET)


def create_missing(access: KafkaAccess, topics: tuple[Topic, ...] = TOPICS) -> list[str]:
    """Make the topics that the broker does not have and return their names; LocalError names each one that failed.

    Three brokers or more: three replicas, of which two must acknowledge; else one. A topic that exists is left as it is.
    """
    admin = admin_client(access)
    known = _metadata(admin)
    missing = [topic for topic in topics if topic.name not in known.topics]
    if not missing:
        return []
    replicas = 3 if len(known.brokers) >= 3 else 1
    answers = admin.create_topics([_new(topic, replicas) for topic in missing], request_timeout=TIMEOUT)
    failures = []
    for name, answer in answers.items():
        try:
            answer.result()
        except KafkaException as failure:
            if failure.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another start was quicker
                failures.append(f"{name}: {failure.args[0].name()}")
    if failures:
        raise LocalError("Topics that could not be created: " + ", ".join(failures))
    return [topic.name for topic in missing]


def compare(access: KafkaAccess, foreign_prefix: str = "") -> list[Comparison]:
    """Every topic of the flow table, and every foreign one whose name has the prefix; LocalError without an answer."""
    admin = admin_client(access)
    found = _shapes(admin)
    rows = [
        Comparison(t.name, t.writer, Shape(t.partitions, t.retention_ms, t.compacted), found.get(t.name))
        for t in TOPICS
    ]
    named = {topic.name for topic in TOPICS}
    foreign = sorted(name for name in found if name not in named and name.startswith(foreign_prefix))
    return rows + [Comparison(name, None, None, found[name]) for name in foreign]


def _new(topic: Topic, replicas: int) -> NewTopic:
    config = {
        "retention.ms": str(topic.retention_ms),
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "min.insync.replicas": "2" if replicas > 1 else "1",
    }
    return NewTopic(topic.name, num_partitions=topic.partitions, replication_factor=replicas, config=config)


def _metadata(admin: AdminClient):  # type: ignore[no-untyped-def]  # the library does not export the type
    try:
        return admin.list_topics(timeout=TIMEOUT)
    except KafkaException as failure:
        raise LocalError(f"Apache Kafka did not answer ({failure.args[0].name()}).") from None


def _shapes(admin: AdminClient) -> dict[str, Shape]:
    topics = {name: found for name, found in _metadata(admin).topics.items() if name not in INTERNAL}
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    shapes = {}
    for resource, answer in (admin.describe_configs(asked, request_timeout=TIMEOUT) if asked else {}).items():
        try:
            config = answer.result()
        except KafkaException as failure:
            raise LocalError(f"Apache Kafka does not describe {resource.name} ({failure.args[0].name()}).") from None
        shapes[resource.name] = Shape(
            partitions=len(topics[resource.name].partitions),
            retention_ms=int(config["retention.ms"].value),
            compacted="compact" in config["cleanup.policy"].value,
        )
    return shapes
