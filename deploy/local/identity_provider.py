"""The identity provider of one machine: OpenID Connect's code flow, in which one chooses who one is. Never for production.

As strict as a real one where that can be tested: exact addresses, S256 PKCE, codes that serve once and for a minute, userinfo as a
signed JWT (as ProConnect answers it). What it lacks on purpose is authentication.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from deploy.local.identity_page import choice_page, policy, refusal_page
from deploy.local.issuer_forms import TokenRefused, credentials, read_form
from deploy.local.people import ACCOUNTS, Account
from deploy.local.web_clients import WebClient

T = TypeVar("T")
REQUEST_SECONDS, CODE_SECONDS, TOKEN_SECONDS = 600, 60, 300
MOST = 1000  # requests, codes and access tokens remembered, each; the oldest are forgotten first
PASSWORD = "dev-password"  # a level of authentication, no password
SECOND_FACTOR = "dev-second-factor"


class PageRefused(Exception):
    """A request of a browser that is answered by a page: where it asks to be sent back to is not to be believed."""


@dataclass(frozen=True)
class Asked:
    """A sign-in that a service asked for, checked."""

    client: WebClient
    state: str
    nonce: str
    challenge: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Granted:
    """What a code stands for: who was chosen, and at which level they are said to have signed in."""

    asked: Asked
    account: Account
    level: str


class Kept(Generic[T]):
    """Things under random names, each for a time and to be taken once."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds, self._clock = seconds, clock
        self._things: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def keep(self, thing: T) -> str:
        """Keep a thing; return its name."""
        name = secrets.token_urlsafe(32)
        self._things[name] = (self._clock() + self._seconds, thing)
        while len(self._things) > MOST:
            self._things.popitem(last=False)
        return name

    def take(self, name: str) -> T | None:
        """Return a thing that is not kept any more now; None when it is not there, or its time is over."""
        until, thing = self._things.pop(name, (0.0, None))
        return thing if until > self._clock() else None

    def find(self, name: str) -> T | None:
        """Return a thing, which stays."""
        until, thing = self._things.get(name, (0.0, None))
        return thing if until > self._clock() else None


