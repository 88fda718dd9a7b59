"""A browser for the whole folder, a toy site with every macro, and people who sign in to the real stack."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, async_playwright

from tests.support.heart import Heart
from tests.support.screens import Screen, chromium, sign_in, visiting
from tests.support.stack import Stack
from tests.support.toy_app import toy_app
from tests.support.toy_pages import TOY_PAGES


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, in its own process."""
    async with async_playwright() as playwright, chromium(playwright) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def toy(heart: Heart) -> AsyncIterator[str]:
    """The toy service on a real port; return its origin."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(toy_app(heart, TOY_PAGES), log_config=None, access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server._serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving


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
