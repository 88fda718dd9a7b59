"""A person's sign-in: to the provider, back, a session; and each way in which somebody else would like it to go."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import pytest_asyncio

from shared.openid_provider import OpenIdClient, OpenIdProvider
from shared.principals import Registration
from tests.support.heart import Heart
from tests.support.sign_in_app import COOKIE, MAILBOX, ORIGIN, PROVIDER_SIRET, TRAINER, Site, registered, site
from tests.support.tokens import new_key


@pytest_asyncio.fixture(loop_scope="session")
async def here(people: Heart) -> AsyncIterator[Site]:
    """A site with its provider."""
    async with site(people) as made:
        yield made


def refused(answer: Any, status: int, code: str) -> None:
    """Check a refusal: its code, no session, nothing of the provider's words."""
    assert (answer.status_code, [one["code"] for one in answer.json()["objections"]]) == (status, [code]), answer.text
    assert f"{COOKIE}=" not in answer.headers.get("set-cookie", "")


async def test_who_signs_in_is_who_is_registered_with_that_mailbox(here: Site) -> None:
    browser, me = await here.signed_in()
    assert (me["id"], me["kind"], me["organisation"], me["roles"]) == ("p-1", "person", "region", ["region_reviewer"])
    assert len(me["csrf_token"]) == 43
    (row,) = await here.sql("SELECT issuer, subject, last_sign_in FROM person WHERE principal_id = 'p-1'")
    assert (row["issuer"], row["subject"], row["last_sign_in"] is None) == (here.provider.url, "subject-1", False)
    assert list(browser.cookies) == [COOKIE]


async def test_what_is_asked_of_the_provider(here: Site) -> None:
    location = await here.begun(here.browser())
    sent = {name: value for name, (value,) in parse_qs(urlsplit(location).query).items()}
    assert location.startswith(f"{here.provider.url}/authorize?")
    assert len(sent.pop("state")) == len(sent.pop("nonce")) == 64 and len(sent.pop("code_challenge")) == 43
    assert sent == {
        "response_type": "code",
        "client_id": "poec-validation",
        "redirect_uri": f"{ORIGIN}/sign-in/callback",
        "scope": "openid email",
        "code_challenge_method": "S256",
    }


async def test_cookies_are_for_this_host_over_https_and_no_script(here: Site) -> None:
    browser = here.browser()
    location = await here.begun(browser)
    common = {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}
    assert browser.flags == {f"{COOKIE}-sign-in": {**common, "max-age": "600"}}
    await browser.get(here.provider.answered(location))
    assert browser.flags[COOKIE] == common


async def test_the_second_time_it_is_the_subject_that_counts(here: Site) -> None:
    await here.signed_in()
    here.provider.userinfo = {"email": "another@region.example"}
    assert (await here.signed_in())[1]["id"] == "p-1"
    here.provider.userinfo = {}
    assert (await here.signed_in())[1]["id"] == "p-1"


async def test_a_mailbox_that_is_bound_is_nobody_elses(here: Site) -> None:
    await here.signed_in()
    here.provider.claims, here.provider.userinfo = {"sub": "subject-2"}, {"sub": "subject-2", "email": MAILBOX}
    refused(await here.returned(here.browser()), 403, "NOT_REGISTERED")


async def test_two_who_claim_one_mailbox_at_once_are_one(here: Site) -> None:
    browsers = [here.browser() for _ in range(4)]
    paths = [here.provider.answered(await here.begun(browser)) for browser in browsers]
    here.provider.claims = {"sub": "subject-1", "email": MAILBOX}
    ways = await asyncio.gather(*(browser.get(path) for browser, path in zip(browsers, paths, strict=True)))
    assert [answer.status_code for answer in ways] == [303] * 4
    assert len(await here.sql("SELECT 1 FROM web_session")) == 4


@pytest.mark.parametrize("signed", [False, True])
async def test_userinfo_is_taken_plain_and_signed(here: Site, signed: bool) -> None:
    here.provider.signed_userinfo = signed
    assert (await here.signed_in())[1]["id"] == "p-1"


