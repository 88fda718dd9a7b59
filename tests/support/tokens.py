"""An issuer in a test: keys, good tokens, forged ones, and an address that serves the keys or is down."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

ISSUER: Final = "https://issuer.invalid"
JWKS_URL: Final = "https://issuer.invalid/jwks"
AUDIENCE: Final = "poec"


def part(content: Any) -> str:
    """Return one part of a token: base64url without padding of JSON, or of text as it is."""
    raw = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()


@dataclass
class Issuer:
    """Signs tokens with its newest key; serves the public keys unless it is down, and counts how often it was asked."""

    keys: list[ECKey] = field(default_factory=lambda: [new_key("one")])
    down: bool = False
    status: int = 200
    asked: int = 0

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token, with changes; a value None takes the claim out."""
        now = int(time.time())
        good: dict[str, Any] = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": "opco-2i", "iat": now, "exp": now + 600, "jti": "1",
        }  # fmt: skip
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(self, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """Return a signed token; `header` changes the header."""
        key = self.keys[-1]
        whole = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt", **(header or {})}
        return jwt.encode({k: v for k, v in whole.items() if v is not None}, self.claims(**changes), key)

    def signed(self, claims_text: str, header_text: str | None = None) -> str:
        """Return a token whose parts are these texts, byte for byte, with a good signature."""
        key = self.keys[-1]
        header = header_text or json.dumps({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"})
        signing = f"{part(header)}.{part(claims_text)}"
        from joserfc.jws import JWSRegistry

        algorithm = JWSRegistry.algorithms["ES256"]
        signature = algorithm.sign(signing.encode(), key)
        return f"{signing}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Serve the public keys."""
        self.asked += 1
        if self.down:
            raise httpx.ConnectError("down", request=request)
        return httpx.Response(self.status, json=KeySet(list(self.keys)).as_dict(private=False))


def new_key(kid: str) -> ECKey:
    """Return a new signing key."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


def new_rsa_key(kid: str) -> RSAKey:
    """Return a key of another kind, that the issuer never published."""
    return RSAKey.generate_key(2048, {"kid": kid})