class IdentityProvider:
    """Lets a browser choose an account and tells the service that asked for it. `sign(claims, typ)` signs what it says."""

    def __init__(
        self,
        issuer: str,
        sign: Callable[[dict[str, Any], str], str],
        clients: Mapping[str, WebClient],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer, self._sign, self._clients, self._clock = issuer, sign, clients, clock
        self._asked = Kept[Asked](REQUEST_SECONDS, clock)
        self._granted = Kept[Granted](CODE_SECONDS, clock)
        self._tokens = Kept[Granted](TOKEN_SECONDS, clock)
        self._nobody = secrets.token_urlsafe(32)

    def ask(self, query: Mapping[str, str]) -> tuple[str, Asked]:
        """Check the request of a service and return its name; PageRefused says what is wrong with it."""
        client = self._clients.get(query.get("client_id", ""))
        if client is None or query.get("redirect_uri") != client.redirect_uri:
            raise PageRefused("Ce service ou son adresse de retour n’est pas connu ici.")
        challenge = query.get("code_challenge", "")
        good = {
            "response_type": query.get("response_type") == "code",
            "scope": "openid" in query.get("scope", "").split(),
            "state": len(query.get("state", "")) >= 32,
            "nonce": len(query.get("nonce", "")) >= 32,
            "code_challenge": query.get("code_challenge_method") == "S256" and len(challenge) == 43,
        }
        if wrong := [name for name, fits in good.items() if not fits]:
            raise PageRefused(f"Paramètres absents ou non conformes\u202f: {', '.join(wrong)}.")
        asked = Asked(client, query["state"], query["nonce"], challenge, _levels(query.get("claims")))
        return self._asked.keep(asked), asked

    def chosen(self, form: Mapping[str, str]) -> str:
        """Where the browser goes with the account that was chosen; PageRefused for a request that is over or unknown."""
        account = ACCOUNTS.get(form.get("account", ""))
        asked = self._asked.take(form.get("request", "")) if account else None
        if account is None or asked is None:
            raise PageRefused("Cette demande a expiré ou a déjà servi\u202f: recommencez depuis le service.")
        level = (*asked.levels, SECOND_FACTOR)[0] if form.get("second_factor") else PASSWORD
        code = self._granted.keep(Granted(asked, account, level))
        return f"{asked.client.redirect_uri}?{urlencode({'code': code, 'state': asked.state, 'iss': self.issuer})}"

    def token(self, form: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
        """The answer to a code (RFC 6749 section 4.1.3); TokenRefused for one that is not this client's own."""
        client = self._authenticated(*credentials(form, authorization))
        granted = self._granted.take(form.get("code", ""))
        verifier = form.get("code_verifier", "")
        if (
            granted is None
            or granted.asked.client.client_id != client.client_id
            or form.get("redirect_uri") != client.redirect_uri
            or not hmac.compare_digest(_s256(verifier).encode(), granted.asked.challenge.encode())
        ):
            raise TokenRefused("invalid_grant", "the code is used up, or not for this client, address and verifier")
        access = self._tokens.keep(granted)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return {**answer, "id_token": self._id_token(granted, access)}

    def userinfo(self, authorization: str | None) -> str:
        """What is known of who an access token was given for, signed; TokenRefused without a good one."""
        granted = self._tokens.find((authorization or "").removeprefix("Bearer "))
        if granted is None:
            raise TokenRefused("invalid_token", "no such access token", 401)
        account = granted.account
        claims = {"sub": account.id, "email": account.login, **({"siret": account.siret} if account.siret else {})}
        return self._sign({"iss": self.issuer, "aud": granted.asked.client.client_id, **claims}, "JWT")

    def end_session(self, query: Mapping[str, str]) -> str:
        """Where the browser goes after signing out; PageRefused for an address that no service has. There is no session here."""
        back = query.get("post_logout_redirect_uri", "")
        if back not in {client.signed_out_uri for client in self._clients.values()}:
            raise PageRefused("Cette adresse de retour n’est celle d’aucun service.")
        return f"{back}?{urlencode({'state': query['state']})}" if "state" in query else back

    def _authenticated(self, client_id: str, secret: str, challenge: bool) -> WebClient:
        client = self._clients.get(client_id)
        expected = client.client_secret if client is not None else self._nobody
        same = hmac.compare_digest(expected.encode(), secret.encode())
        if client is None or not same:
            raise TokenRefused("invalid_client", "client authentication failed", 401, challenge)
        return client

    def _id_token(self, granted: Granted, access: str) -> str:
        now = int(self._clock())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "aud": granted.asked.client.client_id,
            "sub": granted.account.id,
            "iat": now,
            "auth_time": now,
            "exp": now + TOKEN_SECONDS,
            "nonce": granted.asked.nonce,
            "acr": granted.level,
            "at_hash": _base64url(half),
        }
        return self._sign(claims, "JWT")


def add_routes(app: FastAPI, people: IdentityProvider) -> None:
    """Add /authorize, /userinfo and /end-session to the issuer's application."""

    @app.exception_handler(PageRefused)
    async def refuse(request: Request, refused: PageRefused) -> HTMLResponse:
        return _html(refusal_page(str(refused)), policy(), 400)

    @app.get("/authorize")
    async def authorize(request: Request) -> HTMLResponse:
        name, asked = people.ask(_query(request))
        parts = urlsplit(asked.client.url)
        page = choice_page(ACCOUNTS.values(), name, asked.client.client_id)
        return _html(page, policy(f"{parts.scheme}://{parts.netloc}"))

    @app.post("/authorize")
    async def choose(request: Request) -> Response:
        return _redirect(people.chosen(await read_form(request)))

    @app.get("/userinfo")
    async def userinfo(request: Request) -> Response:
        content = people.userinfo(request.headers.get("authorization"))
        return Response(content, media_type="application/jwt", headers={"cache-control": "no-store"})

    @app.get("/end-session")
    async def end_session(request: Request) -> Response:
        return _redirect(people.end_session(_query(request)))


def _query(request: Request) -> dict[str, str]:
    """The query's parameters; PageRefused for one that is given twice."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise PageRefused("Un paramètre est répété.")
    return dict(pairs)


def _redirect(url: str) -> Response:
    return RedirectResponse(url, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _html(page: str, content_policy: str, status: int = 200) -> HTMLResponse:
    headers = {
        "content-security-policy": content_policy,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(page, status, headers)


def _levels(claims: str | None) -> tuple[str, ...]:
    """The levels of authentication that a request asks for (OpenID Connect Core 5.5.1.1); PageRefused when it cannot be read."""
    if claims is None:
        return ()
    try:
        found = json.loads(claims)["id_token"]["acr"]
        return tuple(str(level) for level in found.get("values", [found.get("value", SECOND_FACTOR)]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PageRefused("Le paramètre claims n’est pas lisible.") from None


def _s256(verifier: str) -> str:
    return _base64url(hashlib.sha256(verifier.encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
