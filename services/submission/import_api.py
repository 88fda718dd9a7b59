"""HTTP in: files of fiches. A file is taken in whole (202) or refused with every objection; its report fills while it is carried out."""

import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError

from services.submission import import_cases as cases
from services.submission.files.apart import AT_ONCE, read_apart
from services.submission.files.report import Outcome, Said, XlsxReport, csv_report
from services.submission.files.template import csv_template, xlsx_template
from services.submission.import_bodies import (
    ColumnsOut,
    ImportOut,
    ImportsOut,
    LinesOut,
    columns_out,
    import_out,
    line_out,
)
from services.submission.import_store import Import, LineRead, Waiting
from shared.contracts.ingress import Codes
from shared.crash import crash_point
from shared.database import Database, IdempotencyKey, RightsChanged, retried
from shared.errors import Busy, InvalidInput, KeyReused, Objection, UnfitContent
from shared.http import Answer, Kept, answers, database, door, idempotency_key, ok, signed_in, takes
from shared.identity import Principal
from shared.intake import Spooled
from shared.policy import authorize

LIMIT_BYTES: Final = 32 * 1024 * 1024
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS: Final[Mapping[str, str]] = {
    XLSX: "xlsx",
    "text/csv": "csv",
    "application/json": "json",
    "application/x-ndjson": "json",
}
"""Content type to kind of file."""
_CODES: Final = TypeAdapter(Codes)
_REFERENCE_LENGTH: Final = 80
Outcomes = Literal["accepted", "unchanged", "warned", "refused"]
router = APIRouter(prefix="/imports", tags=["imports"])


def _takes_file() -> dict[str, Any]:
    """Return what OpenAPI says of the upload: the file itself, and the key of a write."""
    from services.submission.bodies import FicheIn

    binary = {"type": "string", "contentMediaType": "application/octet-stream"}
    fiches = {"type": "array", "items": {"$ref": f"#/components/schemas/{FicheIn.__name__}"}}
    said = takes(FicheIn)
    content = {kind: {"schema": fiches if kind == "application/json" else binary} for kind in KINDS}
    key = [one for one in said["parameters"] if one["name"] == "Idempotency-Key"]
    return {"requestBody": {"required": True, "content": content}, "parameters": key}


@router.post("", status_code=202, openapi_extra=_takes_file(), responses=answers(ImportOut, 202))
async def post_import(
    request: Request,
    acknowledge: Annotated[str, Query(max_length=1000, description="Codes, séparés par des virgules.")] = "",
) -> Response:
    """Take a file of fiches in: XLSX, CSV or JSON as its Content-Type says, 32 MiB at most (OPCO)."""
    codes = codes_of(acknowledge)
    principal = await signed_in(request)
    authorize(principal, "import_fiches")
    async with door(request).intake.spooled(request, LIMIT_BYTES, KINDS) as spooled:
        if not spooled.size:
            raise UnfitContent(
                Objection("CONTENT_TYPE", f"Envoyez un fichier\u202f: {', '.join(KINDS)} (Content-Type).")
            )
        key = idempotency_key(request.headers.get("idempotency-key"), principal)
        kept = await take_upload(request, principal, spooled, codes, key)
    await crash_point("http.before_answer")
    return kept.response()


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
    if at_door.full:
        text = "Trop de messages attendent leur envoi\u202f: réessayez dans quelques instants."
        raise Busy(Objection("OUTBOX_FULL", text))
    with at_door.in_flight(principal):
        async with AT_ONCE:
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
        await unit.read("SELECT 1 AS one")
        if (known := unit.remembered) is not None:
            if known.body_hash != digest:
                raise KeyReused(Objection("IDEMPOTENCY_KEY", "Choisissez une nouvelle clé\u202f: le contenu a changé."))
            return Kept(known.status, known.body, known.headers)
        kind = KINDS[spooled.content_type]
        new = Import(uuid4(), principal.organisation, principal.id, kind, codes, 1, "running", unit.now, None, {})
        taken = await cases.take_file(unit, principal, new, _waiting(kind, spooled))
        answer = Answer(202, import_out(taken), location=f"/imports/{taken.id}")
        kept = Kept(202, answer.body.model_dump_json(), answer.headers())
        unit.remember(digest, kept.status, kept.headers, kept.text)
        await unit.flush()
    return kept


async def _waiting(kind: str, spooled: Spooled) -> AsyncIterator[Waiting]:
    """Yield the fiches of a file as they are read."""
    n = 0
    async for said in read_apart(kind, spooled.file):
        n += 1
        wrong = tuple({**one, "warning": False} for one in said.get("objections", ()))
        if kind == "json":
            reference, document = _named(said["request"]), said["request"]
        else:
            reference, document = _shown(said["reference"]), json.dumps(said)
        yield Waiting(n, said["line"], reference, document, wrong)


def _named(request: str | None) -> str | None:
    found = json.loads(request) if request else None
    return _shown(found.get("reference")) if isinstance(found, dict) else None


