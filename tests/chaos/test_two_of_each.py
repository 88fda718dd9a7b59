"""Two workers and two relays of every service at once, and one of each pair killed: each takes its part, none doubles anything."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest

from deploy.local.children import Child
from deploy.local.databases import DatabaseUrls
from deploy.local.guarded import last_lines
from deploy.local.ports import free_port
from deploy.local.processes import Surroundings
from shared.contracts.flow import SERVICES
from tests.support.figures import Figures
from tests.support.load import Load
from tests.support.stack import Stack, eventually, gone

PAIRS: Final = tuple((service, role) for service in SERVICES for role in ("worker", "relay"))
TOOK_PART: Final = {
    "worker": 'poec_inbox_records_total{outcome="applied"',
    "relay": "poec_relay_records_total ",
}


def _second(stack: Stack, service: str, role: str) -> Child:
    """One more process of a role, under an instance name of its own."""
    run = stack.run
    urls = {
        name: DatabaseUrls(s.database_url, s.process_database_url, s.audit_database_url)
        for name, s in run.services.items()
    }
    name = f"{service}-{role}-2"
    environment = Surroundings(run.kafka, run.issuer, urls).environment(service, name, role)
    log = stack.home / "logs" / f"{name}.log"
    return Child(name, ("-m", f"services.{service}", role), environment, log, free_port())


@contextlib.asynccontextmanager
async def _seconds(stack: Stack) -> AsyncIterator[dict[tuple[str, str], Child]]:
    children = {pair: _second(stack, *pair) for pair in PAIRS}
    try:
        for child in children.values():
            await child.start()
        await asyncio.gather(*(child.wait_ready(90) for child in children.values()))
        yield children
    finally:
        await asyncio.gather(*(child.stop(20) for child in children.values()))


async def _done(child: Child, role: str) -> float:
    """What a process has done since it started, as it says itself."""
    async with httpx.AsyncClient(timeout=10) as http:
        lines = (await http.get(f"{child.url}/metrics")).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(TOOK_PART[role]))


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_two_of_each_share_the_work_and_one_of_them_may_be_killed(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "TWO") as load:
        load.begin()
        await load.more(3)
        async with _seconds(stack) as seconds:
            await load.more(40)
            for (service, role), child in seconds.items():
                if (service, role) == ("analytics", "relay"):
                    continue  # it only speaks of dead letters, and there are none

                async def took_part(child: Child = child, role: str = role) -> bool:
                    assert child.alive, f"{child.name} has ended:\n{last_lines(child.log)}"
                    return await _done(child, role) > 0

                await eventually(took_part, 60, f"the second {service}.{role} does its part")
            for pair, child in seconds.items():
                pid = child.pid
                assert pid is not None
                child.signal(signal.SIGKILL)
                await gone(pid, 10, f"the second {pair} dies")
                figures.hurt("kill -9 of one of two", ".".join(pair))
            await load.more(20)
    figures.hurt("two of each", "all services", times=0, fiches=len(load.done))
    figures.audited(await stack.audited())
