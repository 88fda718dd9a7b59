"""HTTP in: files of fiches. A file is taken in whole (202) or refused with every objection; its report fills while it is carried out."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.submission import import_cases as cases
from services.submission.files.apart import upload_of
from services.submission.files.report import Outcome, Said, XlsxReport, csv_report
from services.submission.files.template import csv_template, xlsx_template
from services.submission.import_answers import KINDS, XLSX, Outcomes, codes_of, take_upload
from services.submission.import_bodies import (
    ColumnsOut,
    ImportOut,
    ImportsOut,
    LinesOut,
    columns_out,
    import_out,
    line_out,
)
from services.submission.import_store import LineRead
from shared.crash import crash_point
from shared.errors import Objection, UnfitContent
from shared.http import answers, database, door, idempotency_key, ok, signed_in, takes
from shared.policy import authorize

LIMIT_BYTES: Final = 32 * 1024 * 1024
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
    intake = door(request).intake
    with upload_of(principal.organisation):
        async with intake.spooled(request, LIMIT_BYTES, KINDS) as spooled:
            if not spooled.size:
                raise UnfitContent(
                    Objection("CONTENT_TYPE", f"Envoyez un fichier\u202f: {', '.join(KINDS)} (Content-Type).")
                )
            key = idempotency_key(request.headers.get("idempotency-key"), principal)
            kept = await take_upload(request, principal, spooled, codes, key)
    await crash_point("http.before_answer")
    return kept.response()


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
        await asyncio.to_thread(report.close)
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
