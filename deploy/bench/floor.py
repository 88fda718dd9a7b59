"""The floor: what PostgreSQL alone takes for a fiche. Four bare transactions (state, history, outbox), nothing else, same concurrency."""

import asyncio
import time
from uuid import uuid4

import asyncpg

_MAKE = """
CREATE SCHEMA IF NOT EXISTS bench_floor;
CREATE TABLE IF NOT EXISTS bench_floor.state (id uuid PRIMARY KEY, version int NOT NULL, document jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS bench_floor.history (id uuid, version int, document jsonb NOT NULL, PRIMARY KEY (id, version));
CREATE TABLE IF NOT EXISTS bench_floor.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text, key text, value text);
"""
_DROP = "DROP SCHEMA IF EXISTS bench_floor CASCADE"
_STATE = "INSERT INTO bench_floor.state VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET version = state.version + 1"
_HISTORY = "INSERT INTO bench_floor.history VALUES ($1, $2, $3)"
_OUTBOX = "INSERT INTO bench_floor.outbox (topic, key, value) VALUES ('t', $1, $2)"


async def _leave_as_it_is(_: asyncpg.Connection) -> None:
    """Spare the floor the session reset that the pool would ask for after each transaction: it would flatter every ratio."""


async def floor(owner_url: str, concurrency: int, fiches: int, document: str) -> float:
    """Return fiches per second of the floor, with `document` (JSON, the size of a fiche) in every write."""
    size = min(concurrency, 50)
    pool = await asyncpg.create_pool(owner_url, min_size=size, max_size=size, reset=_leave_as_it_is)
    await pool.execute(_MAKE)
    left = iter(range(fiches))

    async def client() -> None:
        for _ in left:
            identifier = uuid4()
            for version in range(1, 5):
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute(_STATE, identifier, document)
                    await connection.execute(_HISTORY, identifier, version, document)
                    await connection.execute(_OUTBOX, str(identifier), document)

    try:
        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(concurrency)))
        return fiches / (time.perf_counter() - began)
    finally:
        await pool.execute(_DROP)
        await pool.close()
