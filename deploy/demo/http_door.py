"""The door over HTTP, as any partner's system uses it: bearer token, Idempotency-Key, If-Match; the same key again when no answer came."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import httpx
import orjson

from deploy.demo.errors import CouldNotPlay
from deploy.journal import ACCEPTED, Journal
from deploy.local.client import token
from deploy.local.runfile import Run

IN_FLIGHT: Final = 48  # requests on their way at once
PATIENCE: Final = 60.0  # seconds that a service may be away, where nobody says otherwise
FIRST_DELAY, LONGEST_DELAY = 0.05, 1.0
AWAY: Final = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Ask:
    """One request: who asks which service for what. `revision` becomes If-Match, `wait` seconds become Prefer.

    `rows` is the body where that is a list: a file.
    `operation` and `reference` are what the journal calls it: the command, and the sender's own name of the thing.
    """

    client: str
    service: str
    operation: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    reference: str | None = None
    revision: int | None = None
    wait: int = 0
    method: str = "POST"
    rows: Sequence[Mapping[str, Any]] | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers of a write, the token's apart."""
        found = {"Content-Type": "application/json"}
        if self.key is not None:
            found["Idempotency-Key"] = self.key
        if self.revision is not None:
            found["If-Match"] = f'"{self.revision}"'
        if self.wait:
            found["Prefer"] = f"wait={self.wait}"
        return found


@dataclass(frozen=True)
class Reply:
    """What came back: the status, the parsed body, `accepted` or the problem's code, the revision of the ETag."""

    status: int
    body: dict[str, Any]
    outcome: str
    revision: int | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of the objections and warnings."""
        return tuple(o["code"] for name in ("objections", "warnings") for o in self.body.get(name) or ())


class HttpDoor:
    """Speaks to the services of a run, found in its run.json; keeps the journal of every write."""

    def __init__(self, home: Path, run: Run, journal: Journal, patience: float = PATIENCE) -> None:
        self._home, self._run, self._journal, self._patience = home, run, journal, patience
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        limits = httpx.Limits(max_connections=4 * IN_FLIGHT, max_keepalive_connections=4 * IN_FLIGHT)
        self._http = httpx.AsyncClient(timeout=30, limits=limits)
        self.retries = 0

    async def __aenter__(self) -> Self:
        """Have a token for every client before the first request."""
        for client in self._run.clients:
            await asyncio.to_thread(token, self._run, client)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def write(self, ask: Ask) -> Reply:
        """Send a write until it is answered, always with the same key; both sides of it go into the journal."""
        content = orjson.dumps(ask.body if ask.rows is None else ask.rows)
        entry = self._journal.sent("http", ask.client, ask.key or "", ask.operation, content, reference=ask.reference)
        answer = await self._until_answered(ask, content)
        reply = _reply(answer)
        fiche = reply.body.get("fiche_id")
        self._journal.answered(entry, reply.status, answer.content, fiche_id=fiche, outcome=reply.outcome)
        return reply

    async def read(self, client: str, service: str, path: str) -> Reply:
        """Send a read."""
        return await self.operate(Ask(client, service, "read", path, method="GET"))

    async def operate(self, ask: Ask) -> Reply:
        """Send what is no business of the journal: a read, or an order of operations, idempotent by nature."""
        content = orjson.dumps(ask.body) if ask.method != "GET" else b""
        return _reply(await self._until_answered(ask, content))

    async def _until_answered(self, ask: Ask, content: bytes) -> httpx.Response:
        """Try again with a growing, jittered delay while the service is away; `CouldNotPlay` when it stays away."""
        until, delay = time.monotonic() + self._patience, FIRST_DELAY
        fresh = False
        while True:
            try:
                async with self._gate:
                    answer = await self._send(ask, content, fresh)
                if answer.status_code == 401 and not fresh:
                    fresh = True
                    continue
                if answer.status_code not in AWAY:
                    return answer
            except httpx.TransportError:
                self._look_again()
            if time.monotonic() > until:
                raise CouldNotPlay(f"{ask.service} did not answer {ask.operation} within {self._patience:.0f} s.")
            self.retries += 1
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(LONGEST_DELAY, 2 * delay)

    async def _send(self, ask: Ask, content: bytes, fresh: bool) -> httpx.Response:
        if fresh:
            bearer = await asyncio.to_thread(token, self._run, ask.client, True)
        else:
            bearer = token(self._run, ask.client)
        headers = {**ask.headers(), "Authorization": f"Bearer {bearer}"}
        url = self._run.services[ask.service].url + ask.path
        return await self._http.request(ask.method, url, content=content, headers=headers)

    def _look_again(self) -> None:
        """Read run.json again: a process that was started again may listen on another port."""
        self._run = Run.load(self._home)


def _reply(answer: httpx.Response) -> Reply:
    try:
        body = orjson.loads(answer.content) if answer.content else {}
    except orjson.JSONDecodeError:
        body = {}
    body = body if isinstance(body, dict) else {"items": body}
    outcome = ACCEPTED if answer.is_success else str(body.get("code", answer.status_code))
    etag = answer.headers.get("etag", "").strip('"')
    return Reply(answer.status_code, body, outcome, int(etag) if etag.isdigit() else None)
