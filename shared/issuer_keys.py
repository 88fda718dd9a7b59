"""The keys an issuer publishes (JWKS, RFC 7517): remembered, fetched anew when an unknown one is named, outliving an issuer that is down.

Rotation refuses no valid token: whoever names an unknown key waits for a fetch that begins after them, and is refused only if
that one succeeded without the key; else they are told to come back. Invented key ids cause no storm: fetches are at least
`INTERVAL_SECONDS` apart, one at a time, and few different ids are waited for.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from shared.errors import Busy, Objection, Refused
from shared.fetching import fetched
from shared.logs import log

INTERVAL_SECONDS: Final = 2.0
"""Least time between the beginnings of two fetches."""
REFRESH_SECONDS: Final = 300.0
"""Age at which the next request has keys fetched anew, in the background: a key that was withdrawn is refused from then on."""
GRACE_SECONDS: Final = 24 * 3600.0
"""How long keys are trusted that could not be fetched again."""
DEV_KEYS: Final = "dev-"
"""Beginning of the ids of a development issuer's keys."""
_MOST_WAITED_FOR: Final = 100
"""Different unknown keys that are waited for at once; who names another one is told to come back."""
_LOG = log("keys")


@dataclass(frozen=True)
class Pace:
    """How often the issuer is asked, and how long its last answer holds; seconds."""

    interval: float = INTERVAL_SECONDS
    refresh: float = REFRESH_SECONDS
    grace: float = GRACE_SECONDS


class IssuerKeys:
    """The published keys of one issuer, for one process; with `no_dev_keys` those of a development issuer are nobody's."""

    def __init__(self, url: str, pace: Pace | None = None, *, no_dev_keys: bool = False) -> None:
        self._url, self._pace, self._no_dev_keys = url, pace or Pace(), no_dev_keys
        self._keys = KeySet([])
        self._ids: frozenset[str] = frozenset()
        self._asked_at = self._answered_at = self._as_of = float("-inf")
        self._waited_for: Counter[str] = Counter()
        self._turn = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None

    async def having(self, kid: str) -> KeySet:
        """Return the key set, which has the key `kid`.

        Raises ValueError where the issuer was asked just now and has no such key, `Busy` where it could not be asked.
        """
        if self._no_dev_keys and kid.lower().startswith(DEV_KEYS):
            raise ValueError("kid")
        if kid not in self._ids:
            await self._ask_for(kid)
        if self._age() > self._pace.grace:
            raise _not_now()
        self._refresh_if_old()
        if kid not in self._ids:
            raise ValueError("kid")
        return self._keys

    def has(self, kid: str) -> bool:
        """Return whether a key is among those last published: what it signed is refused once it is withdrawn."""
        self._refresh_if_old()
        return kid in self._ids

    def _age(self) -> float:
        return time.monotonic() - self._answered_at

    def _refresh_if_old(self) -> None:
        """Fetch old keys anew, behind the back of who asks; also where nobody brings a token that was not seen before."""
        if self._age() > self._pace.refresh and (self._background is None or self._background.done()):
            self._background = asyncio.create_task(self._fetch_after(time.monotonic()), name="issuer-keys")

    async def _ask_for(self, kid: str) -> None:
        """Wait for news of an unknown key. Raises `Busy` when there are none: too many others are waited for, or the issuer is away."""
        since = time.monotonic()
        if kid not in self._waited_for and len(self._waited_for) >= _MOST_WAITED_FOR:
            raise _not_now()
        self._waited_for[kid] += 1
        try:
            await self._fetch_after(since)
        finally:
            self._waited_for[kid] -= 1
            if not self._waited_for[kid]:
                del self._waited_for[kid]
        if kid not in self._ids and self._as_of < since:
            raise _not_now()

    async def _fetch_after(self, since: float) -> None:
        """Fetch once, or wait for a fetch that began after `since`."""
        async with self._turn:
            if self._asked_at >= since:
                return
            await asyncio.sleep(max(0.0, self._asked_at + self._pace.interval - time.monotonic()))
            self._asked_at = time.monotonic()
            await self._fetch()

    async def _fetch(self) -> None:
        try:
            found = KeySet.import_key_set(await _answer(self._url))
            ids = frozenset(key.kid for key in found.keys if key.kid)
        except (
            httpx.HTTPError,
            TimeoutError,
            Refused,
            JoseError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as failure:
            _LOG.warning("keys_not_fetched", error=type(failure).__name__)
            return
        if gone := self._ids - ids:
            _LOG.info("keys_withdrawn", keys=len(gone))
        self._keys, self._ids = found, ids
        self._as_of, self._answered_at = self._asked_at, time.monotonic()


def _not_now() -> Busy:
    return Busy(Objection("KEYS", "Les clés de l’émetteur de jetons ne répondent pas\u202f: réessayez bientôt."))


async def _answer(url: str) -> KeySetSerialization:
    """Return the key set at a URL. Raises ValueError for anything else."""
    answer = await fetched(url)
    found = answer.json_object()
    if answer.status != 200 or not isinstance(found.get("keys"), list):
        raise ValueError("not a key set")
    return {"keys": found["keys"]}
