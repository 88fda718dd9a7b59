"""Has a file read by a process of its own, and takes what that says line by line: the service never opens a stranger's file."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, BinaryIO, Final

from shared.errors import InvalidInput, Objection

READING_SECONDS: Final = 150
AT_ONCE: Final = asyncio.Semaphore(2)
"""So many files are read at once; whoever opens a transaction for one takes a place first."""
_LINE_BYTES: Final = 8 * 1024 * 1024
_READER: Final = ("-I", "-m", "services.submission.files.readers")
_TOO_MUCH: Final = Objection(
    "FILE_TOO_HEAVY",
    "Le fichier ne peut pas être lu\u202f: ouvert il est trop volumineux, ou il est endommagé. Partagez-le, ou repartez du modèle.",
)


async def read_apart(kind: str, file: BinaryIO) -> AsyncIterator[dict[str, Any]]:
    """Yield what `readers.drafts_of` yields for a file, from its beginning. Raises `InvalidInput` where it cannot be read."""
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
    try:
        async with asyncio.timeout(READING_SECONDS):
            async for line in process.stdout:
                said = json.loads(line)
                if said.get("end"):
                    if wrong := said.get("unreadable"):
                        raise InvalidInput(*(Objection(**one) for one in wrong))
                    return
                yield said
        raise InvalidInput(_TOO_MUCH)
    except (TimeoutError, ValueError):
        raise InvalidInput(_TOO_MUCH) from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
