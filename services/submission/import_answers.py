"""A file on its way in, from a program or from a page: read apart, written down whole with the answer, which its key gets again."""

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final, Literal
from uuid import uuid4

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from services.submission import import_cases as cases
from services.submission.domain.decisions import REFERENCE_LENGTH
from services.submission.files.apart import read_apart, reading_place
from services.submission.import_bodies import import_out
from services.submission.import_store import Import, Waiting, count_running
from shared.contracts.ingress import Codes
from shared.crash import crash_point
from shared.database import Database, IdempotencyKey, RightsChanged, retried
from shared.errors import Busy, InvalidInput, KeyReused, Objection, TooMany
from shared.http import Answer, Kept, door
from shared.identity import Principal
from shared.intake import Spooled

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS: Final[Mapping[str, str]] = {
    XLSX: "xlsx",
    "text/csv": "csv",
    "application/json": "json",
    "application/x-ndjson": "json",
}
"""Content type to kind of file."""
_CODES: Final = TypeAdapter(Codes)
MOST_RUNNING: Final = 100
"""Files of one organisation that wait for being carried out: what they hold lies in the database until then."""
Outcomes = Literal["accepted", "unchanged", "warned", "refused"]


def codes_of(text: str) -> tuple[str, ...]:
    """Return codes of warnings that were written with commas between. Raises `InvalidInput`."""
    try:
        return _CODES.validate_python([code for code in text.split(",") if code])
    except ValidationError:
        message = "Indiquez des codes d’avertissement, séparés par des virgules."
        raise InvalidInput(Objection("CODES", message, field="acknowledge")) from None


async def take_upload(
    request: Request, principal: Principal, spooled: Spooled, codes: tuple[str, ...], key: IdempotencyKey
) -> Kept:
    """Take a file in, from a program or from a page: all of it in one transaction with the answer, which its key gets again."""
    at_door = door(request)
    if at_door.load.full:
        text = "Trop de messages attendent leur envoi\u202f: réessayez dans quelques instants."
        raise Busy(Objection("OUTBOX_FULL", text))
    with at_door.in_flight(principal):
        async with reading_place(principal.organisation):
            try:
                return await retried(lambda: _take(at_door.database, principal, spooled, codes, key))
            except RightsChanged:
                now = await at_door.who.again(request)
                return await retried(lambda: _take(at_door.database, now, spooled, codes, key))


async def _take(
    into: Database, principal: Principal, spooled: Spooled, codes: tuple[str, ...], key: IdempotencyKey
) -> Kept:
    asked = f"POST /imports {spooled.content_type} {','.join(codes)} {spooled.digest}"
    digest = hashlib.sha256(asked.encode()).hexdigest()
    async with into.unit(principal, key) as unit:
        running = await count_running(unit, principal.organisation)
        if (known := unit.remembered) is not None:
            if known.body_hash != digest:
                raise KeyReused(Objection("IDEMPOTENCY_KEY", "Choisissez une nouvelle clé\u202f: le contenu a changé."))
            return Kept(known.status, known.body, known.headers)
        if running >= MOST_RUNNING:
            text = f"{MOST_RUNNING} fichiers de votre organisation sont déjà en cours\u202f: renvoyez celui-ci quand ils auront avancé."
            raise TooMany(Objection("IMPORTS_RUNNING", text, facts={"limit": MOST_RUNNING}))
        kind = KINDS[spooled.content_type]
        new = Import(uuid4(), principal.organisation, principal.id, kind, codes, 1, "running", unit.now, None, {})
        async with aclosing(_waiting(kind, spooled)) as lines:
            taken = await cases.take_file(unit, principal, new, lines)
        answer = Answer(202, import_out(taken), location=f"/imports/{taken.id}")
        kept = Kept(202, answer.body.model_dump_json(), answer.headers())
        unit.remember(digest, kept.status, kept.headers, kept.text)
        await unit.flush()
    return kept


async def _waiting(kind: str, spooled: Spooled) -> AsyncGenerator[Waiting]:
    """Yield the fiches of a file as they are read."""
    n = 0
    async with aclosing(read_apart(kind, spooled.file)) as found:
        async for said in found:
            n += 1
            await crash_point("upload.while_read")
            wrong = tuple({**one, "warning": False} for one in said.get("objections", ()))
            if kind == "json":
                reference, document = _named(said["request"]), said["request"]
            else:
                reference, document = _shown(said["reference"]), None if said.get("too_large") else json.dumps(said)
            yield Waiting(n, said["line"], reference, document, wrong)


def _named(request: str | None) -> str | None:
    found = json.loads(request) if request else None
    return _shown(found.get("reference")) if isinstance(found, dict) else None


def _shown(reference: object) -> str | None:
    """Return a reference that the report can repeat: what no fiche could be called is left out."""
    if not isinstance(reference, str) or not 0 < len(reference) <= REFERENCE_LENGTH or not reference.isprintable():
        return None
    return reference
