"""The files that screens load, under names that hold their hash: a browser keeps them for a year and never sees an old one.

They are read once, at start, and served from memory (400 kB); style sheets name their fonts and pictures by the hashed names too.
Bootstrap's pictures that lie inside its style sheet are left out: the Content-Security-Policy forbids them, and a browser that lays a
page out before the theme replaced them would ask for one and complain.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import Request, Response

from shared.errors import NotFound, Objection

PREFIX: Final = "/static"
_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_URL: Final = re.compile(r'url\("?([a-z0-9.-]+\.(?:woff2|svg))"?\)')
_INLINE: Final = re.compile(r'url\("data:[^"]*"\)')
_KEPT: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """One file as it is served; `packed` is its gzip form, None where that saves nothing."""

    address: str
    content: bytes
    packed: bytes | None
    media_type: str


@cache
def files() -> dict[str, StaticFile]:
    """Return every file by its own name, `poec.css`."""
    found: dict[str, StaticFile] = {}
    for path in sorted(_STATIC.iterdir(), key=lambda one: (one.suffix == ".css", one.name)):
        content = path.read_bytes()
        if path.suffix == ".css":
            content = _addressed(content.decode(), found).encode()
        digest = hashlib.sha256(content).hexdigest()[:16]
        packed = None if path.suffix == ".woff2" else gzip.compress(content, mtime=0)
        found[path.name] = StaticFile(
            f"{PREFIX}/{path.stem}.{digest}{path.suffix}", content, packed, _TYPES[path.suffix]
        )
    return found


def _addressed(style: str, known: Mapping[str, StaticFile]) -> str:
    return _URL.sub(lambda name: f'url("{known[name[1]].address}")', _INLINE.sub("none", style))


def address_of(name: str) -> str:
    """Return where a file is served; KeyError for one that is not there."""
    return files()[name].address


@cache
def _by_address() -> dict[str, StaticFile]:
    return {one.address: one for one in files().values()}


def served(request: Request, name: str) -> Response:
    """Return the answer to `GET /static/{name}`. Raises `NotFound` for a name that no page of this version gave."""
    one = _by_address().get(f"{PREFIX}/{name}")
    if one is None:
        raise NotFound(Objection("UNKNOWN", "Aucune ressource à cette adresse."))
    headers = {"cache-control": _KEPT, "vary": "accept-encoding"}
    if one.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(one.packed, headers={**headers, "content-encoding": "gzip"}, media_type=one.media_type)
    return Response(one.content, headers=headers, media_type=one.media_type)
