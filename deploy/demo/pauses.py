"""Pauses between tries of the same thing, and an end to patience."""

import asyncio
import random
import time

from deploy.demo.errors import CouldNotPlay
from deploy.demo.watch import PATIENCE

FIRST_DELAY, LONGEST_DELAY = 0.02, 0.5


class Pause:
    """A growing, jittered pause between two tries of the same thing; `CouldNotPlay` when they took too long together."""

    def __init__(self, what: str, patience: float = PATIENCE) -> None:
        self._what, self._delay, self._until = what, FIRST_DELAY, time.monotonic() + patience

    async def longer(self) -> None:
        """Pause, twice as long as the time before."""
        if time.monotonic() > self._until:
            raise CouldNotPlay(f"{self._what}: still refused as too early after {PATIENCE:.0f} s.")
        await asyncio.sleep(self._delay * random.uniform(0.5, 1.0))
        self._delay = min(LONGEST_DELAY, 2 * self._delay)
