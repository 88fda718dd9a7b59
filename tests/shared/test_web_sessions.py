"""Sessions: what keeps one, what ends it at once, and which writes a cookie alone does not make."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from shared.errors import RulesRefused
from shared.identity import Principal, service_principal
from shared.principals import Registration, State
from shared.retention import KEEPINGS, Retention
from tests.shared.test_retention import SETTINGS
from tests.support.browser import Browser
from tests.support.heart import Heart
from tests.support.sign_in_app import COOKIE, MAILBOX, ORIGIN, Site, registered, site
from tests.support.stack import eventually

ROLES = ("region_reviewer",)


@pytest_asyncio.fixture(loop_scope="session")
async def here(people: Heart) -> AsyncIterator[Site]:
    """A site with its provider."""
    async with site(people) as made:
        yield made


async def count(browser: Browser, token: str, **headers: str) -> Any:
    """Send a write of a page, which carries the session's secret."""
    return await browser.write(f"/tallies/{uuid4()}", json={}, idempotency_key=uuid4().hex, x_csrf_token=token, **headers)


def codes(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [one["code"] for one in answer.json()["objections"]]


async def test_a_page_reads_and_writes_as_who_signed_in(here: Site) -> None:
    browser, me = await here.signed_in()
    assert (await count(browser, me["csrf_token"])).status_code == 201


async def test_what_is_kept_is_no_identifier(here: Site) -> None:
    browser, _ = await here.signed_in()
    rows = await here.sql("SELECT to_jsonb(s)::text AS row FROM web_session s")
    assert len(rows) == 1 and browser.cookies[COOKIE] not in rows[0]["row"]


@pytest.mark.parametrize("who", [Principal("p-1", "region", "person"), Principal("ops", "operations", "machine")])
async def test_nobody_else_reads_sessions_or_sign_ins(here: Site, who: Principal) -> None:
    await here.signed_in()
    await here.begun(here.browser())
    for table in ("web_session", "sign_in"):
        assert await here.heart.database.query(who, f"SELECT * FROM {table}") == []
        assert len(await here.sql(f"SELECT * FROM {table}")) == 1


# What a write needs


WRITES: dict[str, tuple[dict[str, str], str]] = {
    "no secret": ({"x_csrf_token": ""}, "CSRF_TOKEN"),
    "a guessed secret": ({"x_csrf_token": "A" * 43}, "CSRF_TOKEN"),
    "a page of another site": ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, "ORIGIN"),
    "a page of a neighbour": ({"sec_fetch_site": "same-site"}, "ORIGIN"),
    "no page": ({"sec_fetch_site": "none", "origin": ""}, "ORIGIN"),
    "an older browser, another site": ({"sec_fetch_site": "", "origin": "https://evil.example"}, "ORIGIN"),
    "the same host over http": ({"sec_fetch_site": "", "origin": "http://poec.example"}, "ORIGIN"),
    "another port": ({"sec_fetch_site": "", "origin": "https://poec.example:8443"}, "ORIGIN"),
    "a page without an origin": ({"origin": "null"}, "ORIGIN"),
    "no word of where it comes from": ({"sec_fetch_site": "", "origin": ""}, "ORIGIN"),
    "two words that disagree": ({"origin": "https://evil.example"}, "ORIGIN"),
}


@pytest.mark.parametrize(("headers", "code"), WRITES.values(), ids=WRITES)
async def test_a_write_that_is_no_pages_own_is_refused(here: Site, headers: dict[str, str], code: str) -> None:
    browser, me = await here.signed_in()
    before = len(await here.sql("SELECT 1 FROM tally"))
    sent = {"x_csrf_token": me["csrf_token"], **headers}
    answer = await browser.write(f"/tallies/{uuid4()}", json={}, idempotency_key=uuid4().hex, **sent)
    assert codes(answer) == (403, [code])
    assert len(await here.sql("SELECT 1 FROM tally")) == before
    assert (await count(browser, me["csrf_token"])).status_code == 201


async def test_a_write_that_lacks_both_is_told_both_and_which_headers(here: Site) -> None:
    browser, _ = await here.signed_in()
    answer = await browser.write(f"/tallies/{uuid4()}", json={}, idempotency_key=uuid4().hex, origin="", sec_fetch_site="")
    assert codes(answer) == (403, ["ORIGIN", "CSRF_TOKEN"])
    assert [error["field"] for error in answer.json()["objections"]] == ["Origin", "X-CSRF-Token"]
    assert all(word in answer.text for word in ("Sec-Fetch-Site", "same-origin", "csrf_token", "/me"))


async def test_an_older_browser_that_says_its_origin_writes(here: Site) -> None:
    browser, me = await here.signed_in()
    assert (await count(browser, me["csrf_token"], sec_fetch_site="")).status_code == 201


async def test_another_sessions_secret_is_refused(here: Site) -> None:
    browser, _ = await here.signed_in()
    _, other = await here.signed_in()
    assert codes(await count(browser, other["csrf_token"])) == (403, ["CSRF_TOKEN"])


