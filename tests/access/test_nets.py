"""Two nets, each tried alone: the policy table with row-level security off, row-level security with the policy table letting all in.

What one of them misses, the other holds; and the process's own role can take neither away.
"""

import sys
from collections.abc import AsyncIterator, Mapping

import asyncpg
import pytest
import pytest_asyncio

from shared.contracts.flow import SERVICES
from shared.identity import Principal
from tests.access.cells import BY_REFERENCE, Cell, cells, outcome, run
from tests.access.entrance import OTHER, OWN, Entrance, KeyServer
from tests.access.objects import TABLES, at_its_time, requests
from tests.support.operations import AS_THE_SERVICE, routes
from tests.support.servers import Servers

CLOSED_TO_ONE_ORGANISATION = ("opco", "training_provider", "agency")
"""Callers for whom a unit of work shows their own organisation's rows alone."""
WITHOUT_ROW_RULES = {
    "alembic_version": "the number of the last migration",
    "clock_offset": "the business clock; one row of two figures",
    "inbox": "marks of records that were applied: ids and keys, read by the delivery alone",
    "stream": "the last sequence of each key, read by the delivery alone",
    "position": "places in the log and counts of records",
    "position_reset": "places in the log",
    "known_topic": "names of topics",
    "reconciled": "places in the log",
    "outbox_shard": "numbers of shards, to be locked",
    "running_count": "the counts are the same for everybody",
    "counted": "up to when it was counted; one row",
    "year_fact": "what is declared and aimed at is the same for everybody",
    "removal": "how many rows the retention removed, of what kind and when",
}
"""Tables that hold no row of one organisation, or none that a request can lead to."""
KEPT_FOR_A_TIME = {"fiche_import", "fiche_import_line"}
"""Tables of which retention alone removes rows: a tenant may ask, and removes none."""


def let_everybody_do_everything(monkeypatch: pytest.MonkeyPatch) -> int:
    """Take the policy table away: whoever asks it is let in, everywhere. Returns in how many modules."""
    asking = [m for name, m in list(sys.modules.items()) if name.startswith(("services.", "shared.")) and hasattr(m, "authorize")]
    for module in asking:
        monkeypatch.setattr(module, "authorize", lambda *_, **__: None)
        if hasattr(module, "limited_to"):
            monkeypatch.setattr(module, "limited_to", lambda *_: None)
    return len(asking)


async def through_the_second_net(entrance: Entrance) -> list[str]:
    """Ask for objects of another organisation at every door; return where they are reached, changed, listed or told from unknown ones."""
    await at_its_time(entrance)
    asked = [
        cell
        for cell in cells(entrance.name, callers=CLOSED_TO_ONE_ORGANISATION)
        if cell.operation not in AS_THE_SERVICE and not (cell.caller == "agency" and cell.operation == "read_sessions")
        if cell.relation in ("other", "absent", "judged") or "{letter}" in cell.door
        if cell.operation not in BY_REFERENCE
    ]
    of_cells = await requests(entrance, asked)
    report = await run(entrance, {cell: request for cell, (_, request) in of_cells.items()})
    unknown = {(cell.door, cell.caller): answer.whole for cell, answer in report.done.items() if cell.relation == "absent"}
    found = [
        f"{cell}: {answer.status}"
        for cell, answer in report.done.items()
        if outcome(answer) != "unknown" or answer.whole != unknown[cell.door, cell.caller]
    ]
    hidden = {str(thing.id) for cell, (thing, _) in of_cells.items() if cell.relation != "absent"}
    return found + await listed(entrance, hidden) + await changed(entrance)


async def listed(entrance: Entrance, hidden: set[str]) -> list[str]:
    """Return the lists that show one of these objects."""
    lists = [door.partition(" ")[2] for door in routes(entrance.name) if door in LISTS]
    found = []
    for path in lists:
        for who in CLOSED_TO_ONE_ORGANISATION:
            if who == "agency" and path == "/sessions":
                continue  # reads the programme whole
            answer = await entrance.by(who, "GET", f"{path}?limit=100" if path != "/dead-letters" else path)
            found += [f"{path} shows {who} {one}" for one in hidden if one.encode() in answer.body]
    return found


LISTS = ("GET /fiches", "GET /dossiers", "GET /sessions", "GET /dead-letters")


