"""A database for the tests of people's sign-in: made once, its people registered anew for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.heart import Heart
from tests.support.servers import Servers
from tests.support.sign_in_app import people_anew


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_heart(servers: Servers) -> AsyncIterator[Heart]:
    """The database itself."""
    made = await Heart.make(servers)
    try:
        yield made
    finally:
        await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def people(one_heart: Heart) -> Heart:
    """The same with two people who have never signed in."""
    await people_anew(one_heart)
    return one_heart
