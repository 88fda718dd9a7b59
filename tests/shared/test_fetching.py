"""An answer from outside: bounded in size, as it is, and from where it was asked."""

import functools
import gzip

import httpx
import pytest

from shared.errors import Malformed
from shared.fetching import MAX_BYTES, fetched


def answering(monkeypatch: pytest.MonkeyPatch, response: httpx.Response) -> list[httpx.Request]:
    """Let every server outside answer so; return what it is asked."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return response

    monkeypatch.setattr(httpx, "AsyncClient", functools.partial(httpx.AsyncClient, transport=httpx.MockTransport(answer)))
    return asked


async def test_an_answer_is_status_kind_and_body(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, httpx.Response(201, json={"a": 1}, headers={"content-type": "Application/JSON; charset=utf-8"}))
    found = await fetched("https://p.example/x", method="POST", headers={"x": "1"}, content="b")
    assert (found.status, found.media_type, found.json_object()) == (201, "application/json", {"a": 1})
    (sent,) = asked
    assert (sent.method, sent.headers["x"], sent.headers["accept-encoding"], sent.content) == ("POST", "1", "identity", b"b")


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
async def test_it_is_so_large_and_no_larger(monkeypatch: pytest.MonkeyPatch, more: int, fits: bool) -> None:
    answering(monkeypatch, httpx.Response(200, content=b"x" * (MAX_BYTES + more)))
    if fits:
        assert len((await fetched("https://p.example")).body) == MAX_BYTES
    else:
        with pytest.raises(ValueError, match="too large"):
            await fetched("https://p.example")


async def test_what_is_compressed_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    answering(monkeypatch, httpx.Response(200, stream=httpx.ByteStream(bomb), headers={"content-encoding": "gzip"}))
    with pytest.raises(ValueError, match="compressed"):
        await fetched("https://p.example")


async def test_nobody_is_followed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, httpx.Response(302, headers={"location": "http://169.254.169.254/"}))
    assert ((await fetched("https://p.example")).status, len(asked)) == (302, 1)


@pytest.mark.parametrize("body", [b"[1]", b"", b"x", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"[" * 100])
async def test_what_is_no_object_is_not_read_as_one(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    answering(monkeypatch, httpx.Response(200, content=body))
    with pytest.raises((ValueError, Malformed)):
        (await fetched("https://p.example")).json_object()
