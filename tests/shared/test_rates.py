"""How much one caller may ask: a bucket as a row, shared by all replicas; the arithmetic is the row's, no test measures time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Request

from shared.database import Database
from shared.errors import TooMany
from shared.identity import Principal, service_principal
from shared.rates import Counted, Limit, Rates, forget
from tests.support.heart import WORKER, Heart
from tests.support.toy_app import PEOPLE, caller, toy_app

NEVER_REFILLED = 0.0


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def taken(rates: Rates, tries: int, limit: Limit, holder: str = "akto") -> int:
    """Return how many of so many tries, all at once, got a token."""

    async def one() -> bool:
        try:
            await rates.take(holder, "write", limit)
        except TooMany:
            return False
        return True

    return sum(await asyncio.gather(*(one() for _ in range(tries))))


async def row_of(heart: Heart, holder: str = "akto") -> Any:
    (row,) = await heart.fetch("SELECT * FROM rate_bucket WHERE holder = $1", holder)
    return row


async def aged(heart: Heart, seconds: float, holder: str = "akto") -> None:
    """Let time pass for a row, without waiting for it."""
    async with heart.database.connection() as connection:
        await connection.execute(
            "UPDATE rate_bucket SET at = at - make_interval(secs => $2) WHERE holder = $1", holder, seconds
        )


@pytest.fixture
def rates(heart: Heart) -> Rates:
    return Rates(heart.database, {}, Clock())


@pytest.mark.parametrize("burst", [1, 2, 7, 40, 1000])
async def test_exactly_a_burst_gets_through_at_once(heart: Heart, rates: Rates, burst: int) -> None:
    assert await taken(rates, burst * 2 + 50, Limit(NEVER_REFILLED, burst)) == burst


async def test_two_replicas_give_out_one_bucket(heart: Heart) -> None:
    """Of 2,000 asked at once of two processes' purses, not one too many; what a purse still holds is the whole error."""
    limit, other = Limit(NEVER_REFILLED, 400), await Database.open(heart.url, "validation", 4)
    try:
        replicas = [Rates(heart.database, {}), Rates(other, {})]
        found = await asyncio.gather(*(taken(rates, 1000, limit) for rates in replicas))
    finally:
        await other.close()
    assert sum(found) == 400
    assert min(found) > 0


async def test_an_uneven_load_loses_less_than_a_twentieth(heart: Heart) -> None:
    """One replica asks once and keeps the rest of its chunk: that is the error, and it is on the side of fewer."""
    limit = Limit(400, 400)
    idle, busy = Rates(heart.database, {}, Clock()), Rates(heart.database, {}, Clock())
    assert await taken(idle, 1, limit) == 1
    async with heart.database.connection() as connection:
        await connection.execute("UPDATE rate_bucket SET per_second = 0, burst = 400")
    through = 1 + await taken(busy, 1000, limit)
    assert 400 * 0.95 <= through <= 400


async def test_a_bucket_fills_with_time_and_never_above_its_burst(heart: Heart, rates: Rates) -> None:
    limit = Limit(10, 40)
    await taken(rates, 100, limit)
    async with heart.database.connection() as connection:  # from here on time stands but for what the test says
        await connection.execute("UPDATE rate_bucket SET tokens = 0, at = statement_timestamp() + interval '1 hour'")
    for seconds, there in ((0, 0), (2, 20), (3600, 40)):
        await aged(heart, 3600 + seconds)
        fresh = Rates(heart.database, {}, Clock())
        got = await taken(fresh, 100, limit)
        assert there <= got <= there + 5, f"after {seconds} s"  # a slow machine may add half a second
        async with heart.database.connection() as connection:
            await connection.execute("UPDATE rate_bucket SET tokens = 0, at = statement_timestamp() + interval '1 hour'")


