"""The delivery tables closed by row: a unit of work opened for one OPCO reads nothing of another, whatever is asked of them."""

from uuid import uuid4

import asyncpg
import pytest

from shared.database import AUDIT_ENTRY, IdempotencyKey
from shared.identity import Principal
from shared.messaging.schema import ROW_RULES_V2
from tests.support.heart import WORKER, Heart, open_tallies

AKTO = Principal("akto", "akto", "machine", frozenset({"opco"}))
AFDAS = Principal("afdas", "afdas", "machine", frozenset({"opco"}))
REGION = Principal("region", "region", "person", frozenset({"region_reviewer"}))
SEEN_BY_ALL = sorted(set(ROW_RULES_V2) - {"idempotency"})


async def fill(heart: Heart) -> None:
    """One row in each delivery table."""
    async with heart.database.unit(AKTO, IdempotencyKey("akto", "k")) as unit:
        await open_tallies(unit, [])
        unit.remember("hash", 201, {}, "{}")
        await unit.flush()
    rows = {
        "audit_entry": "(aggregate, n, at, actor, action, facts, previous_hash, hash) VALUES ('x', 1, now(), 'a', 'b', '{}', '', 'h')",
        "dead_letter": (
            "(id, topic, kafka_partition, kafka_offset, code, detail, headers)"
            f" VALUES ('{uuid4()}', 't', 0, 0, 'X', 'x', '[]')"
        ),
        "parked": (
            "(topic, key, sequence, event_id, kafka_partition, kafka_offset, headers, reason)"
            " VALUES ('t', 'k', 2, 'e', 0, 0, '[]', 'gap')"
        ),
        "outbox": f"(event_id, shard, topic, key, headers) VALUES ('{uuid4()}', 0, 't', 'k', '{{}}')",
    }
    async with heart.database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL poec.tenant = '*'")
        for table, values in rows.items():
            await connection.execute(f"INSERT INTO {table} {values}")


@pytest.mark.parametrize("table", SEEN_BY_ALL)
async def test_who_sees_his_own_organisation_alone_sees_no_row_of_it(heart: Heart, table: str) -> None:
    await fill(heart)
    assert await heart.database.query(AKTO, f"SELECT 1 FROM {table}") == []
    assert await heart.database.query(REGION, f"SELECT 1 FROM {table}") != []
    assert await heart.database.query(WORKER, f"SELECT 1 FROM {table}") != []


async def test_answers_are_their_callers_own_even_for_those_who_see_everything(heart: Heart) -> None:
    await fill(heart)
    assert len(await heart.database.query(AKTO, "SELECT 1 FROM idempotency")) == 1
    for other in (AFDAS, REGION, WORKER):
        assert await heart.database.query(other, "SELECT 1 FROM idempotency") == []


async def test_nobody_keeps_an_answer_in_anothers_name(heart: Heart) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _keep_in_anothers_name(heart)


async def _keep_in_anothers_name(heart: Heart) -> None:
    async with heart.database.unit(AKTO, IdempotencyKey("afdas", "k")) as unit:
        await open_tallies(unit, [])
        unit.remember("hash", 201, {}, "{}")
        await unit.flush()


@pytest.mark.parametrize("table", ["dead_letter", "parked"])
async def test_a_connection_that_says_for_nobody_sees_no_letter(heart: Heart, table: str) -> None:
    await fill(heart)
    async with heart.database.connection() as connection:
        assert await connection.fetch(f"SELECT 1 FROM {table}") == []
        assert len(await connection.fetch("SELECT 1 FROM outbox")) == 1


async def test_the_trail_is_written_by_those_who_may_not_read_it(heart: Heart) -> None:
    row = {
        "aggregate": "y", "n": 1, "at": None, "actor": "a", "action": "b", "facts": "{}", "previous_hash": "", "hash": "h",
    }  # fmt: skip
    async with heart.database.unit(AKTO) as unit:
        await open_tallies(unit, [])
        unit.insert(AUDIT_ENTRY, [{**row, "at": unit.now}])
        await unit.flush()
    assert len(await heart.fetch("SELECT 1 FROM audit_entry WHERE aggregate = 'y'")) == 1


@pytest.mark.parametrize("table", ["dead_letter", "parked"])
async def test_a_partners_own_records_can_be_kept_in_its_name_and_nobody_elses(heart: Heart, table: str) -> None:
    columns = {
        "dead_letter": (
            "(id, topic, kafka_partition, kafka_offset, code, detail, headers)"
            " VALUES (gen_random_uuid(), $1, 0, 0, 'X', 'x', '[]')"
        ),
        "parked": (
            "(topic, key, sequence, event_id, kafka_partition, kafka_offset, headers, reason)"
            " VALUES ($1, 'k', 2, 'e', 0, 0, '[]', 'gap')"
        ),
    }[table]
    async with heart.database.unit(AKTO) as unit:
        await unit.read("SELECT 1")
        unit.add(f"INSERT INTO {table} {columns}", "poec.ingress.akto")
        await unit.flush()
    assert len(await heart.database.query(AKTO, f"SELECT 1 FROM {table}")) == 1
    assert await heart.database.query(AFDAS, f"SELECT 1 FROM {table}") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _keep_of(heart, table, columns, "poec.ingress.afdas")


async def _keep_of(heart: Heart, table: str, columns: str, topic: str) -> None:
    async with heart.database.unit(AKTO) as unit:
        await unit.read("SELECT 1")
        unit.add(f"INSERT INTO {table} {columns}", topic)
        await unit.flush()
