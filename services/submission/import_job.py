"""Files in: what was taken in whole is carried out here, a batch of fiches in each transaction, as whoever sent the file.

Any number of processes share the work: each locks the fiches it takes. What became of a fiche is written in the transaction of
its effect, so that a process may be killed anywhere: another one goes on where it was, and nothing is done twice.
"""

import asyncio
import json
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
from pydantic import Field

from services.submission import import_cases as cases
from services.submission.bodies import FicheIn
from services.submission.check_store import are_alike, find_one_alike
from services.submission.domain.case import Given
from services.submission.domain.decisions import REFERENCE_LENGTH, Filing
from services.submission.form_fields import content_of
from services.submission.import_store import (
    Carried,
    Import,
    Waiting,
    claim_lines,
    find_import,
    running_imports,
    settle_lines,
)
from services.submission.store import open_fiches, write_fiches
from services.submission.use_cases import partners_named
from shared.contracts.fiche import FicheContent, OutsideCampaign, Value, fiche_id
from shared.contracts.ingress import Codes
from shared.contracts.text import CODE
from shared.crash import crash_point
from shared.database import CONNECTION_LOST, Database, RightsChanged, UnitOfWork, retried
from shared.errors import Conflict, Forbidden, InvalidInput, Malformed, Objection, Refused
from shared.identity import Principal
from shared.logs import log
from shared.messaging.clients import cancelled_from_outside
from shared.parsing import parse_json
from shared.principals import Directory
from shared.retention import Keeping

BATCH: Final = 50
_BREATH: Final = 10
"""So many fiches are read before others of this process have their turn."""
_TRANSIENT: Final = (Conflict, RightsChanged, *CONNECTION_LOST, asyncpg.PostgresError, TimeoutError)
_FULL: Final = "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT $1) pending"
_LOG = log("imports")

KEEPING: Final = Keeping(
    "imports",
    lambda settings: timedelta(days=settings.retain_imports_days),
    "DELETE FROM fiche_import WHERE id IN (SELECT id FROM fiche_import, edge"
    " WHERE finished_at < edge.before LIMIT $2) RETURNING 1",
)


class NamedIn(Value):
    """What a line of a table says beside the content."""

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE]
    acknowledged: Codes = ()
    outside_campaign: OutsideCampaign | None = None


class Imports:
    """Carries files out, batch by batch, as long as there are any."""

    def __init__(self, database: Database, given: Given, poll: float = 0.5, high_water: int = 200_000) -> None:
        self._database, self._given, self._poll, self._high_water = database, given, poll, high_water
        self._directory = Directory(database)

    async def run(self) -> None:
        """Work until cancelled; what fails is tried again."""
        while True:
            try:
                worked = await self.pass_once()
            except (asyncio.CancelledError, *_TRANSIENT) as failure:
                if cancelled_from_outside():
                    raise
                _LOG.warning("imports_failed", error=type(failure).__name__)
                worked = False
            if not worked:
                await asyncio.sleep(self._poll)

    async def pass_once(self) -> bool:
        """Carry out one batch of one of the files that are running; return whether there was one."""
        if await self._outbox_is_full():
            return False
        for import_id, sender in await running_imports(self._database, cases.WORKER):
            if await self._batch(import_id, sender):
                return True
        return False

    async def _outbox_is_full(self) -> bool:
        """Return whether as much waits for the relay as the doors would still let in."""
        async with self._database.connection() as connection:
            return bool(await connection.fetchval(_FULL, self._high_water + 1) > self._high_water)

    async def _batch(self, import_id: UUID, sender: str) -> bool:
        """Carry out the next fiches of a file; where none is free, close it if nothing waits. Return whether there were any."""
        principal = await self._directory.find(sender)
        asked = await find_import(self._database, cases.WORKER, import_id)
        if asked is None or asked.state != "running":
            return False
        try:
            if principal is None or principal.organisation != asked.opco:
                raise Forbidden(Objection("SENDER", "Le compte qui a envoyé ce fichier n’a plus le droit de déposer."))
            if await retried(lambda: carry_batch(self._database, principal, asked, self._given)):
                return True
            await self._close(import_id)
        except RightsChanged:
            self._directory.forget()
        except Forbidden:
            await self._close(import_id, stopped=True)
            _LOG.warning("import_stopped", sender=sender)
        return False

    async def _close(self, import_id: UUID, stopped: bool = False) -> None:
        async with self._database.unit(cases.WORKER) as unit:
            await unit.read("SELECT 1 AS one")
            cases.close_file(unit, cases.WORKER, import_id, stopped)
            await unit.flush()


