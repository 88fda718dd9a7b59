"""What is kept for a time is removed after it and not before, once, in batches, by one of many; what was removed is written down."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from shared import retention
from shared.database import IdempotencyKey
from shared.identity import Principal
from shared.retention import KEEPINGS, Retention
from shared.settings import ServiceSettings
from tests.support.heart import WORKER, Heart, open_tallies, record

SETTINGS = ServiceSettings(
    mode="local",
    database_url="postgresql://nobody@127.0.0.1:1/none",
    kafka_bootstrap_servers="127.0.0.1:1",
    kafka_security_protocol="PLAINTEXT",
    issuer="https://issuer.invalid",
    jwks_url="https://issuer.invalid/jwks",
    instance="test",
    retain_answers_hours=72,
    retain_letters_days=90,
)
CALLERS = tuple(Principal(name, name, "machine", frozenset({"opco"})) for name in ("akto", "afdas"))


async def keep_answer(heart: Heart, caller: Principal, key: str, age: str) -> None:
    """Keep the answer to a key as the door does, and let it be that old."""
    async with heart.database.unit(caller, IdempotencyKey(caller.id, key)) as unit:
        await open_tallies(unit, [])
        unit.remember("hash", 201, {}, "{}")
        await unit.flush()
    await as_owner(heart, "UPDATE idempotency SET created_at = now() - $2::text::interval WHERE key = $1", key, age)


async def as_owner(heart: Heart, query: str, *args: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(heart.owner_url)
    try:
        return list(await connection.fetch(query, *args))
    finally:
        await connection.close()


async def kept_keys(heart: Heart) -> set[str]:
    return {row["key"] for row in await as_owner(heart, "SELECT key FROM idempotency")}


async def removals(heart: Heart) -> dict[str, int]:
    rows = await heart.fetch("SELECT what, sum(rows)::int AS rows FROM removal GROUP BY what")
    return {row["what"]: row["rows"] for row in rows}


async def letter(heart: Heart, state: str, age: str) -> object:
    """Make a dead letter by a record that is refused, and let it be settled that long ago."""
    key = uuid4()
    heart.refusing.keys.add(key)
    await heart.apply(record(key, 1))
    (row,) = await heart.fetch("SELECT id FROM dead_letter WHERE key = $1", str(key).encode())
    closed = "CASE WHEN $2 = 'dead' THEN NULL ELSE now() - $3::text::interval END"
    query = f"UPDATE dead_letter SET state = $2, closed_at = {closed} WHERE id = $1"
    await as_owner(heart, query, row["id"], state, age)
    return row["id"]


async def test_answers_are_removed_after_their_time_whoever_they_are_for(heart: Heart) -> None:
    for caller in CALLERS:
        await keep_answer(heart, caller, f"{caller.id}-old", "73 hours")
        await keep_answer(heart, caller, f"{caller.id}-new", "71 hours")
    assert (await Retention(heart.database, SETTINGS).pass_once())["answers"] == 2
    assert await kept_keys(heart) == {"akto-new", "afdas-new"}
    assert await removals(heart) == {"answers": 2}
    assert (await Retention(heart.database, SETTINGS).pass_once())["answers"] == 0
    assert await removals(heart) == {"answers": 2}


async def test_what_was_removed_is_older_than_what_is_written_down(heart: Heart) -> None:
    await keep_answer(heart, CALLERS[0], "old", "100 hours")
    await keep_answer(heart, CALLERS[0], "new", "1 hour")
    await Retention(heart.database, SETTINGS).pass_once()
    (row,) = await as_owner(
        heart, "SELECT (SELECT min(created_at) FROM idempotency) > max(before) AS held, max(at) - max(before) AS age FROM removal"
    )
    assert row["held"]
    assert abs(row["age"].total_seconds() - 72 * 3600) < 60


async def test_a_settled_letter_loses_its_content_and_keeps_its_place(heart: Heart) -> None:
    old, young = await letter(heart, "discarded", "91 days"), await letter(heart, "replayed", "89 days")
    open_one = await letter(heart, "dead", "900 days")
    assert (await Retention(heart.database, SETTINGS).pass_once())["letters"] == 1
    rows = {row["id"]: row for row in await heart.fetch("SELECT *, headers::text AS heads FROM dead_letter")}
    assert (rows[old]["value"], rows[old]["heads"], rows[old]["state"]) == (None, "[]", "discarded")
    assert rows[old]["emptied_at"] is not None
    assert rows[old]["key"] is not None, "it parks: the order of its key is checked by it"
    for kept in (young, open_one):
        assert rows[kept]["value"] is not None
        assert rows[kept]["emptied_at"] is None
    assert (await Retention(heart.database, SETTINGS).pass_once())["letters"] == 0


async def test_a_partners_key_goes_with_the_content(heart: Heart) -> None:
    identifier = await letter(heart, "discarded", "91 days")
    await as_owner(heart, "UPDATE dead_letter SET parks = false WHERE id = $1", identifier)
    await Retention(heart.database, SETTINGS).pass_once()
    assert [row["key"] for row in await heart.fetch("SELECT key FROM dead_letter WHERE id = $1", identifier)] == [None]


async def test_many_rows_go_in_batches_and_many_replicas_remove_each_row_once(heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 20)
    await keep_answer(heart, CALLERS[0], "first", "100 hours")
    many = (
        "INSERT INTO idempotency SELECT principal, key || n, body_hash, status, headers, body, created_at"
        " FROM idempotency, generate_series(1, 99) n"
    )
    await as_owner(heart, many)
    replicas = [Retention(heart.database, SETTINGS) for _ in range(4)]
    for _ in range(5):
        await asyncio.gather(*(replica.pass_once() for replica in replicas))
    assert await kept_keys(heart) == set()
    assert await removals(heart) == {"answers": 100}


async def test_one_that_is_stopped_in_the_middle_is_finished_by_the_next(heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 1)
    for n in range(5):
        await keep_answer(heart, CALLERS[0], f"k{n}", "100 hours")
    stopped = Retention(heart.database, SETTINGS)
    batches = iter([stopped._batch, stopped._batch])

    async def batch(keeping: retention.Keeping) -> int:
        if (one := next(batches, None)) is None:
            raise asyncio.CancelledError
        return await one(keeping)

    monkeypatch.setattr(stopped, "_batch", batch)
    with pytest.raises(asyncio.CancelledError):
        await stopped.pass_once()
    assert (len(await kept_keys(heart)), await removals(heart)) == (3, {"answers": 2})
    await Retention(heart.database, SETTINGS).pass_once()
    assert (await kept_keys(heart), await removals(heart)) == (set(), {"answers": 5})


async def test_nothing_is_removed_while_the_business_clock_is_moved(heart: Heart) -> None:
    await keep_answer(heart, CALLERS[0], "old", "100 hours")
    await as_owner(heart, "UPDATE clock_offset SET seconds = 86400")
    assert (await Retention(heart.database, SETTINGS).pass_once())["answers"] == 0
    assert await kept_keys(heart) == {"old"}


@pytest.mark.parametrize("who", [CALLERS[1], WORKER])
async def test_nobody_else_removes_anothers_answer(heart: Heart, who: Principal) -> None:
    await keep_answer(heart, CALLERS[0], "mine", "1 hour")
    async with heart.database.unit(who) as unit:
        await open_tallies(unit, [])
        assert await unit.read("DELETE FROM idempotency RETURNING key") == []
    assert await kept_keys(heart) == {"mine"}


async def test_what_was_written_down_is_not_changed_by_the_process(heart: Heart) -> None:
    async with heart.database.connection() as connection:
        for change in ("DELETE FROM removal", "UPDATE removal SET rows = 1", "TRUNCATE removal"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(change)


def test_every_keeping_has_its_setting_and_no_event_is_among_them() -> None:
    assert {keeping.what for keeping in KEEPINGS} >= {"answers", "letters"}
    assert all(keeping.kept_for(SETTINGS).total_seconds() > 0 for keeping in KEEPINGS)
    written = " ".join(keeping.statement for keeping in KEEPINGS)
    assert not any(table in written for table in ("outbox", "inbox", "audit_entry", "anchor"))
