"""The outermost layer: host names, headers and addresses that two readers would read differently, and what every answer carries."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI, Query, Request, Response

from shared.edge import API_POLICY, Doorway, host_names
from shared.web_app import new_app

OURS = "fiches.example"
router = APIRouter()
EVERYWHERE = {
    "content-security-policy": API_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@router.get("/things")
async def list_things(one: str | None = None, many: list[str] | None = Query(None)) -> dict[str, Any]:  # noqa: B008
    return {"one": one, "many": many}


@router.get("/page")
async def page() -> Response:
    own = {"Content-Security-Policy": "default-src 'none'; style-src 'self'", "Cache-Control": "private"}
    return Response("<p>page", headers=own, media_type="text/html")


@router.get("/defect")
async def defect() -> None:
    raise ZeroDivisionError("secret-7qz")


@router.get("/whence")
async def whence(request: Request) -> dict[str, Any]:
    return {"client": request.client and request.client.host, "scheme": request.url.scheme, "host": request.url.hostname}


async def ready() -> dict[str, bool]:
    return {}


def app(https: bool = True) -> FastAPI:
    return new_app("toy", "0", ready, router, Doorway(host_names("localhost,127.0.0.1,::1", f"https://{OURS}:8443/x"), https))


def client_of(made: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(made, raise_app_exceptions=False), base_url=f"https://{OURS}")


@pytest_asyncio.fixture
async def caller() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app()) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status"),
    [("/things", 200), ("/livez", 200), ("/metrics", 200), ("/openapi.json", 200), ("/nowhere", 404), ("/defect", 500), ("/%00", 400)],
)
async def test_every_answer_tells_browsers_the_same(caller: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await caller.get(path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert "server" not in answer.headers
    assert "7qz" not in answer.text


async def test_a_page_brings_its_own_policy_and_is_left_with_it(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/page")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'; style-src 'self'"]
    assert answer.headers.get_list("cache-control") == ["private"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_policy_allows_nothing_unsafe_and_nobody_else() -> None:
    assert "unsafe" not in API_POLICY
    assert "*" not in API_POLICY and "http" not in API_POLICY
    assert "default-src 'none'" in API_POLICY and "frame-ancestors 'none'" in API_POLICY


async def test_without_https_nothing_promises_it() -> None:
    async with client_of(app(https=False)) as client:
        assert "strict-transport-security" not in (await client.get("/livez")).headers


async def test_another_site_is_not_let_in(caller: httpx.AsyncClient) -> None:
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    for method in ("OPTIONS", "GET"):
        answer = await caller.request(method, "/things", headers=asked)
        assert [name for name in answer.headers if name.startswith("access-control")] == []
    assert (await caller.options("/things", headers=asked)).status_code == 405


@pytest.mark.parametrize("host", [OURS, OURS.upper(), f"{OURS}:8443", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "[::1]", "localhost"])
async def test_our_own_names_are_answered(caller: httpx.AsyncClient, host: str) -> None:
    assert (await caller.get("/things", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["elsewhere.example", f"{OURS}.elsewhere.example", f"{OURS}@elsewhere.example", f"{OURS}:80:80", "", "10.0.0.1", f"{OURS}."]
)
async def test_another_name_is_misdirected(caller: httpx.AsyncClient, host: str) -> None:
    answer = await caller.get("/things", headers={"host": host, "x-forwarded-host": OURS, "forwarded": f"host={OURS}"})
    assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host")
    assert not host or host not in answer.text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_come_under_any_name(caller: httpx.AsyncClient, path: str) -> None:
    assert (await caller.get(path, headers={"host": "10.0.0.1:8000"})).status_code == 200


@pytest.mark.parametrize(
    "name", ["authorization", "content-type", "idempotency-key", "if-match", "host", "content-length", "prefer", "traceparent"]
)
async def test_a_header_that_counts_once_comes_once(caller: httpx.AsyncClient, name: str) -> None:
    twice = [(name, OURS), (name, "secret-7qz")]
    answer = await caller.get("/things", headers=twice if name == "host" else [("host", OURS), *twice])
    assert (answer.status_code, answer.json()["objections"][0]["code"]) == (400, "HEADER_TWICE")
    assert "7qz" not in answer.text


@pytest.mark.parametrize("path", ["/things/%00", "/%0a", "/a%0d%0ab", "/%ff", "/%ed%a0%80", "/%1b[0m", "/%7f"])
async def test_a_path_that_is_no_text_is_refused(caller: httpx.AsyncClient, path: str) -> None:
    answer = await caller.get(path)
    assert (answer.status_code, answer.json()["objections"][0]["code"]) == (400, "PATH_UNFIT")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("one=%00", 400, "QUERY_UNFIT"),
        ("%00=1", 400, "QUERY_UNFIT"),
        ("one=%ff", 400, "QUERY_UNFIT"),
        ("one=%ed%a0%80", 400, "QUERY_UNFIT"),
        ("&".join(f"a{n}=1" for n in range(51)), 400, "QUERY_UNFIT"),
        ("one=1&one=2", 400, "QUERY_TWICE"),
        ("one=1&%6fne=2", 400, "QUERY_TWICE"),
        ("unknown=1&unknown=2", 400, "QUERY_TWICE"),
        ("one=" + "a" * 2045, 414, "QUERY_TOO_LONG"),
        ("one=" + "a" * 10_240, 414, "QUERY_TOO_LONG"),
    ],
)
async def test_a_query_that_two_readers_read_differently_is_refused(
    caller: httpx.AsyncClient, query: str, status: int, code: str
) -> None:
    answer = await caller.get(f"/things?{query}")
    assert (answer.status_code, [o["code"] for o in answer.json()["objections"]]) == (status, [code])


async def test_a_query_that_is_text_passes(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/things?one=%C3%A9t%C3%A9&many=a&many=b")
    assert answer.json() == {"one": "été", "many": ["a", "b"]}
    assert (await caller.get("/things?one=" + "a" * 2044)).status_code == 200


async def test_a_forwarded_name_or_address_is_nobodys_word(caller: httpx.AsyncClient) -> None:
    told = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "http", "x-forwarded-host": "elsewhere.example",
            "forwarded": "for=192.0.2.7;proto=http;host=elsewhere.example"}  # fmt: skip
    assert (await caller.get("/whence", headers=told)).json() == {"client": "127.0.0.1", "scheme": "https", "host": OURS}
