"""What is only prepared in submission is no fiche to the audit until it is filed; what was filed is kept whole."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from deploy.audit import (
    i01_accepted_once,
    i03_nothing_waits,
    i06_catalogue_is_what_is_validated,
    kept_contents,
    kept_facts,
)
from deploy.audit.anchors import AnchorsSaid
from deploy.audit.answers import Answers
from deploy.audit.evidence import Evidence
from deploy.audit.log import Bounds
from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from services.submission.domain.fiche import Status
from services.submission.store import open_fiches, write_fiches
from shared.audit_trail import Change
from shared.contracts.fiche import fiche_id
from shared.contracts.flow import SERVICES
from tests.services.submission import filings as f
from tests.services.submission.room import PEOPLE, Room
from tests.services.submission.test_fiche_doors import body
from tests.support.fiches import GOLDEN_OPCO, golden_json
from tests.support.servers import Servers

CHANGED = golden_json() | {"title": "POEC - Peintre industriel, deuxième groupe"}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    made = await Room.make(servers)
    try:
        yield made
    finally:
        await made.close()


async def filed(room: Room, reference: str, revision: int | None = None) -> UUID:
    answer = await room.post(GOLDEN_OPCO, "", body(reference), revision)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["fiche_id"])


async def prepared(room: Room, status: Status) -> tuple[UUID, str]:
    """Hold an intention or a draft, as its command does."""
    reference = uuid4().hex
    identifier = fiche_id(GOLDEN_OPCO, reference)
    held = replace(f.prepared(status), id=identifier, reference=reference)
    async with room.database.unit(PEOPLE[GOLDEN_OPCO]) as unit:
        fiches = await open_fiches(unit, [identifier])
        fiches.put(identifier, held, Change("draft_fiche", GOLDEN_OPCO, None, status.value))
        write_fiches(fiches, unit)
        await unit.flush()
    return identifier, reference


@asynccontextmanager
async def evidence_of(room: Room, servers: Servers, *spoilt: str) -> AsyncIterator[Evidence]:
    """Yield this database, which stands for all four, with what a superuser spoils and takes back; the log is empty.

    Where nothing is spoilt, it is seen by the audit's own role.
    """
    async with room.database.connection() as own:
        name = await own.fetchval("SELECT current_database()")
    role, admin = "submission_audit", servers.postgres.admin_url
    audit = database_url(admin, name, role, load_secrets(servers.home).roles[role])
    connection = await asyncpg.connect(f"{admin.rpartition('/')[0]}/{name}" if spoilt else audit)
    undone = connection.transaction()
    await undone.start()
    try:
        for statement in spoilt:
            await connection.execute(statement)
        snapshots, began = dict.fromkeys(SERVICES, connection), dict.fromkeys(SERVICES, dt.datetime.now(dt.UTC))
        yield Evidence(snapshots, {Answers: Answers(), AnchorsSaid: AnchorsSaid()}, [], began, Bounds({}, {}))
    finally:
        await undone.rollback()
        await connection.close()


async def looked(evidence: Evidence) -> tuple[str, ...]:
    return (await i01_accepted_once.look(evidence) + await kept_contents.look(evidence)).violations


async def test_what_is_prepared_counts_once_it_is_filed(room: Room, servers: Servers) -> None:
    fiche, (draft, _) = await filed(room, uuid4().hex), await prepared(room, Status.DRAFT)
    intention, reference = await prepared(room, Status.PREPROGRAMMED)
    here, known = {str(fiche), str(draft), str(intention)}, {str(fiche)}
    queries = (i03_nothing_waits._FICHES, i06_catalogue_is_what_is_validated._FICHES, kept_facts._FICHES)
    assert await _seen(room, servers, queries, here) == [known] * 3
    assert await filed(room, reference, 1) == intention
    assert await _seen(room, servers, queries, here) == [known | {str(intention)}] * 3


async def _seen(room: Room, servers: Servers, queries: Sequence[str], here: set[str]) -> list[set[str]]:
    """Return which of these each query sees, where nothing is found to be wrong."""
    async with evidence_of(room, servers) as evidence:
        assert await looked(evidence) == ()
        return [here & {str(row["id"]) for row in await evidence.rows("submission", query)} for query in queries]


async def test_a_fiche_that_nobody_filed_is_found(room: Room, servers: Servers) -> None:
    """A draft that was made a fiche by hand."""
    draft, _ = await prepared(room, Status.DRAFT)
    by_hand = f"UPDATE fiche SET status = 'submitted', filed = true, first_start = now() WHERE id = '{draft}'"
    async with evidence_of(room, servers, by_hand) as evidence:
        assert await looked(evidence) == (
            f"fiche {draft} exists, and nobody filed it",
            f"fiche {draft} is at revision 1, 0 contents of it are kept, the last being no. None",
        )


SPOILT = {
    "UPDATE fiche_version SET content = jsonb_set(content, '{title}', '\"x\"') WHERE revision = 1": "was said with another content",
    "UPDATE fiche SET document = jsonb_set(document, '{content,title}', '\"x\"')": "has another content than is kept",
    "DELETE FROM fiche_version WHERE revision = 1": "1 contents of it are kept",
    "DELETE FROM fiche_version WHERE revision = 2": "the last being no. 1",
    "UPDATE fiche_version SET fiche_id = gen_random_uuid() WHERE revision = 1": "which was not filed",
    "UPDATE fiche_version SET action = 'migration' WHERE revision = 2": "2 contents of it are kept",
}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def amended(room: Room) -> UUID:
    """A fiche that was amended once: two contents of it are kept."""
    fiche = await filed(room, uuid4().hex)
    sent = {"content": CHANGED, "acknowledged": body()["acknowledged"]}
    answer = await room.post(GOLDEN_OPCO, f"/{fiche}/amendment", sent, 1)
    assert answer.status_code == 200, answer.text
    return fiche


@pytest.mark.parametrize("statement", SPOILT)
async def test_a_content_that_is_not_the_one_that_was_filed_is_found(
    room: Room, servers: Servers, amended: UUID, statement: str
) -> None:
    async with evidence_of(room, servers) as evidence:
        assert await looked(evidence) == ()
    async with evidence_of(room, servers, statement) as evidence:
        found = await looked(evidence)
    assert any(SPOILT[statement] in sentence for sentence in found), found


async def test_a_fiche_of_before_contents_were_kept_has_those_from_then_on(room: Room, servers: Servers, amended: UUID) -> None:
    """As the migration leaves it: of five revisions the fourth is known by `migration`, the fifth was filed since."""
    before = (
        f"UPDATE fiche SET revision = 5 WHERE id = '{amended}'",
        f"UPDATE fiche_version SET revision = revision + 3 WHERE fiche_id = '{amended}'",
        f"UPDATE fiche_version SET action = 'migration' WHERE fiche_id = '{amended}' AND revision = 4",
    )
    async with evidence_of(room, servers, *before) as evidence:
        assert await looked(evidence) == ()
    async with evidence_of(room, servers, *before[:2]) as evidence:
        assert "2 contents of it are kept" in " ".join(await looked(evidence))
