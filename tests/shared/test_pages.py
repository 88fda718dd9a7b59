"""Pages of a service: rendered, refused, and their forms carried out through the door that programs use."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest

from tests.support.heart import Heart
from tests.support.sign_in_app import Site, people_anew, site
from tests.support.toy_app import caller, toy_app
from tests.support.toy_pages import TALLY, TOY_PAGES

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {**BROWSER, "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def client(heart: Heart) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(toy_app(heart, TOY_PAGES)) as made:
        yield made


@pytest.fixture
async def signed(heart: Heart) -> AsyncIterator[Site]:
    await people_anew(heart)
    async with site(heart, pages=TOY_PAGES) as made:
        yield made


async def sent(client: httpx.AsyncClient, path: str = "/espace/formulaire", **fields: str) -> httpx.Response:
    given = {"idempotency_key": uuid4().hex, "by": "2", "note": "", **fields}
    return await client.post(path, content=urlencode(given), headers=FORM)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


# What a page is


async def test_a_page_is_french_whole_and_strict(client: httpx.AsyncClient) -> None:
    answer = await client.get("/espace/liste", headers=BROWSER)
    assert answer.status_code == 200
    assert '<html lang="fr">' in answer.text and "<title>Liste — POEC Normandie</title>" in answer.text
    assert "5\u00a0sept.\u00a0–\u00a09\u00a0déc.\u00a02018" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"\sstyle=|<style|<script(?! src)|\son[a-z]+=|hx-on|http:", answer.text)


async def test_the_navigation_shows_what_one_may_do(client: httpx.AsyncClient) -> None:
    page = (await client.get("/espace/liste", headers=BROWSER)).text
    assert 'href="/espace/formulaire"' in page and 'href="/espace/comptes"' not in page
    assert re.search(r'href="/espace/liste" aria-current="page"', page)


async def test_what_was_typed_is_escaped(client: httpx.AsyncClient) -> None:
    page = (await client.get("/espace/liste", params={"q": '"><script>alert(1)</script>'}, headers=BROWSER)).text
    assert "<script>alert" not in page and "&lt;script&gt;" in page


async def test_a_filter_may_be_repeated_where_it_is_a_list_and_nowhere_else(client: httpx.AsyncClient) -> None:
    page = await client.get("/espace/liste?opco=AKTO&opco=Constructys", headers=BROWSER)
    assert (page.status_code, page.text.count('scope="row"')) == (200, 2 + 3)
    twice = await client.get("/espace/liste?q=a&q=b", headers=BROWSER)
    assert (twice.status_code, "Un paramètre" in twice.text) == (400, True)
    assert twice.headers["content-type"].startswith("text/html")


async def test_the_start_page_is_open_and_says_whose_it_is(client: httpx.AsyncClient) -> None:
    mine = await client.get("/", headers=BROWSER)
    assert "Vous êtes connecté" in mine.text and "AKTO" in mine.text
    nobody = await client.get("/", headers={**BROWSER, "authorization": ""})
    assert (nobody.status_code, "Vous êtes connecté" in nobody.text) == (200, False)


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "who", "status", "says"),
    [
        ("GET", "/espace/comptes", "akto", 403, "Votre rôle ne permet pas"),
        ("GET", "/espace/liste", "", 401, "Reconnectez-vous"),
        ("GET", "/espace/rien", "akto", 404, "Page introuvable"),
        ("GET", "/rien", "akto", 404, "Page introuvable"),
        ("PUT", "/espace/liste", "akto", 405, "ne s’ouvre pas ainsi"),
        ("GET", "/espace/panne", "akto", 500, "Elle est de notre fait"),
    ],
)
async def test_a_browser_is_answered_by_a_page_and_a_program_by_a_problem(
    client: httpx.AsyncClient, method: str, path: str, who: str, status: int, says: str
) -> None:
    page = await client.request(method, path, headers={**BROWSER, "authorization": who})
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert says in page.text and "7qz" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    problem = await client.request(method, path, headers={"authorization": who})
    assert (problem.status_code, problem.headers["content-type"]) == (status, "application/problem+json")
    if status == 405:
        assert page.headers["allow"] == problem.headers["allow"] == "GET"


async def test_the_page_of_an_unknown_address_knows_who_is_signed_in(signed: Site, client: httpx.AsyncClient) -> None:
    unknown = await signed.browser().get("/espace/rien", accept="text/html")
    assert unknown.status_code == 404 and "Se connecter" in unknown.text
    browser, _me = await signed.signed_in()
    page = await browser.get("/espace/rien", accept="text/html")
    assert page.status_code == 404
    assert "Se déconnecter" in page.text and "Se connecter" not in page.text
    stranger = await client.get("/espace/rien", headers={**BROWSER, "authorization": "nobody"})
    assert stranger.status_code == 404


async def test_a_form_and_its_page_are_both_named_where_a_method_is_not(client: httpx.AsyncClient) -> None:
    assert (await client.put("/espace/formulaire")).headers["allow"] == "GET, POST"


async def test_the_api_answers_a_browser_as_everybody(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/tallies/{uuid4()}", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_what_htmx_asks_for_and_is_refused_is_shown_in_place_of_the_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/espace/comptes", headers={**BROWSER, "hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-retarget"]) == (403, "#contenu")


# Forms


async def test_a_form_is_carried_out_and_leads_on(client: httpx.AsyncClient) -> None:
    before = (await client.get(f"/tallies/{TALLY}")).json().get("seen", 0)
    answer = await sent(client, by="5")
    assert (answer.status_code, answer.headers["location"]) == (303, "/espace/liste?fait=compte")
    assert (await client.get(f"/tallies/{TALLY}")).json()["seen"] == before + 5


async def test_a_form_sent_twice_is_carried_out_once(client: httpx.AsyncClient) -> None:
    key = uuid4().hex
    first = await sent(client, idempotency_key=key, by="3")
    seen = (await client.get(f"/tallies/{TALLY}")).json()["seen"]
    again = await sent(client, idempotency_key=key, by="3")
    assert first.status_code == again.status_code == 303
    assert (await client.get(f"/tallies/{TALLY}")).json()["seen"] == seen
    other = await sent(client, idempotency_key=key, by="4")
    assert other.status_code == 422
    assert hidden(other.text, "idempotency_key") != key, "a key that has served is no good for another content"


async def test_what_is_refused_comes_back_whole_with_every_objection(client: httpx.AsyncClient) -> None:
    answer = await sent(client, by="7", refuse="rules", note="Ligne une\r\nLigne deux <b>", kind="a", idempotency_key="k-7qz")
    assert answer.status_code == 422
    page = answer.text
    for message in ("la durée dépasse le plafond", "Choisissez un genre.", "Rien d’autre."):
        assert message in page
    assert 'href="#f-by"' in page and 'href="#f-kind"' in page
    assert re.search(r'id="f-by"[^>]* aria-invalid="true" aria-describedby="f-by-erreur-1 f-by-aide f-by-unite"', page)
    assert "Ligne une\nLigne deux &lt;b&gt;" in page
    assert hidden(page, "idempotency_key") == "k-7qz"
    assert '<title>Erreur — Formulaire — POEC Normandie</title>' in page


async def test_an_objection_of_form_stands_at_its_field(client: httpx.AsyncClient) -> None:
    page = (await sent(client, by="beaucoup")).text
    assert 'value="beaucoup"' in page and 'id="f-by-erreur-1"' in page


async def test_warnings_are_ticked_one_by_one(client: httpx.AsyncClient) -> None:
    answer = await sent(client, refuse="warnings", acknowledged="CAREFUL")
    assert answer.status_code == 409
    assert re.search(r'name="acknowledged" value="CAREFUL" id="w-CAREFUL" checked', answer.text)
    assert "erreurs" not in answer.text


async def test_the_revision_of_a_form_is_that_of_the_command(client: httpx.AsyncClient) -> None:
    answer = await sent(client, refuse="stale", revision="3")
    assert answer.status_code == 412 and hidden(answer.text, "revision") == "3"


@pytest.mark.parametrize(
    "body",
    ["by=%00", "by=%ED%A0%80", "by=%FF", "by", "&".join(f"a{n}=1" for n in range(2001)), "by=1&by=2"],
    ids=["NUL", "half a character", "no UTF-8", "no pair", "too many", "twice"],
)
async def test_what_is_no_form_is_refused_as_a_page(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/espace/formulaire", content=f"{body}&idempotency_key=k", headers=FORM)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_form_that_is_too_large_or_of_another_kind_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/espace/formulaire", content="a=" + "x" * 300_000, headers=FORM)).status_code == 413
    assert (await client.post("/espace/formulaire", json={"by": 1}, headers=BROWSER)).status_code == 415
    assert (await client.post("/tallies/" + str(TALLY), content="by=1", headers=FORM)).status_code == 415


async def test_without_a_key_a_form_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/espace/formulaire", content="by=1", headers=FORM)
    assert answer.status_code == 400


def with_file(name: str, content: bytes, *fields: tuple[str, str]) -> bytes:
    parts = [f'--7qz\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields]
    head = f'--7qz\r\ncontent-disposition: form-data; name="table"; filename="{name}"\r\ncontent-type: text/csv\r\n\r\n'
    return "".join(parts).encode() + head.encode() + content + b"\r\n--7qz--\r\n"


FILE = {**BROWSER, "content-type": "multipart/form-data; boundary=7qz"}


async def test_a_file_comes_by_a_form(client: httpx.AsyncClient) -> None:
    body = with_file("../../a<b>.csv", b"x;y\r\n\x00", ("csrf_token", ""))
    answer = await client.post("/espace/fichier", content=body, headers=FILE)
    assert (answer.status_code, answer.text) == (200, "ab.csv 6")
    nothing = await client.post("/espace/fichier", content=with_file("", b""), headers=FILE)
    assert nothing.text == "rien"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"--7qz\r\nno head", 400), (b"nothing", 400), (with_file("a", b"x" * 200_000), 413), (with_file("a", b"", ("b", "\x00")), 400)],
    ids=["cut", "no part", "too large", "NUL"],
)
async def test_what_is_no_form_with_a_file_is_refused(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post("/espace/fichier", content=body, headers=FILE)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, "text/html")


# Sessions


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(signed: Site) -> None:
    answer = await signed.browser().get("/espace/liste?q=b%C3%A9ton&opco=AKTO", accept="text/html")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/espace/liste%3Fq%3Db%25C3%25A9ton%26opco%3DAKTO"
    begun = await signed.browser().get(answer.headers["location"])
    assert begun.status_code == 303


async def test_htmx_is_told_to_load_the_page_anew_where_the_session_is_over(signed: Site) -> None:
    for said, leads in (("/espace/liste?q=a", "/espace/liste?q=a"), ("//elsewhere.example/x", "/"), ("", "/")):
        headers = {"accept": "text/html", "hx-request": "true", "hx-current-url": f"http://here.example{said}"}
        answer = await signed.client.get("/espace/liste", headers=headers)
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, leads)


async def test_a_form_needs_the_secret_of_its_session(signed: Site) -> None:
    browser, me = await signed.signed_in()
    page = await browser.get("/espace/formulaire", accept="text/html")
    assert hidden(page.text, "csrf_token") == me["csrf_token"]
    fields = {"by": "1", "note": "", "idempotency_key": uuid4().hex}
    for wrong in ({}, {"csrf_token": "x" * 43}, {"csrf_token": ""}):
        answer = await browser.send("/espace/formulaire", {**fields, **wrong})
        assert (answer.status_code, "Ce formulaire n’est pas de votre session" in answer.text) == (403, True)
    good = await browser.send("/espace/formulaire", {**fields, "csrf_token": me["csrf_token"]})
    assert good.status_code == 303


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://elsewhere.example"}, {"sec_fetch_site": "cross-site"}, {"origin": "null"}, {"origin": "", "sec_fetch_site": ""}],
)
async def test_a_form_of_another_site_is_refused_although_it_holds_the_secret(signed: Site, headers: dict[str, str]) -> None:
    browser, me = await signed.signed_in()
    fields = {"by": "1", "note": "", "idempotency_key": uuid4().hex, "csrf_token": me["csrf_token"]}
    assert (await browser.send("/espace/formulaire", fields, **headers)).status_code == 403


async def test_the_secret_in_a_form_opens_no_route_of_the_api(signed: Site) -> None:
    browser, me = await signed.signed_in()
    answer = await browser.write(f"/tallies/{TALLY}", json={"by": 1, "csrf_token": me["csrf_token"]})
    assert answer.status_code == 403


async def test_one_signs_out_by_a_form(signed: Site) -> None:
    browser, me = await signed.signed_in()
    assert (await browser.send("/sign-out", {"csrf_token": "x" * 43})).status_code == 403
    assert (await browser.get("/me")).status_code == 200
    assert (await browser.send("/sign-out", {"csrf_token": me["csrf_token"]})).status_code == 303
    assert (await browser.get("/me")).status_code == 401


async def test_a_form_that_comes_after_its_session_is_answered_and_not_sent_away(signed: Site) -> None:
    browser, me = await signed.signed_in()
    await signed.sql("DELETE FROM web_session")
    answer = await browser.send("/espace/formulaire", {"by": "1", "csrf_token": me["csrf_token"]})
    assert (answer.status_code, "Votre session est terminée" in answer.text) == (401, True)


async def test_a_sign_in_that_fails_is_a_page_to_a_browser(signed: Site) -> None:
    answer = await signed.browser().get("/sign-in/callback?state=x&code=y", accept="text/html")
    assert (answer.status_code, "La connexion n’a pas abouti" in answer.text) == (400, True)
