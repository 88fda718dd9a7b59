"""A browser for the whole folder, a toy site with every macro, and people who sign in to the real stack."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, async_playwright

from tests.support.heart import Heart
from tests.support.screens import chromium
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
