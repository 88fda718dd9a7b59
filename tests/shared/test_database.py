"""The unit of work on a real PostgreSQL: one statement, all or nothing, first come first served, each tenant its own rows."""

import asyncio
import datetime as dt
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
import sqlalchemy as sa

from shared.audit_trail import Change
from shared.database import CONNECTION_LOST, Database, IdempotencyKey, UnitOfWork, retried
from shared.errors import Conflict
from shared.identity import Principal
from shared.messaging.schema import tenant_table_v1
from shared.working_set import WorkingSet
from tests.support.heart import WORKER, Heart, open_tallies, withdrawn, write_tallies

AKTO = Principal("akto", "akto", "machine", frozenset({"opco"}))
AFDAS = Principal("afdas", "afdas", "machine", frozenset({"opco"}))
REGION = Principal("region", "region", "person", frozenset({"region_reviewer"}))
NOTE = sa.Table(
    "note",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("opco", sa.Text),
    sa.Column("words", sa.Text),
)


async def count(heart: Heart, key: UUID, principal: Principal = WORKER) -> int:
    """Count one more for a key, as a command does."""
    async with heart.database.unit(principal) as unit:
        tallies = await open_tallies(unit, [key])
        seen = _one_more(tallies, key)
        write_tallies(tallies, unit)
        await unit.flush()
    return seen


def _one_more(tallies: WorkingSet[int], key: UUID) -> int:
    seen = (tallies.get(key) or 0) + 1
    tallies.put(key, seen, Change("count", WORKER.id, None, "counted", (withdrawn(key),), {"seen": seen}))
    return seen


async def test_state_trail_and_outbox_are_written_by_one_statement(heart: Heart) -> None:
    key = uuid4()
    statements: list[str] = []
    async with heart.database.unit(WORKER) as unit:
        tallies = await open_tallies(unit, [key])
        _one_more(tallies, key)
        write_tallies(tallies, unit)
        unit._connection.add_query_logger(lambda record: statements.append(record.query))
        await unit.flush()
    written = [text for text in statements if "INSERT" in text or "UPDATE" in text]
    assert len(written) == 1
    assert all(table in written[0] for table in ("tally", "audit_entry", "outbox"))
    (row,) = await heart.fetch("SELECT version, sequence, audit_hash, seen FROM tally WHERE id = $1", key)
    (link,) = await heart.fetch("SELECT n, hash, previous_hash FROM audit_entry WHERE aggregate = $1", str(key))
    (said,) = await heart.fetch("SELECT key, sequence, topic FROM outbox")
    assert (row["version"], row["sequence"], row["seen"]) == (1, 1, 1)
    assert (link["n"], link["hash"], link["previous_hash"]) == (1, row["audit_hash"], "")
    assert (said["key"], said["sequence"], said["topic"]) == (str(key), 1, "poec.submission.fiches")


async def test_two_aggregates_in_one_unit_are_inserted_and_updated_together(heart: Heart) -> None:
    old, new = uuid4(), uuid4()
    await count(heart, old)
    async with heart.database.unit(WORKER) as unit:
        tallies = await open_tallies(unit, [old, new])
        _one_more(tallies, old)
        _one_more(tallies, new)
        write_tallies(tallies, unit)
        await unit.flush()
    assert (await heart.seen(old), await heart.seen(new)) == (2, 1)


async def test_of_two_that_read_the_same_version_the_second_is_in_conflict(heart: Heart) -> None:
    key = uuid4()
    await count(heart, key)
    with pytest.raises(Conflict):
        await _meanwhile(heart, key, key)
    assert await heart.seen(key) == 2
    assert len(await heart.fetch("SELECT 1 FROM audit_entry WHERE aggregate = $1", str(key))) == 2
    assert len(await heart.fetch("SELECT 1 FROM outbox")) == 2


async def test_of_two_that_make_the_same_aggregate_the_second_is_in_conflict(heart: Heart) -> None:
    key = uuid4()
    with pytest.raises(Conflict):
        await _meanwhile(heart, key, key)
    assert await heart.seen(key) == 1


async def _meanwhile(heart: Heart, key: UUID, other: UUID) -> None:
    """Count `key`, while somebody else counts `other` between the read and the write."""
    async with heart.database.unit(WORKER) as unit:
        tallies = await open_tallies(unit, [key])
        await count(heart, other)
        _one_more(tallies, key)
        write_tallies(tallies, unit)
        await unit.flush()


