"""Pages of a service: rendered, refused, and their forms carried out through the door that programs use."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.heart import Heart
from tests.support.toy_app import caller, toy_app
from tests.support.toy_pages import TOY_PAGES

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {**BROWSER, "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def client(heart: Heart) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(toy_app(heart, TOY_PAGES)) as made:
        yield made


def key_in(page: str) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert found
    return found[1]


async def sent(client: httpx.AsyncClient, **fields: str) -> httpx.Response:
    body = urlencode({"idempotency_key": fields.pop("key", "k-1"), "by": "2", "note": "", **fields})
    return await client.post("/espace/formulaire", content=body, headers=FORM)


async def test_a_page_is_french_whole_and_strict(client: httpx.AsyncClient) -> None:
    answer = await client.get("/espace/liste", headers=BROWSER)
    assert answer.status_code == 200
    text = answer.text
    assert '<html lang="fr">' in text and "<title>Liste — POEC Normandie</title>" in text
    assert "5\u00a0sept.\u00a0–\u00a09\u00a0déc.\u00a02018" in text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"\sstyle=|<style|<script(?! src)|\son[a-z]+=|hx-on", text)
