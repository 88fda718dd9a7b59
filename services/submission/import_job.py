"""Files in: what was taken in whole is carried out here, a batch of fiches in each transaction, as whoever sent the file.

Any number of processes share the work: each locks the fiches it takes. What became of a fiche is written in the transaction of
its effect, so that a process may be killed anywhere: another one goes on where it was, and nothing is done twice.
What makes a batch fail is either of the moment (tried again, with patience) or of one of its fiches: then each is carried out in a
transaction of its own, and the one that fails there is refused as a defect, so that every file comes to its end.
"""

import asyncio
import json
import random
from collections.abc import Sequence
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
    waiting_numbers,
)
from services.submission.store import open_fiches, write_fiches
from services.submission.use_cases import partners_named
from shared.contracts.fiche import FicheContent, OutsideCampaign, Value, fiche_id
from shared.contracts.ingress import Codes
from shared.contracts.text import CODE
from shared.crash import crash_point
from shared.database import Database, RightsChanged, UnitOfWork, retried
from shared.errors import Conflict, Forbidden, InvalidInput, Malformed, Objection, Refused
from shared.form_words import to_people
from shared.identity import Principal
from shared.logs import log
from shared.messaging.clients import cancelled_from_outside
from shared.messaging.worker import TRANSIENT
from shared.parsing import parse_json
from shared.principals import Directory
from shared.retention import Keeping

BATCH: Final = 50
_BREATH: Final = 10
_LARGE: Final = 32 * 1024
"""So many fiches are read before others of this process have their turn; one of so many characters waits for its own."""
_OF_THE_MOMENT: Final = (
    RightsChanged,
    *TRANSIENT,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.PostgresSystemError,
)
"""What says nothing about a fiche: the server is away, full, read-only or lets nobody in, or another transaction was first."""
_MOST_SECONDS: Final = 30.0
_ALONE_TRIES: Final = 5
_FULL: Final = "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT $1) pending"
_LOG = log("imports")

KEEPING: Final = Keeping(
    "imports",
    lambda settings: timedelta(days=settings.retain_imports_days),
    "DELETE FROM fiche_import WHERE id IN (SELECT id FROM fiche_import, edge"
    " WHERE finished_at < edge.before LIMIT $2) RETURNING 1",
    at_once=10,
)
"""Of a file up to 20,000 lines go with it: a thousand files in one transaction would not end in its time, and then never would."""


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
        """Work until cancelled; what fails is tried again, later each time."""
        failed = 0
        while True:
            try:
                worked = await self.pass_once()
                failed = 0
            except (asyncio.CancelledError, *_OF_THE_MOMENT) as failure:
                if cancelled_from_outside():
                    raise
                _LOG.warning("imports_failed", error=type(failure).__name__)
                worked, failed = False, failed + 1
            except Exception:  # no fiche's: a defect of this job must not take the service's ears with it
                _LOG.exception("imports_defect")
                worked, failed = False, failed + 1
            if not worked:
                await asyncio.sleep(_patience(self._poll, failed))

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
            if await carry_on(self._database, principal, asked, self._given):
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


def _patience(poll: float, failed: int) -> float:
    """Return for how many seconds to wait: `poll` where there was nothing to do, longer after each failure, never all at once."""
    return min(poll * 2.0 ** min(failed, 10), _MOST_SECONDS) * random.uniform(0.5, 1.0) if failed else poll


class Tripped(Exception):
    """A batch failed, and not because of the moment: one of these lines is at fault."""

    def __init__(self, lines: Sequence[int]) -> None:
        super().__init__(len(lines))
        self.lines = tuple(lines)


