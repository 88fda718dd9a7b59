"""What a person does at the local identity provider: they look at the page, choose an account, and come back."""

import re
from html import unescape
from typing import Final

import httpx

from tests.support.browser import Browser

_REQUEST: Final = re.compile(r'name="request" value="([^"]+)"')


async def chosen(client: httpx.AsyncClient, location: str, account: str, second_factor: bool = True) -> httpx.Response:
    """Return the provider's answer to a choice on the page that a browser was sent to."""
    page = await client.get(location)
    assert page.status_code == 200, page.text
    found = _REQUEST.search(page.text)
    assert found, "the page has no form"
    form = {"request": unescape(found[1]), "account": account, **({"second_factor": "1"} if second_factor else {})}
    return await client.post(str(httpx.URL(location).copy_with(path="/authorize", query=None)), data=form)


async def sign_in(browser: Browser, client: httpx.AsyncClient, account: str, path: str = "/me") -> httpx.Response:
    """Sign a browser in to its site as an account; return the site's last answer, which sends it where it wanted to go."""
    begun = await browser.get(f"/sign-in?next={path}")
    assert begun.status_code == 303, begun.text
    answer = await chosen(client, begun.headers["location"], account)
    assert answer.status_code == 303, answer.text
    back = httpx.URL(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc.decode()}" == browser.origin
    return await browser.get(back.raw_path.decode())