async def test_a_mailbox_in_the_id_token_is_enough(here: Site) -> None:
    here.provider.claims = {"email": MAILBOX.upper(), "email_verified": True}
    await here.signed_in()
    assert "userinfo" not in here.provider.asked


UNKNOWN: dict[str, dict[str, Any]] = {
    "another mailbox": {"email": "nobody@region.example"},
    "no mailbox": {},
    "a mailbox that is not verified": {"email": MAILBOX, "email_verified": False},
    "a mailbox that is verified in words": {"email": MAILBOX, "email_verified": "true"},
    "a mailbox that is no text": {"email": [MAILBOX]},
}


@pytest.mark.parametrize("userinfo", UNKNOWN.values(), ids=UNKNOWN)
async def test_who_is_not_registered_is_told_so_and_forgotten(here: Site, userinfo: dict[str, Any]) -> None:
    here.provider.userinfo = userinfo
    refused(await here.returned(here.browser()), 403, "NOT_REGISTERED")
    assert await here.sql("SELECT 1 FROM web_session UNION ALL SELECT 1 FROM sign_in") == []
    assert await here.sql("SELECT 1 FROM person WHERE issuer IS NOT NULL") == []


async def test_a_disabled_account_does_not_sign_in(here: Site) -> None:
    await registered(here.heart, Registration("p-1", "person", "region", ("region_reviewer",), "disabled", MAILBOX))
    refused(await here.returned(here.browser()), 403, "NOT_REGISTERED")


async def test_a_training_provider_signs_in_with_its_own_siret(here: Site) -> None:
    here.provider.userinfo = {"email": TRAINER.login, "siret": "73282932000074"}
    refused(await here.returned(here.browser()), 403, "OTHER_SIRET")
    here.provider.userinfo = {"email": TRAINER.login, "siret": PROVIDER_SIRET}
    assert (await here.signed_in())[1]["organisation"] == PROVIDER_SIRET


# Attacks on the way


NOT_BEGUN: dict[str, dict[str, str | None]] = {
    "no state": {"state": None},
    "an empty state": {"state": ""},
    "another state": {"state": "0" * 64},
}


@pytest.mark.parametrize("changes", NOT_BEGUN.values(), ids=NOT_BEGUN)
async def test_an_answer_without_its_state_is_refused(here: Site, changes: dict[str, str | None]) -> None:
    refused(await here.returned(here.browser(), **changes), 400, "NOT_BEGUN_HERE")
    assert "token" not in here.provider.asked


async def test_an_answer_serves_once(here: Site) -> None:
    browser = here.browser()
    path = here.provider.answered(await here.begun(browser))
    before = dict(browser.cookies)
    assert (await browser.get(path)).status_code == 303
    browser.cookies = before
    refused(await browser.get(path), 400, "NOT_BEGUN_HERE")


