"""A service's own process behind a socket, good requests as bytes, the ways to spoil them, and a strict reader of what comes back."""

import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from deploy.local.guarded import wait_until
from tests.access.entrance import Entrance
from tests.fuzz.effort import Found
from tests.fuzz.mutations import Change, mutated
from tests.support.documents import ROOT
from tests.support.fiches import GOLDEN_WARNINGS, golden_json
from tests.support.tokens import ISSUER

RECEIVE_SECONDS: Final = 0.6
"""How long a request may take to arrive here: what is cut short is answered soon."""
PATIENCE: Final = 30.0
LANGUAGE: Final = frozenset({"501", "505"})
"""What is answered to what is no HTTP/1.1 (RFC 9110, 9.1 and 15.6.6): the two statuses above 499 that blame the request."""
_IDLE_SECONDS: Final = 0.3
_STATUS: Final = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [\x20-\x7e]*")
_FIELD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[\x20-\x7e\x80-\xff\t]*")
_METHODS: Final = (
    b"GET",
    b"POST",
    b"PUT",
    b"DELETE",
    b"PATCH",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"PROPFIND",
    b"BREW",
    b"get",
    b"\xff",
)
_LINES: Final = (
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: +5", b"Content-Length: 99999999999999999999", b"Content-Length: 262145",
    b"Expect: 100-continue", b"Connection: upgrade\r\nUpgrade: websocket", b"Connection: keep-alive", b"Host: a.invalid", b"Host:",
    b"Content-Encoding: gzip", b"Content-Type: text/xml", b"Content-Type: application/json; charset=utf-16", b"If-Match: *",
    b'If-Match: W/"1"', b'If-Match: "999999999999"', b"Prefer: wait=1", b"Idempotency-Key: \xc3\xa9", b"X-Long: " + b"x" * 17_000,
    b"traceparent: 00-0-0-0", b" folded", b"X\x00: y", b"X : y", b"Range: bytes=0-1", b"X-HTTP-Method-Override: DELETE",
    b"X-Forwarded-For: 127.0.0.1", b"Authorization: Bearer a.b.c",
)  # fmt: skip
_PATHS: Final = (
    b"/", b"//", b"/../fiches", b"/%2e%2e/fiches", b"/fiches%00", b"/fiches%ff", b"/fiches/%C0%AE", b"/fiches;x=1", b"*",
    b"/fiches?limit=1&limit=2", b"/fiches?limit=" + b"9" * 30, b"/fiches?after=" + b"A" * 300, b"/fiches?status=%ED%A0%80",
    b"http://a.invalid/fiches", b"/fiches#x", b"/fiches/" + b"a" * 5_000, b"/fiches?" + b"a=1&" * 60, "/fiches/é".encode(),
    b"/fiches?start_year=0x7e2", b"/dead-letters?after=1",
)  # fmt: skip


def _method(chance: random.Random, raw: bytes) -> bytes:
    return chance.choice(_METHODS) + raw[raw.find(b" ") :]


