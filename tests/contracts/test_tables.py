"""What `store.py` believes of its tables is what the migrations make; looked at on a real PostgreSQL."""

import asyncio
import importlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import AutoString

from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from shared.contracts.flow import SERVICES
from shared.database import metadata as delivery
from shared.migrations import upgrade
from tests.support import data_map
from tests.support.documents import ROOT, is_between
from tests.support.ears import present
from tests.support.servers import Servers

FOR_A_TIME = {"fiche_import", "fiche_import_line"}
"""Own tables whose rows retention removes, and nobody else: a policy of theirs says so."""
EVERYBODYS = {"running_count"}
"""Tables with a column `opco` that everybody may read whole: the counts are the same for all (analytics' README)."""
UNAUDITED = {"web_session", "sign_in"}
"""What people are signed in by, while they are: nothing that is checked afterwards, and no business of whoever checks."""


@pytest.fixture(scope="module", params=present())
def migrated(request: pytest.FixtureRequest, servers: Servers) -> Iterator[tuple[str, str]]:
    """A service's name and the owner's URL of a scratch database that its migrations were run on, twice."""
    service, name = request.param, f"tables_{uuid4().hex[:12]}"
    asyncio.run(_execute(servers, f"CREATE DATABASE {name} OWNER {service}_owner"))
    secrets = load_secrets(servers.home)
    url = database_url(servers.postgres.admin_url, name, f"{service}_owner", secrets.roles[f"{service}_owner"])
    for _ in range(2):
        upgrade(ROOT / "services" / service / "migrations", url)
    yield service, url
    asyncio.run(_execute(servers, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(servers: Servers, statement: str) -> None:
    connection = await asyncpg.connect(servers.postgres.admin_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def own_metadata(service: str) -> sa.MetaData:
    """Return the tables of a service's stores, all of which its `app.py` brings in."""
    importlib.import_module(f"services.{service}.app")
    found: sa.MetaData = importlib.import_module(f"services.{service}.store").Base.metadata
    return found


async def differences(url: str, metadata: sa.MetaData) -> list[str]:
    """Return where the tables of `metadata` are not as the database has them: missing, or another column, type, nullability."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=sa.NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_differences, metadata)
    finally:
        await engine.dispose()


def _differences(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    def ours(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        """Indexes and constraints are the migrations' own business; tables beside the metadata are the delivery tables."""
        table = name if kind == "table" else getattr(getattr(item, "table", None), "name", None)
        return kind in ("table", "column") and table in metadata.tables

    context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": _types_differ})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def _types_differ(_context: Any, _there: Any, _here: Any, there: sa.types.TypeEngine[Any], here: sa.types.TypeEngine[Any]) -> bool | None:
    """Return False for text beside varchar without length, which PostgreSQL keeps alike; None: let alembic compare."""
    unbounded = all(isinstance(kind, sa.String | AutoString) and kind.length is None for kind in (there, here))
    return False if unbounded else None


async def test_the_tables_of_a_store_are_those_of_its_migrations(migrated: tuple[str, str]) -> None:
    service, url = migrated
    assert own_metadata(service).tables
    assert await differences(url, own_metadata(service)) == []


async def test_the_delivery_tables_of_the_unit_of_work_are_those_of_every_service(migrated: tuple[str, str]) -> None:
    assert await differences(migrated[1], _nullable_as_made(delivery)) == []


def _nullable_as_made(metadata: sa.MetaData) -> sa.MetaData:
    """Return a copy without nullable columns: the unit of work writes every column, and its tables do not say so."""
    copy = sa.MetaData()
    for table in metadata.tables.values():
        for column in table.to_metadata(copy).columns:
            column.nullable = False
    return copy


async def test_every_table_has_its_rights(migrated: tuple[str, str]) -> None:
    """The process may not delete business rows nor change the trail; the audit reads everything and writes nothing."""
    service, url = migrated
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS guarded,"
            " EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'opco') AS has_owner,"
            " has_table_privilege($1 || '_audit', c.oid, 'SELECT') AS audited,"
            " has_table_privilege($1 || '_audit', c.oid, 'INSERT') AS audit_writes,"
            " has_table_privilege($1, c.oid, 'SELECT') AS readable, has_table_privilege($1, c.oid, 'DELETE') AS deletable,"
            " has_table_privilege($1, c.oid, 'UPDATE') AS changeable, pg_get_userbyid(c.relowner) = $1 AS owned"
            " FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'",
            service,
        )
    finally:
        await connection.close()
    found = {row["relname"]: row for row in rows if row["relname"] != "alembic_version"}
    assert {"outbox", "audit_entry", *own_metadata(service).tables} <= set(found)
    assert [name for name, row in found.items() if row["audited"] is (name in UNAUDITED) or row["audit_writes"] or row["owned"]] == []
    own = own_metadata(service).tables
    assert [name for name in own if not found[name]["readable"]] == []
    assert [name for name in own if found[name]["deletable"] is not (name in FOR_A_TIME)] == []
    assert [name for name in ("audit_entry", "idempotency", "removal") if found[name]["changeable"]] == []
    # an answer that was kept its time is removed, by the principal of retention alone: the rows' policy says so
    assert [name for name in ("audit_entry", "removal") if found[name]["deletable"]] == []
    assert [name for name, row in found.items() if row["has_owner"] and not row["guarded"] and name not in EVERYBODYS] == []


async def test_the_data_map_has_every_column(migrated: tuple[str, str]) -> None:
    service, url = migrated
    tables = await columns(url)
    assert data_map.unexplained(tables) == [], "say in tests/support/data_map.py what it holds"
    own = {name: tables[name] for name in own_metadata(service).tables}
    everybodys = {name: found for name, found in tables.items() if name not in own}
    assert is_between(data_map.PAGE, service, data_map.column_table(own)), "run `make docs`"
    assert is_between(data_map.PAGE, "tables", data_map.column_table(everybodys)), "run `make docs`"


async def columns(url: str) -> dict[str, list[str]]:
    """Return the columns of every table of a database."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT table_name::text AS name, array_agg(column_name::text ORDER BY ordinal_position) AS columns"
            " FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1"
        )
    finally:
        await connection.close()
    return {row["name"]: row["columns"] for row in rows if row["name"] != "alembic_version"}


async def test_a_table_that_is_not_as_migrated_is_found_out(migrated: tuple[str, str]) -> None:
    name, table = next(iter(own_metadata(migrated[0]).tables.items()))
    wrong = sa.MetaData()
    changed = table.to_metadata(wrong)
    changed.append_column(sa.Column("planted", sa.Integer))
    assert any("planted" in found for found in await differences(migrated[1], wrong))
    retyped = sa.MetaData()
    column = next(iter(table.to_metadata(retyped).columns))
    column.type = sa.Date()
    assert any(column.name in found for found in await differences(migrated[1], retyped))
    assert any(name in found for found in await differences(migrated[1], _beside(name)))


def _beside(name: str) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(f"{name}_planted", metadata, sa.Column("id", sa.Uuid, primary_key=True))
    return metadata


def test_every_service_is_looked_at() -> None:
    assert set(present()) == set(SERVICES)
