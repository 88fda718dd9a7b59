"""The local issuer of bearer tokens, and identity provider: `python -m deploy.local.issuer`. For one machine, never for production.

Machines get JWT access tokens (RFC 9068) by client credentials (RFC 6749 section 4.4); people choose who they are
(`identity_provider.py`). Everything is signed with ES256. It listens on loopback, its key is made at each start and never
written, and key ids start with `dev-` so that production refuses them on sight.
"""

import hmac
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.middleware.trustedhost import TrustedHostMiddleware

from deploy.local.clients import Client, ClientsFile, read_clients
from deploy.local.identity_provider import IdentityProvider, add_routes
from deploy.local.issuer_forms import TokenRefused, credentials, read_form
from deploy.local.ports import LOOPBACK
from deploy.local.web_clients import read_web_clients

AUDIENCE = "poec"
LIFETIME = 600  # seconds
EXIT_UNSAFE = 78  # as sysexits' EX_CONFIG: wrong or unsafe configuration
BANNER = (
    "Local issuer: development only. Keys are made at each start; every client of POEC_HOME is trusted here, and people choose "
    "who they are."
)


class IssuerSettings(BaseSettings):
    """Read from the environment, prefix `POEC_`."""

    model_config = SettingsConfigDict(env_prefix="POEC_", extra="ignore", frozen=True)

    mode: Literal["local"] = Field(description="Must be `local`: this issuer does not start in any other mode.")
    http_port: int = Field(description="Loopback port to listen on.")
    issuer: str = Field(description="What the tokens name as `iss`; also the address clients reach it by.")
    clients_file: Path = Field(description="The clients.json of POEC_HOME.")
    web_clients_file: Path | None = Field(
        None, description="The web_clients.json of POEC_HOME; none: people do not sign in."
    )
    stdin_watch: bool = Field(False, description="End when standard input is closed.")


class Issuer:
    """Signs tokens with a key that lives as long as this object."""

    def __init__(self, issuer: str, clients: Callable[[], Mapping[str, Client]]) -> None:
        self.issuer, self._clients = issuer, clients
        self.key_id = f"dev-{secrets.token_hex(8)}"
        self._key = ECKey.generate_key("P-256", {"kid": self.key_id, "use": "sig", "alg": "ES256"})
        self._nobody = secrets.token_urlsafe(32)

    def authenticate(self, client_id: str, client_secret: str, challenge: bool = False) -> Client:
        """The client, if the secret is its own; an unknown client takes the same path and time as a wrong secret."""
        client = self._clients().get(client_id)
        expected = client.client_secret if client is not None else self._nobody
        same = hmac.compare_digest(expected.encode(), client_secret.encode())
        if client is None or not same:
            raise TokenRefused("invalid_client", "client authentication failed", 401, challenge)
        return client

    def token(self, client: Client, now: int) -> str:
        """A signed token for the client, valid from `now` (seconds since 1970) for ten minutes."""
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": client.client_id,
            "client_id": client.client_id,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_urlsafe(16),
        }
        return self.sign(claims, "at+jwt")

    def sign(self, claims: dict[str, Any], kind: str) -> str:
        """A token of a kind (`typ`) that says these claims."""
        return jwt.encode({"alg": "ES256", "typ": kind, "kid": self.key_id}, claims, self._key, algorithms=["ES256"])

    def keys(self) -> dict[str, object]:
        """The public key set (RFC 7517)."""
        return {"keys": [self._key.as_dict(private=False)]}

    def metadata(self) -> dict[str, object]:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks.json",
            "authorization_endpoint": f"{self.issuer}/authorize",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end-session",
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "userinfo_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["openid", "email", "siret"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }


def create_app(
    issuer: Issuer, clock: Callable[[], float] = time.time, people: IdentityProvider | None = None
) -> FastAPI:
    """The HTTP face of an issuer: /token, /jwks.json, /.well-known/openid-configuration, /livez, and what `people` adds."""
    app = FastAPI(title="POEC local issuer", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])

    @app.exception_handler(TokenRefused)
    async def refuse(request: Request, refused: TokenRefused) -> JSONResponse:
        headers = {"cache-control": "no-store"}
        if refused.challenge:
            headers["www-authenticate"] = 'Basic realm="poec"'
        content = {"error": refused.error, "error_description": refused.description}
        return JSONResponse(content, refused.status, headers)

    @app.post("/token")
    async def token(request: Request) -> JSONResponse:
        form = await read_form(request)
        if people and form.get("grant_type") == "authorization_code":
            found = people.token(form, request.headers.get("authorization"))
            return JSONResponse(found, headers={"cache-control": "no-store"})
        client = issuer.authenticate(*credentials(form, request.headers.get("authorization")))
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused(*_wrong_grant(form))
        answer = {"access_token": issuer.token(client, int(clock())), "token_type": "Bearer", "expires_in": LIFETIME}
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    if people:
        add_routes(app, people)

    @app.get("/jwks.json")
    async def jwks() -> dict[str, object]:
        return issuer.keys()

    @app.get("/.well-known/openid-configuration")
    async def configuration() -> dict[str, object]:
        return issuer.metadata()

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _wrong_grant(form: Mapping[str, str]) -> tuple[str, str]:
    if "grant_type" not in form:
        return "invalid_request", "grant_type is missing"
    return "unsupported_grant_type", "only client_credentials is for machines, authorization_code for people"


def _end_with_stdin(server: uvicorn.Server) -> None:
    def watch() -> None:
        while os.read(0, 4096):
            pass
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()


def load_settings() -> IssuerSettings:
    """The settings of this process's environment; ValidationError when some are missing or wrong."""
    nothing: dict[str, Any] = {}
    return IssuerSettings(**nothing)


def refusals() -> list[str]:
    """Why the environment does not allow a start: one line per reason, no value in it; empty when it does."""
    if os.environ.get("POEC_MODE") == "production":
        return ["POEC_MODE: the local issuer never runs in production"]
    try:
        settings = load_settings()
        read_clients(settings.clients_file)
        if settings.web_clients_file:
            read_web_clients(settings.web_clients_file)
    except ValidationError as wrong:
        return [f"POEC_{'_'.join(map(str, error['loc'])).upper()}: {error['msg']}" for error in wrong.errors()]
    except (ValueError, OSError):
        return ["POEC_CLIENTS_FILE, POEC_WEB_CLIENTS_FILE: cannot be read as tables of clients"]
    return []


def main() -> int:
    """Serve until SIGTERM, or until standard input closes when POEC_STDIN_WATCH=1; exit code 78 when refused."""
    reasons = refusals()
    if reasons:
        print("\n".join(reasons), file=sys.stderr)
        return EXIT_UNSAFE
    settings = load_settings()
    issuer = Issuer(settings.issuer.rstrip("/"), ClientsFile(settings.clients_file))
    web = read_web_clients(settings.web_clients_file) if settings.web_clients_file else {}
    app = create_app(issuer, people=IdentityProvider(issuer.issuer, issuer.sign, web))
    config = uvicorn.Config(app, host=LOOPBACK, port=settings.http_port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    if settings.stdin_watch:
        _end_with_stdin(server)
    print(BANNER, file=sys.stderr, flush=True)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
