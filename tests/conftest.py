"""What every test may ask for: the real servers of this machine, started once per session on free ports and stopped with it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.heart import Heart
from tests.support.servers import Servers
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Apache Kafka and PostgreSQL of the embedded default, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="poec-test-") as folder:
        running = Servers.start(Path(folder))
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole product, one process per role, in a folder of its own; each test leaves it healthy."""
    with tempfile.TemporaryDirectory(prefix="poec-stack-") as folder:
        running = Stack(Path(folder) / "home")
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def heart(servers: Servers) -> AsyncIterator[Heart]:
    """A database with the delivery tables and a toy aggregate, a topic of its own, and nothing running yet."""
    made = await Heart.make(servers)
    try:
        yield made
    finally:
        await made.close()
