"""How much one caller may ask per second: a bucket of tokens per principal and kind, a row shared by all replicas.

A process takes tokens from the row a tenth of a second's worth at a time and spends them from memory: a command costs no round
trip more, and no replica ever gives out what another one has. What a process holds and has not spent is the whole error, and it
is on the side of fewer. Who is over the limit is told from memory too, until the row can have tokens again.
"""

import asyncio
import contextlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from fastapi import Request

from shared.database import CONNECTION_LOST, Database
from shared.errors import Objection, TooMany
from shared.http import WhoAsks
from shared.identity import Principal

_REMEMBERED: Final = 4096
_LONGEST_WAIT_SECONDS: Final = 3600.0
_LONGEST_MEMORY_SECONDS: Final = 2.0
"""So long a refusal is given from memory; then a limit that was raised meanwhile is seen."""
_FORGET_SECONDS: Final = 3600.0
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_AVAILABLE: Final = (
    "least(coalesce(b.burst, $4), b.tokens + greatest(0, extract(epoch FROM statement_timestamp() - b.at))"
    " * coalesce(b.per_second, $3))"
)
# what a crash forgets of it are a few tokens: nobody waits for the disk
_TAKE: Final = f"""
INSERT INTO rate_bucket AS b (holder, kind, tokens, granted, at)
SELECT $1, $2, $4::float8 - $5::float8, $5, statement_timestamp()
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS unhurried
ON CONFLICT (holder, kind) DO UPDATE SET
  granted = greatest(0, floor(least($5, {_AVAILABLE}))),
  tokens = {_AVAILABLE} - greatest(0, floor(least($5, {_AVAILABLE}))),
  at = greatest(b.at, statement_timestamp())
RETURNING granted, tokens, coalesce(per_second, $3::float8) AS per_second, coalesce(burst, $4::float8) AS burst
"""


@dataclass(frozen=True)
class Limit:
    """So many requests per second on average, and so many at once after a pause."""

    per_second: float
    burst: float

    @property
    def chunk(self) -> int:
        """Return how many tokens a process takes at once: a tenth of a second's worth, a twentieth of the burst at most."""
        return max(1, int(min(self.per_second / 10, self.burst / 20)))


@dataclass
class _Purse:
    """What a process holds of one bucket: tokens in hand, or when there are some again and until when nobody asks the row."""

    limit: Limit
    left: int = 0
    full_at: float = 0.0
    empty_until: float = 0.0
    taking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    """The buckets of one database. `limits` gives each kind of principal its default; a row may say otherwise."""

    def __init__(
        self, database: Database, limits: Mapping[str, Limit], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database, self._limits, self._clock = database, dict(limits), clock
        self._purses: OrderedDict[tuple[str, str], _Purse] = OrderedDict()

    async def count(self, principal: Principal, kind: str) -> None:
        """Count one request of a principal. Raises `TooMany` with `Retry-After` when that is one too many."""
        limit = self._limits.get(principal.kind)
        if limit is not None:
            await self.take(principal.id, kind, limit)

    async def take(self, holder: str, kind: str, limit: Limit) -> None:
        """Take one token of any bucket (an address that signs in, say); `holder` is what the bucket is called.

        Raises `TooMany` when there is none; `limit` counts where the row says nothing else.
        """
        purse = self._purses.setdefault((holder, kind), _Purse(limit))
        self._purses.move_to_end((holder, kind))
        if len(self._purses) > _REMEMBERED:
            self._purses.popitem(last=False)
        if purse.left < 1:
            async with purse.taking:
                if purse.left < 1:
                    await self._draw(purse, holder, kind, limit)
        purse.left -= 1

    async def _draw(self, purse: _Purse, holder: str, kind: str, limit: Limit) -> None:
        """Take a chunk out of the row."""
        if self._clock() >= purse.empty_until:
            chunk = min(purse.limit.chunk, max(1, int(limit.burst)))
            async with self._database.connection() as connection:
                row = await connection.fetchrow(_TAKE, holder, kind, limit.per_second, limit.burst, float(chunk))
            purse.left, purse.limit = int(row["granted"]), Limit(row["per_second"], row["burst"])
            if purse.left >= 1:
                return
            purse.full_at = self._clock() + _wait(purse.limit, row["tokens"])
            purse.empty_until = min(purse.full_at, self._clock() + _LONGEST_MEMORY_SECONDS)
        raise _too_many(kind, purse.limit, purse.full_at - self._clock())


async def forget(database: Database) -> None:
    """Delete the buckets that say nothing any more: full for a day at least, and with nobody's own limit."""
    query = "DELETE FROM rate_bucket WHERE per_second IS NULL AND burst IS NULL AND at < statement_timestamp() - interval '1 day'"
    async with database.connection() as connection:
        await connection.execute(query)


async def forget_regularly(database: Database) -> None:
    """Delete such buckets every hour; where the server is away, in the next one."""
    while True:
        await asyncio.sleep(_FORGET_SECONDS)
        with contextlib.suppress(*CONNECTION_LOST, asyncpg.PostgresError):
            await forget(database)


def _wait(limit: Limit, tokens: float) -> float:
    """Return the seconds until it is worth asking the row again."""
    if limit.per_second <= 0:
        return _LONGEST_WAIT_SECONDS
    wanted = max(1.0, min(limit.chunk, limit.burst))
    return min(_LONGEST_WAIT_SECONDS, max(0.0, wanted - tokens) / limit.per_second)


def _too_many(kind: str, limit: Limit, seconds: float) -> TooMany:
    wait = max(1, math.ceil(seconds))
    text = f"Trop de demandes par seconde\u202f: réessayez dans {wait} s (en-tête Retry-After)."
    facts = {"burst": int(limit.burst), "retry_after": wait}
    refused = TooMany(Objection("RATE", text, facts=facts))
    window = math.ceil(limit.burst / limit.per_second) if limit.per_second > 0 else int(_LONGEST_WAIT_SECONDS)
    refused.headers = {
        "Retry-After": str(wait),
        "RateLimit-Policy": f'"{kind}";q={int(limit.burst)};w={window}',
        "RateLimit": f'"{kind}";r=0;t={wait}',
    }
    return refused


class Counted:
    """Says who asks, and counts it: reads and writes have a bucket each."""

    def __init__(self, who: WhoAsks, rates: Rates) -> None:
        self._who, self._rates = who, rates

    async def principal(self, request: Request) -> Principal:
        """Return who asks; raises `TooMany` for one request too many."""
        principal = await self._who.principal(request)
        await self._rates.count(principal, "read" if request.method in _SAFE else "write")
        return principal

    async def again(self, request: Request) -> Principal:
        """Return who asks by the rights of this moment: the same request, not counted again."""
        return await self._who.again(request)
