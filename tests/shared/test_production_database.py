"""What production finds in a real database once connected: each way to open it is found, and the process does not start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from shared.contracts.flow import SERVICES
from shared.migrations import upgrade
from shared.production.check import judge_connected, judged_database
from shared.production.database import DATABASE_RULES, Found, found_in
from shared.production.start import Unsafe, refuse_unsafe
from shared.service import Process
from tests.support.ears import service
from tests.support.heart import Heart
from tests.support.servers import Servers

NO_STANDBY = "NO_STANDBY: this test has one server alone"
SETTINGS = {
    "mode": "production",
    "database_url": "postgresql://validation@127.0.0.1:1/none",
    "kafka_bootstrap_servers": "127.0.0.1:1",
    "kafka_security_protocol": "SASL_SSL",
    "issuer": "https://issuer.invalid",
    "jwks_url": "https://issuer.invalid/jwks",
    "instance": "test",
}


def settings(**given: str):  # type: ignore[no-untyped-def]  # the class is the service's own
    """Return settings of production, as far as the database's rules look at them."""
    return service("validation").settings.model_validate({**SETTINGS, **given})


async def codes(heart: Heart, url: str | None = None) -> list[str]:
    """Return what is found with the process's role, or with the one of a URL; the missing standby apart."""
    judged = await judge_connected(settings(database_url=url or heart.url, waivers=NO_STANDBY))
    assert [finding.code for finding, _ in judged.waived] == ["NO_STANDBY"]
    return [finding.code for finding in judged.findings]


async def as_superuser(heart: Heart, *statements: str) -> None:
    """Run statements in the heart's database."""
    url = heart.servers.postgres.admin_url
    connection = await asyncpg.connect(url, database=heart.url.rpartition("/")[2].partition("?")[0])
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@asynccontextmanager
async def changed(heart: Heart, there: str, back: str) -> AsyncIterator[None]:
    """Change something that other tests share, and change it back."""
    await as_superuser(heart, there)
    try:
        yield
    finally:
        await as_superuser(heart, back)


async def test_the_database_as_migrations_leave_it_has_no_finding(heart: Heart) -> None:
    assert await codes(heart) == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY", "ROW_SECURITY_OFF"),
        ("ALTER TABLE idempotency NO FORCE ROW LEVEL SECURITY", "ROW_SECURITY_OFF"),
        ("GRANT UPDATE ON audit_entry TO validation", "TRAIL_WRITABLE"),
        ("GRANT TRUNCATE ON audit_entry TO PUBLIC", "TRAIL_WRITABLE"),
        ("GRANT UPDATE ON anchor TO validation", "TRAIL_WRITABLE"),
        ("ALTER TABLE anchored_head DISABLE TRIGGER only_inserted", "TRAIL_WRITABLE"),
        ("DROP TRIGGER only_inserted ON audit_entry", "TRAIL_WRITABLE"),
        ("UPDATE clock_offset SET seconds = 60", "CLOCK_MOVED"),
        ("ALTER TABLE tally OWNER TO validation", "ROLE_OWNS"),
    ],
    ids=lambda value: value,
)
async def test_what_is_open_is_found(statement: str, code: str, heart: Heart) -> None:
    await as_superuser(heart, statement)
    assert await codes(heart) == [code]


@pytest.mark.parametrize(
    ("there", "back", "code"),
    [
        ("ALTER ROLE validation BYPASSRLS", "ALTER ROLE validation NOBYPASSRLS", "ROLE_BYPASSES_ROWS"),
        ("ALTER ROLE validation CREATEROLE", "ALTER ROLE validation NOCREATEROLE", "ROLE_MAKES_ROLES"),
        ("GRANT validation_owner TO validation", "REVOKE validation_owner FROM validation", "ROLE_OWNS"),
        (
            "ALTER ROLE validation SET synchronous_commit = off",
            "ALTER ROLE validation RESET synchronous_commit",
            "NOT_DURABLE",
        ),
    ],
    ids=lambda value: value,
)
async def test_a_role_that_may_too_much_is_found(there: str, back: str, code: str, heart: Heart) -> None:
    async with changed(heart, there, back):
        assert code in await codes(heart)
    assert await codes(heart) == []


async def test_owner_and_superuser_are_found(heart: Heart) -> None:
    assert "ROLE_OWNS" in await codes(heart, heart.owner_url)
    name = heart.url.rpartition("/")[2].partition("?")[0]
    admin = heart.servers.postgres.admin_url
    assert "ROLE_SUPERUSER" in await codes(heart, f"{admin.rpartition('/')[0]}/{name}")


async def test_everything_is_found_at_once(heart: Heart) -> None:
    await as_superuser(heart, "GRANT UPDATE ON audit_entry TO validation", "UPDATE clock_offset SET seconds = -5")
    assert await codes(heart) == ["TRAIL_WRITABLE", "CLOCK_MOVED"]


async def test_a_connection_in_the_clear_is_found_unless_it_stays_on_this_machine(heart: Heart) -> None:
    connection = await asyncpg.connect(heart.url)
    found = await found_in(connection)
    await connection.close()
    assert not found.encrypted, "the embedded server speaks in the clear: else this test shows nothing"
    elsewhere = settings(database_url="postgresql://validation@db.example/x", waivers=NO_STANDBY)
    assert [finding.code for finding in judged_database(elsewhere, found).findings] == ["CONNECTION_IN_THE_CLEAR"]


async def test_every_rule_on_the_database_can_object() -> None:
    worst = Found(False, False, True, True, ("a",), ("b",), True, 1, False, False)
    mightiest = Found(superuser=True)
    elsewhere = settings(database_url="postgresql://validation@db.example/x")
    found = [finding.code for case in (worst, mightiest) for finding in judged_database(elsewhere, case).findings]
    assert sorted(found) == sorted(rule.code for rule in DATABASE_RULES)
    assert judged_database(elsewhere, Found()).findings == ()


async def test_a_database_that_does_not_answer_is_a_finding() -> None:
    found = await judge_connected(settings())
    assert [finding.code for finding in found.findings] == ["DATABASE_UNREACHABLE"]


async def test_a_process_does_not_start_on_an_open_database(heart: Heart) -> None:
    await as_superuser(heart, "ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY")
    given = settings(database_url=heart.url, waivers=NO_STANDBY)
    with pytest.raises(Unsafe) as refused:
        await Process(service("validation"), given, ("api",)).run()
    assert [finding.code for finding in refused.value.findings] == ["ROW_SECURITY_OFF"]
    await refuse_unsafe(heart.database, settings(mode="local"))


@pytest.mark.parametrize("name", SERVICES)
async def test_the_database_of_each_service_has_no_finding_once_migrated(name: str, servers: Servers) -> None:
    """Migrations too read the address as the processes do, `sslmode` and all: SQLAlchemy's reading would fail on it."""
    database, admin = f"production_{name}_{uuid4().hex[:8]}", servers.postgres.admin_url
    connection = await asyncpg.connect(admin)
    await connection.execute(f"CREATE DATABASE {database} OWNER {name}_owner")
    await connection.close()
    roles = load_secrets(servers.home).roles
    owner, process = (database_url(admin, database, role, roles[role]) for role in (f"{name}_owner", name))
    folder = Path(__file__).parents[2] / "services" / name / "migrations"
    await asyncio.to_thread(upgrade, folder, f"{owner}?sslmode=prefer&target_session_attrs=read-write")
    judged = await judge_connected(settings(database_url=process, waivers=NO_STANDBY))
    assert judged.findings == ()
    assert [finding.code for finding, _ in judged.waived] == ["NO_STANDBY"]