@pytest.mark.parametrize("header", ["origin", "sec-fetch-site", "x-csrf-token"])
async def test_what_a_write_is_judged_by_is_said_once(here: Site, header: str) -> None:
    twice = [(header, "a"), (header, "b")]
    assert codes(await here.client.get("/me", headers=twice)) == (400, ["HEADER_TWICE"])


# Which cookie is a session


async def test_a_token_and_a_session_at_once_are_one_too_many(here: Site) -> None:
    browser, _ = await here.signed_in()
    assert codes(await browser.get("/me", authorization="Bearer x")) == (400, ["TWO_CREDENTIALS"])


GARBAGE = ["", "x", "A" * 43, "A" * 42, "é" * 43, "A" * 5000, '"' + "A" * 43 + '"', "../../etc", "' OR 1=1 --", "%00" * 20]


async def test_garbage_is_no_session(here: Site) -> None:
    answers = [await here.client.get("/me", headers=[(b"cookie", f"{COOKIE}={value}".encode())]) for value in GARBAGE]
    assert {codes(answer) for answer in answers if (codes(answer)[0], *codes(answer)[1]) != (401, "SESSION")} == set()


async def test_two_sessions_of_one_browser_are_none(here: Site) -> None:
    browser, _ = await here.signed_in()
    value = browser.cookies[COOKIE]
    for cookie in (f"{COOKIE}={value}; {COOKIE}={value}", f"{COOKIE}=x; {COOKIE}={value}", f"{COOKIE}={value},{COOKIE}=x"):
        assert codes(await here.client.get("/me", headers={"cookie": cookie})) == (401, ["SESSION"])
    both = [("cookie", f"{COOKIE}={value}"), ("cookie", f"{COOKIE}={value}")]
    assert codes(await here.client.get("/me", headers=both)) == (401, ["SESSION"])


async def test_the_cookie_of_another_service_is_not_looked_at(here: Site) -> None:
    browser, _ = await here.signed_in()
    for name in ("__Host-poec-submission", "poec-validation", f"{COOKIE}-sign-in", COOKIE.lower()):
        answer = await here.client.get("/me", headers={"cookie": f"{name}={browser.cookies[COOKIE]}"})
        assert codes(answer) == (401, ["TOKEN"])


async def test_a_session_that_was_planted_before_is_not_the_one_after(here: Site) -> None:
    """Fixation: the identifier is new at every sign-in, and the one before is over."""
    attacker, _ = await here.signed_in()
    victim = here.browser()
    victim.cookies[COOKIE] = attacker.cookies[COOKIE]
    assert (await here.returned(victim)).status_code == 303
    assert victim.cookies[COOKIE] != attacker.cookies[COOKIE]
    assert codes(await attacker.get("/me")) == (401, ["SESSION"])
    assert (await victim.get("/me")).status_code == 200


# What ends one


async def test_signing_out_ends_it_here_and_at_the_provider(here: Site) -> None:
    browser, me = await here.signed_in()
    kept = browser.cookies[COOKIE]
    answer = await browser.write("/sign-out", x_csrf_token=me["csrf_token"])
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    query = {name: value for name, (value,) in parse_qs(where.query).items()}
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{here.provider.url}/end-session"
    assert (query["post_logout_redirect_uri"], len(query["state"])) == (f"{ORIGIN}/sign-out", 64)
    assert query["id_token_hint"].count(".") == 2
    assert COOKIE not in browser.cookies
    browser.cookies[COOKIE] = kept
    assert codes(await browser.get("/me")) == (401, ["SESSION"])
    assert codes(await count(browser, me["csrf_token"])) == (401, ["SESSION"])
    assert (await here.client.get("/sign-out")).status_code == 200


async def test_a_provider_that_knows_no_signing_out_keeps_nobody_signed_in(here: Site) -> None:
    here.provider.metadata = {"end_session_endpoint": None}
    browser, me = await here.signed_in()
    answer = await browser.write("/sign-out", x_csrf_token=me["csrf_token"])
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ORIGIN}/sign-out")
    assert await here.sql("SELECT 1 FROM web_session") == []


async def test_another_site_signs_nobody_out(here: Site) -> None:
    browser, me = await here.signed_in()
    assert codes(await browser.write("/sign-out")) == (403, ["CSRF_TOKEN"])
    evil = await browser.write("/sign-out", x_csrf_token=me["csrf_token"], origin="https://evil.example", sec_fetch_site="cross-site")
    assert codes(evil) == (403, ["ORIGIN"])
    assert (await browser.get("/me")).status_code == 200


TIMES = [
    ("seen_at", "28 minutes", 200),
    ("seen_at", "31 minutes", 401), ("created_at", "479 minutes", 200), ("created_at", "481 minutes", 401),
]


@pytest.mark.parametrize(("column", "ago", "status"), TIMES)
async def test_it_ends_after_half_an_hour_without_a_request_and_after_eight_hours(here: Site, column: str, ago: str, status: int) -> None:
    browser, _ = await here.signed_in()
    await here.sql(f"UPDATE web_session SET {column} = {column} - $1::text::interval", ago)
    assert (await browser.get("/me")).status_code == status


