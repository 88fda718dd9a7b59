"""kill -9 of each role of each service under load: nothing lost, nothing doubled, and the next effect within seconds."""

import asyncio
import datetime as dt
import time
from typing import Final
from uuid import uuid4

import pytest

from shared.contracts.flow import SESSIONS
from tests.support.figures import Figures
from tests.support.load import Load
from tests.support.stack import EVERY_ROLE, Hurt, Stack, eventually

AIM: Final = 5.0
"""Seconds within which the next effect is due on a machine that has nothing else to do; printed, not asserted."""
CEILING: Final = 30.0
ONE_OF_EACH: Final = (
    ("submission", "api"),
    ("validation", "worker"),
    ("publication", "relay"),
    ("analytics", "worker"),
)
_FIRST_HEARD: Final = "SELECT min(at) FROM inbox WHERE at > $1"
_FIRST_SENT: Final = "SELECT min(published_at) FROM outbox WHERE published_at > $1"


async def next_effect(stack: Stack, load: Load, service: str, role: str, hurt: Hurt) -> float:
    """Return the seconds from the death of a role to what it did next: an answer, a record heard, a record sent."""
    if role == "api":
        return await _next_answer(load, service, hurt)
    if (service, role) == ("analytics", "relay"):  # it only ever says that a letter is dead
        await load.senders.send(SESSIONS, str(uuid4()).encode(), b"{", [("ce_id", str(uuid4()).encode())])
    query = _FIRST_HEARD if role == "worker" else _FIRST_SENT
    first: list[dt.datetime] = []

    async def there() -> bool:
        first[:] = [at for at in [await stack.value(service, query, hurt.wall)] if at is not None]
        return bool(first)

    await eventually(there, 2 * CEILING, f"{service}.{role} goes on")
    return (first[0] - hurt.wall).total_seconds()


async def _next_answer(load: Load, service: str, hurt: Hurt) -> float:
    """The first answer of the process that was started again; analytics answers reads alone."""
    if service == "analytics":
        await load.read("dreets", service, "/counts?year=2018")
        return time.monotonic() - hurt.monotonic

    async def answered() -> bool:
        return any(of == service and at > hurt.monotonic for at, of in load.answers)

    await eventually(answered, 2 * CEILING, f"{service}.api answers")
    return next(at for at, of in load.answers if of == service and at > hurt.monotonic) - hurt.monotonic


async def _kill_each(stack: Stack, figures: Figures, roles: tuple[tuple[str, str], ...], times: int) -> None:
    async with Load(stack, "KILL") as load:
        load.begin()
        await load.more(3)
        for service, role in roles:
            seconds = []
            before = len(load.done)
            for _ in range(times):
                hurt = await stack.kill(service, role)
                took = await next_effect(stack, load, service, role, hurt)
                assert await stack.pid_now(service, role) != hurt.pid
                assert took < CEILING, f"{service}.{role}: next effect after {took:.1f} s"
                seconds.append(took)
                await load.more(4)
                await stack.ready()
            note = "" if max(seconds) <= AIM else f"above the aim of {AIM:.0f} s"
            fiches = len(load.done) - before
            figures.hurt("kill -9", f"{service}.{role}", times=times, fiches=fiches, seconds=tuple(seconds), note=note)
        assert len(load.done) >= 4 * len(roles) * times
        await load.discard_letters("analytics")
    figures.audited(await stack.audited())


@pytest.mark.timeout(300)
async def test_a_role_killed_under_load_goes_on_within_seconds(stack: Stack, figures: Figures) -> None:
    await _kill_each(stack, figures, ONE_OF_EACH, 1)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
async def test_every_role_of_every_service_killed_under_load_goes_on_within_seconds(
    stack: Stack, figures: Figures
) -> None:
    await _kill_each(stack, figures, EVERY_ROLE, 3)


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_all_roles_of_a_service_killed_at_once_go_on(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "ALL") as load:
        load.begin()
        await load.more(3)
        for service in ("submission", "validation", "publication"):
            await asyncio.gather(*(stack.kill(service, role) for role in ("api", "worker", "relay")))
            await load.more(6)
            await stack.ready()
            figures.hurt("kill -9 of all roles", service, times=3)
        figures.hurt("kill -9 of all roles", "fiches", times=0, fiches=len(load.done))
    figures.audited(await stack.audited())
