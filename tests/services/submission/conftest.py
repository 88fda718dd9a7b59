"""What the tests of submission's doors share: a database with its tables, its inbox and its routes, one for each file of tests."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.services.submission.room import Room
from tests.support.servers import Servers


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    made = await Room.make(servers)
    try:
        yield made
    finally:
        await made.close()
