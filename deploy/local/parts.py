"""What the supervisor watches: each part says when something of it died, and can start it again."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any, Protocol

from deploy.local.children import Child
from deploy.local.servers import Broker, Database
from shared.messaging.clients import KafkaAccess

POLL = 0.2  # seconds between two looks at a server that cannot tell us of its end


class Part(Protocol):
    """Something that runs under the supervisor."""

    async def died(self) -> tuple[str, str]:
        """Wait until something of this part dies; what it is, and how it ended."""
        ...

    async def revive(self, what: str) -> None:
        """Start it again; LocalError when that fails."""
        ...

    async def stop(self, grace: float) -> None:
        """Stop it in good order."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class ChildPart:
    """A Python process."""

    def __init__(self, child: Child) -> None:
        self.child = child

    async def died(self) -> tuple[str, str]:
        """See Part."""
        return self.child.name, await self.child.died()

    async def revive(self, what: str) -> None:
        """See Part; returns before it is ready."""
        await self.child.start_again()

    async def stop(self, grace: float) -> None:
        """See Part."""
        await self.child.stop(grace)

    def kill(self) -> None:
        """See Part."""
        self.child.signal(signal.SIGKILL)


class _Blocking:
    """Runs the blocking calls of a server in a thread, never two at a time."""

    def __init__(self) -> None:
        self._last: asyncio.Future[object] | None = None

    async def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Wait for the last call, also one whose caller was cancelled, then make this one."""
        if self._last is not None:
            await asyncio.wait([self._last])
        self._last = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
        await asyncio.shield(self._last)


class BrokerPart(_Blocking):
    """Apache Kafka, node by node; `furnish` makes the topics and users that are missing after a start."""

    def __init__(self, broker: Broker, furnish: Callable[[KafkaAccess], object]) -> None:
        super().__init__()
        self.broker, self._furnish = broker, furnish

    async def died(self) -> tuple[str, str]:
        """See Part."""
        while not (dead := self.broker.dead_nodes()):
            await asyncio.sleep(POLL)
        return f"kafka.{dead[0]}", "the broker ended"

    async def revive(self, what: str) -> None:
        """See Part; returns when the cluster answers and has its topics and users again: a node whose data were lost has none."""
        await self.call(self.broker.restart, int(what.rpartition(".")[2]))
        await self.call(self._furnish, self.broker.access)

    async def stop(self, grace: float) -> None:
        """See Part; the broker has its own times."""
        await self.call(self.broker.stop)

    def kill(self) -> None:
        """See Part."""
        _signal_all(self.broker.pids, signal.SIGKILL)


class DatabasePart(_Blocking):
    """PostgreSQL."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    async def died(self) -> tuple[str, str]:
        """See Part."""
        while self.database.alive():
            await asyncio.sleep(POLL)
        return "postgres", "the server ended"

    async def revive(self, what: str) -> None:
        """See Part; returns when it accepts connections."""
        await self.call(self.database.restart)

    async def stop(self, grace: float) -> None:
        """See Part; the server has its own times."""
        await self.call(self.database.stop)

    def kill(self) -> None:
        """Immediate shutdown: the server recovers at its next start, and leaves no process behind."""
        _signal_all([self.database.pid] if self.database.pid else [], signal.SIGQUIT)


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):  # gone, or another account's: its watchdog stops it
            continue
