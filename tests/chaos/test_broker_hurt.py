"""The broker ended, killed, suspended, and robbed of its data: partners go on afterwards, and the outboxes rebuild the log."""

import asyncio
import signal
import time
from typing import Final

import pytest

from deploy.local.topics import compare
from shared.contracts.flow import CATALOGUE, DOSSIERS, FICHES, SESSIONS
from tests.support.figures import Figures
from tests.support.load import Load
from tests.support.stack import Stack, eventually, killed, suspended
from tests.support.topics import rebuilt

SUSPENDED: Final = 20.0
BUSINESS: Final = {FICHES: "submission", DOSSIERS: "validation", SESSIONS: "publication"}


async def _ended(stack: Stack, figures: Figures, number: signal.Signals) -> None:
    async with Load(stack, number.name) as load:
        load.begin()
        await load.more(4)
        hurt = await killed(stack.broker, number)
        await load.more(8)
        seconds = time.monotonic() - hurt.monotonic
        assert stack.broker != hurt.pid
    figures.hurt(f"broker {number.name}", "broker", fiches=len(load.done), seconds=(seconds,), note="to 8 more fiches")
    figures.audited(await stack.audited())


async def test_a_broker_that_is_killed_loses_nothing(stack: Stack, figures: Figures) -> None:
    await _ended(stack, figures, signal.SIGKILL)


@pytest.mark.campaign
async def test_a_broker_that_is_ended_in_order_loses_nothing(stack: Stack, figures: Figures) -> None:
    await _ended(stack, figures, signal.SIGTERM)


@pytest.mark.campaign
async def test_a_broker_that_is_suspended_is_waited_for(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "STOP") as load:
        load.begin()
        await load.more(4)
        pid = stack.broker
        with suspended(pid):
            before = len(load.done)
            await asyncio.sleep(SUSPENDED)
            assert len(load.done) - before <= 8, "fiches went through a broker that was suspended"
        since = time.monotonic()
        await load.more(8)
        seconds = time.monotonic() - since
        assert stack.broker == pid
    note = f"{SUSPENDED:.0f} s; to 8 more fiches after it"
    figures.hurt("broker SIGSTOP", "broker", fiches=len(load.done), seconds=(seconds,), note=note)
    figures.audited(await stack.audited())


@pytest.mark.timeout(400)
async def test_a_broker_that_lost_everything_is_rebuilt_from_the_outboxes(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "WIPE") as load:
        load.begin()
        await load.more(6)
        said = sum(
            [await stack.value(of, "SELECT count(*) FROM outbox WHERE topic = $1", t) for t, of in BUSINESS.items()]
        )
        assert said >= 6 * 8
        hurt = await stack.wipe_broker()
        await stack.ready()
        assert stack.broker != hurt.pid
        load.progress.begin_again()
        await load.more(8)
        seconds = time.monotonic() - hurt.monotonic
    for topic, service in BUSINESS.items():
        await rebuilt(stack, load.access, service, topic)

    async def table_is_back() -> bool:
        return not [row for row in compare(load.access) if row.difference]

    await eventually(table_is_back, 30, "topics are those of the flow table")
    assert await stack.value("analytics", "SELECT count(*) FROM position_reset") >= 6
    assert await stack.value("publication", "SELECT count(*) FROM outbox WHERE topic = $1", CATALOGUE) >= 14
    note = f"{said} records rebuilt; to 8 more fiches"
    figures.hurt("broker's data wiped", "broker", fiches=len(load.done), seconds=(seconds,), note=note)
    figures.audited(await stack.audited())


@pytest.mark.campaign
@pytest.mark.timeout(400)
async def test_a_worker_that_slept_while_the_log_was_made_anew_reads_all_of_the_new_one(
    stack: Stack, figures: Figures
) -> None:
    async with Load(stack, "SLEEP") as load:
        load.begin()
        await load.more(6)
        asleep = stack.pid("analytics", "worker")
        with suspended(asleep):
            await load.more(8)  # what the sleeper has not heard when the log is lost
            heard = await stack.value("analytics", "SELECT count(*) FROM inbox")
            await stack.wipe_broker()
            load.progress.begin_again()
            await load.more(8)
            for topic, service in BUSINESS.items():
                await rebuilt(stack, load.access, service, topic)
            assert await stack.value("analytics", "SELECT count(*) FROM inbox") == heard
            assert stack.pid("analytics", "worker") == asleep
    figures.hurt("broker's data wiped", "broker, with a worker asleep", fiches=len(load.done))
    figures.audited(await stack.audited())


@pytest.mark.campaign
@pytest.mark.timeout(400)
async def test_a_broker_killed_again_and_again_loses_nothing(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "AGAIN") as load:
        load.begin()
        seconds = []
        for _ in range(5):
            await load.more(6)
            hurt = await killed(stack.broker, signal.SIGKILL)
            await load.more(6)
            seconds.append(time.monotonic() - hurt.monotonic)
            await stack.ready()
    figures.hurt(
        "broker SIGKILL", "broker", times=5, fiches=len(load.done), seconds=tuple(seconds), note="to 6 more fiches"
    )
    figures.audited(await stack.audited())
