"""What an OpenID provider says of who signed in: ID tokens (OpenID Connect Core 3.1.3.7) and signed userinfo, verified.

Authlib holds the rules of the claims; beyond them: size, a closed list of algorithms, no duplicate members, one audience, a token
that was made for this very sign-in and no longer ago than a sign-in takes.
"""

import hmac
import time
from collections.abc import Collection
from typing import Any, Final

from authlib.oidc.core.claims import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError

from shared.issuer_keys import IssuerKeys
from shared.tokens import ALGORITHMS, LEEWAY_SECONDS, MAX_BYTES, strict_object

OLDEST_SECONDS: Final = 600
"""An ID token comes straight from the provider: one that was made longer ago than this belongs to another sign-in."""
_MALFORMED: Final = (JoseError, ValueError, KeyError, TypeError, AttributeError, IndexError)


class NotTrusted(Exception):
    """A token does not say what it should; the reason is for the log alone."""


class IdTokenVerifier:
    """Verifies what one provider says to one client."""

    def __init__(self, issuer: str, client_id: str, keys: IssuerKeys, acr_values: Collection[str] = ()) -> None:
        self._issuer, self._client_id, self._keys, self._acr = issuer, client_id, keys, frozenset(acr_values)

    async def id_token(self, token: str, nonce: str, access_token: str) -> dict[str, Any]:
        """Return the claims of an ID token. Raises `NotTrusted`, or `Busy` where the provider's keys cannot be had."""
        header, claims = await self._signed(token)
        try:
            self._check_claims(header, claims, nonce, access_token)
        except _MALFORMED as wrong:
            raise NotTrusted(_reason(wrong)) from None
        reached = claims.get("acr")
        if self._acr and (not isinstance(reached, str) or reached not in self._acr):
            raise NotTrusted("acr")
        return claims

    async def userinfo(self, token: str, subject: str) -> dict[str, Any]:
        """Return the claims of a signed userinfo answer (Core 5.3.2) about this subject. Raises as `id_token` does."""
        _, claims = await self._signed(token)
        audience = claims.get("aud", self._client_id)
        if claims.get("iss", self._issuer) != self._issuer or audience not in (self._client_id, [self._client_id]):
            raise NotTrusted("userinfo is another's")
        return about(claims, subject)

    async def _signed(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return header and claims of a token that the provider signed."""
        try:
            if len(token) > MAX_BYTES:
                raise ValueError("size")
            head, body, _ = token.split(".")
            header, claims = strict_object(head), strict_object(body)
            kid = header.get("kid")
            if not isinstance(kid, str) or str(header.get("typ", "JWT")).lower() != "jwt":
                raise ValueError("header")
            jwt.decode(token, await self._keys.having(kid), algorithms=list(ALGORITHMS))
        except _MALFORMED as wrong:
            raise NotTrusted(_reason(wrong)) from None
        return header, claims

    def _check_claims(self, header: dict[str, Any], claims: dict[str, Any], nonce: str, access_token: str) -> None:
        options: Any = {"iss": {"essential": True, "value": self._issuer}}
        params = {"client_id": self._client_id, "access_token": access_token}
        CodeIDToken(claims, header, options, params).validate(leeway=LEEWAY_SECONDS)
        if claims["aud"] not in (self._client_id, [self._client_id]):
            raise ValueError("aud")
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise ValueError("nonce")
        for name in ("exp", "iat"):
            if isinstance(claims[name], bool) or not isinstance(claims[name], int | float):
                raise ValueError(name)
        if not time.time() - OLDEST_SECONDS < claims["iat"] <= time.time() + LEEWAY_SECONDS:
            raise ValueError("iat")
        about(claims, claims["sub"])


def about(claims: dict[str, Any], subject: object) -> dict[str, Any]:
    """Return claims that are about this subject. Raises `NotTrusted` for those of somebody else (Core 5.3.4)."""
    found = claims.get("sub")
    if found != subject or not isinstance(found, str) or not 0 < len(found) <= 255:
        raise NotTrusted("sub")
    return claims


def _reason(wrong: BaseException) -> str:
    return f"{type(wrong).__name__} {wrong.args[0] if isinstance(wrong, ValueError) and wrong.args else ''}".strip()
