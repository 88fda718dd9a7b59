"""Lets a request in this process wait until news of an aggregate were applied here (`Prefer: wait`).

Across processes there is no signal: whoever waits also looks again by himself, a few times a second.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from uuid import UUID

_LOOK_AGAIN_SECONDS = 0.1
"""For a process without a worker; beside one, news always come and looking again is only a safety net."""


class News:
    """Wakes those who wait for an id."""

    def __init__(self, look_again: float = _LOOK_AGAIN_SECONDS) -> None:
        self._look_again = look_again
        self._waiting: dict[UUID, asyncio.Event] = {}

    def tell(self, ids: Iterable[UUID]) -> None:
        """Say that these aggregates were touched."""
        if self._waiting:
            for identifier in ids:
                if event := self._waiting.get(identifier):
                    event.set()

    def expect(self, identifier: UUID) -> asyncio.Event:
        """Begin to listen, before the attempt that may turn out too early: news in between are not lost."""
        event = self._waiting.setdefault(identifier, asyncio.Event())
        event.clear()
        return event

    def forget(self, identifier: UUID) -> None:
        """Stop listening."""
        self._waiting.pop(identifier, None)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return at the next news, after a moment, or after `seconds`, whichever comes first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, self._look_again)):
                await event.wait()
