"""A request's body on its way in: of one content type, counted while it streams, within what one process may hold at once.

Nothing but JSON is taken, and no compressed body. A door that takes something else (the form of a page, a file) names it and its limit.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from shared.errors import Busy, Objection, TooLarge, TooSlow, UnfitContent
from shared.parsing import MAX_BYTES

JSON: Final = "application/json"
ROOM_BYTES: Final = 64 * 1024 * 1024
"""Bodies a process holds at once: some 250 of the largest kind, or 20,000 fiches."""

DISK_BYTES: Final = 512 * 1024 * 1024
"""Files on their way in that a process holds on the disk at once."""


@dataclass(frozen=True)
class Spooled:
    """A file as it came in: on the disk and nameless, with its content type, its size and the SHA-256 of its bytes."""

    file: BinaryIO
    content_type: str
    size: int
    digest: str


class Intake:
    """Where the bodies of a process are received; `held` is what it holds now, in bytes."""

    def __init__(self, room: int = ROOM_BYTES) -> None:
        self._room = room
        self.held = self.on_disk = 0

    @asynccontextmanager
    async def body(self, request: Request, limit: int = MAX_BYTES, content_type: str = JSON) -> AsyncIterator[bytes]:
        """Yield the body, at most `limit` bytes; it counts against the room until the block ends.

        Raises `UnfitContent` before anything is read, `TooLarge` as soon as it is, `Busy` where there is no room, `TooSlow`
        where the rest of it never came.
        """
        declared = _declared(request, content_type)
        if declared is not None and declared > limit:
            raise _too_large(limit)
        parts, size = [], 0
        try:
            async for part in request.stream():
                size += len(part)
                self.held += len(part)
                if size > limit:
                    raise _too_large(limit)
                if self.held > self._room:
                    raise Busy(_NO_ROOM)
                parts.append(part)
            yield b"".join(parts)
        except ClientDisconnect:
            raise TooSlow(_INCOMPLETE) from None
        finally:
            self.held -= size

    @asynccontextmanager
    async def spooled(self, request: Request, limit: int, content_types: Collection[str]) -> AsyncIterator[Spooled]:
        """Yield a body of at most `limit` bytes that was written to the disk as it came, so that memory does not grow with it.

        The file is gone when the block ends. Raises as `body` does.
        """
        declared = _declared(request, *content_types)
        if declared is not None and declared > limit:
            raise _too_large(limit)
        digest, size = hashlib.sha256(), 0
        with tempfile.TemporaryFile() as file:
            try:
                async for part in request.stream():
                    size, self.on_disk = size + len(part), self.on_disk + len(part)
                    if size > limit:
                        raise _too_large(limit)
                    if self.on_disk > DISK_BYTES:
                        raise Busy(_NO_ROOM)
                    digest.update(part)
                    file.write(part)
                file.seek(0)
                kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                yield Spooled(file, kind, size, digest.hexdigest())
            except ClientDisconnect:
                raise TooSlow(_INCOMPLETE) from None
            finally:
                self.on_disk -= size


class Load:
    """What a process holds of writes at this moment: bodies, writes under way by principal; `full`: too much waits for the relay.

    All its doors are under the same one, or each further door would let as much in again.
    """

    def __init__(self) -> None:
        self.intake = Intake()
        self.under_way: Counter[str] = Counter()
        self.full = False


_NO_ROOM: Final = Objection(
    "NO_ROOM", "Trop de demandes volumineuses arrivent en même temps\u202f: réessayez dans quelques instants."
)
_INCOMPLETE: Final = Objection("INCOMPLETE", "La demande n’est pas arrivée en entier\u202f: renvoyez-la.")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        Objection("TOO_LARGE", f"La demande dépasse {limit // 1024} Kio\u202f: découpez-la.", facts={"limit": limit})
    )


def _declared(request: Request, *content_types: str) -> int | None:
    """Return the length a request says its body has, None where it says none; raises `UnfitContent` for one of another kind."""
    length = request.headers.get("content-length")
    if length == "0" or (length is None and "transfer-encoding" not in request.headers):
        return 0 if length else None
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnfitContent(Objection("CONTENT_ENCODING", "Envoyez le contenu sans compression (Content-Encoding)."))
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() not in content_types or not _fit(parameters, kind.strip().lower()):
        named = " ou ".join(content_types)
        raise UnfitContent(Objection("CONTENT_TYPE", f"Envoyez du {named} en UTF-8 (Content-Type)."))
    return int(length) if length and length.isascii() and length.isdigit() and len(length) < 19 else None


def _fit(parameters: str, content_type: str) -> bool:
    """Return whether a content type's parameters may be: UTF-8 if anything, and the boundary that a form with files must have."""
    said = [one.strip().replace('"', "") for one in parameters.split(";") if one.strip()]
    if content_type == "multipart/form-data":
        said = [one for one in said if not one.lower().startswith("boundary=")]
    return [one.replace(" ", "").lower() for one in said] in ([], ["charset=utf-8"])
