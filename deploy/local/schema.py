"""Whether a service's migrations have to be run: asking takes a millisecond, running them two seconds of a core each."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import asyncpg

_ASK = "SELECT datname, shobj_description(oid, 'pg_database') AS mark FROM pg_database"


def fingerprint(folder: Path) -> str:
    """sha256 of the names and contents of a migrations folder's Python files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode())
        digest.update(path.read_bytes())
    return f"poec migrations {digest.hexdigest()}"


async def marks(admin_url: str) -> dict[str, str]:
    """Database name to the fingerprint of what was applied to it last; the mark is the database's own comment."""
    admin = await asyncpg.connect(admin_url, timeout=10)
    try:
        return {row["datname"]: row["mark"] or "" for row in await admin.fetch(_ASK)}
    finally:
        await admin.close()


async def mark(admin_url: str, applied: Iterable[tuple[str, str]]) -> None:
    """Write down, for each (database, fingerprint), that these migrations were applied."""
    admin = await asyncpg.connect(admin_url, timeout=10)
    try:
        for database, value in applied:
            statement = await admin.fetchval(
                "SELECT format('COMMENT ON DATABASE %I IS %L', $1::text, $2::text)", database, value
            )
            await admin.execute(statement)
    finally:
        await admin.close()