async def test_a_conflict_tried_again_finds_what_the_first_left(heart: Heart) -> None:
    key = uuid4()
    await asyncio.gather(*(retried(lambda: count(heart, key), tries=20) for _ in range(6)))
    assert await heart.seen(key) == 6
    numbers = [row["sequence"] for row in await heart.fetch("SELECT sequence FROM outbox ORDER BY sequence")]
    assert numbers == [1, 2, 3, 4, 5, 6]


async def test_a_conflict_that_stays_is_raised() -> None:
    tries = 0

    async def always() -> None:
        nonlocal tries
        tries += 1
        raise Conflict("version")

    with pytest.raises(Conflict):
        await retried(always, tries=3)
    assert tries == 3


async def test_a_unit_that_fails_leaves_nothing(heart: Heart) -> None:
    key = uuid4()
    with pytest.raises(ZeroDivisionError):
        await _fail_after_flush(heart, key)
    assert await heart.seen(key) == 0
    for table in ("audit_entry", "outbox", "idempotency"):
        assert await heart.fetch(f"SELECT 1 FROM {table}") == []


async def _fail_after_flush(heart: Heart, key: UUID) -> None:
    async with heart.database.unit(WORKER, IdempotencyKey(WORKER.id, "k")) as unit:
        tallies = await open_tallies(unit, [key])
        _one_more(tallies, key)
        write_tallies(tallies, unit)
        unit.remember("hash", 201, {}, "{}")
        await unit.flush()
        raise ZeroDivisionError


async def test_a_unit_that_is_cancelled_leaves_nothing_and_gives_its_connection_back(heart: Heart) -> None:
    key, flushed = uuid4(), asyncio.Event()

    async def slow() -> None:
        async with heart.database.unit(WORKER) as unit:
            tallies = await open_tallies(unit, [key])
            _one_more(tallies, key)
            write_tallies(tallies, unit)
            await unit.flush()
            flushed.set()
            await asyncio.Event().wait()

    for _ in range(8):
        task = asyncio.create_task(slow())
        await flushed.wait()
        flushed.clear()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await heart.seen(key) == 0
    assert await count(heart, key) == 1


async def test_the_relay_is_woken_after_the_commit_and_only_if_something_was_said(heart: Heart) -> None:
    woken: list[int] = []
    heart.database.after_commit = lambda: woken.append(1)
    async with heart.database.unit(WORKER) as unit:
        await open_tallies(unit, [uuid4()])
        await unit.flush()
    assert not woken
    await count(heart, uuid4())
    assert woken == [1]
    with pytest.raises(ZeroDivisionError):
        await _fail_after_flush(heart, uuid4())
    assert woken == [1]


