"""The OpenID provider that people sign in with: where to send them, and who came back. ProConnect, Keycloak or another, by setting.

Code flow with S256 PKCE, state and nonce (OpenID Connect Core 3.1, RFC 7636, RFC 9700). Everything about the provider comes from
its discovery document, which must name the very issuer that was set (RFC 8414 section 3.3).
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import Busy, Objection, Refused
from shared.fetching import Fetched, fetched
from shared.id_tokens import IdTokenVerifier, NotTrusted, about
from shared.issuer_keys import IssuerKeys
from shared.logs import log

FRESH_SECONDS: Final = 3600.0
"""Age at which the discovery document is read again; an older one serves on while the provider does not answer."""
_FAILURES: Final = (httpx.HTTPError, TimeoutError, Refused, ValueError)
_FORM: Final = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
_LOG = log("openid")


@dataclass(frozen=True)
class OpenIdClient:
    """What we are to the provider. `acr_values`: levels of which one must have been reached, none asked for when empty."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    signed_out_uri: str
    scope: str = "openid email"
    acr_values: tuple[str, ...] = ()
    authentication: str = "client_secret_post"
    pkce: bool = True
    no_dev_keys: bool = False


@dataclass(frozen=True)
class Identity:
    """Who signed in, by the provider's word; `email` is None where it did not vouch for one."""

    issuer: str
    subject: str
    email: str | None
    siret: str | None
    id_token: str = field(repr=False)


class _Discovery(BaseModel):
    """The members of the discovery document that are used (OpenID Connect Discovery 3, RP-Initiated Logout 2.1, RFC 9207)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False


class OpenIdProvider:
    """One provider, for one process. Raises `Busy` where it does not answer, `NotTrusted` where it does not say what it should."""

    def __init__(self, client: OpenIdClient) -> None:
        self.client = client
        self._found: _Discovery | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._keys: tuple[str, IssuerKeys] | None = None

    async def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser is sent to sign in."""
        client, found = self.client, await self._discovery()
        asked: dict[str, str] = {"nonce": nonce}
        if client.pkce:
            asked |= {"code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
        if client.acr_values:
            level = {"acr": {"essential": True, "values": list(client.acr_values)}}
            asked["claims"] = orjson.dumps({"id_token": level}).decode()
        endpoint, uri = found.authorization_endpoint, client.redirect_uri
        return str(prepare_grant_uri(endpoint, client.client_id, "code", uri, client.scope, state, **asked))

    async def check_issuer(self, issuer: str | None) -> None:
        """Refuse an answer that names another provider (mix-up), or none where this one says that it always does (RFC 9207)."""
        required = (await self._discovery()).authorization_response_iss_parameter_supported
        if issuer != self.client.issuer and (required or issuer is not None):
            raise NotTrusted("response iss")

    async def identify(self, code: str, nonce: str, verifier: str) -> Identity:
        """Exchange a code and return who it stands for."""
        found = await self._discovery()
        answer = await self._tokens(found, code, verifier)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str) or not isinstance(access, str) or not access.isascii():
            raise NotTrusted("no tokens")
        verifying = self._verifier(found)
        claims = await verifying.id_token(token, nonce, access)
        if "email" not in claims and found.userinfo_endpoint:
            claims = {**await self._userinfo(found.userinfo_endpoint, verifying, access, claims["sub"]), **claims}
        return Identity(self.client.issuer, claims["sub"], _email(claims), _text(claims, "siret"), token)

    async def end_session_url(self, id_token: str | None, state: str) -> str | None:
        """Return where a browser is sent to sign out at the provider too; None where that has no such place, or does not answer."""
        try:
            endpoint = (await self._discovery()).end_session_endpoint
        except Busy:
            return None
        if not endpoint or not id_token:
            return None
        back = {"post_logout_redirect_uri": self.client.signed_out_uri, "state": state}
        return str(add_params_to_uri(endpoint, list({"id_token_hint": id_token, **back}.items())))

    async def _tokens(self, found: _Discovery, code: str, verifier: str) -> dict[str, Any]:
        client = self.client
        extra = {"code": code, **({"code_verifier": verifier} if client.pkce else {})}
        body = prepare_token_request("authorization_code", "", client.redirect_uri, **extra)
        authentication = ClientAuth(client.client_id, client.client_secret, client.authentication)
        url, headers, body = authentication.prepare("POST", found.token_endpoint, dict(_FORM), body)
        answer = await _asked(url, method="POST", headers=headers, content=body)
        if answer.status != 200:
            raise NotTrusted(f"code refused ({answer.status})")
        return _object(answer)

    async def _userinfo(self, url: str, verifying: IdTokenVerifier, access: str, subject: str) -> dict[str, Any]:
        """Return the claims of userinfo, signed (ProConnect) or plain."""
        answer = await _asked(url, headers={"authorization": f"Bearer {access}"})
        if answer.status != 200:
            raise NotTrusted(f"userinfo refused ({answer.status})")
        if answer.media_type == "application/jwt":
            return await verifying.userinfo(answer.body.decode("ascii", "replace"), subject)
        return about(_object(answer), subject)

    def _verifier(self, found: _Discovery) -> IdTokenVerifier:
        if self._keys is None or self._keys[0] != found.jwks_uri:
            self._keys = (found.jwks_uri, IssuerKeys(found.jwks_uri, no_dev_keys=self.client.no_dev_keys))
        return IdTokenVerifier(self.client.issuer, self.client.client_id, self._keys[1], self.client.acr_values)

    async def _discovery(self) -> _Discovery:
        if self._found is None or time.monotonic() - self._read_at > FRESH_SECONDS:
            async with self._reading:
                if self._found is None or time.monotonic() - self._read_at > FRESH_SECONDS:
                    await self._read()
        if self._found is None:
            raise _away()
        return self._found

    async def _read(self) -> None:
        try:
            answer = await fetched(f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
            found = _Discovery.model_validate(answer.json_object())
            if found.issuer != self.client.issuer:
                raise ValueError("issuer")
            _check_addresses(found)
        except (*_FAILURES, ValidationError) as failure:
            _LOG.warning("provider_not_read", error=type(failure).__name__)
            return
        self._found, self._read_at = found, time.monotonic()


def _check_addresses(found: _Discovery) -> None:
    """Raise ValueError for an address that is not https, unless the issuer itself is not: this machine's own."""
    scheme = urlsplit(found.issuer).scheme
    named = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
    others = (found.userinfo_endpoint, found.end_session_endpoint)
    if any(urlsplit(address).scheme not in ("https", scheme) for address in (*named, *filter(None, others))):
        raise ValueError("address")


async def _asked(url: str, **request: Any) -> Fetched:
    try:
        answer = await fetched(url, **request)
    except _FAILURES as failure:
        _LOG.warning("provider_away", error=type(failure).__name__)
        raise _away() from None
    if answer.status >= 500:
        raise _away()
    return answer


def _object(answer: Fetched) -> dict[str, Any]:
    try:
        return answer.json_object()
    except (Refused, ValueError):
        raise NotTrusted("not a JSON object") from None


def _away() -> Busy:
    return Busy(
        Objection("PROVIDER", "Le fournisseur d’identité ne répond pas\u202f: réessayez dans quelques instants.")
    )


def _email(claims: dict[str, Any]) -> str | None:
    """Return the e-mail address that the provider vouches for, in lower case: it does not where it says so."""
    email = _text(claims, "email")
    return email.lower() if email and claims.get("email_verified", True) is True else None


def _text(claims: dict[str, Any], name: str) -> str | None:
    found = claims.get(name)
    return found if isinstance(found, str) and 0 < len(found) <= 254 else None
