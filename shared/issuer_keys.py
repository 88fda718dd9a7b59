"""The keys an issuer publishes (JWKS, RFC 7517): remembered, fetched anew when an unknown one is named, outliving an issuer that is down.

Rotation refuses no valid token: whoever names an unknown key waits for a fetch that begins after them. Invented key ids cause
no storm: fetches are at least `INTERVAL_SECONDS` apart, one at a time, and few may wait.
"""

import asyncio
import time
from collections import OrderedDict
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
_MOST_WAITING: Final = 100
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
        self._asked_at = self._answered_at = float("-inf")
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._background: asyncio.Task[None] | None = None

    async def having(self, kid: str) -> KeySet:
        """Return the key set, which has the key `kid`. Raises ValueError where the issuer has no such key, `Busy` without any keys."""
        if self._no_dev_keys and kid.lower().startswith(DEV_KEYS):
            raise ValueError("kid")
        if kid not in self._ids and not self._said_unknown(kid):
            await self._fetch_after(time.monotonic())
        if self._age() > self._pace.grace:
            raise Busy(Objection("KEYS", "Les clés de l’émetteur de jetons ne répondent pas\u202f: réessayez bientôt."))
        self._refresh_if_old()
        if kid not in self._ids:
            self._note_unknown(kid)
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

    async def _fetch_after(self, since: float) -> None:
        """Fetch once, or wait for a fetch that began after `since`; returns without news when too many wait already."""
        if self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        try:
            async with self._turn:
                if self._asked_at >= since:
                    return
                await asyncio.sleep(max(0.0, self._asked_at + self._pace.interval - time.monotonic()))
                self._asked_at = time.monotonic()
                await self._fetch()
        finally:
            self._waiting -= 1

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
        self._keys, self._ids, self._answered_at = found, ids, time.monotonic()
        self._unknown.clear()

    def _said_unknown(self, kid: str) -> bool:
        return time.monotonic() - self._unknown.get(kid, float("-inf")) < self._pace.interval

    def _note_unknown(self, kid: str) -> None:
        self._unknown[kid] = time.monotonic()
        self._unknown.move_to_end(kid)
        while len(self._unknown) > _MOST_WAITING:
            self._unknown.popitem(last=False)


async def _answer(url: str) -> KeySetSerialization:
    """Return the key set at a URL. Raises ValueError for anything else."""
    answer = await fetched(url)
    found = answer.json_object()
    if answer.status != 200 or not isinstance(found.get("keys"), list):
        raise ValueError("not a key set")
    return {"keys": found["keys"]}