def _shown(reference: object) -> str | None:
    """Return a reference that the report can repeat: what no fiche could be called is left out."""
    if not isinstance(reference, str) or not 0 < len(reference) <= _REFERENCE_LENGTH or not reference.isprintable():
        return None
    return reference


@router.get("", responses=answers(ImportsOut))
async def get_imports(
    request: Request, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Response:
    """Return a page of the files the caller may see, the newest first; `Link` names the next page."""
    found = await cases.read_imports(database(request), await signed_in(request), after, limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    links = {"Link": f'</imports?limit={limit}&after={following}>; rel="next"'} if following else {}
    return ok(ImportsOut(imports=tuple(map(import_out, found[:limit])), next=following), headers=links)


@router.get("/columns", responses=answers(ColumnsOut))
async def get_columns(request: Request) -> Response:
    """Return what the columns of a table of fiches are called, how they are filled in, and their closed lists."""
    authorize(await signed_in(request), "read_imports")
    return ok(columns_out())


def _file(kind: str) -> dict[int | str, dict[str, Any]]:
    return {
        **answers(ImportOut),
        200: {"content": {kind: {"schema": {"type": "string"}}}, "description": "Le fichier"},
    }


@router.get("/template.xlsx", response_class=Response, responses=_file(XLSX))
async def get_xlsx_template(request: Request) -> Response:
    """Return the workbook to fill in, with drop-down lists and comments."""
    authorize(await signed_in(request), "read_imports")
    return Response(xlsx_template(), headers=_named_file("modele-fiches.xlsx"), media_type=XLSX)


@router.get("/template.csv", response_class=Response, responses=_file("text/csv"))
async def get_csv_template(request: Request) -> Response:
    """Return the CSV to fill in, with an example."""
    authorize(await signed_in(request), "read_imports")
    return Response(csv_template(), headers=_named_file("modele-fiches.csv"), media_type="text/csv")


def _named_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@router.get("/{import_id}", responses=answers(ImportOut))
async def get_import(request: Request, import_id: UUID) -> Response:
    """Return how far a file has come, and what became of its fiches."""
    return ok(import_out(await cases.read_import(database(request), await signed_in(request), import_id)))


@router.get("/{import_id}/lines", responses=answers(LinesOut))
async def get_lines(
    request: Request,
    import_id: UUID,
    outcome: Annotated[list[Outcomes] | None, Query()] = None,
    after: Annotated[int, Query(ge=0, le=10**6)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Return a page of the fiches of a file with all that was said about them; `Link` names the next page."""
    chosen = outcome or []
    found = await cases.read_lines(database(request), await signed_in(request), import_id, chosen, after, limit + 1)
    following = found[limit - 1].n if len(found) > limit else None
    query = "".join(f"&outcome={one}" for one in chosen)
    links = (
        {"Link": f'</imports/{import_id}/lines?limit={limit}{query}&after={following}>; rel="next"'}
        if following
        else {}
    )
    return ok(LinesOut(lines=tuple(map(line_out, found[:limit])), next=following), headers=links)


@router.get("/{import_id}/report.csv", response_class=StreamingResponse, responses=_file("text/csv"))
async def get_csv_report(request: Request, import_id: UUID) -> Response:
    """Return the report: a line per fiche and objection, as CSV."""
    lines = await cases.read_report(database(request), await signed_in(request), import_id)
    headers = _named_file(f"compte-rendu-{import_id}.csv")
    return StreamingResponse(csv_report(_outcomes(lines)), headers=headers, media_type="text/csv")


@router.get("/{import_id}/report.xlsx", response_class=StreamingResponse, responses=_file(XLSX))
async def get_xlsx_report(request: Request, import_id: UUID) -> Response:
    """Return the report: a line per fiche and objection, as a workbook."""
    lines = await cases.read_report(database(request), await signed_in(request), import_id)
    headers = _named_file(f"compte-rendu-{import_id}.xlsx")
    return StreamingResponse(_workbook(_outcomes(lines)), headers=headers, media_type=XLSX)


async def _workbook(outcomes: AsyncIterator[Outcome]) -> AsyncIterator[bytes]:
    """Yield the report as a workbook, which is made on the disk first."""
    with tempfile.TemporaryFile() as file:
        report = XlsxReport(file)
        async for outcome in outcomes:
            report.add(outcome)
        report.close()
        file.seek(0)
        while part := file.read(64 * 1024):
            yield part


async def _outcomes(lines: AsyncIterator[LineRead]) -> AsyncIterator[Outcome]:
    """Yield the fiches of a file as the report takes them."""
    async for line in lines:
        yield _outcome(line)


def _outcome(line: LineRead) -> Outcome:
    said = tuple(Said(one["code"], one["field"], one["message"], one["source"]) for one in line.objections)
    return Outcome(line.n, line.line, line.reference, line.outcome, str(line.fiche_id or "") or None, said)
