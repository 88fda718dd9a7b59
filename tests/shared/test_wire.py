"""HTTP on the socket of a real server: sizes, times, framing, and how a connection ends. Nothing is sent that a client could not send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import APIRouter, Request

from shared.edge import API_POLICY, Doorway
from shared.intake import Intake
from shared.web_app import new_app
from shared.wire import WireLimits, wire_protocol

HEAD = b"host: toy.invalid\r\n"
JSON = b"content-type: application/json\r\n"
PATIENCE = 20.0
"""Seconds a test waits for what must come; it only ends a test that hangs."""


@dataclass
class Wired:
    """A server on a free port; `gate` lets the route /slow answer."""

    port: int
    server: uvicorn.Server
    gate: asyncio.Event
    seen: list[str] = field(default_factory=list)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def said(self, *parts: bytes) -> bytes:
        """Send parts one after the other and return all that comes until the server ends the connection."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await self.open()
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0)
            found = await until_closed(reader)
            writer.close()
        return found


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    found = b""
    try:
        while part := await reader.read(65_536):
            found += part
    except ConnectionError:
        pass
    return found


@asynccontextmanager
async def wired(**limits: float) -> AsyncIterator[Wired]:
    """Run a toy behind the product's protocol."""
    router, intake = APIRouter(), Intake()
    toy = Wired(0, None, asyncio.Event())  # type: ignore[arg-type]  # known once it runs

    @router.get("/fast")
    async def fast() -> dict[str, bool]:
        toy.seen.append("fast")
        return {"fast": True}

    @router.get("/slow")
    async def slow() -> dict[str, bool]:
        toy.seen.append("slow")
        await toy.gate.wait()
        return {"slow": True}

    @router.post("/take")
    async def take(request: Request) -> dict[str, int]:
        async with intake.body(request, 100_000) as raw:
            toy.seen.append("take")
            return {"size": len(raw), "authorized": len(request.headers.getlist("authorization"))}

    @router.post("/ignore")
    async def ignore() -> dict[str, bool]:
        return {"ignored": True}

    @router.get("/large")
    async def large() -> str:
        return "x" * 30_000_000

    async def ready() -> dict[str, bool]:
        return {}

    protocol = wire_protocol(WireLimits(**limits), Doorway())  # type: ignore[arg-type]  # whole numbers where due
    app = new_app("toy", "0", ready, router)
    quiet = {"log_config": None, "access_log": False, "lifespan": "off", "server_header": False}
    config = uvicorn.Config(app, "127.0.0.1", 0, http=protocol, ws="none", **quiet)  # type: ignore[arg-type]  # by name
    toy.server = uvicorn.Server(config)
    serving = asyncio.create_task(toy.server._serve())
    async with asyncio.timeout(PATIENCE):
        while not toy.server.started:
            await asyncio.sleep(0.01)
    toy.port = toy.server.servers[0].sockets[0].getsockname()[1]
    try:
        yield toy
    finally:
        toy.gate.set()
        toy.server.should_exit = True
        await serving


@pytest_asyncio.fixture
async def toy() -> AsyncIterator[Wired]:
    async with wired() as running:
        yield running


@pytest_asyncio.fixture
async def hurried() -> AsyncIterator[Wired]:
    """A server with half a second of patience."""
    async with wired(receive_seconds=0.5, write_seconds=0.5) as running:
        yield running


def answers_in(said: bytes) -> list[tuple[int, str]]:
    """Return status and code (or first key) of every answer, in order; fails where the bytes are no such sequence."""
    found: list[tuple[int, str]] = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert fields[b"content-security-policy"] == API_POLICY.lower().encode()
        size = int(fields[b"content-length"])
        body = json.loads(rest[:size])
        status = int(head.split(b" ")[1])
        if status >= 400:
            assert fields[b"content-type"] == b"application/problem+json"
            found.append((status, body["objections"][0]["code"]))
        else:
            found.append((status, next(iter(body))))
        said = rest[size:]
    return found


def get(path: bytes = b"/fast", more: bytes = b"") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + HEAD + more + b"\r\n"


