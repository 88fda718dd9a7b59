"""Forms with a file: `multipart/form-data` read whole, within the limit of the body that brings it."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from shared.errors import Malformed, Objection
from shared.web.fields import fields_of

_MOST_FILES, _MOST_FIELDS = 5, 100
_NAME: Final = re.compile(r"[^\w .()-]")


@dataclass(frozen=True)
class Upload:
    """A file that somebody sent: what it is called there (cut, without paths or signs), what the browser says it is, its bytes."""

    name: str
    media_type: str
    content: bytes


async def multipart(request: Request, raw: bytes) -> tuple[dict[str, list[str]], dict[str, Upload]]:
    """Return the fields and the files of a body that was read already; a field without a file chosen is in neither.

    Raises `Malformed` for what is no such form, holds too much, or names a file's field twice.
    """

    async def stream() -> AsyncGenerator[bytes, None]:
        yield raw

    parser = MultiPartParser(
        request.headers, stream(), max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=len(raw) + 1
    )
    parser.spool_max_size = len(raw) + 1  # it is in memory already: nothing goes to the disk
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, ValueError):
        text = "Le formulaire n’est pas lisible\u202f: rechargez la page, puis choisissez le fichier à nouveau."
        raise Malformed(Objection("FORM_UNREADABLE", text)) from None
    files: dict[str, Upload] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and (value.filename or value.size):
            if name in files:
                raise Malformed(Objection("FIELD_TWICE", "Choisissez un seul fichier.", field="file"))
            called = (value.filename or "").replace("\\", "/").rpartition("/")[2]
            files[name] = Upload(_NAME.sub("", called)[:100], value.content_type or "", await value.read())
    await form.close()
    return fields_of([(name, value) for name, value in form.multi_items() if isinstance(value, str)]), files
