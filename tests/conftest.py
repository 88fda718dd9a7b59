"""What every test may ask for: the real servers of this machine, started once per session on free ports and stopped with it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.heart import Heart
from tests.support.servers import Servers
from tests.support.stack import Stack

# Folders whose tests share a stack, a browser or a desk, and end with an audit of what all of them did: one process runs each.
WHOLE: Final = ("access", "browser", "chaos", "fuzz")


def together(test: str) -> str:
    """Return the name under which a test stays with others: its file, or its folder where that is one of `WHOLE`."""
    file = test.split("::", 1)[0]
    folder = file.removeprefix("tests/").split("/", 1)[0]
    return folder if folder in WHOLE else file


class ByPlace(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist says nothing of its types
    """Shares the tests out among processes; its own way by groups does nothing with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return who shares the tests out when there are several processes."""
    return ByPlace(config, log)


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