async def test_the_cost_is_one_statement_for_a_tenth_of_a_second(
    heart: Heart, rates: Rates, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    original = Rates._draw

    async def draw(self: Rates, *args: Any) -> None:
        drawn.append("drawn")
        await original(self, *args)

    monkeypatch.setattr(Rates, "_draw", draw)
    assert await taken(rates, 1000, Limit(500, 1000)) == 1000
    assert len(drawn) == 1000 / Limit(500, 1000).chunk == 20


async def test_who_is_over_the_limit_is_told_from_memory(heart: Heart) -> None:
    clock = Clock()
    rates, limit = Rates(heart.database, {}, clock), Limit(1, 1)
    assert await taken(rates, 5, limit) == 1
    before = await row_of(heart)
    assert await taken(rates, 500, limit) == 0
    assert await row_of(heart) == before
    clock.now += 1.01
    await aged(heart, 1.01)
    assert await taken(rates, 5, limit) == 1


async def test_a_limit_that_was_raised_is_seen_soon(heart: Heart) -> None:
    clock = Clock()
    rates, limit = Rates(heart.database, {}, clock), Limit(NEVER_REFILLED, 1)
    assert await taken(rates, 5, limit) == 1
    async with heart.database.connection() as connection:
        await connection.execute("UPDATE rate_bucket SET burst = 7, tokens = 7")
    assert await taken(rates, 5, limit) == 0
    clock.now += 2.01
    assert await taken(rates, 9, limit) == 7


@pytest.mark.parametrize(("limit", "wait"), [(Limit(0.1, 1), 10), (Limit(100, 1), 1), (Limit(0, 1), 3600)])
async def test_retry_after_says_when_there_is_a_token_again(heart: Heart, rates: Rates, limit: Limit, wait: int) -> None:
    await rates.take("akto", "write", limit)
    async with heart.database.connection() as connection:  # however long a slow machine takes to ask again
        await connection.execute("UPDATE rate_bucket SET at = statement_timestamp() + interval '1 hour'")
    with pytest.raises(TooMany) as refused:
        await rates.take("akto", "write", limit)
    assert refused.value.headers["Retry-After"] == str(wait)
    assert refused.value.headers["RateLimit"] == f'"write";r=0;t={wait}'
    assert refused.value.objections[0].facts["retry_after"] == wait


async def test_a_bucket_is_its_holders_and_its_kinds_own(heart: Heart, rates: Rates) -> None:
    limit = Limit(NEVER_REFILLED, 3)
    assert await taken(rates, 9, limit) == 3
    assert await taken(rates, 9, limit, "afdas") == 3
    await rates.take("akto", "read", limit)


async def test_a_row_may_say_another_limit(heart: Heart) -> None:
    limit = Limit(NEVER_REFILLED, 3)
    assert await taken(Rates(heart.database, {}), 9, limit) == 3
    async with heart.database.connection() as connection:
        await connection.execute("UPDATE rate_bucket SET per_second = 0, burst = 50, tokens = 50")
    assert await taken(Rates(heart.database, {}), 90, limit) == 50


async def test_what_is_opened_for_one_organisation_sees_no_bucket(heart: Heart, rates: Rates) -> None:
    await rates.take("akto", "write", Limit(1, 1))
    assert await heart.database.query(PEOPLE["akto"], "SELECT 1 FROM rate_bucket") == []
    assert len(await heart.database.query(WORKER, "SELECT 1 FROM rate_bucket")) == 1


async def test_buckets_that_say_nothing_are_forgotten(heart: Heart, rates: Rates) -> None:
    for holder in ("old", "own", "new"):
        await rates.take(holder, "write", Limit(1, 1))
    await aged(heart, 90_000, "old")
    await aged(heart, 90_000, "own")
    async with heart.database.connection() as connection:
        await connection.execute("UPDATE rate_bucket SET burst = 7 WHERE holder = 'own'")
    await forget(heart.database)
    assert {row["holder"] for row in await heart.fetch("SELECT holder FROM rate_bucket")} == {"own", "new"}


async def test_each_kind_of_principal_has_its_limit_and_services_have_none(heart: Heart) -> None:
    rates = Rates(heart.database, {"machine": Limit(0, 5), "person": Limit(0, 2)})
    who = {
        "machine": Principal("m", "akto", "machine"), "person": Principal("p", "akto", "person"),
        "service": service_principal("validation", "api"),
    }  # fmt: skip
    through = dict.fromkeys(who, 0)
    for name, principal in who.items():
        for _ in range(9):
            try:
                await rates.count(principal, "write")
            except TooMany:
                continue
            through[name] += 1
    assert through == {"machine": 5, "person": 2, "service": 9}


@pytest_asyncio.fixture(loop_scope="session")
async def counted(heart: Heart) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the toy, where a machine may write three times and read twice, and no more."""
    app = toy_app(heart)
    app.state.door.who = Counted(app.state.door.who, Rates(heart.database, {"machine": Limit(NEVER_REFILLED, 3)}))
    async with caller(app) as client:
        yield client


async def test_one_request_too_many_is_429_and_the_others_go_on(counted: httpx.AsyncClient, heart: Heart) -> None:
    from uuid import uuid4

    tally = uuid4()

    async def count(who: str) -> httpx.Response:
        headers = {"Idempotency-Key": str(uuid4()), "authorization": who}
        return await counted.post(f"/tallies/{tally}", json={}, headers=headers)

    found = [await count("akto") for _ in range(5)]
    assert [answer.status_code for answer in found] == [201, 201, 201, 429, 429]
    refused = found[-1]
    assert (refused.json()["code"], refused.json()["objections"][0]["code"]) == ("too_many_requests", "RATE")
    assert refused.headers["retry-after"] == "3600"
    assert (await count("afdas")).status_code == 201
    assert (await counted.get(f"/tallies/{tally}")).status_code == 200, "reads have a bucket of their own"
    assert await heart.seen(tally) == 4


async def test_who_is_asked_again_is_not_counted_again(heart: Heart) -> None:
    class Known:
        async def principal(self, request: Request) -> Principal:
            return PEOPLE["akto"]

        async def again(self, request: Request) -> Principal:
            return PEOPLE["akto"]

    who = Counted(Known(), Rates(heart.database, {"machine": Limit(0, 1)}))
    request = Request({"type": "http", "method": "POST", "headers": []})
    await who.principal(request)
    for _ in range(3):
        await who.again(request)
    with pytest.raises(TooMany):
        await who.principal(request)
