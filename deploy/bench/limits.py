"""What one client far over its limit costs the others: their filings' times while it is silent, at its limit, and at ten times that.

Open loop: requests leave at their times whether or not earlier ones were answered. The three phases follow one another several
times in one run, so that a machine that grows slower shows in all of them. The client shares the cores with what it measures.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import asyncpg

from deploy.bench.flow import future_content
from deploy.bench.http_client import Client, Reply
from deploy.journal import ACCEPTED, Journal
from deploy.local.client import token
from deploy.local.errors import LocalError
from deploy.local.runfile import Run
from shared.contracts.fiche import fiche_id

FLOODER: Final = "afdas"
OTHER: Final = "akto"
LIMIT_PER_SECOND: Final = 25.0
PHASES: Final = {"silent": 0.0, "at its limit": 1.0, "ten times its limit": 10.0}
_OTHERS_PER_SECOND: Final = 20.0
_FLOODERS_CONNECTIONS: Final = 100
"""More of its requests than this are never under way at once; one that finds none free is not sent, and counted so."""
_SET: Final = (
    "INSERT INTO rate_bucket (holder, kind, tokens, per_second, burst) VALUES ($1, 'write', $2, $2, $2)"
    " ON CONFLICT (holder, kind) DO UPDATE SET per_second = $2, burst = $2, tokens = least(rate_bucket.tokens, $2)"
)


@dataclass
class Phase:
    """What was seen of one phase in all its rounds; times in seconds."""

    times: list[float] = field(default_factory=list)
    flood: Counter[int] = field(default_factory=Counter)
    lasted: float = 0.0

    def row(self) -> dict[str, Any]:
        """Return the figures: times in ms, the flooder's answers by status, what got through against what may."""
        through = sum(count for status, count in self.flood.items() if status not in (0, 429))
        p50, p95 = (round(1000 * _quantile(self.times, q), 1) for q in (0.5, 0.95))
        flood = {str(status) if status else "not sent": count for status, count in sorted(self.flood.items())}
        return {
            "filings_of_others": len(self.times), "p50_ms": p50, "p95_ms": p95, "flood": flood, "through": through,
            "through_per_s": round(through / self.lasted, 1),
        }  # fmt: skip


class Limits:
    """Sends what others file and what one floods."""

    def __init__(self, run: Run, journal: Journal) -> None:
        self._run, self._journal = run, journal
        self._client = Client(run.services["submission"].url)
        self._series, self._number = uuid4().hex[:8], 0
        self._flooding = 0
        self._content = future_content().model_dump(mode="json")
        self._acknowledged: list[str] = []

    async def measure(
        self, rounds: int, seconds: float, on_done: Callable[[int, int, str], None] = lambda *_: None
    ) -> dict[str, Any]:
        """Run all phases so many times, so many seconds each; return their figures and the ratios of the p95."""
        await self._limit(LIMIT_PER_SECOND)
        try:
            await self._learn()
            phases = {name: Phase() for name in PHASES}
            for number in range(rounds):
                for name, times in PHASES.items():
                    await self._phase(phases[name], times * LIMIT_PER_SECOND, seconds)
                    on_done(number * len(PHASES) + list(PHASES).index(name) + 1, rounds * len(PHASES), "phases")
        finally:
            await self._limit(None)
            self._client.close()
        rows = {name: phase.row() for name, phase in phases.items()}
        p95 = {name: row["p95_ms"] for name, row in rows.items()}
        ratio = {f"ten times / {n}": round(p95["ten times its limit"] / p95[n], 2) for n in ("silent", "at its limit")}
        return {"limit_per_s": LIMIT_PER_SECOND, "others_per_s": _OTHERS_PER_SECOND, "phases": rows, "p95_ratio": ratio}

    async def _phase(self, phase: Phase, flood: float, seconds: float) -> None:
        began = time.perf_counter()
        jobs = [self._at_rate(_OTHERS_PER_SECOND, seconds, lambda: self._file(phase))]
        if flood:
            jobs.append(self._at_rate(flood, seconds, lambda: self._flood(phase)))
        await asyncio.gather(*jobs)
        phase.lasted += time.perf_counter() - began

    async def _at_rate(self, per_second: float, seconds: float, send: Callable[[], Any]) -> None:
        began, sent = time.perf_counter(), list[asyncio.Task[None]]()
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            sent.append(asyncio.create_task(send()))
        await asyncio.gather(*sent)

    async def _flood(self, phase: Phase) -> None:
        """Send a write that is well formed for the door and refused by the form: read, parsed, answered, without an effect."""
        if self._flooding >= _FLOODERS_CONNECTIONS:
            phase.flood[0] += 1
            return
        self._flooding += 1
        try:
            reply = await self._client.post("/fiches", token(self._run, FLOODER), uuid4().hex, b'{"reference": 1}')
        finally:
            self._flooding -= 1
        phase.flood[reply.status] += 1

    async def _file(self, phase: Phase) -> None:
        self._number += 1
        began = time.perf_counter()
        reply = await self._filed(OTHER, f"LIMITS-{self._series}-{self._number}")
        phase.times.append(time.perf_counter() - began)
        if reply.status != 201:
            raise LocalError(f"bench: a filing was answered {reply.status}.")

    async def _filed(self, opco: str, reference: str) -> Reply:
        content, key = {**self._content}, uuid4().hex
        body = json.dumps({"reference": reference, "content": content, "acknowledged": self._acknowledged}).encode()
        entry = self._journal.sent("http", opco, key, "submit_fiche", body, reference=reference)
        reply = await self._client.post("/fiches", token(self._run, opco), key, body)
        outcome = ACCEPTED if reply.status < 300 else "refused"
        identifier = fiche_id(opco, reference)
        self._journal.answered(entry, reply.status, reply.body, fiche_id=identifier, outcome=outcome)
        return reply

    async def _learn(self) -> None:
        """File one fiche to learn which warnings this content draws."""
        reply = await self._filed(OTHER, f"LIMITS-{self._series}-probe")
        if reply.status == 409:
            self._acknowledged = [warning["code"] for warning in json.loads(reply.body)["warnings"]]

    async def _limit(self, per_second: float | None) -> None:
        """Give the flooder a limit of its own, or take it back, in the row that every replica asks."""
        connection = await asyncpg.connect(self._run.services["submission"].database_url)
        try:
            if per_second is None:
                await connection.execute("DELETE FROM rate_bucket WHERE holder = $1", FLOODER)
            else:
                await connection.execute(_SET, FLOODER, per_second)
        finally:
            await connection.close()


def _quantile(values: list[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]