async def test_time_is_not_known_before_the_first_read(heart: Heart) -> None:
    async with heart.database.unit(WORKER) as unit:
        with pytest.raises(RuntimeError, match="first read"):
            _ = unit.now
        await open_tallies(unit, [])
        assert abs(unit.now - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


async def test_an_answer_is_remembered_for_its_caller_and_its_key(heart: Heart) -> None:
    key = IdempotencyKey("akto", "k-1")
    async with heart.database.unit(AKTO, key) as unit:
        await open_tallies(unit, [])
        assert unit.remembered is None
        unit.remember("digest", 201, {"ETag": '"1"'}, '{"a": 1}')
        await unit.flush()
    assert await _remembered(heart, key) == ("digest", 201, {"ETag": '"1"'}, '{"a": 1}')
    assert await _remembered(heart, IdempotencyKey("akto", "k-2")) is None
    assert await _remembered(heart, IdempotencyKey("afdas", "k-1")) is None


async def _remembered(heart: Heart, key: IdempotencyKey) -> tuple[str, int, dict[str, str], str] | None:
    async with heart.database.unit(AKTO, key) as unit:
        await open_tallies(unit, [uuid4()])
        found = unit.remembered
    return (found.body_hash, found.status, found.headers, found.body) if found else None


@pytest_asyncio.fixture(loop_scope="session")
async def notes(heart: Heart) -> Database:
    """A table with an owner per row, as every service's tables have."""
    statements: list[str] = ["CREATE TABLE note (id uuid PRIMARY KEY, opco text NOT NULL, words text NOT NULL)"]

    class Collect:
        def execute(self, sqltext: str) -> None:
            statements.append(sqltext)

    tenant_table_v1(Collect(), "validation", "note")
    owner = await asyncpg.connect(heart.owner_url)
    for statement in statements:
        await owner.execute(statement)
    await owner.close()
    return heart.database


async def write_note(database: Database, principal: Principal, opco: str) -> UUID:
    identifier = uuid4()
    async with database.unit(principal) as unit:
        await unit.read("SELECT 1 AS one")
        unit.insert(NOTE, [{"id": identifier, "opco": opco, "words": "à voir"}])
        await unit.flush()
    return identifier


async def seen_by(database: Database, principal: Principal) -> set[UUID]:
    return {row["id"] for row in await database.query(principal, "SELECT id FROM note")}


async def test_a_tenant_sees_and_writes_its_own_rows_alone(notes: Database) -> None:
    mine, theirs = await write_note(notes, AKTO, "akto"), await write_note(notes, AFDAS, "afdas")
    assert await seen_by(notes, AKTO) == {mine}
    assert await seen_by(notes, AFDAS) == {theirs}
    assert await seen_by(notes, REGION) == {mine, theirs}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await write_note(notes, AKTO, "afdas")


async def test_a_tenant_cannot_change_anothers_row(notes: Database) -> None:
    theirs = await write_note(notes, AFDAS, "afdas")
    async with notes.unit(AKTO) as unit:
        await unit.read("SELECT 1 AS one")
        unit.add("UPDATE note SET words = $2 WHERE id = $1::uuid", theirs, "lu")
        await unit.flush()
    (row,) = await notes.query(AFDAS, "SELECT words FROM note")
    assert row["words"] == "à voir"


async def test_a_connection_remembers_nobody(notes: Database) -> None:
    """The tenant is of the transaction: who comes next on the same connection is nobody until he says who he is."""
    await write_note(notes, AKTO, "akto")
    async with notes.connection() as connection:
        assert await connection.fetch("SELECT id FROM note") == []


async def test_a_read_cannot_write(notes: Database) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await notes.query(AKTO, "INSERT INTO note VALUES (gen_random_uuid(), 'akto', 'x') RETURNING id")


async def test_the_process_can_neither_edit_nor_delete_the_trail(heart: Heart) -> None:
    await count(heart, uuid4())
    for statement in ("UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"):
        async with heart.database.connection() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_parts_of_one_statement_keep_their_own_numbers(heart: Heart) -> None:
    """Eleven arguments before the next part: `$1` of a part must not become the beginning of `$11`."""
    async with heart.database.unit(WORKER) as unit:
        await unit.read("SELECT 1 AS one")
        for n in range(12):
            unit.add(
                "INSERT INTO stream (topic, key, last_sequence) VALUES ($1::text, $2::text, $3::bigint)",
                "t",
                f"k{n}",
                n,
            )
        await unit.flush()
    rows = await heart.fetch("SELECT key, last_sequence FROM stream ORDER BY last_sequence")
    assert [(row["key"], row["last_sequence"]) for row in rows] == [(f"k{n}", n) for n in range(12)]


async def test_a_unit_that_collected_nothing_writes_nothing(heart: Heart) -> None:
    async with heart.database.unit(WORKER) as unit:
        assert not unit.anything_to_write
        await unit.flush()


async def test_a_value_that_cannot_be_sent_is_told_from_a_server_that_is_away(heart: Heart) -> None:
    """asyncpg has two errors of this name, and one of them is a kind of what it raises where the connection is lost."""
    with pytest.raises(asyncpg.DataError) as asked:
        await heart.database.query(WORKER, "SELECT $1::int AS n", "no number")
    async with heart.database.unit(WORKER) as unit:
        for _ in range(2):  # the first read of a unit, and any other
            with pytest.raises(asyncpg.DataError) as read:
                await unit.read("SELECT $1::uuid AS id", "no identifier")
            await unit.read("SELECT 1 AS one")
        unit.add("INSERT INTO stream (topic, key, last_sequence) VALUES ($1::text, 'k', 1)", b"no text")
        with pytest.raises(asyncpg.DataError) as written:
            await unit.flush()
    assert not any(isinstance(one.value, CONNECTION_LOST) for one in (asked, read, written))


async def test_a_connection_that_is_gone_is_of_the_moment(heart: Heart) -> None:
    async with heart.database.connection() as connection:
        unit = UnitOfWork(connection, WORKER, "validation")
        await connection.close()
        with pytest.raises(CONNECTION_LOST):
            await unit.read("SELECT 1 AS one")
