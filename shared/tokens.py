"""Bearer tokens: JWT access tokens (RFC 9068) of one issuer, verified with its published keys. They say who asks, and nothing else.

Beyond what joserfc checks: size, `typ`, a closed list of algorithms, no duplicate members, times that are numbers and not
far away. Organisation and roles are not read from the token: they come from the table of principals.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from shared.errors import Forbidden, Objection, Unauthenticated
from shared.identity import Principal
from shared.issuer_keys import IssuerKeys
from shared.logs import log

ALGORITHMS: Final = ("ES256", "EdDSA", "RS256")
MAX_BYTES: Final = 8 * 1024
LEEWAY_SECONDS: Final = 30
LONGEST_SECONDS: Final = 3600
"""A token that lives longer than an hour is refused: an issuer that makes such ones is not set up as it should be."""
_CACHED: Final = 4096
_LOG = log("tokens")
Claim = Literal["sub", "client_id", "azp"]
Find = Callable[[str], Awaitable[Principal | None]]


@dataclass(frozen=True)
class _Verified:
    """What a token says once verified: the name of who asks, until when (seconds since 1970), by which key."""

    name: str
    expires: float
    kid: str


class TokenVerifier:
    """Makes a principal out of a bearer token. Remembers verified tokens until they expire, or their key is withdrawn.

    `claim` names who asks: `sub` for an issuer that follows RFC 9068 (section 2.2), `client_id` or `azp` for one whose `sub`
    is a number of its own. `find` looks a name up in the table of principals.
    """

    def __init__(self, issuer: str, keys: IssuerKeys, audience: str, find: Find, claim: Claim = "sub") -> None:
        self._keys, self._find, self._claim = keys, find, claim
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        self._known: OrderedDict[bytes, _Verified] = OrderedDict()

    async def principal(self, authorization: str | None) -> Principal:
        """Return who asks. Raises `Unauthenticated`, never saying which check failed, or `Forbidden` for a name that has no row."""
        if not authorization or not authorization.startswith("Bearer ") or len(authorization) > MAX_BYTES:
            raise Unauthenticated(Objection("TOKEN", "Un jeton d’accès est attendu (Authorization: Bearer …)."))
        verified = await self._verified(authorization.removeprefix("Bearer ").strip())
        found = registered(await self._find(verified.name))
        if found.kind == "person":  # they sign in, with a second factor where one is asked for, and have a session
            raise Unauthenticated(Objection("TOKEN", "Une personne se connecte\u202f: un jeton est pour une machine."))
        return found

    async def _verified(self, token: str) -> _Verified:
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(digest)
        if known and known.expires > time.time() and self._keys.has(known.kid):
            return known
        found = await self._verify(token)
        self._known[digest] = found
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return found

    async def _verify(self, token: str) -> _Verified:
        try:
            header = strict_object(token.split(".", maxsplit=1)[0])
            if header.get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
                raise ValueError("typ")
            kid = header.get("kid")
            if not isinstance(kid, str):
                raise ValueError("kid")
            claims = strict_object(token.split(".")[1])
            decoded = jwt.decode(token, await self._keys.having(kid), algorithms=list(ALGORITHMS))
            self._claims.validate(decoded.claims)
            return _Verified(_name(claims, self._claim), _expiry(claims), kid)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as wrong:
            _LOG.info("token_refused", reason=type(wrong).__name__)
            raise Unauthenticated(
                Objection("TOKEN", "Le jeton d’accès est refusé\u202f: demandez-en un autre.")
            ) from None


def registered(found: Principal | None) -> Principal:
    """Return who was found; raises `Forbidden` where the one who is signed in has no row, or a disabled one."""
    if found is None:
        text = "Votre compte n’est pas inscrit ici, ou n’est plus actif\u202f: adressez-vous à l’exploitation."
        raise Forbidden(Objection("NOT_REGISTERED", text))
    return found


def strict_object(part: str) -> dict[str, Any]:
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


def _name(claims: dict[str, Any], claim: Claim) -> str:
    name = claims[claim]
    if not isinstance(name, str) or not isinstance(claims["sub"], str):
        raise ValueError(claim)
    return Principal(name, "nobody", "machine").id  # raises ValueError for what is no slug


def _expiry(claims: dict[str, Any]) -> float:
    """Return `exp`; refuses times that are no numbers, and a life longer than an hour."""
    for name in ("exp", "iat"):
        if isinstance(claims[name], bool) or not isinstance(claims[name], int | float):
            raise ValueError(name)
    if not claims["exp"] <= time.time() + LONGEST_SECONDS + LEEWAY_SECONDS:
        raise ValueError("exp")
    return float(claims["exp"])
