"""Has a file read by a process of its own, and takes what that says line by line: the service never opens a stranger's file."""

import asyncio
import json
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, BinaryIO, Final

from shared.errors import InvalidInput, Objection, TooMany

READING_SECONDS: Final = 150
UPLOADS: Final = 4
"""Files of one organisation that are on their way in at once, in this process."""
_PLACES: Final = asyncio.Semaphore(2)
_TURNS: Final[defaultdict[str, asyncio.Lock]] = defaultdict(asyncio.Lock)
_UNDER_WAY: Final[Counter[str]] = Counter()
_LINE_BYTES: Final = 8 * 1024 * 1024
_READER: Final = ("-I", "-m", "services.submission.files.readers")
_TOO_MUCH: Final = Objection(
    "FILE_TOO_HEAVY",
    "Le fichier ne peut pas être lu\u202f: ouvert il est trop volumineux, ou il est endommagé. Partagez-le, ou repartez du modèle.",
)


@contextmanager
def upload_of(organisation: str) -> Iterator[None]:
    """Count a file on its way in: one sender's flood must leave the others room on the disk. Raises `TooMany`."""
    if _UNDER_WAY[organisation] >= UPLOADS:
        text = f"{UPLOADS} fichiers de votre organisation arrivent déjà\u202f: attendez leurs réponses, puis renvoyez celui-ci."
        raise TooMany(Objection("UPLOADS", text, facts={"limit": UPLOADS}))
    _UNDER_WAY[organisation] += 1
    try:
        yield
    finally:
        _UNDER_WAY[organisation] -= 1


@asynccontextmanager
async def reading_place(organisation: str) -> AsyncIterator[None]:
    """Wait for a place to read a file: two are read at once, of one organisation one, so that its long files let others by.

    Whoever opens a transaction for a file takes a place first.
    """
    async with _TURNS[organisation], _PLACES:
        yield


async def read_apart(kind: str, file: BinaryIO) -> AsyncGenerator[dict[str, Any]]:
    """Yield what `readers.drafts_of` yields for a file, from its beginning. Raises `InvalidInput` where it cannot be read.

    To be closed by whoever stops in the middle: the process ends with it.
    """
    file.seek(0)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *_READER,
        kind,
        stdin=file,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
        limit=_LINE_BYTES,
    )
    assert process.stdout is not None, "it was asked for"
    until = asyncio.get_running_loop().time() + READING_SECONDS
    try:
        while line := await _line(process.stdout, until):
            said = json.loads(line)
            if said.get("end"):
                if wrong := said.get("unreadable"):
                    raise InvalidInput(*(Objection(**one) for one in wrong))
                return
            yield said
        raise InvalidInput(_TOO_MUCH)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(out: asyncio.StreamReader, until: float) -> bytes:
    """Return the next whole line, nothing after the last one. Time is up here alone: what is done with a line is not stopped."""
    try:
        async with asyncio.timeout_at(until):
            line = await out.readline()
    except (TimeoutError, ValueError):
        raise InvalidInput(_TOO_MUCH) from None
    return line if line.endswith(b"\n") else b""