async def test_many_at_once_with_one_answer_make_one_session(here: Site) -> None:
    browser = here.browser()
    path = here.provider.answered(await here.begun(browser))
    cookie = {"cookie": f"{COOKIE}-sign-in={browser.cookies[f'{COOKIE}-sign-in']}"}
    answers = await asyncio.gather(*(here.client.get(path, headers=cookie) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 7


async def test_the_answer_to_somebody_else_signs_nobody_in(here: Site) -> None:
    """Login CSRF: the attacker's own answer, in the victim's browser, which may have begun a sign-in of its own."""
    path = here.provider.answered(await here.begun(here.browser()))
    victim = here.browser()
    refused(await victim.get(path), 400, "NOT_BEGUN_HERE")
    await here.begun(victim)
    refused(await victim.get(path), 400, "NOT_BEGUN_HERE")


async def test_two_cookies_of_one_browser_are_none(here: Site) -> None:
    browser = here.browser()
    path = here.provider.answered(await here.begun(browser))
    name, value = f"{COOKIE}-sign-in", browser.cookies[f"{COOKIE}-sign-in"]
    refused(await here.client.get(path, headers={"cookie": f"{name}={value}; {name}={value}"}), 400, "NOT_BEGUN_HERE")


async def test_two_sign_ins_of_one_browser_both_come_home(here: Site) -> None:
    browser = here.browser()
    first, second = await here.begun(browser), await here.begun(browser)
    assert (await browser.get(here.provider.answered(first))).status_code == 303
    browser.cookies[f"{COOKIE}-sign-in"] = "x"
    refused(await browser.get(here.provider.answered(second)), 400, "NOT_BEGUN_HERE")


async def test_a_sign_in_that_takes_too_long_is_over(here: Site) -> None:
    browser = here.browser()
    path = here.provider.answered(await here.begun(browser))
    await here.sql("UPDATE sign_in SET created_at = created_at - interval '11 minutes'")
    refused(await browser.get(path), 400, "NOT_BEGUN_HERE")


NOT_CONFIRMED: dict[str, dict[str, str | None]] = {
    "the person refused": {"error": "access_denied", "code": None},
    "an error beside a code": {"error": "server_error"},
    "no code": {"code": None},
    "an invented code": {"code": "invented"},
    "an answer of another provider": {"iss": "https://other.example"},
}


@pytest.mark.parametrize("changes", NOT_CONFIRMED.values(), ids=NOT_CONFIRMED)
async def test_what_the_provider_does_not_confirm_is_refused(here: Site, changes: dict[str, str | None]) -> None:
    browser = here.browser()
    refused(await here.returned(browser, **changes), 400, "NOT_CONFIRMED")
    assert (await here.returned(browser)).status_code == 303, "begin again"


async def test_a_provider_that_always_names_itself_must(here: Site) -> None:
    here.provider.metadata = {"authorization_response_iss_parameter_supported": True}
    refused(await here.returned(here.browser(), iss=None), 400, "NOT_CONFIRMED")
    await here.signed_in()


async def test_an_issuer_that_is_not_named_is_no_mix_up_where_the_provider_never_does(here: Site) -> None:
    assert (await here.returned(here.browser(), iss=None)).status_code == 303


async def test_a_code_that_another_verifier_began_is_refused(here: Site) -> None:
    """The provider holds the code to its challenge: an injected code comes with another sign-in's."""
    mine, attackers = here.browser(), here.browser()
    stolen = parse_qs(urlsplit(here.provider.answered(await here.begun(attackers))).query)["code"][0]
    refused(await mine.get(here.provider.answered(await here.begun(mine), code=stolen)), 400, "NOT_CONFIRMED")


async def test_without_pkce_the_nonce_still_refuses_an_injected_code(people: Heart) -> None:
    async with site(people, pkce=False) as here:
        await here.signed_in()
        mine, attackers = here.browser(), here.browser()
        stolen = parse_qs(urlsplit(here.provider.answered(await here.begun(attackers))).query)["code"][0]
        refused(await mine.get(here.provider.answered(await here.begun(mine), code=stolen)), 400, "NOT_CONFIRMED")


async def test_another_redirect_uri_is_refused_by_the_provider(here: Site) -> None:
    location = (await here.begun(browser := here.browser())).replace("callback", "elsewhere")
    path = here.provider.answered(location).replace("elsewhere", "callback")
    refused(await browser.get(path), 400, "NOT_CONFIRMED")


ELSEWHERE = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "javascript:alert(1)",
    "me", "", "/a\r\nset-cookie: x=1", "/é", "/" + "a" * 501, "/\x00", "///evil.example", "/%5c/../" + "\\x",
]  # fmt: skip


async def test_nobody_is_sent_elsewhere_afterwards(here: Site) -> None:
    answers = {path: await here.browser().get(f"/sign-in?next={quote(path, safe='')}") for path in ELSEWHERE}
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code not in (400, 422)} == {}
    assert not any("location" in answer.headers for answer in answers.values())


async def test_where_one_wanted_to_go_is_where_one_comes(here: Site) -> None:
    browser = here.browser()
    location = await here.begun(browser, quote("/tallies?page=2&of=x#here", safe=""))
    assert (await browser.get(here.provider.answered(location))).headers["location"] == "/tallies?page=2&of=x#here"


