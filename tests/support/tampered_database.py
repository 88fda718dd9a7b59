"""A trail read from a real database, and a draft of what somebody makes of it done to that database."""

from typing import Final

import asyncpg

from deploy.audit.anchors import Anchor
from deploy.audit.i13_trail_unbroken import Entry, Mark
from tests.support.tampering import Draft, Kept

_TABLES: Final = ("audit_entry", "anchor", "anchored_head")
_ENTRY: Final = (
    "INSERT INTO audit_entry (aggregate, n, at, actor, action, facts, previous_hash, hash)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_MARK: Final = "INSERT INTO anchored_head (aggregate, anchor, n, hash, entries) VALUES ($1, $2, $3, $4, 1)"
_ANCHOR: Final = "INSERT INTO anchor (n, at, written_at, entries, heads, root, previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"


_CLAIMING: Final = """
SELECT table_name::text AS name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name IN ('id', 'version', 'sequence', 'audit_hash')
GROUP BY table_name HAVING count(*) = 4 ORDER BY 1
"""
"""Tables whose rows claim heads: fiches, campaigns, partners…; a principal's row does so under a name with a prefix."""


async def _claiming(connection: asyncpg.Connection) -> list[str]:
    return [row["name"] for row in await connection.fetch(_CLAIMING)]


async def read_trail(connection: asyncpg.Connection, service: str) -> Kept:
    """Return a service's trail, with what the rows of every kind of aggregate claim of it."""
    chains: dict[str, list[Entry]] = {}
    marks: dict[str, list[Mark]] = {}
    for row in await connection.fetch(
        "SELECT aggregate, n, at, actor, action, facts::text, previous_hash, hash FROM audit_entry ORDER BY aggregate, n"
    ):
        chains.setdefault(row["aggregate"], []).append(Entry(*row))
    for row in await connection.fetch(
        "SELECT aggregate, anchor, n, hash FROM anchored_head ORDER BY aggregate, anchor"
    ):
        marks.setdefault(row["aggregate"], []).append(Mark(*row))
    rows = [f"SELECT id::text, version, audit_hash FROM {table}" for table in await _claiming(connection)]
    rows.append("SELECT 'principal/' || id AS id, version, audit_hash FROM principal")
    claims = {row["id"]: (row["version"], row["audit_hash"]) for row in await connection.fetch(" UNION ALL ".join(rows))}
    anchors = [
        Anchor(service, *row)
        for row in await connection.fetch(
            "SELECT n, at, written_at, entries, heads, root, previous_hash, hash FROM anchor ORDER BY n"
        )
    ]
    lowest = await connection.fetchval("SELECT lowest FROM clock_offset")
    return Kept(service, chains, claims, marks, anchors, lowest)


async def carry_out(connection: asyncpg.Connection, draft: Draft) -> None:
    """Do to the database what the draft says, as a superuser, in the transaction that is open."""
    names = sorted(draft.names())
    await connection.execute("SET LOCAL session_replication_role = replica")  # a superuser is not held up by foreign keys
    for guarded in _TABLES:
        await connection.execute(f"ALTER TABLE {guarded} DISABLE TRIGGER only_inserted")
    await connection.execute("DELETE FROM audit_entry WHERE aggregate = ANY($1::text[])", names)
    await connection.execute("DELETE FROM anchored_head WHERE aggregate = ANY($1::text[])", names)
    await connection.executemany(_ENTRY, [tuple(entry) for name in names for entry in draft.chain(name)])
    await connection.executemany(_MARK, [tuple(mark) for name in names for mark in draft.marked(name)])
    tables = await _claiming(connection)
    for aggregate, claim in draft.claims.items():
        of, _, name = aggregate.rpartition("/")
        for where in [of] if of else tables:  # identifiers are of one table each
            if claim is None:
                await connection.execute(f"DELETE FROM {where} WHERE id::text = $1", name)
            else:
                await connection.execute(
                    f"UPDATE {where} SET version = $2, audit_hash = $3 WHERE id::text = $1", name, *claim
                )
    await connection.execute("DELETE FROM anchor")
    rows = [
        (a.n, a.at, a.written_at, a.entries, max(1, a.heads), a.root, a.previous_hash, a.hash) for a in draft.anchors
    ]
    await connection.executemany(_ANCHOR, rows)
