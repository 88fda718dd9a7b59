"""Databases and roles of the four services, the business clock, and the error where no Docker engine answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from deploy.local.business_clock import move_clock, reset_clock
from deploy.local.databases import DatabaseUrls, provision
from deploy.local.docker import DockerKafka, DockerPostgres
from deploy.local.errors import LocalError
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.postgres_account import remove_data
from deploy.local.secrets import SERVICES, load_secrets


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One ready PostgreSQL for this file."""
    home = tmp_path_factory.mktemp("home")
    postgres = EmbeddedPostgres(home)
    postgres.prepare()
    postgres.start()
    postgres.wait_ready()
    yield postgres
    postgres.stop()
    remove_data(home)


@pytest.fixture
async def urls(server: EmbeddedPostgres) -> dict[str, DatabaseUrls]:
    """The URLs of a provisioned server."""
    return await provision(server.admin_url, load_secrets(server.home))


async def _ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_each_service_has_its_database_and_three_roles(urls: dict[str, DatabaseUrls]) -> None:
    assert tuple(urls) == SERVICES
    for service, of in urls.items():
        for url, role in ((of.owner, f"{service}_owner"), (of.process, service), (of.audit, f"{service}_audit")):
            assert await _ask(url, "SELECT current_user || '@' || current_database()") == f"{role}@{service}"
        owner = f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{service}'"
        assert await _ask(of.owner, owner) == f"{service}_owner"
        bypass = "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolbypassrls AND NOT rolsuper"
        assert str(await _ask(of.owner, bypass)).split().count(f"{service}_audit") == 1


async def test_provisioning_again_changes_nothing(server: EmbeddedPostgres, urls: dict[str, DatabaseUrls]) -> None:
    assert await provision(server.admin_url, load_secrets(server.home)) == urls
    assert urls["submission"].owner not in repr(urls)


async def test_no_role_reaches_another_services_database(urls: dict[str, DatabaseUrls]) -> None:
    for service in SERVICES:
        other = SERVICES[(SERVICES.index(service) + 1) % len(SERVICES)]
        for url in (urls[service].owner, urls[service].process, urls[service].audit):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(url.removesuffix(service) + other)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(url.removesuffix(service) + "postgres")


async def test_only_the_owner_makes_tables_and_only_with_its_password(urls: dict[str, DatabaseUrls]) -> None:
    table = "CREATE TABLE IF NOT EXISTS mine (n int)"
    await _ask(urls["analytics"].owner, table)
    for url in (urls["analytics"].process, urls["analytics"].audit):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
            await _ask(url, table)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _ask(url, "SELECT count(*) FROM mine")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(urls["analytics"].owner, password="guessed")


async def test_the_clock_of_every_database_moves_together(urls: dict[str, DatabaseUrls]) -> None:
    owners = {service: of.owner for service, of in urls.items()}
    for url in owners.values():
        await _ask(url, "CREATE TABLE IF NOT EXISTS clock_offset (seconds bigint)")
        await _ask(url, "DELETE FROM clock_offset")
        await _ask(url, "INSERT INTO clock_offset VALUES (0)")
    wanted = datetime(2021, 3, 1, 9, tzinfo=UTC)
    await move_clock(owners, wanted)
    now = "SELECT clock_timestamp() + make_interval(secs => seconds) FROM clock_offset"
    for url in owners.values():
        shown = await _ask(url, now)
        assert isinstance(shown, datetime)
        assert abs(shown - wanted) < timedelta(seconds=20)
    await reset_clock(owners.values())
    assert {await _ask(url, "SELECT seconds FROM clock_offset") for url in owners.values()} == {0}
    await _ask(owners["analytics"], "DROP TABLE clock_offset")
    with pytest.raises(LocalError, match="migrations"):
        await move_clock([owners["analytics"]], wanted)
    with pytest.raises(ValueError, match="zone"):
        await move_clock(owners, wanted.replace(tzinfo=None))


async def test_an_unprivileged_or_unreachable_server_is_explained(
    server: EmbeddedPostgres, urls: dict[str, DatabaseUrls]
) -> None:
    with pytest.raises(LocalError, match="superuser"):
        await provision(urls["submission"].owner, load_secrets(server.home))
    with pytest.raises(LocalError) as refused:
        await provision("postgresql://postgres:hunter2@127.0.0.1:1/postgres", load_secrets(server.home))
    assert "127.0.0.1:1" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_where_no_docker_engine_answers_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    for server in (DockerKafka(tmp_path), DockerPostgres(tmp_path)):
        with pytest.raises(LocalError, match="No Docker engine answers"):
            server.prepare()
    with pytest.raises(LocalError, match="one broker"):
        DockerKafka(tmp_path, brokers=3)
