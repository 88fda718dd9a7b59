"""People sign in to the four services at the local identity provider, work with a session, and sign out."""

import httpx
import pytest

from shared.contracts.flow import SERVICES
from tests.support.browser import Browser
from tests.support.choosing import sign_in
from tests.support.stack import Stack


@pytest.mark.parametrize("service", SERVICES)
async def test_somebody_signs_in_reads_writes_and_signs_out(stack: Stack, service: str) -> None:
    url = stack.run.services[service].url
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        browser = Browser(client, url)
        answer = await sign_in(browser, client, "p-administrator", "/principals")
        assert (answer.status_code, answer.headers["location"]) == (303, "/principals")
        me = (await browser.get("/me")).json()
        assert (me["id"], me["kind"], me["roles"]) == ("p-administrator", "person", ["administrator"])
        listed = (await browser.get("/principals")).json()["principals"]
        assert {row["id"]: row["signs_in"] for row in listed}["p-region-1"]
        body = {"principals": [{"id": "p-akto", "kind": "person", "organisation": "akto", "roles": ["opco"]}]}
        assert (await browser.write("/principals", "PUT", body)).status_code == 403
        written = await browser.write("/principals", "PUT", body, x_csrf_token=me["csrf_token"])
        assert (written.status_code, written.json()) == (200, {"outcomes": {"p-akto": "unchanged"}})
        out = await browser.write("/sign-out", x_csrf_token=me["csrf_token"])
        left = await client.get(out.headers["location"])
        assert (left.status_code, left.headers["location"].partition("?")[0]) == (303, f"{url}/sign-out")
        assert (await client.get(left.headers["location"])).status_code == 200
        assert (await browser.get("/me")).status_code == 401


async def test_two_people_are_two_and_one_session_is_of_one_service(stack: Stack) -> None:
    url, other = (stack.run.services[service].url for service in ("validation", "submission"))
    async with httpx.AsyncClient(base_url=url, timeout=30) as client, httpx.AsyncClient(base_url=other, timeout=30) as elsewhere:
        first, second = Browser(client, url), Browser(client, url)
        await sign_in(first, client, "p-region-1")
        await sign_in(second, client, "p-pole-emploi-1")
        assert (await first.get("/me")).json()["roles"] == ["region_reviewer"]
        assert (await second.get("/me")).json()["organisation"] == "france-travail"
        assert (await first.get("/dossiers")).status_code == 200
        taken = first.cookies["__Host-poec-validation"]
        for name in ("__Host-poec-validation", "__Host-poec-submission"):
            assert (await elsewhere.get("/me", headers={"cookie": f"{name}={taken}"})).status_code == 401