def post(body: bytes, more: bytes = b"", path: bytes = b"/take") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + HEAD + JSON + more + b"\r\n" + body


CHUNKED = b"transfer-encoding: chunked\r\n"
TWO_READINGS: dict[str, bytes] = {
    "length and chunks": post(b"0\r\n\r\n", b"content-length: 5\r\n" + CHUNKED),
    "chunks and length": post(b"0\r\n\r\n", CHUNKED + b"content-length: 5\r\n"),
    "two lengths": post(b"{}", b"content-length: 2\r\ncontent-length: 3\r\n"),
    "the same length twice": post(b"{}", b"content-length: 2\r\ncontent-length: 2\r\n"),
    "lengths in a list": post(b"{}", b"content-length: 2, 2\r\n"),
    "a negative length": post(b"{}", b"content-length: -2\r\n"),
    "a signed length": post(b"{}", b"content-length: +2\r\n"),
    "a length beyond 64 bits": post(b"{}", b"content-length: 99999999999999999999999\r\n"),
    "chunks twice": post(b"0\r\n\r\n", CHUNKED + CHUNKED),
    "chunks and not": post(b"0\r\n\r\n", b"transfer-encoding: chunked, identity\r\n"),
    "chunks of something": post(b"0\r\n\r\n", b"transfer-encoding: gzip, chunked\r\n"),
    "nearly chunks": post(b"0\r\n\r\n", b"transfer-encoding: xchunked\r\n"),
    "chunks with a space before the colon": post(b"0\r\n\r\n", b"transfer-encoding : chunked\r\n"),
    "chunks in HTTP/1.0": post(b"0\r\n\r\n", CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a chunk of no size": post(b"zz\r\n\r\n", CHUNKED),
    "a chunk beyond 64 bits": post(b"ffffffffffffffffff\r\n", CHUNKED),
    "a folded header": get(more=b"a: b\r\n c\r\n"),
    "NUL in a header": get(more=b"a: b\x00\r\n"),
    "a header without a name": get(more=b": b\r\n"),
    "line feeds alone": get().replace(b"\r\n", b"\n"),
    "carriage returns alone": get().replace(b"\r\n", b"\r"),
    "an address of another server": get(b"http://elsewhere.example/fast"),
    "an address without a slash": get(b"fast"),
    "a byte that is no address": get(b"/\xff"),
    "an empty line of 1.2": get().replace(b"1.1", b"1.2"),
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("raw", TWO_READINGS.values(), ids=TWO_READINGS)
async def test_what_a_proxy_could_read_differently_is_refused_and_ends_the_connection(toy: Wired, raw: bytes) -> None:
    found = answers_in(await toy.said(raw + get()))
    assert [status for status, _ in found] == [400]
    assert toy.seen == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"JUMP /fast HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 501),
        (b"CONNECT elsewhere.example:443 HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
        (get(more=b"connection: upgrade\r\nupgrade: h2c\r\n"), 501),
        (get(more=b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n"), 501),
        (b"GET /fast\r\n\r\n", 505),
        (b"GET /fast HTTP/0.9\r\n\r\n", 505),
        (b"GET /fast HTTP/2.0\r\n" + HEAD + b"\r\n", 505),
    ],
)
async def test_another_language_is_not_spoken(toy: Wired, raw: bytes, status: int) -> None:
    assert [found for found, _ in answers_in(await toy.said(raw))] == [status]
    assert toy.seen == []


@pytest.mark.parametrize("method", [b"TRACE", b"PROPFIND", b"DELETE", b"HEAD"])
async def test_a_method_that_is_not_there_is_405_and_says_which_are(toy: Wired, method: bytes) -> None:
    said = await toy.said(get(more=b"connection: close\r\n").replace(b"GET", method, 1))
    assert said.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nallow: GET\r\n" in said


HEADS: dict[str, tuple[bytes, int]] = {
    "2,000 headers": (get(more=b"".join(b"a%d: b\r\n" % n for n in range(2000))), 431),
    "101 headers": (get(more=b"".join(b"a%d: b\r\n" % n for n in range(100))), 431),
    "a header of 1 MB": (get(more=b"a: " + b"x" * 1_000_000 + b"\r\n"), 431),
    "a header name of 1 MB": (get(more=b"x" * 1_000_000 + b": a\r\n"), 431),
    "a header of 16 KiB": (get(more=b"a: " + b"x" * 16_384 + b"\r\n"), 431),
    "an address of 5 kB": (get(b"/fast?" + b"x" * 5000), 414),
    "an address of 1 MB": (get(b"/" + b"x" * 1_000_000), 414),
}


@pytest.mark.parametrize(("raw", "status"), HEADS.values(), ids=HEADS)
async def test_heads_have_a_size(toy: Wired, raw: bytes, status: int) -> None:
    assert [found for found, _ in answers_in(await toy.said(raw))] == [status]
    assert toy.seen == []


async def test_a_head_that_is_just_small_enough_passes(toy: Wired) -> None:
    many = b"".join(b"a%d: b\r\n" % n for n in range(97)) + b"connection: close\r\n"
    long = b"a: " + b"x" * 16_000 + b"\r\nconnection: close\r\n"
    for more in (many, long):
        assert answers_in(await toy.said(get(more=more))) == [(200, "fast")]


async def test_half_open_requests_end_in_time_and_others_are_served_meanwhile(hurried: Wired) -> None:
    """300 clients say half a header and no more; one in three goes on, a byte at a time."""
    lines = []
    for _ in range(300):  # each speaks at once: who says nothing for as long as opening all of them may take is closed without a word
        lines.append(await hurried.open())
        lines[-1][1].write(b"GET /fast HTTP/1.1\r\nhost: toy.inv")
    (dripping,) = [asyncio.create_task(_drip([writer for _, writer in lines[::3]]))]
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        served = [await client.get(f"http://127.0.0.1:{hurried.port}/fast") for _ in range(5)]
    async with asyncio.timeout(PATIENCE):
        ended = await asyncio.gather(*(until_closed(reader) for reader, _ in lines))
    await _stopped(dripping)
    assert [answer.status_code for answer in served] == [200] * 5
    assert {tuple(answers_in(said)) for said in ended} == {((408, "TOO_SLOW"),)}
    for _, writer in lines:
        writer.close()


async def _stopped(job: asyncio.Task[None]) -> None:
    job.cancel()
    await asyncio.wait([job])


async def _drip(writers: list[asyncio.StreamWriter]) -> None:
    while True:
        for writer in writers:
            if not writer.is_closing():
                writer.write(b"x")
        await asyncio.sleep(0.05)


async def test_a_body_that_comes_byte_by_byte_has_its_time(hurried: Wired) -> None:
    reader, writer = await hurried.open()
    writer.write(post(b"{", b"content-length: 100000\r\n"))
    dripping = asyncio.create_task(_drip([writer]))
    async with asyncio.timeout(PATIENCE):
        assert answers_in(await until_closed(reader)) == [(408, "TOO_SLOW")]
    await _stopped(dripping)
    writer.close()
    assert hurried.seen == []


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"\r\n\r\n\r\n"])
async def test_a_connection_that_says_nothing_is_closed_without_a_word(hurried: Wired, sent: bytes) -> None:
    assert await hurried.said(sent) == b""


async def test_who_waits_for_a_slow_answer_is_not_slow(hurried: Wired) -> None:
    """The time is for what the client sends; an answer may take longer."""
    reader, writer = await hurried.open()
    writer.write(get(b"/slow", b"connection: close\r\n"))
    for _ in range(2):  # two others, one after the other, use their time up
        assert answers_in(await hurried.said(b"GET /")) == [(408, "TOO_SLOW")]
    hurried.gate.set()
    async with asyncio.timeout(PATIENCE):
        assert answers_in(await until_closed(reader)) == [(200, "slow")]
    writer.close()


async def test_a_client_that_does_not_read_is_let_go(hurried: Wired) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", hurried.port, limit=1024)
    writer.write(get(b"/large"))
    async with asyncio.timeout(PATIENCE):
        while not hurried.server.server_state.connections:
            await asyncio.sleep(0.01)
        while hurried.server.server_state.connections:
            await asyncio.sleep(0.01)
    writer.close()


@pytest.mark.parametrize("framing", [CHUNKED, b"content-length: 300000000\r\n"])
async def test_a_body_without_end_is_refused_early_and_the_answer_can_be_read(toy: Wired, framing: bytes) -> None:
    reader, writer = await toy.open()
    writer.write(post(b"", framing))
    sent = 0

    async def send() -> None:
        nonlocal sent
        chunk = (b"10000\r\n" + b"x" * 65_536 + b"\r\n") if framing == CHUNKED else b"x" * 65_536
        try:
            while True:
                writer.write(chunk)
                await writer.drain()
                sent += 65_536
        except ConnectionError:
            pass

    sending = asyncio.create_task(send())
    async with asyncio.timeout(PATIENCE):
        assert answers_in(await until_closed(reader)) == [(413, "TOO_LARGE")]
        await asyncio.wait([sending])
    writer.close()
    assert sent < 30_000_000
    assert toy.seen == []


async def test_a_body_that_no_route_reads_ends_the_connection_after_the_answer(toy: Wired) -> None:
    said = await toy.said(post(b"x", b"content-length: 100000\r\n", b"/ignore"), b"GET /fast HTTP/1.1\r\n")
    assert answers_in(said) == [(200, "ignored")]


async def test_requests_one_behind_the_other_are_answered_in_order(toy: Wired) -> None:
    last = get(more=b"connection: close\r\n")
    assert answers_in(await toy.said(get() + post(b"{}", b"content-length: 2\r\n") + last)) == [
        (200, "fast"),
        (200, "size"),
        (200, "fast"),
    ]


@pytest.mark.parametrize("junk", [b"junk\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", get(more=b"a: " + b"x" * 40_000)])
async def test_junk_behind_a_request_does_not_get_into_its_answer(toy: Wired, junk: bytes) -> None:
    reader, writer = await toy.open()
    writer.write(get(b"/slow") + junk)
    async with asyncio.timeout(PATIENCE):
        while toy.seen != ["slow"]:
            await asyncio.sleep(0.01)
        toy.gate.set()
        assert answers_in(await until_closed(reader)) == [(200, "slow")]
    writer.close()


async def test_a_trailer_is_no_header(toy: Wired) -> None:
    trailed = post(b"2\r\n{}\r\n0\r\nauthorization: Bearer x\r\n\r\n", CHUNKED) + get(more=b"connection: close\r\n")
    reader, writer = await toy.open()
    writer.write(trailed)
    async with asyncio.timeout(PATIENCE):
        said = await until_closed(reader)
    writer.close()
    assert b'{"size":2,"authorized":0}' in said
    assert answers_in(said) == [(200, "size"), (200, "fast")]


async def test_connections_have_a_number_in_all_and_per_address() -> None:
    for limits in ({"connections": 2}, {"connections_per_address": 2}):
        async with wired(**limits) as toy:
            held = [await toy.open() for _ in range(2)]
            for reader, writer in held:
                writer.write(get())
                assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
            assert answers_in(await toy.said(b"")) == [(503, "CONNECTIONS")]
            held[0][1].close()
            async with asyncio.timeout(PATIENCE):
                while len(toy.server.server_state.connections) > 1:
                    await asyncio.sleep(0.01)
            assert answers_in(await toy.said(get(more=b"connection: close\r\n"))) == [(200, "fast")]
            held[1][1].close()


async def test_an_ordinary_client_keeps_its_connection(toy: Wired) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for _ in range(3):
            assert (await client.get(f"http://127.0.0.1:{toy.port}/fast")).status_code == 200
            taken = await client.post(f"http://127.0.0.1:{toy.port}/take", json={"a": "b" * 50_000})
            assert taken.json()["size"] > 50_000
        assert len(toy.server.server_state.connections) == 1
