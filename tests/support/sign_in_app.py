"""The toy service with people's sign-in: real tables, real sessions, and a provider on a real port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx

from shared.database import retried
from shared.identity import service_principal
from shared.issuer_keys import IssuerKeys, Pace
from shared.openid_provider import OpenIdClient, OpenIdProvider
from shared.principals import Directory, Registration, register
from shared.rates import Limit, Rates
from shared.sign_in import SignIn
from shared.tokens import TokenVerifier
from shared.who_asks import SignedIn
from tests.support.browser import Browser
from tests.support.heart import Heart
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, Provider, serving
from tests.support.toy_app import toy_app

ORIGIN: Final = "https://poec.example"
COOKIE: Final = "__Host-poec-validation"
MAILBOX: Final = "instruction@region.example"
REVIEWER: Final = Registration("p-1", "person", "region", ("region_reviewer",), login=MAILBOX)
PROVIDER_SIRET: Final = "99912345800013"
TRAINER: Final = Registration("p-2", "person", PROVIDER_SIRET, ("training_provider",), login="sessions@organisme.example")


async def registered(heart: Heart, *wanted: Registration) -> None:
    """Register people, as an administrator does."""

    async def once() -> None:
        async with heart.database.unit(service_principal("validation", "api")) as unit:
            await register(unit, wanted, "administrator")
            await unit.flush()

    await retried(once)


_AS_BEFORE: Final = (
    "INSERT INTO person (principal_id, login, registered_at) SELECT id, $2, now() FROM principal WHERE id = $1"
)


async def people_anew(heart: Heart) -> None:
    """Forget every person with their sessions and sign-ins; register two, those of the test before by hand: no row comes back else."""
    async with heart.database.unit(service_principal("validation", "api")) as unit:
        await unit.read("SELECT 1")
        for table in ("sign_in", "web_session", "person"):
            await unit.read(f"DELETE FROM {table}")
        for one in (REVIEWER, TRAINER):
            await unit.read(_AS_BEFORE, one.id, one.login)
    await registered(heart, REVIEWER, TRAINER)


@dataclass
class Site:
    """A service that people sign in to, and its provider."""

    heart: Heart
    provider: Provider
    client: httpx.AsyncClient
    sign_in: SignIn

    def browser(self) -> Browser:
        """Return a browser that was never here."""
        return Browser(self.client, ORIGIN)

    async def begun(self, browser: Browser, path: str = "/me") -> str:
        """Begin a sign-in; return where the browser is sent."""
        answer = await browser.get(f"/sign-in?next={path}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def returned(self, browser: Browser, **changes: str | None) -> httpx.Response:
        """Sign in with an answer of the provider that is changed so."""
        return await browser.get(self.provider.answered(await self.begun(browser), **changes))

    async def signed_in(self) -> tuple[Browser, dict[str, Any]]:
        """Return a browser that is signed in, and what /me says."""
        browser = self.browser()
        answer = await self.returned(browser)
        assert (answer.status_code, answer.headers.get("location")) == (303, "/me"), answer.text
        me = await browser.get("/me")
        assert me.status_code == 200, me.text
        return browser, me.json()

    async def sql(self, query: str, *args: Any) -> list[Any]:
        """Run SQL as the service's own process, and commit."""
        async with self.heart.database.unit(service_principal("validation", "api")) as unit:
            await unit.read("SELECT 1")
            return await unit.read(query, *args)


@asynccontextmanager
async def site(heart: Heart, **changes: Any) -> AsyncIterator[Site]:
    """Yield a site; `changes` are members of its client, `per_minute`, or `pages`."""
    per_minute, pages = changes.pop("per_minute", 1000), changes.pop("pages", None)
    async with serving() as provider:
        provider.userinfo = {"email": MAILBOX}
        back = {"redirect_uri": f"{ORIGIN}/sign-in/callback", "signed_out_uri": f"{ORIGIN}/sign-out"}
        client = OpenIdClient(**{"issuer": provider.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **back, **changes})
        rates, directory = Rates(heart.database, {}), Directory(heart.database)
        app = toy_app(heart, pages)
        app.state.sign_in = SignIn(heart.database, OpenIdProvider(client), rates, Limit(per_minute / 60, per_minute))
        keys = IssuerKeys("http://127.0.0.1:9/jwks", Pace(interval=0.01))
        verifier = TokenVerifier("https://issuer.invalid", keys, "poec", directory.find)
        app.state.door.who = SignedIn(verifier, directory, app.state.sign_in.sessions, ORIGIN, COOKIE)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        no_jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=no_jar) as http:
            yield Site(heart, provider, http, app.state.sign_in)