async def test_one_address_begins_so_often_and_no_more(people: Heart) -> None:
    async with site(people, per_minute=10) as here:
        answers = [await here.browser().get("/sign-in") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [303] * 10 + [429]
        assert int(answers[-1].headers["retry-after"]) <= 60


# The provider's own weaknesses


async def test_a_provider_that_does_not_answer_is_said_to_be_away(here: Site) -> None:
    browser = here.browser()
    path = here.provider.answered(await here.begun(browser))
    here.provider.down = True
    refused(await browser.get(path), 503, "PROVIDER")
    here.provider.down = False
    assert (await here.returned(browser)).status_code == 303, "the code is used up; begin again"


async def test_one_who_is_killed_in_the_middle_begins_again(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    browser = here.browser()
    path = here.provider.answered(await here.begun(browser))
    with monkeypatch.context() as middle:
        middle.setattr(here.sign_in, "_session", killed)
        with pytest.raises(KeyboardInterrupt):
            await browser.get(path)
    assert here.provider.codes == {}
    refused(await browser.get(path), 400, "NOT_BEGUN_HERE")
    assert (await here.returned(browser)).status_code == 303


DISCOVERIES: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://other.example"},
    "no issuer": {"issuer": None},
    "no token endpoint": {"token_endpoint": None},
    "an endpoint that is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "an endpoint that is a file": {"jwks_uri": "file:///etc/passwd"},
    "too large": {"x": "x" * 300_000},
}


@pytest.mark.parametrize("metadata", DISCOVERIES.values(), ids=DISCOVERIES)
async def test_a_discovery_document_that_is_wrong_is_not_followed(here: Site, metadata: dict[str, Any]) -> None:
    here.provider.metadata = metadata
    refused(await here.browser().get("/sign-in"), 503, "PROVIDER")
    here.provider.metadata = {}
    await here.signed_in()


async def test_a_provider_over_https_has_no_address_over_http() -> None:
    from shared.openid_provider import _check_addresses, _Discovery

    good = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://p.example/x")
    _check_addresses(_Discovery(issuer="https://p.example", **good))
    with pytest.raises(ValueError, match="address"):
        _check_addresses(_Discovery(issuer="https://p.example", **{**good, "token_endpoint": "http://p.example/x"}))


async def test_production_does_not_take_the_word_of_a_development_provider(people: Heart) -> None:
    async with site(people, no_dev_keys=True) as here:
        await here.signed_in()
        here.provider.key = new_key("dev-one")
        refused(await here.returned(here.browser()), 400, "NOT_CONFIRMED")
        here.provider.key = new_key("two")
        await here.signed_in()


async def test_levels_of_authentication_are_asked_for_as_essential(people: Heart) -> None:
    async with site(people, acr_values=("eidas2", "2fa")) as here:
        location = await here.begun(here.browser())
        (claims,) = parse_qs(urlsplit(location).query)["claims"]
        assert claims == '{"id_token":{"acr":{"essential":true,"values":["eidas2","2fa"]}}}'


@pytest.mark.parametrize(("acr", "status"), [(None, 400), ("eidas1", 400), (["2fa"], 400), ("2fa", 303)])
async def test_who_did_not_reach_the_level_is_not_signed_in(people: Heart, acr: Any, status: int) -> None:
    async with site(people, acr_values=("eidas2", "2fa")) as here:
        here.provider.claims = {"acr": acr}
        assert (await here.returned(here.browser())).status_code == status


async def test_the_secret_is_shown_to_nobody() -> None:
    client = OpenIdClient("https://p.example", "id", "the-secret", "r", "s")
    assert "the-secret" not in repr(client) and "the-secret" not in repr(OpenIdProvider(client).client)


async def test_a_service_without_a_provider_says_so(people: Heart) -> None:
    async with site(people) as here:
        here.client._transport.app.state.sign_in = None  # type: ignore[attr-defined]
        for path in ("/sign-in", "/sign-in/callback"):
            refused(await here.browser().get(path), 404, "NO_SIGN_IN")