async def test_each_request_keeps_it_alive(here: Site) -> None:
    browser, _ = await here.signed_in()
    for _ in range(3):
        await here.sql("UPDATE web_session SET seen_at = seen_at - interval '20 minutes'")
        assert (await browser.get("/me")).status_code == 200


ENDS: dict[str, Registration] = {
    "disabled": Registration("p-1", "person", "region", ROLES, "disabled"),
    "disabled by its mailbox": Registration("p-1", "person", "region", ROLES, "disabled", MAILBOX),
}
ANOTHER = Registration("p-1", "person", "region", ROLES, login="another@region.example")


@pytest.mark.parametrize("change", ENDS.values(), ids=ENDS)
async def test_it_ends_at_once_with_the_account(here: Site, change: Registration) -> None:
    browser, me = await here.signed_in()
    await registered(here.heart, change)
    assert codes(await browser.get("/me")) == (401, ["SESSION"])
    assert codes(await count(browser, me["csrf_token"])) == (401, ["SESSION"])
    await registered(here.heart, Registration("p-1", "person", "region", ROLES, login=change.login))
    assert codes(await browser.get("/me")) == (401, ["SESSION"]), "what is given back is not the session"


@pytest.mark.parametrize("state", ["active", "disabled"])
async def test_who_comes_after_does_not_inherit_the_account_that_somebody_signed_in_with(here: Site, state: State) -> None:
    browser, me = await here.signed_in()
    with pytest.raises(RulesRefused, match="LOGIN_BOUND"):
        await registered(here.heart, replace(ANOTHER, state=state))
    assert (await count(browser, me["csrf_token"])).status_code == 201, "whose it is goes on"
    here.provider.claims = {"sub": "subject-9"}
    here.provider.userinfo = {"sub": "subject-9", "email": ANOTHER.login}
    assert (await here.returned(here.browser())).status_code == 403


async def test_an_account_that_nobody_has_signed_in_with_yet_gets_another_mailbox(here: Site) -> None:
    await registered(here.heart, ANOTHER)
    assert (await here.returned(here.browser())).status_code == 403
    here.provider.userinfo = {"email": ANOTHER.login}
    assert (await here.signed_in())[1]["id"] == "p-1"


async def test_a_sign_in_that_is_under_way_counts_as_one_that_was(here: Site) -> None:
    """Held between its binding and its commit; the change waits for it and is refused."""
    async with here.heart.database.unit(service_principal("validation", "api")) as unit:
        await unit.read("SELECT 1 FROM person WHERE principal_id = 'p-1' FOR UPDATE")
        change = asyncio.create_task(registered(here.heart, ANOTHER))
        await eventually(lambda: _waits_for_a_lock(here.heart), 20, "the change waits for the sign-in")
        await unit.read("UPDATE person SET issuer = 'https://issuer.invalid', subject = 'subject-7' WHERE principal_id = 'p-1'")
    with pytest.raises(RulesRefused, match="LOGIN_BOUND"):
        await change


async def _waits_for_a_lock(heart: Heart) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await heart.fetch(waiting))


async def test_a_person_who_is_erased_is_signed_out(here: Site) -> None:
    browser, _ = await here.signed_in()
    await here.sql("DELETE FROM person WHERE principal_id = 'p-1'")
    assert codes(await browser.get("/me")) == (401, ["SESSION"])
    assert await here.sql("SELECT 1 FROM web_session") == []


async def test_other_roles_are_there_at_the_next_request(here: Site) -> None:
    one = Registration("p-3", "person", "france-travail", ("pole_emploi_reviewer",), login="decision@pole-emploi.example")
    await registered(here.heart, one)
    here.provider.userinfo, here.provider.claims = {"email": one.login, "sub": "subject-3"}, {"sub": "subject-3"}
    browser, me = await here.signed_in()
    await registered(here.heart, replace(one, roles=("entries", "pole_emploi_reviewer")))
    assert (await browser.get("/me")).json()["roles"] == ["entries", "pole_emploi_reviewer"]
    assert (await count(browser, me["csrf_token"])).status_code == 201


async def test_sessions_and_sign_ins_are_removed_after_their_time(here: Site) -> None:
    kept = [keeping for keeping in KEEPINGS if keeping.what in ("sessions", "sign_ins")]
    for table, hours in (("web_session", 25), ("sign_in", 2)):
        await here.signed_in()
        await here.begun(here.browser())
        await here.sql(f"UPDATE {table} SET created_at = created_at - $1::int * interval '1 hour'", hours)
    assert len(await here.sql("SELECT 1 FROM web_session")) == 2
    removed = await Retention(here.heart.database, SETTINGS, kept).pass_once()
    assert removed == {"sessions": 1, "sign_ins": 2}
    assert len(await here.sql("SELECT 1 FROM web_session")) == 1


async def test_a_bearer_token_has_no_session_to_end(here: Site) -> None:
    assert codes(await here.client.post("/sign-out")) == (401, ["TOKEN"])
