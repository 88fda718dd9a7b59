"""The four services for the tests of who may do what: one database each, for the whole folder."""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest
import pytest_asyncio
import structlog

from shared.contracts.flow import SERVICES
from tests.access.entrance import Entrance, KeyServer
from tests.support.servers import Servers


@pytest.fixture(scope="package", autouse=True)
def _quiet() -> Iterator[None]:
    """Tens of thousands of requests say nothing of each answer."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="package")
def keys() -> Iterator[KeyServer]:
    """An issuer of tokens."""
    made = KeyServer()
    yield made
    made.stop()


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def entrances(servers: Servers, keys: KeyServer) -> AsyncIterator[Mapping[str, Entrance]]:
    """Every service by its name."""
    made = [await Entrance.make(servers, name, keys) for name in SERVICES]
    yield {one.name: one for one in made}
    for one in made:
        await one.close()
