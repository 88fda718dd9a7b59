"""A browser in a test: it keeps cookies by their rules, sends what browsers send, and follows nothing by itself.

httpx keeps no `Secure` cookie on http, where browsers do on loopback; here every flag is looked at by the test instead.
"""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import httpx


class Browser:
    """One browser at one site; `cookies` are its name and value, `flags` what each was set with."""

    def __init__(self, client: httpx.AsyncClient, origin: str) -> None:
        self._client, self.origin = client, origin
        self.cookies: dict[str, str] = {}
        self.flags: dict[str, dict[str, Any]] = {}

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Go to a path, as by a link from elsewhere."""
        return self._keep(await self._client.get(path, headers=self._sent(headers)))

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form as a page of the site does; a header given as "" is left out."""
        kind = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
        page = kind | {"origin": self.origin, "sec-fetch-site": "same-origin"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return self._keep(await self._client.post(path, content=urlencode(fields), headers=self._sent(page)))

    async def write(self, path: str, method: str = "POST", json: Any = None, **headers: str) -> httpx.Response:
        """Send a write as a page of the site does; a header given as "" is left out."""
        page = {"origin": self.origin, "sec-fetch-site": "same-origin"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return self._keep(await self._client.request(method, path, json=json, headers=self._sent(page)))

    def _sent(self, headers: dict[str, str]) -> dict[str, str]:
        cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        return {name: value for name, value in (cookie | headers).items() if value}

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        for header in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(header).items():
                self.flags[name] = {flag: value for flag, value in morsel.items() if value}
                self.cookies.pop(name, None)
                if morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
        return answer