async def carry_batch(database: Database, principal: Principal, asked: Import, given: Given, most: int = BATCH) -> int:
    """Carry out the next fiches of a file that no other process is at, in one transaction; return how many they were."""
    async with database.unit(principal) as unit:
        lines = await claim_lines(unit, asked.id, most)
        if not lines:
            return 0
        read = [await _breathing(i, line, asked, unit.now) for i, line in enumerate(lines)]
        named = {fiche_id(principal.organisation, reference) for reference, _ in read if reference}
        partners = {one for _, filing in read if isinstance(filing, Filing) for one in partners_named(filing)}
        fiches = await open_fiches(unit, [*named, *partners])
        carried: list[Carried] = []
        for i, (line, (reference, filing)) in enumerate(zip(lines, read, strict=True)):
            carried.append(_carried(fiches, principal, line, reference, filing, given))
            if i % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        resembled = await _resembled(unit, principal.organisation, lines, read)
        write_fiches(fiches, unit)
        settle_lines(unit, asked.id, [cases.beside(one, resembled.get(one.n)) for one in carried])
        await crash_point("import.before_commit")
        await unit.flush()
    await crash_point("import.after_commit")
    return len(lines)


async def _resembled(
    unit: UnitOfWork, opco: str, lines: list[Waiting], read: list[tuple[str | None, Filing | Refused]]
) -> dict[int, str]:
    """Return for each line that resembles another fiche the reference of one, filed before or earlier in this batch."""
    filings = {
        line.n: (reference, filing.content)
        for line, (reference, filing) in zip(lines, read, strict=True)
        if reference and isinstance(filing, Filing)
    }
    asked = {n: (fiche_id(opco, reference), content) for n, (reference, content) in filings.items()}
    found = await find_one_alike(unit, opco, asked) if asked else {}
    for n, (reference, content) in filings.items():
        before = (other for m, other in filings.items() if m < n and other[0] != reference)
        near = next((name for name, other in before if are_alike(content, other)), None)
        if near is not None:
            found.setdefault(n, near)
    return found


async def _breathing(i: int, line: Waiting, asked: Import, at: Any) -> tuple[str | None, Filing | Refused]:
    if i % _BREATH == _BREATH - 1:
        await asyncio.sleep(0)
    return filing_of(line, asked, at)


def _carried(
    fiches: Any, principal: Principal, line: Waiting, reference: str | None, filing: Any, given: Given
) -> Carried:
    try:
        return cases.carry_line(fiches, principal, line, reference, filing, given)
    except Forbidden:
        raise
    except Exception:  # a defect must not stop the file: its line says so, the others go on
        _LOG.exception("import_defect", n=line.n)
        return cases.carry_line(fiches, principal, line, reference, InvalidInput(_DEFECT), given)


_DEFECT: Final = Objection(
    "DEFECT", "Cette fiche n’a pas pu être traitée\u202f; rien n’est à corriger\u202f: renvoyez le fichier plus tard."
)


def filing_of(line: Waiting, asked: Import, at: Any) -> tuple[str | None, Filing | Refused]:
    """Return the reference of a line where it has a good one, and what it files or why it cannot be read."""
    if line.document is None:
        text = "Cette fiche est trop volumineuse\u202f: raccourcissez ses textes."
        return line.reference, InvalidInput(Objection("TOO_LARGE", text))
    try:
        body = _of_table(line) if asked.kind != "json" else parse_json(line.document.encode(), FicheIn)
    except Refused as refused:
        told = any(one.field == "reference" for one in refused.objections)
        return None if told else line.reference, refused
    acknowledged = tuple(dict.fromkeys((*body.acknowledged, *asked.acknowledged)))
    if line.objections:
        return body.reference, InvalidInput()
    return body.reference, Filing(body.content, acknowledged, at, body.outside_campaign)


def _of_table(line: Waiting) -> FicheIn:
    """Return what a line of a table files, read as the form is read. Raises `InvalidInput` with every objection."""
    assert line.document is not None, "asked before"
    said = json.loads(line.document)
    wrong: list[Objection] = []
    named: NamedIn | None = None
    try:
        raw = {"reference": said["reference"], "acknowledged": said["acknowledged"]}
        raw["outside_campaign"] = said["outside_campaign"] or None
        named = parse_json(json.dumps(raw).encode(), NamedIn)
    except (InvalidInput, Malformed) as refused:
        wrong += refused.objections
    content = content_of(said["fields"])
    if named is None or not isinstance(content, FicheContent):
        raise InvalidInput(*wrong, *(() if isinstance(content, FicheContent) else content))
    return FicheIn.model_construct(**{**named.__dict__, "content": content})
