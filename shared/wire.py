"""HTTP/1.1 as it is spoken on the socket: uvicorn's protocol, with an end to everything a client may draw out.

uvicorn bounds neither headers nor the time a request takes to arrive, starts a request whose framing is doubtful, takes trailers
for headers, and answers what it cannot parse in the middle of another answer. Here a request arrives within its time and size
or is answered why not (408, 414, 431), as a problem like any other; then the connection ends, gently enough for the answer to be read.
"""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.edge import Doorway, answer_parts
from shared.errors import AddressTooLong, Busy, HeadersTooLarge, Malformed, NotSpoken, Objection, Refused, TooSlow
from shared.problems import problem

_LINGER_SECONDS: Final = 1.0
"""How long what a refused client still sends is thrown away, so that no reset of the connection overtakes the answer."""
_LINGER_BYTES: Final = 1024 * 1024
_VERSIONS: Final = ("1.0", "1.1")


@dataclass(frozen=True)
class WireLimits:
    """What one process takes from its connections; sizes in bytes, times in seconds."""

    head_bytes: int = 16 * 1024
    head_fields: int = 100
    address_bytes: int = 4096
    receive_seconds: float = 10.0
    write_seconds: float = 30.0
    connections: int = 2000
    connections_per_address: int = 1000


class Wire(HttpToolsProtocol):
    """One connection. `limits`, `doorway` and `addresses` are set by `wire_protocol` for all connections of a server."""

    limits: WireLimits
    doorway: Doorway
    addresses: Counter[str]
    ended: bool
    """Whether our half of the connection is closed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._refusal: Refused | None = None
        self._receiving = self._draining = self._keep_alive = self.ended = False
        self._in_head = True
        self._head_seen = self._fields = self._field_bytes = self._drained = 0
        self._address = self.client[0] if self.client else ""
        self.addresses[self._address] += 1
        many = len(self.connections) > self.limits.connections
        if many or self.addresses[self._address] > self.limits.connections_per_address:
            self._refuse(
                Busy(Objection("CONNECTIONS", "Trop de connexions sont ouvertes\u202f: réutilisez les vôtres."))
            )
        else:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._disarm()
        self._writable()
        self.addresses[self._address] -= 1
        if not self.addresses[self._address]:
            del self.addresses[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, in pieces no larger than a head may be."""
        self._unset_keepalive_if_required()
        size = self.limits.head_bytes
        for start in range(0, len(data), size):
            if self._draining:
                self._throw_away(len(data) - start)
                return
            self._feed(data if len(data) <= size else data[start : start + size])
        if self._draining:
            return
        if not self._receiving and self.cycle is not None and not self.cycle.response_complete:
            self._disarm()
        elif self._deadline is None:
            self._arm()

    def _feed(self, piece: bytes) -> None:
        if self._in_head:
            self._head_seen += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserInvalidMethodError:
            self._refuse(NotSpoken(Objection("METHOD", "Cette méthode n’est pas une méthode de HTTP.")))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            unread = Malformed(Objection("NOT_HTTP", "La demande n’est pas du HTTP/1.1 bien formé."))
            self._refuse(self._refusal or unread)
        else:
            if self._in_head and self._head_seen > self.limits.head_bytes:
                self._refuse(self._heads())

    # What the parser tells

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._receiving, self._in_head = True, True
        self._fields = self._field_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        super().on_url(url)
        if len(self.url) > self.limits.address_bytes:
            limit = self.limits.address_bytes
            raise self._no(AddressTooLong(Objection("ADDRESS_TOO_LONG", f"L’adresse dépasse {limit} octets.")))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer, which comes after the body, is none."""
        if not self._in_head:
            return
        self._fields += 1
        self._field_bytes += len(name) + len(value) + 4
        if self._fields > self.limits.head_fields or self._field_bytes > self.limits.head_bytes:
            raise self._no(self._heads())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the request begin, if it is one that everybody on the way reads alike."""
        self._check_framing()
        self._in_head = False
        self._disarm()
        super().on_headers_complete()
        self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False  # until all of it is here
        self.cycle.transport = _Gentle(self)  # type: ignore[assignment]  # the three methods a cycle uses

    def on_message_complete(self) -> None:
        """End a request."""
        self._receiving, self._in_head = False, True
        self._head_seen = 0
        if not self.cycle.response_complete:
            self.cycle.keep_alive = self._keep_alive
        super().on_message_complete()

    def _check_framing(self) -> None:
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            spoken = NotSpoken(Objection("VERSION", "Parlez HTTP/1.1."))
            spoken.status = 505
            raise self._no(spoken)
        if self.parser.should_upgrade():
            raise self._no(NotSpoken(Objection("UPGRADE", "Aucun autre protocole n’est parlé ici (Upgrade, CONNECT).")))
        if not self.url.startswith(b"/") and self.url != b"*":
            raise self._no(Malformed(Objection("ADDRESS", "L’adresse commence par une barre oblique.")))
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings and (codings != [b"chunked"] or version == "1.0"):
            raise self._no(
                Malformed(Objection("TRANSFER_ENCODING", "Envoyez le contenu entier ou en «\u202fchunked\u202f»."))
            )

    def _heads(self) -> Refused:
        limits = self.limits
        text = f"Les en-têtes dépassent {limits.head_bytes // 1024} Kio ou {limits.head_fields} lignes."
        return HeadersTooLarge(Objection("HEADERS_TOO_LARGE", text))

    def _no(self, refusal: Refused) -> Refused:
        """Keep why the parser is stopped: it only says that a callback failed."""
        self._refusal = refusal
        return refusal

    # How a connection ends

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(self.limits.receive_seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.flow.read_paused:  # it is us who do not read
            self._arm()
        elif not self._receiving:
            self.transport.close()
        else:
            seconds = f"{self.limits.receive_seconds:g}"
            self._refuse(TooSlow(Objection("TOO_SLOW", f"La demande n’est pas arrivée en {seconds} secondes.")))

    def _refuse(self, refused: Refused) -> None:
        """Answer on the socket where nothing else is being answered, and end the connection."""
        self._draining = True
        self._disarm()
        cycle, body_missing = self.cycle, self._receiving and not self._in_head
        if self.pipeline and body_missing:
            self.pipeline.popleft()  # this one; those before it are answered, then the connection ends
            return
        if cycle is not None and not cycle.response_complete:
            if not body_missing:
                return  # an earlier request is being answered
            if cycle.response_started:
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        status, headers, body = answer_parts(problem(refused), self.doorway)
        fields = b"".join(b"%s: %s\r\n" % header for header in (*headers, (b"connection", b"close")))
        self.transport.write(STATUS_LINE[status] + fields + b"\r\n" + body)
        self._receiving = True
        self.close_gently()

    def close_gently(self) -> None:
        """Close; where the client is still sending, throw that away for a moment, so that it can read its answer."""
        if not self._receiving or self.transport.is_closing():
            self.transport.close()
            return
        self._draining = self.ended = True
        self._disarm()
        self.flow.resume_reading()
        with contextlib.suppress(NotImplementedError, OSError, RuntimeError):
            self.transport.write_eof()
        self._deadline = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _throw_away(self, size: int) -> None:
        self._drained += size
        if self._drained > _LINGER_BYTES:
            self.flow.pause_reading()

    def on_response_complete(self) -> None:
        """Go on with the next request, or end where this connection was refused meanwhile."""
        if self._draining and not self.pipeline:
            if self._deadline is None:
                self._receiving = True
                self.close_gently()
            return
        super().on_response_complete()

    def shutdown(self) -> None:
        """End after the answer that is under way."""
        self._keep_alive = False
        super().shutdown()

    def pause_writing(self) -> None:
        """Wait for a client that does not read, and not for ever."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._writable()
        super().resume_writing()

    def _writable(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None


class _Gentle:
    """A connection's transport as one request sees it: closing waits for who is still sending."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def write(self, data: bytes) -> None:
        self._wire.transport.write(data)

    def is_closing(self) -> bool:
        """Return whether nothing can be written any more, also where only our half is closed: no "100 Continue" then."""
        return self._wire.ended or self._wire.transport.is_closing()

    def close(self) -> None:
        self._wire.close_gently()


def wire_protocol(limits: WireLimits, doorway: Doorway) -> type[Wire]:
    """Return the protocol of one server."""
    shared: dict[str, Any] = {"limits": limits, "doorway": doorway, "addresses": Counter()}
    return type("ServerWire", (Wire,), shared)


def allow_descriptors(connections: int) -> None:
    """Raise the soft limit of open files so far that the connections fit, where the system lets us; what is lower stays a limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = connections + 256
        if soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
