"""A file of fiches: the template, the file sent, how far it has come, what became of each fiche."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, BinaryIO, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from fastapi import Query, Request, Response

from services.submission import import_cases as cases
from services.submission.files.apart import upload_of
from services.submission.files.report import OUTCOMES
from services.submission.import_answers import XLSX, Outcomes, codes_of, take_upload
from services.submission.import_bodies import STATES, line_out
from shared.errors import Forbidden, InvalidInput, NotFound, Objection, Refused, Unauthenticated
from shared.http import database, idempotency_key, signed_in
from shared.identity import Principal
from shared.intake import Spooled
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import UPLOAD, Posted, posted
from shared.web.pages import page_router, render, see_other
from shared.web.uploads import Upload

router = page_router()
LIMIT_BYTES: Final = 16 * 1024 * 1024
"""A form is held in memory; larger files come by the API or by `poec import fiches`."""
PAST: Final = 20
LINES: Final = 50
_TYPES: Final = {"xlsx": XLSX, "csv": "text/csv", "json": "application/json"}
"""Ends of names, and what the door of files calls them."""


@router.get("/imports")
async def imports_page(request: Request, apres: UUID | None = None) -> Response:
    """Show how a file is sent, and the files that were."""
    return await _imports(request, await signed_in(request), Entry.of({}), after=apres)


@router.post("/imports")
async def post_import_page(request: Request) -> Response:
    """Take a file in: all of it, or nothing with every reason."""
    async with posted(request, LIMIT_BYTES, UPLOAD) as sent:
        authorize(sent.principal, "import_fiches")
        try:
            where = await _taken(request, sent)
        except (Unauthenticated, Forbidden, NotFound):
            raise
        except Refused as refused:
            return await _imports(request, sent.principal, sent.entry(refused), refused.status)
    return see_other(where)


async def _taken(request: Request, sent: Posted) -> str:
    """Take the file of a form in, and return where its report is."""
    upload = sent.files.get("file")
    if upload is None:
        raise InvalidInput(Objection("FILE", "Choisissez le fichier à importer.", field="file"))
    ending = upload.name.rpartition(".")[2].lower()
    if ending not in _TYPES:
        text = "Choisissez un fichier XLSX, CSV ou JSON\u202f: le plus simple est de partir du modèle."
        raise InvalidInput(Objection("FILE_KIND", text, field="file"))
    codes = codes_of(sent.text("acknowledge").replace(" ", ""))
    key = idempotency_key(sent.given("idempotency_key"), sent.principal)
    with upload_of(sent.principal.organisation):
        async with _spooled(upload, _TYPES[ending]) as spooled:
            kept = await take_upload(request, sent.principal, spooled, codes, key)
    return f"/espace/imports/{orjson.loads(kept.text)['import_id']}"


@asynccontextmanager
async def _spooled(upload: Upload, media: str) -> AsyncIterator[Spooled]:
    """Yield an upload as the door of files takes it: on the disk, nameless; gone when the block ends."""

    def write(file: BinaryIO) -> str:
        file.write(upload.content)
        file.seek(0)
        return hashlib.sha256(upload.content).hexdigest()

    with tempfile.TemporaryFile() as file:
        digest = await asyncio.to_thread(write, file)
        yield Spooled(file, media, len(upload.content), digest)


async def _imports(
    request: Request, principal: Principal, entry: Entry, status: int = 200, after: UUID | None = None
) -> Response:
    found = await cases.read_imports(database(request), principal, after, PAST + 1)
    following = f"/espace/imports?apres={found[PAST - 1].id}" if len(found) > PAST else None
    return render(
        request,
        "imports.html",
        status=status,
        entry=entry,
        imports=found[:PAST],
        first="/espace/imports" if after else None,
        following=following,
        states=STATES,
        sends=bool({"opco"} & principal.roles),
    )


@router.get("/imports/{import_id}")
async def import_page(
    request: Request,
    import_id: UUID,
    resultat: Annotated[list[Outcomes] | None, Query()] = None,
    apres: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> Response:
    """Show how far a file has come, and what became of each of its fiches."""
    principal, chosen = await signed_in(request), list(resultat or ())
    found = await cases.read_import(database(request), principal, import_id)
    lines = await cases.read_lines(database(request), principal, import_id, chosen, apres, LINES + 1)
    here = f"/espace/imports/{import_id}"
    query = urlencode({"resultat": chosen}, doseq=True)
    following = f"{here}?{query}&apres={lines[LINES - 1].n}" if len(lines) > LINES else None
    return render(
        request,
        "import.html",
        found=found,
        lines=[line_out(line) for line in lines[:LINES]],
        entry=Entry.of({"resultat": chosen}),
        outcomes=OUTCOMES,
        states=STATES,
        after=apres,
        first=f"{here}?{query}" if apres else None,
        following=following,
    )
