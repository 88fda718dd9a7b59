"""Notices what aiokafka does not: that the broker was away, that the cluster is another one, that a topic was made anew.

Cluster id and topic ids are kept in the service's database. On a change the worker begins again, positions are set back
with their reason, and the reconciler compares.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import asyncpg
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from shared.database import CONNECTION_LOST, Database
from shared.logs import log
from shared.messaging.clients import KafkaAccess, confluent_settings

_EVERY_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 4.0
_LOG = log("watch")
Log = tuple[str, str]
"""What a topic's log is known by: the topic's id and the cluster's."""
_REMEMBER = (
    "INSERT INTO known_topic SELECT t, i, c, clock_timestamp() FROM unnest($1::text[], $2::text[], $3::text[]) AS u(t, i, c)"
    " ON CONFLICT (topic) DO UPDATE SET topic_id = excluded.topic_id, cluster_id = excluded.cluster_id, seen_at = excluded.seen_at"
)
_SET_BACK = (
    "WITH back AS (UPDATE position p SET next_offset = 0 FROM (SELECT topic, kafka_partition, next_offset FROM position"
    " WHERE topic = ANY($1::text[]) FOR UPDATE) o WHERE p.topic = o.topic AND p.kafka_partition = o.kafka_partition"
    " RETURNING p.topic, p.kafka_partition, o.next_offset)"
    " INSERT INTO position_reset (topic, kafka_partition, from_offset, to_offset, reason)"
    " SELECT topic, kafka_partition, next_offset, 0, $2 FROM back"
)


class TopicWatch:
    """Looks at the broker every few seconds; calls `on_return` when it is back, `on_new_log` when topics are not the ones known."""

    def __init__(
        self,
        database: Database,
        access: KafkaAccess,
        topics: Collection[str],
        on_return: Callable[[], None],
        on_new_log: Callable[[Collection[str]], None],
    ) -> None:
        self._database, self._topics = database, sorted(topics)
        self._on_return, self._on_new_log = on_return, on_new_log
        self._admin = AdminClient(confluent_settings(access, f"{database.service}-watch"))
        self._seen: dict[str, Log] = {}
        self.broker_seen = False

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> None:
        """Look once; a broker or a database that does not answer is looked for again later."""
        try:
            cluster, ids = await asyncio.to_thread(self._described)
        except (KafkaException, TimeoutError) as failure:
            if self.broker_seen:
                _LOG.warning("broker_away", error=type(failure).__name__)
            self.broker_seen = False
            return
        if not self.broker_seen:
            self._on_return()
        self.broker_seen = True
        try:
            await self._compare({topic: (identifier, cluster) for topic, identifier in ids.items()})
        except (*CONNECTION_LOST, asyncpg.PostgresError) as failure:
            _LOG.warning("database_away", error=type(failure).__name__)

    def _described(self) -> tuple[str, dict[str, str]]:
        cluster = self._admin.describe_cluster(request_timeout=_ANSWER_SECONDS).result(_ANSWER_SECONDS + 1)
        futures = self._admin.describe_topics(TopicCollection(self._topics), request_timeout=_ANSWER_SECONDS)
        return cluster.cluster_id, {name: str(f.result(_ANSWER_SECONDS + 1).topic_id) for name, f in futures.items()}

    async def _compare(self, now: dict[str, Log]) -> None:
        """Set positions back once per service; tell this process, whichever process was the first to see it."""
        async with self._database.connection() as connection, connection.transaction():
            rows = await connection.fetch("SELECT topic, topic_id, cluster_id FROM known_topic FOR UPDATE")
            known = {row["topic"]: (row["topic_id"], row["cluster_id"]) for row in rows}
            anew = sorted(t for t, log in now.items() if t in known and known[t] != log)
            changed = sorted(t for t, log in now.items() if known.get(t) != log)
            if changed:
                ids, clusters = ([now[t][part] for t in changed] for part in (0, 1))
                await connection.execute(_REMEMBER, changed, ids, clusters)
            if anew:
                await connection.execute(_SET_BACK, anew, "topic made anew, or another cluster")
                await connection.execute("DELETE FROM reconciled WHERE topic = ANY($1::text[])", anew)
        here = {t for t, log in now.items() if self._seen.get(t, log) != log}.union(anew)
        self._seen |= now
        if here:
            _LOG.warning("log_made_anew", topics=len(here))
            self._on_new_log(here)
