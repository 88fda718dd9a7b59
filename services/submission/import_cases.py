"""What an OPCO does with a file of fiches: it is taken in whole or not at all, carried out fiche by fiche, and reported on.

A fiche of a file is filed by `use_cases.submit_fiche`, as by every other door; here is only what a file adds to that.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from services.submission.domain.case import Given
from services.submission.domain.decisions import Filing
from services.submission.domain.sources import RIGHTS
from services.submission.import_store import (
    Carried,
    Import,
    LineRead,
    Waiting,
    all_lines,
    find_import,
    finish_import,
    list_imports,
    list_lines,
    put_import,
    put_lines,
    stop_import,
)
from services.submission.store import Fiches
from services.submission.use_cases import submit_fiche
from shared.contracts.fiche import fiche_id
from shared.database import Database, UnitOfWork
from shared.errors import NotAllowedNow, NotFound, Objection, Refused, WarningsUnanswered
from shared.identity import Principal, service_principal
from shared.policy import authorize, limited_to

WORKER: Final = service_principal("submission", "worker")
UNKNOWN: Final = Objection("UNKNOWN", "Aucun import de ce nom n’est visible pour votre organisation.", RIGHTS)
CHUNK: Final = 200


async def take_file(unit: UnitOfWork, principal: Principal, asked: Import, lines: AsyncIterator[Waiting]) -> Import:
    """Write down every fiche of a file that is being read; what the reader raises leaves nothing behind."""
    authorize(principal, "import_fiches", asked.opco)
    await put_import(unit, asked)
    chunk: list[Waiting] = []
    count = 0
    async for line in lines:
        chunk.append(line)
        count += 1
        if len(chunk) == CHUNK:
            await put_lines(unit, asked.id, asked.opco, chunk)
            chunk = []
    await put_lines(unit, asked.id, asked.opco, chunk)
    unit.add("UPDATE fiche_import SET fiches = $2::int WHERE id = $1::uuid", asked.id, count)
    return replace(asked, fiches=count)


def carry_line(
    fiches: Fiches, principal: Principal, line: Waiting, named: str | None, filing: Filing | Refused, given: Given
) -> Carried:
    """File one fiche of a file as its sender, and return what became of it; `named` is its reference where it has one.

    Raises `Forbidden` where the sender may not file: that is no outcome of a fiche.
    """
    authorize(principal, "submit_fiche", principal.organisation)
    try:
        if isinstance(filing, Refused):
            raise filing
        decision = submit_fiche(fiches, principal, named or "", filing, given)
    except Refused as refused:
        if isinstance(refused, NotAllowedNow) and any(one.facts.get("same_content") for one in refused.objections):
            return Carried(line.n, "unchanged", fiche_id(principal.organisation, named or ""), (), named)
        outcome = "warned" if isinstance(refused, WarningsUnanswered) else "refused"
        said = (*line.objections, *_said(refused.objections), *_said(refused.warnings, warning=True))
        return Carried(line.n, outcome, None, said, named)
    return Carried(line.n, "accepted", decision.fiche.id, _said(decision.warnings, warning=True), named)


_DEFECT: Final = Objection(
    "DEFECT",
    "Cette fiche a fait échouer le service, qui l’a signalé\u202f: rien n’est à corriger de votre côté."
    " Renvoyez le fichier plus tard\u202f; si cela se reproduit, donnez à l’exploitation l’identifiant de l’import et la ligne.",
)


def defective(principal: Principal, line: Waiting) -> Carried:
    """Return that a fiche could not be carried out for a reason that is no fault of its sender."""
    authorize(principal, "submit_fiche", principal.organisation)
    return Carried(line.n, "refused", None, _said([_DEFECT]), line.reference)


def _said(objections: Sequence[Objection], warning: bool = False) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"code": one.code, "field": one.field, "message": one.message, "source": one.source, "warning": warning}
        for one in objections
    )


def beside(carried: Carried, alike: str | None) -> Carried:
    """Return what became of a line with the fiche that it resembles, where it is filed or could be: shown, never in the way."""
    if alike is None or carried.outcome not in ("accepted", "warned"):
        return carried
    message = (
        f"Cette fiche ressemble à votre fiche {alike}\u202f: même formation, même commune, dates proches."
        " Vérifiez que ce n’est pas la même."
    )
    said = _said([Objection("ALIKE", message, field="reference")], warning=True)
    return replace(carried, objections=(*carried.objections, *said))


def close_file(unit: UnitOfWork, principal: Principal, import_id: UUID, stopped: bool = False) -> None:
    """End a file: nothing of it waits, or its sender may no longer file."""
    authorize(principal, "hear_event")
    (stop_import if stopped else finish_import)(unit, import_id)


async def read_imports(database: Database, principal: Principal, after: UUID | None, limit: int) -> list[Import]:
    """Return the next files that the caller may see, the newest first."""
    authorize(principal, "read_imports")
    return await list_imports(database, principal, limited_to(principal, "read_imports"), after, limit)


async def read_import(database: Database, principal: Principal, import_id: UUID) -> Import:
    """Return a file that the caller may see."""
    authorize(principal, "read_imports")
    found = await find_import(database, principal, import_id)
    if found is None:
        raise NotFound(UNKNOWN)
    authorize(principal, "read_imports", found.opco, unknown=UNKNOWN)
    return found


async def read_lines(
    database: Database, principal: Principal, import_id: UUID, outcomes: Collection[str], after: int, limit: int
) -> list[LineRead]:
    """Return the next fiches of a file that the caller may see."""
    await read_import(database, principal, import_id)
    return await list_lines(database, principal, import_id, outcomes, after, limit)


async def read_report(database: Database, principal: Principal, import_id: UUID) -> AsyncIterator[LineRead]:
    """Return every fiche of a file that the caller may see, one after the other."""
    await read_import(database, principal, import_id)
    return all_lines(database, principal, import_id)
