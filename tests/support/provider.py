"""An OpenID provider in a test: it answers on a real port, and says what the test wants it to say.

The person at it is the test: `answered` is what a browser brings back after they agreed.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

import uvicorn
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from deploy.local.ports import free_port
from tests.support.tokens import new_key

CLIENT_ID: Final = "poec-validation"
CLIENT_SECRET: Final = "kept-by-both-sides"


@dataclass
class Provider:
    """What it says: `claims` and `header` change the ID token, `userinfo` and `metadata` their answers, `forged` the whole token."""

    url: str
    key: ECKey = field(default_factory=lambda: new_key("provider-one"))
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    signed_userinfo: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    forged: Callable[["Provider", dict[str, Any]], str] | None = None
    down: bool = False
    refused: int | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answered(self, location: str, **changes: str | None) -> str:
        """Return the path and query by which a browser comes back from where it was sent; None takes a parameter out."""
        sent = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = uuid4().hex
        self.codes[code] = sent
        query = {"code": code, "state": sent["state"], "iss": self.url, **changes}
        back = urlsplit(sent["redirect_uri"])
        return f"{back.path}?{urlencode({name: value for name, value in query.items() if value is not None})}"

    def id_claims(self, sent: dict[str, str]) -> dict[str, Any]:
        """Return the claims of an ID token for what was asked."""
        now = int(time.time())
        good = {"iss": self.url, "aud": CLIENT_ID, "sub": "subject-1", "iat": now, "exp": now + 60, "nonce": sent["nonce"]}
        return {name: value for name, value in {**good, **self.claims}.items() if value is not None}

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        """Return a token with these claims."""
        whole = {"alg": "ES256", "kid": self.key.kid, "typ": "JWT", **self.header, **header}
        return jwt.encode({name: value for name, value in whole.items() if value is not None}, claims, self.key)

    def discovery(self) -> dict[str, Any]:
        """Return the discovery document."""
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "userinfo_endpoint": "/userinfo"}
        more = {"jwks_uri": "/jwks", "end_session_endpoint": "/end-session"}
        document = {"issuer": self.url, **{name: self.url + path for name, path in (paths | more).items()}, **self.metadata}
        return {name: value for name, value in document.items() if value is not None}

    def token(self, form: dict[str, str]) -> Response:
        """Answer at the token endpoint; a code serves once."""
        sent = self.codes.pop(form.get("code", ""), None)
        if sent is None or form.get("client_secret") != CLIENT_SECRET or form.get("redirect_uri") != sent["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if "code_challenge" in sent and create_s256_code_challenge(form.get("code_verifier", "")) != sent["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = self.id_claims(sent)
        token = self.forged(self, claims) if self.forged else self.signed(claims)
        return JSONResponse({"access_token": "access-1", "token_type": "Bearer", "id_token": token})

    def told(self) -> Response:
        """Answer at the userinfo endpoint."""
        about = {"sub": "subject-1", **self.userinfo}
        if self.signed_userinfo:
            return Response(self.signed({"iss": self.url, "aud": CLIENT_ID, **about}), media_type="application/jwt")
        return JSONResponse(about)


def _app(provider: Provider) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(path: str, request: Request) -> Response:
        provider.asked.append(path)
        if provider.down or provider.refused:
            return Response(status_code=provider.refused or 503)
        if path == "token":
            return provider.token(dict(parse_qsl((await request.body()).decode())))
        if path == "userinfo":
            return provider.told() if request.headers.get("authorization") == "Bearer access-1" else Response(status_code=401)
        if path == "jwks":
            return JSONResponse(KeySet([provider.key]).as_dict(private=False))
        return JSONResponse(provider.discovery())

    return app


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Provider]:
    """Yield a provider that answers, and stop it."""
    port = free_port()
    provider = Provider(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(_app(provider), "127.0.0.1", port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.01)
        yield provider
    finally:
        server.should_exit = True
        await task
