"""The real servers of a test session."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from deploy.local.databases import DatabaseUrls, provision
from deploy.local.kafka import EmbeddedKafka
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.postgres_account import remove_data
from deploy.local.secrets import load_secrets


@dataclass
class Servers:
    """Kafka, PostgreSQL, and the roles of the four services in it."""

    home: Path
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    urls: dict[str, DatabaseUrls]

    @classmethod
    def start(cls, home: Path) -> "Servers":
        """Start both; returns when both answer."""
        kafka, postgres = EmbeddedKafka(home), EmbeddedPostgres(home)
        postgres.prepare()
        kafka.prepare()
        try:
            kafka.start()
            postgres.start()
            postgres.wait_ready(60)
            kafka.wait_ready(60)
            urls = asyncio.run(provision(postgres.admin_url, load_secrets(home)))
        except BaseException:
            kafka.stop()
            postgres.stop()
            remove_data(home)
            raise
        return cls(home, kafka, postgres, urls)

    def stop(self) -> None:
        """Stop both, and remove the cluster where it lies outside `home` (we are root)."""
        self.kafka.stop()
        self.postgres.stop()
        remove_data(self.home)
