"""A browser for the whole folder, a toy site with every macro, and people who sign in to the real stack."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
import structlog
import uvicorn
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.desk import Desk, at_work
from tests.support.heart import Heart
from tests.support.screens import SAID_OF_ERRORS, Screen, chromium, sign_in, visiting
from tests.support.servers import Servers
from tests.support.stack import Stack
from tests.support.toy_app import toy_app
from tests.support.toy_pages import TOY_PAGES

expect.set_options(timeout=20_000)  # how long a state is waited for on a machine that has much else to do
HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the audit after everything that this folder does: what is not true is then found where it was made."""
    audits = [item for item in items if item.path == HERE / "test_audit.py"]
    of_folder = [n for n, item in enumerate(items) if item.path.parent == HERE and item not in audits]
    if audits and of_folder:
        last = items[of_folder[-1]]
        rest = [item for item in items if item not in audits]
        at = rest.index(last) + 1 if last in rest else len(rest)
        items[:] = [*rest[:at], *audits, *rest[at:]]


@pytest.fixture(scope="package", autouse=True)
def _quiet() -> Iterator[None]:
    """The toy site answers in this process: it says nothing of each answer, and prints no failure that is planted."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, in its own process."""
    async with async_playwright() as playwright, chromium(playwright) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def toy(servers: Servers) -> AsyncIterator[str]:
    """The toy service on a real port, for the whole folder; return its origin."""
    heart = await Heart.make(servers)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(toy_app(heart, TOY_PAGES), log_config=None, access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving
            await heart.close()


People = Callable[..., AbstractAsyncContextManager[Screen]]


@pytest_asyncio.fixture(loop_scope="session")
async def people(browser: Browser, stack: Stack) -> People:
    """Return who signs in to a service of the real stack: `async with people("p-opco-2i", "submission", "/espace/fiches") as screen`.

    `script=False` is a browser without JavaScript.
    """

    @asynccontextmanager
    async def signed_in(account: str, service: str = "submission", path: str = "/", **more: Any) -> AsyncIterator[Screen]:
        async with visiting(browser, stack.run.services[service].url, **more) as screen:
            await sign_in(screen, account, path)
            yield screen

    return signed_in


Staff = Callable[..., AbstractAsyncContextManager[Screen]]


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def staff(browser: Browser, stack: Stack) -> Staff:
    """Return who comes with the session of an account: it signs in once, as often as it then comes."""
    url, sessions = stack.run.services["submission"].url, {}

    @asynccontextmanager
    async def coming(account: str, path: str, **more: Any) -> AsyncIterator[Screen]:
        if account not in sessions:
            async with visiting(browser, url) as first:
                await sign_in(first, account)
                sessions[account] = await first.page.context.storage_state()
        async with visiting(browser, url, storage_state=sessions[account], **more) as screen:
            screen.expected = SAID_OF_ERRORS
            await screen.goto(path)
            yield screen

    return coming


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def script(request: pytest.FixtureRequest) -> bool:
    """Whether the browser runs scripts: both must do."""
    return bool(request.param)


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def desk(stack: Stack) -> AsyncIterator[Desk]:
    """An OPCO's desk with fiches in every state; tests count them: what is added lies in Caen, Rouen or nowhere yet."""
    async with at_work(stack) as ready:
        yield ready
