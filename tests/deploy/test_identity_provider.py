"""The local identity provider: one chooses who one is, and all the rest is as strict as anywhere."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local.clients import clients_of
from deploy.local.identity_provider import (
    CODE_SECONDS,
    MOST,
    PASSWORD,
    REQUEST_SECONDS,
    SECOND_FACTOR,
    IdentityProvider,
    Kept,
)
from deploy.local.issuer import Issuer, create_app
from deploy.local.people import ACCOUNTS
from deploy.local.web_clients import read_web_clients, web_clients_of, write_web_clients
from shared.policy import ROLES, fits
from tests.support.choosing import chosen

URL = "http://127.0.0.1:8099"
SITES = {"validation": "http://127.0.0.1:8101", "submission": "http://127.0.0.1:8102"}
VERIFIER = "v" * 43
PKCE = {"code_challenge": "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM", "code_challenge_method": "S256"}


@dataclass
class Place:
    """A provider in this process, and its clock."""

    client: httpx.AsyncClient
    secrets: dict[str, str]
    now: list[float] = field(default_factory=lambda: [1_600_000_000.0])

    def asked(self, **changes: str | None) -> str:
        """Return the address that a service sends a browser to, with changes."""
        good = {
            "response_type": "code", "client_id": "poec-validation", "redirect_uri": f"{SITES['validation']}/sign-in/callback",
            "scope": "openid email", "state": "s" * 64, "nonce": "n" * 64, **PKCE,
        }  # fmt: skip
        sent = {name: value for name, value in {**good, **changes}.items() if value is not None}
        return str(httpx.URL(f"{URL}/authorize", params=sent))

    async def code(self, account: str = "p-region-1", second_factor: bool = True, **changes: str | None) -> str:
        """Return the code of a choice."""
        answer = await chosen(self.client, self.asked(**changes), account, second_factor)
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    async def token(self, shown: str, service: str = "validation", **changes: str) -> httpx.Response:
        """Exchange a code, with changes."""
        good = {
            "grant_type": "authorization_code", "code": shown, "code_verifier": VERIFIER, "client_id": f"poec-{service}",
            "client_secret": self.secrets[service], "redirect_uri": f"{SITES[service]}/sign-in/callback",
        }  # fmt: skip
        return await self.client.post("/token", data={**good, **changes})

    async def claims(self, token: str) -> dict[str, Any]:
        """Return what a token says, its signature checked."""
        keys = KeySet.import_key_set((await self.client.get("/jwks.json")).json())
        decoded = jwt.decode(token, keys, algorithms=["ES256"])
        assert str(decoded.header["kid"]).startswith("dev-")
        return decoded.claims


@pytest_asyncio.fixture(loop_scope="session")
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A provider that knows two services."""
    web = web_clients_of(tmp_path, SITES)
    by_id = read_web_clients(write_web_clients(tmp_path, web))
    issuer = Issuer(URL, lambda: clients_of(tmp_path))
    now = [1_600_000_000.0]
    app = create_app(issuer, people=IdentityProvider(URL, issuer.sign, by_id, lambda: now[0]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
        yield Place(client, {service: one.client_secret for service, one in web.items()}, now)


def test_everybody_of_the_policy_table_can_be_chosen_and_nobody_is_named_like_a_person() -> None:
    assert {role for account in ACCOUNTS.values() for role in account.roles} == set(ROLES)
    assert all(fits(role, account.organisation) for account in ACCOUNTS.values() for role in account.roles)
    assert all(account.login.endswith(".example") for account in ACCOUNTS.values())
    assert len({account.login for account in ACCOUNTS.values()}) == len(ACCOUNTS)


async def test_the_page_says_what_it_is_and_runs_nothing(place: Place) -> None:
    page = await place.client.get(place.asked())
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script" not in policy
    assert f"form-action 'self' {SITES['validation']};" in policy and "frame-ancestors 'none'" in policy
    assert "Développement" in page.text and "<script" not in page.text and "http" not in page.text
    assert page.text.count("<button") == len(ACCOUNTS)


async def test_who_was_chosen_is_who_is_told(place: Place) -> None:
    answer = await chosen(place.client, place.asked(), "p-organisme")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (query["state"], query["iss"]) == (["s" * 64], [URL])
    token = (await place.token(query["code"][0])).json()
    claims = await place.claims(token["id_token"])
    assert (claims["sub"], claims["aud"], claims["nonce"], claims["acr"]) == ("p-organisme", "poec-validation", "n" * 64, SECOND_FACTOR)
    told = await place.client.get("/userinfo", headers={"authorization": f"Bearer {token['access_token']}"})
    assert told.headers["content-type"] == "application/jwt"
    about = await place.claims(told.text)
    assert (about["sub"], about["email"], about["siret"]) == ("p-organisme", "sessions@organisme.example", "99912345800013")


@pytest.mark.parametrize("level", [None, '{"id_token":{"acr":{"essential":true,"values":["high","higher"]}}}'])
async def test_a_second_factor_is_said_where_it_was_chosen(place: Place, level: str | None) -> None:
    for second, expected in ((True, "high" if level else SECOND_FACTOR), (False, PASSWORD)):
        token = (await place.token(await place.code(second_factor=second, claims=level))).json()["id_token"]
        assert (await place.claims(token))["acr"] == expected


WRONG: dict[str, dict[str, str | None]] = {
    "an unknown service": {"client_id": "poec-other"},
    "another address": {"redirect_uri": "https://evil.example/sign-in/callback"},
    "an address with a tail": {"redirect_uri": f"{SITES['validation']}/sign-in/callback/"},
    "an address in other letters": {"redirect_uri": f"{SITES['validation']}/Sign-In/callback"},
    "another service's address": {"redirect_uri": f"{SITES['submission']}/sign-in/callback"},
    "no address": {"redirect_uri": None},
    "another flow": {"response_type": "token"},
    "no openid": {"scope": "email"},
    "no state": {"state": None},
    "a short nonce": {"nonce": "n"},
    "no challenge": {"code_challenge": None},
    "a plain challenge": {"code_challenge_method": "plain"},
    "claims that are none": {"claims": "x"},
}  # fmt: skip


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
async def test_what_is_not_exactly_as_known_is_answered_here_and_nowhere_else(place: Place, changes: dict[str, str | None]) -> None:
    answer = await place.client.get(place.asked(**changes))
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "evil.example" not in answer.text


async def test_a_parameter_twice_is_refused(place: Place) -> None:
    assert (await place.client.get(place.asked() + "&state=" + "t" * 64)).status_code == 400


async def test_a_page_serves_once_and_for_a_time_and_only_for_accounts_there_are(place: Place) -> None:
    for account, wait, status in (("p-nobody", 0, 400), ("p-akto", REQUEST_SECONDS + 1, 400), ("p-akto", 0, 303)):
        page = await place.client.get(place.asked())
        name = page.text.split('name="request" value="')[1].split('"')[0]
        place.now[0] += wait
        assert (await place.client.post("/authorize", data={"request": name, "account": account})).status_code == status
    assert (await place.client.post("/authorize", data={"request": name, "account": "p-akto"})).status_code == 400


EXCHANGES: dict[str, dict[str, str]] = {
    "another verifier": {"code_verifier": "w" * 43},
    "no verifier": {"code_verifier": ""},
    "another address": {"redirect_uri": f"{SITES['submission']}/sign-in/callback"},
    "an invented code": {"code": "x"},
}


@pytest.mark.parametrize("changes", EXCHANGES.values(), ids=EXCHANGES)
async def test_a_code_is_for_who_asked_for_it(place: Place, changes: dict[str, str]) -> None:
    answer = await place.token(await place.code(), **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_code_is_not_for_another_service(place: Place) -> None:
    code = await place.code()
    assert (await place.token(code, "submission")).json()["error"] == "invalid_grant"
    assert (await place.token(code)).json()["error"] == "invalid_grant", "whoever shows it wrongly uses it up"


async def test_a_code_serves_once_and_for_a_minute(place: Place) -> None:
    code = await place.code()
    assert [(await place.token(code)).status_code for _ in range(2)] == [200, 400]
    late = await place.code()
    place.now[0] += CODE_SECONDS + 1
    assert (await place.token(late)).status_code == 400


async def test_a_service_proves_itself(place: Place) -> None:
    for changes in ({"client_secret": "x"}, {"client_id": "poec-other"}, {"client_id": "akto"}):
        answer = await place.token(await place.code(), **changes)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("authorization", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}])
async def test_userinfo_is_for_who_has_its_token(place: Place, authorization: dict[str, str]) -> None:
    assert (await place.client.get("/userinfo", headers=authorization)).status_code == 401


async def test_after_signing_out_one_comes_back_to_services_alone(place: Place) -> None:
    good = await place.client.get("/end-session", params={"post_logout_redirect_uri": f"{SITES['validation']}/sign-out", "state": "x"})
    assert (good.status_code, good.headers["location"]) == (303, f"{SITES['validation']}/sign-out?state=x")
    for elsewhere in ("https://evil.example", f"{SITES['validation']}/", ""):
        answer = await place.client.get("/end-session", params={"post_logout_redirect_uri": elsewhere})
        assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_what_is_remembered_is_bounded() -> None:
    kept = Kept[int](10, lambda: 0.0)
    names = [kept.keep(n) for n in range(MOST + 1)]
    assert (kept.take(names[0]), kept.take(names[-1]), kept.take(names[-1])) == (None, MOST, None)


async def test_the_discovery_document_says_where_everything_is(place: Place) -> None:
    metadata = (await place.client.get("/.well-known/openid-configuration")).json()
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri"} <= set(metadata)
    assert metadata["code_challenge_methods_supported"] == ["S256"] and metadata["response_types_supported"] == ["code"]