def _version(chance: random.Random, raw: bytes) -> bytes:
    return raw.replace(
        b"HTTP/1.1", chance.choice((b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.1 ", b"HTTQ/1.1", b"")), 1
    )


def _line(chance: random.Random, raw: bytes) -> bytes:
    head, end, body = raw.partition(b"\r\n")
    return head + end + chance.choice(_LINES) + b"\r\n" + body


def _path(chance: random.Random, raw: bytes) -> bytes:
    return re.sub(rb" /\S*", lambda _: b" " + chance.choice(_PATHS), raw, count=1)


def _chunks(chance: random.Random, raw: bytes) -> bytes:
    """Send the body in chunks, of which one size may be wrong."""
    head, _, body = raw.partition(b"\r\n\r\n")
    cut = chance.randint(0, len(body))
    sizes = [b"%x" % cut, b"%x" % (len(body) - cut), b"0"]
    if chance.random() < 0.6:
        wrong = (b"", b"-1", b"0x5", b"ffffffffffffffffff", b"5;a=b", b"5 ", b"%x" % (cut + 1), b"\xff")
        sizes[chance.randrange(3)] = chance.choice(wrong)
    first, second, last = sizes
    told = re.sub(rb"(?i)content-length: *\d+", b"Transfer-Encoding: chunked", head)
    end = chance.choice((b"\r\n", b"\r\n", b"X-Trailer: 1\r\n\r\n", b""))
    return (
        told
        + b"\r\n\r\n"
        + first
        + b"\r\n"
        + body[:cut]
        + b"\r\n"
        + second
        + b"\r\n"
        + body[cut:]
        + b"\r\n"
        + last
        + b"\r\n"
        + end
    )


def _twice(_: random.Random, raw: bytes) -> bytes:
    """Send another request behind this one on the same connection."""
    return (
        raw.replace(b"Connection: close\r\n", b"", 1)
        + b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )


CHANGES: Final[tuple[Change, ...]] = (_method, _version, _line, _line, _path, _chunks, _chunks, _twice)


def corpus(entrance: Entrance) -> dict[str, bytes]:
    """Return good requests to submission as bytes, by what they ask; `@KEY@` and `@REF@` are new at each sending."""
    filing = {"reference": "@REF@", "content": golden_json(), "acknowledged": list(GOLDEN_WARNINGS)}
    nobody = "00000000-0000-4000-8000-000000000000"
    letter = {"reason": "Illisible."}
    rows = {"principals": [{"id": "fuzz", "kind": "machine", "organisation": "akto", "roles": ["opco"]}]}
    asked: dict[str, tuple[str, str, Any]] = {
        "POST /fiches": ("opco", "POST /fiches", filing),
        "GET /fiches": ("opco", "GET /fiches?limit=2&start_year=2018&opco=opco-2i", None),
        "GET /fiches/{fiche_id}": ("opco", f"GET /fiches/{nobody}", None),
        "POST /fiches/{fiche_id}/amendment": ("opco", f"POST /fiches/{nobody}/amendment", {"content": golden_json()}),
        "POST …/engagement": ("opco", f"POST /fiches/{nobody}/sessions/1/engagement", {"enrolled": 8}),
        "POST …/withdrawal": ("opco", f"POST /fiches/{nobody}/withdrawal", {"reason": "AUTRE"}),
        "GET /dead-letters": ("operations", "GET /dead-letters?state=dead", None),
        "POST …/discard": ("operations", f"POST /dead-letters/{nobody}/discard", letter),
        "PUT /principals": ("administrator", "PUT /principals", rows),
        "GET /principals": ("administrator", "GET /principals", None),
        "GET /livez": ("nobody", "GET /livez", None),
        "GET /metrics": ("nobody", "GET /metrics", None),
        "GET /openapi.json": ("nobody", "GET /openapi.json", None),
    }
    return {name: _request(entrance, *what) for name, what in asked.items()}


def _request(entrance: Entrance, who: str, line: str, body: Any) -> bytes:
    raw = b"" if body is None else json.dumps(body).encode()
    fields = dict(entrance.headers(who, idempotency_key="@KEY@"))
    if body is not None:
        fields |= {
            b"content-length": str(len(raw) - len("@REF@") + 14 if b"@REF@" in raw else len(raw)).encode(),
            **({} if line == "POST /fiches" else {b"if-match": b'"1"'}),  # of a new fiche nothing was read
        }
    else:
        fields.pop(b"content-type")
    lines = [
        f"{line} HTTP/1.1".encode(),
        *(name.title() + b": " + value for name, value in fields.items()),
        b"Connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + raw


def fresh(chance: random.Random, raw: bytes) -> bytes:
    """Return a request of the corpus under a key and a reference of its own."""
    number = chance.getrandbits(40)
    return raw.replace(b"@KEY@", b"%010x" % number).replace(b"@REF@", b"FUZZ%010x" % number)


@dataclass(frozen=True)
class Reply:
    """One answer: status, headers by lower-case name, body."""

    status: str
    headers: Mapping[str, str]
    body: bytes


class Unreadable(ValueError):
    """What came back is no HTTP."""


def replies(raw: bytes) -> list[Reply]:
    """Return the answers on one connection, in order; interim ones are left out. Raises `Unreadable`."""
    found = []
    while raw:
        head, end, rest = raw.partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(line)
        if not status or not end or any(not _FIELD.fullmatch(one) for one in lines):
            raise Unreadable(repr(head[:200]))
        headers = {
            name.decode().lower(): value.strip().decode("latin-1")
            for name, _, value in (one.partition(b":") for one in lines)
        }
        if len(headers) != len(lines):
            raise Unreadable(f"a header twice: {lines!r}")
        body, raw = _body(status[1], headers, rest)
        if not status[1].startswith(b"1"):
            found.append(Reply(status[1].decode(), headers, body))
    return found


def _body(status: bytes, headers: Mapping[str, str], rest: bytes) -> tuple[bytes, bytes]:
    if status.startswith(b"1") or status in (b"204", b"304"):
        return b"", rest
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while True:
            size, end, rest = rest.partition(b"\r\n")
            if not end or not re.fullmatch(rb"[0-9a-f]+", size):
                raise Unreadable(f"a chunk of size {size[:20]!r}")
            n = int(size, 16)
            if rest[n : n + 2] != b"\r\n":
                raise Unreadable("a chunk that is cut short")
            body, rest = body + rest[:n], rest[n + 2 :]
            if n == 0:
                return body, rest
    length = headers.get("content-length", "")
    if not length.isdigit() or int(length) > len(rest):
        raise Unreadable(f"{len(rest)} bytes of {length!r}")
    return rest[: int(length)], rest[int(length) :]


@dataclass
class Listening:
    """A process of a service that only serves HTTP."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def megabytes(self) -> int:
        """Return its resident memory in MiB."""
        return int(psutil.Process(self.process.pid).memory_info().rss // 2**20)

    def said(self) -> str:
        """Return its whole log."""
        return self.log.read_text("utf-8", errors="replace")

    def defects(self) -> list[str]:
        """Return the lines of its log that speak of our own mistakes, or of a part that ended."""
        text = self.log.read_text("utf-8", errors="replace")
        return [
            line[:3000]
            for line in text.splitlines()
            if '"defect"' in line or "Traceback" in line or '"part_failed"' in line
        ]


@contextlib.asynccontextmanager
async def listening(
    entrance: Entrance, jwks_url: str, log: Path, command: Sequence[str] = ()
) -> AsyncIterator[Listening]:
    """Run a service's process with the role `api` on the database of an entrance; `command` runs something else instead."""
    started = _started(entrance, jwks_url, log, command)
    try:
        ready = await asyncio.to_thread(
            wait_until, lambda: started.process.poll() is not None or _is_ready(started.port), 60
        )
        assert ready and started.process.poll() is None, started.said()
        yield started
    finally:
        started.process.terminate()
        started.process.wait(30)


def _started(entrance: Entrance, jwks_url: str, log: Path, command: Sequence[str]) -> Listening:
    port = _free_port()
    ours = {
        "POEC_MODE": "local", "POEC_DATABASE_URL": entrance.urls[entrance.name], "POEC_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "POEC_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT", "POEC_ISSUER": ISSUER, "POEC_JWKS_URL": jwks_url, "POEC_INSTANCE": "fuzzed",
        "POEC_HTTP_PORT": str(port), "POEC_RECEIVE_SECONDS": str(RECEIVE_SECONDS), "POEC_RATE_PER_SECOND": "1e9", "POEC_RATE_BURST": "1e9",
    }  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POEC_")}
    with log.open("wb") as written:
        process = subprocess.Popen(
            command or [sys.executable, "-m", f"services.{entrance.name}", "api"],
            cwd=ROOT, env={**environment, **ours}, stdout=written, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    return Listening(process, port, log)


def _free_port() -> int:
    import socket

    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def _is_ready(port: int) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    return False


async def said(port: int, raw: bytes, pieces: int = 1, patience: float = PATIENCE) -> bytes:
    """Send bytes on a connection of their own; return what comes until the server ends it. Raises `TimeoutError` where it never does."""
    found = b""
    async with asyncio.timeout(patience):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            with contextlib.suppress(ConnectionError):
                for n in range(pieces):
                    writer.write(raw[len(raw) * n // pieces : len(raw) * (n + 1) // pieces])
                    await writer.drain()
                while part := await _part(reader, found):
                    found += part
        finally:
            writer.transport.abort()
    return found


async def _part(reader: asyncio.StreamReader, so_far: bytes) -> bytes:
    """Return what comes next; nothing where an answer is there and nothing follows: a connection that is kept is not waited for."""
    while True:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                return await reader.read(65_536)
        except TimeoutError:
            with contextlib.suppress(Unreadable):
                if replies(so_far):
                    return b""


@dataclass
class Attack:
    """Sends spoilt requests, many at once, and judges every answer."""

    port: int
    good: Mapping[str, bytes]
    documented: frozenset[str]
    found: Found
    at_once: int = 100
    patience: float = PATIENCE

    async def run(self, chance: random.Random, count: int) -> None:
        """Send so many."""
        room, names = asyncio.Semaphore(self.at_once), sorted(self.good)
        others = [self.good[name] for name in names]

        async def one(name: str, raw: bytes, pieces: int) -> None:
            async with room:
                self.judge(name, raw, await self._sent(raw, pieces))

        asked = []
        for n in range(count):
            raw = fresh(chance, self.good[name := names[n % len(names)]])
            if chance.random() > 0.1:
                raw = mutated(chance, raw, others, CHANGES)
            asked.append(one(name, raw, chance.choice((1, 1, 1, 2, 5))))
        await asyncio.gather(*asked)

    async def _sent(self, raw: bytes, pieces: int) -> bytes | str:
        try:
            return await said(self.port, raw, pieces, self.patience)
        except (OSError, TimeoutError) as failure:
            return type(failure).__name__

    def judge(self, name: str, raw: bytes, back: bytes | str) -> None:
        """Count the answers to one sending, and note what may not be."""
        if isinstance(back, str):
            self._note(name, raw, back)
            return
        try:
            answers = replies(back)
        except Unreadable as why:
            self._note(name, raw, f"no HTTP came back: {why}")
            return
        if not answers:
            self.found.saw(name, "closed")
        for answer in answers:
            self.found.saw(name, answer.status)
            if answer.status not in self.documented | LANGUAGE or (
                answer.status >= "500" and not self._of_language(answer)
            ):
                self._note(name, raw, f"{answer.status} {answer.body[:300]!r}")

    def _of_language(self, answer: Reply) -> bool:
        """Return whether an answer above 499 says of the request that it is no HTTP/1.1, and of nothing else."""
        code = json.loads(answer.body)["objections"][0]["code"] if answer.status in LANGUAGE else ""
        return code in ("METHOD", "UPGRADE", "VERSION")

    def _note(self, name: str, raw: bytes, what: str) -> None:
        self.found.wrong.append(f"{name}: {what} to {raw!r}")
