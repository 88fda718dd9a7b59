"""Asking a server outside over HTTP: in a bounded time, for an answer of a bounded size, without following where it points."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import httpx

from shared.parsing import check_json

MAX_BYTES: Final = 256 * 1024
SECONDS: Final = 5.0


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Return whose certificates are believed; reading them takes longer than most answers."""
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class Fetched:
    """An answer: HTTP status, media type without its parameters, and body."""

    status: int
    media_type: str
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object, read as strictly as what is sent to us. Raises ValueError, or `Malformed`."""
        found = check_json(self.body)
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return found


async def fetched(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, content: str | None = None
) -> Fetched:
    """Return the answer of a server. Raises `httpx.HTTPError`, TimeoutError, or ValueError for one that is too large or compressed."""
    sent = {"accept-encoding": "identity", **(headers or {})}
    async with (
        asyncio.timeout(SECONDS),
        httpx.AsyncClient(timeout=3, follow_redirects=False, verify=_trusted()) as client,
        client.stream(method, url, headers=sent, content=content) as response,
    ):
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ValueError("compressed")
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise ValueError("too large")
            parts.append(part)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Fetched(response.status_code, media_type, b"".join(parts))
