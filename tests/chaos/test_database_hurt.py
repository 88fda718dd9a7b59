"""PostgreSQL restarted and killed under load, and the connection cut by which a relay is woken."""

import signal
import time
from typing import Final

import pytest

from tests.support.figures import Figures
from tests.support.load import Load
from tests.support.stack import NotHurt, Stack, eventually, killed

_LISTENING: Final = (
    "SELECT pid FROM pg_stat_activity WHERE datname = 'submission' AND query ILIKE 'LISTEN%'"
    " AND backend_type = 'client backend'"
)


async def _ended(stack: Stack, figures: Figures, number: signal.Signals) -> None:
    async with Load(stack, number.name) as load:
        load.begin()
        await load.more(4)
        hurt = await killed(stack.postmaster, number)
        await load.more(8)
        seconds = time.monotonic() - hurt.monotonic
        assert stack.postmaster != hurt.pid
    figures.hurt(
        f"PostgreSQL {number.name}", "database", fiches=len(load.done), seconds=(seconds,), note="to 8 more fiches"
    )
    figures.audited(await stack.audited())


async def test_a_database_server_that_is_killed_loses_nothing(stack: Stack, figures: Figures) -> None:
    await _ended(stack, figures, signal.SIGKILL)


@pytest.mark.campaign
async def test_a_database_server_that_is_restarted_loses_nothing(stack: Stack, figures: Figures) -> None:
    await _ended(stack, figures, signal.SIGINT)


async def test_a_relay_whose_listening_connection_is_cut_goes_on_and_listens_again(
    stack: Stack, figures: Figures
) -> None:
    async with Load(stack, "LISTEN") as load:
        load.begin()
        await load.more(2)
        before = [row["pid"] for row in await stack.as_superuser(_LISTENING)]
        if len(before) != 1:
            raise NotHurt(f"{len(before)} listening connections")
        assert (await stack.as_superuser("SELECT pg_terminate_backend($1)", before[0]))[0][0]
        since = time.monotonic()

        async def listens_again() -> bool:
            return [row["pid"] for row in await stack.as_superuser(_LISTENING)] not in ([], before)

        await eventually(listens_again, 30, "submission's relay listens again")
        seconds = time.monotonic() - since
        await load.more(4)
    figures.hurt("listening connection cut", "submission.relay", fiches=len(load.done), seconds=(seconds,))
    figures.audited(await stack.audited())


@pytest.mark.campaign
@pytest.mark.timeout(400)
async def test_both_servers_killed_at_once_again_and_again_lose_nothing(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "BOTH") as load:
        load.begin()
        seconds = []
        for _ in range(4):
            await load.more(6)
            await killed(stack.broker, signal.SIGKILL)
            hurt = await killed(stack.postmaster, signal.SIGKILL)
            await load.more(6)
            seconds.append(time.monotonic() - hurt.monotonic)
            await stack.ready()
    note = "to 6 more fiches"
    figures.hurt("both servers SIGKILL", "both", times=8, fiches=len(load.done), seconds=tuple(seconds), note=note)
    figures.audited(await stack.audited())
