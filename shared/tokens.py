"""Bearer tokens: JWT access tokens (RFC 9068) of one issuer, verified with its published keys.

Beyond what joserfc checks: size, `typ`, a closed list of algorithms, no duplicate members, times that are numbers.
"""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64decode

from shared.contracts.references import OPCOS
from shared.errors import Objection, Unauthenticated
from shared.identity import Principal
from shared.logs import log

ALGORITHMS: Final = ("ES256", "EdDSA", "RS256")
MAX_BYTES: Final = 8 * 1024
LEEWAY_SECONDS: Final = 30
_REFRESH_SECONDS: Final = 5.0
"""Least time between two fetches of the keys because of an unknown key id: no fetch storm by invented ones."""
_CACHED: Final = 4096
_LOG = log("tokens")


class TokenVerifier:
    """Makes a principal out of a bearer token. Remembers verified tokens until they expire."""

    def __init__(self, issuer: str, jwks_url: str, audience: str) -> None:
        self._issuer, self._jwks_url = issuer, jwks_url
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        self._keys: KeySet | None = None
        self._fetched_at = -_REFRESH_SECONDS
        self._fetching = asyncio.Lock()
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    async def principal(self, authorization: str | None) -> Principal:
        """Return who asks. Raises `Unauthenticated`, never saying which check failed."""
        if not authorization or not authorization.startswith("Bearer ") or len(authorization) > MAX_BYTES:
            raise Unauthenticated(Objection("TOKEN", "Un jeton d’accès est attendu (Authorization: Bearer …)."))
        token = authorization.removeprefix("Bearer ").strip()
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known and known[1] > time.time():
            return known[0]
        principal, expires = await self._verified(token)
        self._known[digest] = (principal, expires)
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return principal

    async def _verified(self, token: str) -> tuple[Principal, float]:
        try:
            header = _strict_object(token.split(".", maxsplit=1)[0])
            if header.get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
                raise ValueError("typ")
            keys = await self._keys_for(header.get("kid"))
            claims = _strict_object(token.split(".")[1])
            decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            self._claims.validate(decoded.claims)
            return _principal(claims), float(claims["exp"])
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, IndexError) as wrong:
            _LOG.info("token_refused", reason=type(wrong).__name__)
            raise Unauthenticated(
                Objection("TOKEN", "Le jeton d’accès est refusé\u202f: demandez-en un autre.")
            ) from None

    async def _keys_for(self, kid: str | None) -> KeySet:
        if not isinstance(kid, str):
            raise ValueError("kid")
        async with self._fetching:
            due = time.monotonic() - self._fetched_at > _REFRESH_SECONDS
            if due and (self._keys is None or kid not in {key.kid for key in self._keys.keys}):
                self._fetched_at = time.monotonic()
                try:
                    async with httpx.AsyncClient(timeout=3) as client:
                        self._keys = KeySet.import_key_set((await client.get(self._jwks_url)).raise_for_status().json())
                except (httpx.HTTPError, ValueError) as failure:
                    _LOG.warning("keys_not_fetched", error=type(failure).__name__)
        if self._keys is None:
            raise ValueError("no keys")
        return self._keys


def _strict_object(part: str) -> dict[str, Any]:
    """Return a token part as an object; refuses duplicate members and numbers that are none."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("duplicate member")
        return members

    def refuse(_: str) -> None:
        raise ValueError("not a number")

    found = json.loads(urlsafe_b64decode(part.encode()), object_pairs_hook=unique, parse_constant=refuse)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _principal(claims: dict[str, Any]) -> Principal:
    for name in ("exp", "iat"):
        if isinstance(claims[name], bool) or not isinstance(claims[name], int | float) or claims[name] > 32_503_680_000:
            raise ValueError(name)
    roles = claims["roles"]
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise ValueError("roles")
    if "opco" in roles and claims["organisation"] not in OPCOS:
        raise ValueError("organisation")
    kind = claims.get("kind", "machine")
    if kind not in ("machine", "person"):
        raise ValueError("kind")
    return Principal(claims["sub"], claims["organisation"], kind, frozenset(roles))
