"""Anchors of the trail: one per number, whoever writes them, over exactly what was committed; rows that nobody changes again."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.databases import database_url
from shared.audit_trail import Change, MerkleTree, head_leaf
from shared.contracts.anchors import TrailAnchored
from shared.contracts.flow import anchors_topic
from shared.database import Database
from shared.identity import Principal
from shared.messaging.anchors import Anchorer
from shared.messaging.trail_schema import INSERT_ONLY
from tests.support.heart import TALLY, WORKER, Heart, eventually, open_tallies, record, running
from tests.support.tree import naive_root

AKTO = Principal("akto", "akto", "machine", frozenset({"opco"}))


async def count(heart: Heart, *keys: UUID, sequence: int = 1) -> None:
    """Let each key be counted once more: one entry of the trail for each."""
    await heart.apply(*(record(key, sequence) for key in keys))


async def anchors(heart: Heart) -> list[TrailAnchored]:
    """Return the anchors of the database."""
    rows = await heart.fetch("SELECT * FROM anchor ORDER BY n")
    return [TrailAnchored.model_validate({"service": "validation", **dict(row)}) for row in rows]


async def heads(heart: Heart) -> list[asyncpg.Record]:
    """Return where every chain stands, in the order of the bytes of its name."""
    return await heart.fetch(
        'SELECT DISTINCT ON (aggregate COLLATE "C") aggregate, n, hash FROM audit_entry ORDER BY aggregate COLLATE "C", n DESC'
    )


def root_over(rows: Sequence[asyncpg.Record]) -> str:
    return naive_root([f"{row['aggregate']}\0{row['n']}\0{row['hash']}".encode() for row in rows])


async def test_the_first_anchor_holds_every_chain(heart: Heart) -> None:
    await count(heart, *(uuid4() for _ in range(7)))
    assert await Anchorer(heart.database, 3600).anchor_once() is True
    (anchor,) = await anchors(heart)
    assert (anchor.n, anchor.entries, anchor.heads, anchor.previous_hash) == (1, 7, 7, "")
    assert anchor.root == root_over(await heads(heart))


async def test_the_next_one_holds_what_grew_and_the_one_before(heart: Heart) -> None:
    still, grows, new = uuid4(), uuid4(), uuid4()
    await count(heart, still, grows)
    await Anchorer(heart.database, 0).anchor_once()
    await count(heart, grows, sequence=2)
    await count(heart, grows, sequence=3)
    await count(heart, new)
    await Anchorer(heart.database, 0).anchor_once()
    first, second = await anchors(heart)
    assert (second.n, second.entries, second.heads, second.previous_hash) == (2, 5, 2, first.hash)
    assert second.root == root_over([row for row in await heads(heart) if row["aggregate"] != str(still)])


async def test_anybody_can_compute_the_hash_of_an_anchor(heart: Heart) -> None:
    await count(heart, uuid4())
    await Anchorer(heart.database, 0).anchor_once()
    (row,) = await heart.fetch("SELECT * FROM anchor")
    content = {key: row[key] for key in ("n", "entries", "heads", "root", "previous_hash")}
    content |= {key: row[key].strftime("%Y-%m-%dT%H:%M:%S.%f+00:00") for key in ("at", "written_at")}
    text = json.dumps({**content, "service": "validation"}, sort_keys=True, separators=(",", ":"))
    assert row["hash"] == hashlib.sha256(text.encode()).hexdigest()


async def test_an_anchor_is_said_to_the_log_in_its_own_transaction(heart: Heart) -> None:
    await count(heart, uuid4())
    await Anchorer(heart.database, 0).anchor_once()
    (anchor,) = await anchors(heart)
    (said,) = await heart.fetch("SELECT * FROM outbox WHERE topic = $1", anchors_topic("validation"))
    assert TrailAnchored.model_validate_json(said["value"]) == anchor
    assert (said["key"], said["sequence"]) == ("validation", 1)


async def test_nothing_new_is_no_anchor(heart: Heart) -> None:
    anchorer = Anchorer(heart.database, 0)
    assert await anchorer.anchor_once() is None
    await count(heart, uuid4())
    assert [await anchorer.anchor_once(), await anchorer.anchor_once()] == [True, None]
    assert len(await anchors(heart)) == 1


async def test_before_its_time_there_is_none_whoever_asks(heart: Heart) -> None:
    await count(heart, uuid4())
    assert await Anchorer(heart.database, 3600).anchor_once() is True
    await count(heart, uuid4())
    assert await Anchorer(heart.database, 3600).anchor_once() is False
    assert len(await anchors(heart)) == 1


async def test_of_two_replicas_one_writes_each_number(heart: Heart) -> None:
    """Two pools, as two processes have them, anchoring at once while the trail grows: no number twice, none left out, no entry twice."""
    other = await Database.open(heart.url, "validation", 4)
    keys = [uuid4() for _ in range(20)]
    replicas = [Anchorer(heart.database, 0), Anchorer(other, 0)]
    try:
        for sequence in range(1, 11):
            await count(heart, *keys, sequence=sequence)
            done = await asyncio.gather(*(one.anchor_once() for one in replicas for _ in range(2)))
            assert True in done
    finally:
        await other.close()
    found = await anchors(heart)
    assert [anchor.n for anchor in found] == list(range(1, len(found) + 1))
    assert [b.previous_hash for b in found[1:]] == [a.hash for a in found[:-1]]
    assert found[-1].entries == 200
    assert len(await heart.fetch("SELECT 1 FROM outbox WHERE topic = $1", anchors_topic("validation"))) == len(found)


async def test_a_transaction_that_commits_late_goes_under_the_next_anchor(heart: Heart) -> None:
    early, late = uuid4(), uuid4()
    await count(heart, early)
    async with heart.database.unit(WORKER) as unit:
        tallies = await open_tallies(unit, [late])
        tallies.put(late, 1, Change("hear_event", WORKER.id, None, "counted"))
        tallies.write(unit, TALLY, lambda seen: {"seen": seen})
        await unit.flush()
        await Anchorer(heart.database, 0).anchor_once()
    await Anchorer(heart.database, 0).anchor_once()
    covered = await heart.fetch("SELECT anchor, aggregate FROM anchored_head ORDER BY anchor")
    assert [tuple(row) for row in covered] == [(1, str(early)), (2, str(late))]


async def test_the_process_anchors_by_itself_and_the_relay_is_woken(heart: Heart) -> None:
    woken = asyncio.Event()
    heart.database.after_commit = woken.set
    await count(heart, uuid4())
    woken.clear()
    async with running(asyncio.create_task(Anchorer(heart.database, 1).run())):
        async with asyncio.timeout(20):
            await woken.wait()
        assert len(await anchors(heart)) == 1
        await count(heart, uuid4())

        async def again() -> bool:
            return len(await anchors(heart)) == 2

        await eventually(again)


async def test_an_anchor_whose_transaction_dies_was_never_there(heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    await count(heart, uuid4())

    async def crash(_: str) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr("shared.messaging.anchors.crash_point", crash)
        with pytest.raises(ConnectionResetError):
            await Anchorer(heart.database, 0).anchor_once()
    for table in ("anchor", "anchored_head"):
        assert await heart.fetch(f"SELECT 1 FROM {table}") == []
    assert await Anchorer(heart.database, 0).anchor_once() is True
    assert [anchor.n for anchor in await anchors(heart)] == [1]


async def test_who_sees_his_own_organisation_alone_sees_no_anchor(heart: Heart) -> None:
    await count(heart, uuid4())
    await Anchorer(heart.database, 0).anchor_once()
    for table in ("anchor", "anchored_head"):
        assert await heart.database.query(AKTO, f"SELECT 1 FROM {table}") == []


# Rows that are only inserted

CHANGES = [
    statement.format(table)
    for table in INSERT_ONLY
    for statement in ("UPDATE {} SET hash = 'x'", "DELETE FROM {}", "TRUNCATE {}")
]


@asynccontextmanager
async def as_owner(heart: Heart) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(heart.owner_url)
    try:
        yield connection
    finally:
        await connection.close()


async def _anchored(heart: Heart) -> None:
    await count(heart, uuid4())
    await Anchorer(heart.database, 0).anchor_once()


@pytest.mark.parametrize("change", CHANGES)
async def test_neither_process_nor_owner_changes_a_row(heart: Heart, change: str) -> None:
    await _anchored(heart)
    async with heart.database.connection() as process, as_owner(heart) as owner:
        for connection in (process, owner):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await connection.execute(change)


@pytest.mark.parametrize("change", CHANGES)
async def test_an_owner_who_gives_himself_the_right_is_still_refused(heart: Heart, change: str) -> None:
    await _anchored(heart)
    async with as_owner(heart) as owner:
        for table in INSERT_ONLY:
            await owner.execute(f"GRANT UPDATE, DELETE, TRUNCATE ON {table} TO validation_owner")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only inserted"):
            await owner.execute(change)


async def test_a_superuser_is_refused_as_well_until_he_takes_the_trigger_away(heart: Heart) -> None:
    """What he then does is for the anchors to show: `tests/deploy/test_audit_tampering.py`."""
    await _anchored(heart)
    superuser = await asyncpg.connect(database_url(heart.servers.postgres.admin_url, heart.url.rsplit("/", 1)[1]))
    try:
        await superuser.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only inserted"):
            await superuser.execute("UPDATE audit_entry SET actor = 'x'")
        await superuser.execute("ALTER TABLE audit_entry DISABLE TRIGGER only_inserted")
        assert await superuser.execute("UPDATE audit_entry SET actor = 'x'") == "UPDATE 1"
    finally:
        await superuser.close()


async def test_the_clock_remembers_how_far_back_it_stood(heart: Heart) -> None:
    async with as_owner(heart) as owner:
        for seconds in (60, -5000, -100, 0):
            await owner.execute("UPDATE clock_offset SET seconds = $1", seconds)
        assert await owner.fetchval("SELECT lowest FROM clock_offset") == -5000
        await owner.execute("UPDATE clock_offset SET lowest = 0")
        assert await owner.fetchval("SELECT lowest FROM clock_offset") == -5000


# The tree

LEAVES = st.lists(st.binary(max_size=8), max_size=40)


@given(LEAVES)
def test_the_root_is_the_one_of_rfc_9162(leaves: list[bytes]) -> None:
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf)
    assert (tree.root(), tree.leaves) == (naive_root(leaves), len(leaves))


def test_the_root_of_the_published_example() -> None:
    """The eight leaves that implementations of Certificate Transparency are tested with."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(bytes.fromhex(leaf))
    assert tree.root() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_no_two_heads_share_a_leaf() -> None:
    assert head_leaf("a", 12, "b") != head_leaf("a1", 2, "b") != head_leaf("a", 1, "2b")