async def carry_on(database: Database, principal: Principal, asked: Import, given: Given) -> int:
    """Carry out the next fiches of a file, together where they can be, else one by one; return how many they were.

    Raises what is of the moment, and `Forbidden` where the sender may not file any more.
    """
    try:
        return await retried(lambda: carry_batch(database, principal, asked, given))
    except (Tripped, Conflict) as failure:
        lines = (
            failure.lines
            if isinstance(failure, Tripped)
            else await waiting_numbers(database, principal, asked.id, BATCH)
        )
        _LOG.warning(
            "import_one_by_one",
            import_id=str(asked.id),
            fiches=len(lines),
            error=type(failure.__cause__ or failure).__name__,
        )
    for n in lines:
        await _alone(database, principal, asked, given, n)
    return len(lines)


async def _alone(database: Database, principal: Principal, asked: Import, given: Given, n: int) -> None:
    """Carry out one fiche in a transaction of its own; where that fails it is refused as a defect, and the others go on."""
    for tried in range(_ALONE_TRIES):
        try:
            await carry_batch(database, principal, asked, given, only=n)
            return
        except Conflict as lost:  # somebody files the same fiche; what is lost every time is a defect
            failure: BaseException = lost
            await asyncio.sleep(random.uniform(0.5, 1.0) * 0.05 * 2**tried)
        except Tripped as tripped:
            failure = tripped.__cause__ or tripped
            break
    _LOG.error("import_defect", import_id=str(asked.id), n=n, exc_info=failure)
    async with database.unit(principal) as unit:
        if lines := await claim_lines(unit, asked.id, 1, n):
            settle_lines(unit, asked.id, [cases.defective(principal, line) for line in lines])
            await unit.flush()


async def carry_batch(
    database: Database, principal: Principal, asked: Import, given: Given, most: int = BATCH, only: int | None = None
) -> int:
    """Carry out the next fiches of a file that no other process is at, in one transaction; return how many they were.

    `only` is the number of the one fiche that is wanted. Raises `Tripped` where one of them cannot be carried out.
    """
    numbers: list[int] = []
    try:
        async with database.unit(principal) as unit:
            lines = await claim_lines(unit, asked.id, most, only)
            numbers += [line.n for line in lines]
            if lines:
                await _carry(unit, principal, asked, given, lines)
    except (Forbidden, *_OF_THE_MOMENT):
        raise
    except Exception as failure:
        if not numbers:
            raise
        raise Tripped(numbers) from failure
    if numbers:
        await crash_point("import.after_commit")
    return len(numbers)


async def _carry(unit: UnitOfWork, principal: Principal, asked: Import, given: Given, lines: Sequence[Waiting]) -> None:
    """File the fiches of some lines and write what became of each, all in one statement."""
    read = [await _breathing(i, line, asked, unit.now) for i, line in enumerate(lines)]
    named = {fiche_id(principal.organisation, reference) for reference, _ in read if reference}
    partners = {one for _, filing in read if isinstance(filing, Filing) for one in partners_named(filing)}
    fiches = await open_fiches(unit, [*named, *partners])
    carried: list[Carried] = []
    for i, (line, (reference, filing)) in enumerate(zip(lines, read, strict=True)):
        carried.append(cases.carry_line(fiches, principal, line, reference, filing, given))
        if i % _BREATH == _BREATH - 1:
            await asyncio.sleep(0)
    resembled = await _resembled(unit, principal.organisation, lines, read)
    write_fiches(fiches, unit)
    settle_lines(unit, asked.id, [cases.beside(one, resembled.get(one.n)) for one in carried])
    await crash_point("import.before_commit")
    await unit.flush()


async def _resembled(
    unit: UnitOfWork, opco: str, lines: Sequence[Waiting], read: list[tuple[str | None, Filing | Refused]]
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
    if i % _BREATH == _BREATH - 1 or len(line.document or "") > _LARGE:
        await asyncio.sleep(0)
    return filing_of(line, asked, at)


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
        wrong += map(to_people, refused.objections)
    content = content_of(said["fields"])
    if named is None or not isinstance(content, FicheContent):
        raise InvalidInput(*wrong, *(() if isinstance(content, FicheContent) else content))
    return FicheIn.model_construct(**{**named.__dict__, "content": content})