async def changed(entrance: Entrance) -> list[str]:
    """Return the other organisation's objects that somebody of one organisation changed, by the trail."""
    if entrance.name not in TABLES:
        return []
    query = (
        f"SELECT DISTINCT a.aggregate FROM audit_entry a JOIN {TABLES[entrance.name]} t ON t.id::text = a.aggregate"
        " WHERE t.opco = $1 AND a.actor = ANY($2::text[])"
    )
    rows = await entrance.owner(query, OTHER, list(CLOSED_TO_ONE_ORGANISATION))
    return [f"{row['aggregate']} was changed" for row in rows]


@pytest.mark.parametrize("name", SERVICES)
async def test_row_level_security_alone_holds(
    name: str, entrances: Mapping[str, Entrance], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert let_everybody_do_everything(monkeypatch) >= 8
    assert await through_the_second_net(entrances[name]) == []


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def without_row_rules(servers: Servers, keys: KeyServer) -> AsyncIterator[Mapping[str, Entrance]]:
    """Services whose process has the owner's role, to which the row rules show everything."""
    made = {name: await Entrance.make(servers, name, keys, as_role=f"{name}_owner") for name in TABLES}
    yield made
    for one in made.values():
        await one.close()


def own_and_others(entrance: Entrance) -> list[Cell]:
    """Return the cells of those who see one organisation's objects alone."""
    return list(cells(entrance.name, callers=(*CLOSED_TO_ONE_ORGANISATION, "no_role")))


@pytest.mark.parametrize("name", TABLES)
async def test_the_policy_table_alone_holds(name: str, without_row_rules: Mapping[str, Entrance]) -> None:
    entrance = without_row_rules[name]
    await at_its_time(entrance)
    of_cells = await requests(entrance, own_and_others(entrance))
    report = await run(entrance, {cell: request for cell, (_, request) in of_cells.items()})
    assert report.deviations == []
    others = {str(thing.id) for cell, (thing, _) in of_cells.items() if cell.relation == "other"}
    assert await listed(entrance, others) == []
    query = f"SELECT count(*) AS n FROM {TABLES[name]} WHERE opco = $1"
    seen = await entrance.database.query(Principal("opco", OWN, "machine"), query, OTHER)
    assert seen[0]["n"] > 0, "the row rules were to be off"


async def test_where_neither_net_is_the_holes_are_found(
    without_row_rules: Mapping[str, Entrance], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_everybody_do_everything(monkeypatch)
    for entrance in without_row_rules.values():
        found = await through_the_second_net(entrance)
        assert any("POST" in line for line in found) and any("GET" in line for line in found)
        assert any("was changed" in line for line in found)


def row_rules_missing(tables: Mapping[str, bool]) -> list[str]:
    """Return the tables without row-level security of which nobody said why; `tables` says of each whether it has it."""
    return sorted(name for name, guarded in tables.items() if not guarded and name not in WITHOUT_ROW_RULES)


@pytest.mark.parametrize("name", SERVICES)
async def test_every_table_has_row_rules_or_a_reason(name: str, entrances: Mapping[str, Entrance]) -> None:
    rows = await entrances[name].owner(
        "SELECT relname, relrowsecurity AND relforcerowsecurity AS guarded FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'f')"
    )
    tables = {row["relname"]: row["guarded"] for row in rows}
    assert row_rules_missing(tables) == []
    assert [one for one in WITHOUT_ROW_RULES if tables.get(one)] == [], "has row rules: needs no reason"
    assert row_rules_missing({**tables, "planted": False}) == ["planted"]


@pytest.mark.parametrize("name", SERVICES)
async def test_nothing_looks_at_tables_with_other_rights_than_the_process(name: str, entrances: Mapping[str, Entrance]) -> None:
    """A view, or a function of its owner's rights, would be a way around the row rules."""
    ways = await entrances[name].owner(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')"
        " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    assert ways == []


@pytest.mark.parametrize("name", SERVICES)
async def test_the_process_role_owns_nothing_and_is_nobody_else(name: str, entrances: Mapping[str, Entrance]) -> None:
    entrance = entrances[name]
    (role,) = await entrance.owner(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS more,"
        " (SELECT count(*) FROM pg_auth_members WHERE member = r.oid) AS member_of,"
        " (SELECT count(*) FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid AND deptype = 'o') AS owns"
        " FROM pg_roles r WHERE rolname = $1",
        name,
    )
    assert dict(role) == {"more": False, "member_of": 0, "owns": 0}


EVERYWHERE = {
    "become the owner": "SET ROLE {name}_owner",
    "become the audit, which sees all": "SET ROLE {name}_audit",
    "become somebody else altogether": "SET SESSION AUTHORIZATION {name}_owner",
    "make a table": "CREATE TABLE planted (id int)",
    "make a schema": "CREATE SCHEMA planted",
    "make a table for a while": "CREATE TEMP TABLE planted (id int)",
    "make a function": "CREATE FUNCTION planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "read passwords": "SELECT * FROM pg_authid",
    "read a file": "SELECT pg_read_file('PG_VERSION')",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
}
"""What a process may not do in a database as it is provided."""
WITH_TABLES = {
    "take the row rules away": "ALTER TABLE outbox DISABLE ROW LEVEL SECURITY",
    "take a row rule away": "DROP POLICY seen ON outbox",
    "make a row rule": "CREATE POLICY planted ON outbox USING (true)",
    "give itself a right": "GRANT DELETE ON audit_entry TO {name}; DELETE FROM audit_entry",
    "empty the trail": "TRUNCATE audit_entry",
    "move the business clock": "UPDATE clock_offset SET seconds = 0",
    "read without the row rules": "SET row_security = off; SELECT * FROM outbox",
}
"""What it may not do once the migrations made their tables."""


@pytest.mark.parametrize("statement", EVERYWHERE.values(), ids=EVERYWHERE)
async def test_the_process_role_cannot(statement: str, servers: Servers) -> None:
    for name in SERVICES:
        await refused(await asyncpg.connect(servers.urls[name].process), statement.format(name=name))


@pytest.mark.parametrize("statement", WITH_TABLES.values(), ids=WITH_TABLES)
async def test_the_process_role_cannot_where_the_tables_are(statement: str, entrances: Mapping[str, Entrance]) -> None:
    for name, entrance in entrances.items():
        await refused(await asyncpg.connect(entrance.urls[name]), statement.format(name=name))


async def refused(connection: asyncpg.Connection, statement: str) -> None:
    """Have a statement refused for want of rights; the connection is closed, and nothing stays of it."""
    try:
        await connection.execute("BEGIN")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def tenant_tables(entrance: Entrance) -> list[str]:
    rows = await entrance.owner("SELECT tablename FROM pg_policies WHERE policyname = 'tenant' ORDER BY 1")
    return [row["tablename"] for row in rows]


@pytest.mark.parametrize("tenant", [None, "", "nobody", "OPCO-2I", "opco-2i ", "%", "opco-2i,akto"])
@pytest.mark.parametrize("name", SERVICES)
async def test_without_a_tenant_there_are_no_rows(name: str, tenant: str | None, entrances: Mapping[str, Entrance]) -> None:
    entrance = entrances[name]
    tables = await tenant_tables(entrance)
    assert tables
    async with entrance.database.connection() as connection, connection.transaction():
        if tenant is not None:
            await connection.execute("SELECT set_config('poec.tenant', $1, true)", tenant)
        for table in tables:
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


@pytest.mark.parametrize("name", TABLES)
async def test_one_tenant_writes_no_row_of_another(name: str, entrances: Mapping[str, Entrance]) -> None:
    entrance = entrances[name]
    await at_its_time(entrance)
    await requests(entrance, [cell for cell in cells(name, callers=("opco",)) if cell.relation in ("own", "other")])
    told = [cell for cell in cells(name, callers=("opco", "other_opco")) if cell.relation == "none" and cell.door.startswith("POST")]
    await run(entrance, {cell: request for cell, (_, request) in (await requests(entrance, told)).items()})
    for table in await tenant_tables(entrance):
        (there,) = await entrance.owner(f"SELECT count(*) FILTER (WHERE opco = '{OWN}') AS own, count(*) AS n FROM {table}")
        async with entrance.database.connection() as connection:
            kept = not await connection.fetchval("SELECT has_table_privilege($1, 'UPDATE')", table)
            for statement, touched in (
                (f"UPDATE {table} SET opco = opco", there["own"]),
                (f"UPDATE {table} SET opco = opco WHERE opco = '{OTHER}'", 0),
                (f"UPDATE {table} SET opco = '{OTHER}'", asyncpg.InsufficientPrivilegeError if there["own"] else 0),
                (f"DELETE FROM {table}", 0 if table in KEPT_FOR_A_TIME else asyncpg.InsufficientPrivilegeError),
            ):
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute(f"SET LOCAL poec.tenant = '{OWN}'")
                try:
                    if isinstance(touched, int) and not kept:
                        assert await connection.execute(statement) == f"{statement.split()[0]} {touched}"
                    else:  # what is kept for ever is added to and never changed
                        with pytest.raises(asyncpg.InsufficientPrivilegeError):
                            await connection.execute(statement)
                finally:
                    await transaction.rollback()
        assert there["n"] > there["own"] or table == "aes"
