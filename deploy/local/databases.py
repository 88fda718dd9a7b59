"""The databases and roles of the four services, made in an empty server and left as they are in a provisioned one."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from deploy.local.errors import LocalError
from deploy.local.secrets import KINDS, SERVICES, LocalSecrets, role_name


@dataclass(frozen=True)
class DatabaseUrls:
    """How each role reaches one service's database: `postgresql://role:password@host:port/database`."""

    owner: str = field(repr=False)
    process: str = field(repr=False)
    audit: str = field(repr=False)


async def provision(admin_url: str, secrets: LocalSecrets) -> dict[str, DatabaseUrls]:
    """Make what is missing, set the passwords of `secrets`, return service name to its three URLs; repeat as wanted.

    Each service has a database of its name and three roles: `<svc>_owner` owns and migrates it, `<svc>` is for its
    processes (owns nothing, may do nothing until a migration grants it), `<svc>_audit` reads past row-level security.
    Needs a superuser, for the audit role alone; LocalError when `admin_url` is not one or does not answer.
    """
    admin = await _connect(admin_url)
    try:
        if not await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            raise LocalError(
                "The database account that provisions must be a superuser: the audit role bypasses row policies."
            )
        for service in SERVICES:
            await _make_roles(admin, service, secrets)
            await _make_database(admin, service)
        await admin.execute("REVOKE ALL ON DATABASE postgres FROM PUBLIC")
    finally:
        await admin.close()
    for service in SERVICES:
        await _close_schema(database_url(admin_url, service))
    return {service: urls_of(admin_url, service, secrets) for service in SERVICES}


def database_url(admin_url: str, database: str, role: str | None = None, password: str = "") -> str:
    """`admin_url` with another database, and another role when one is given."""
    parts = urlsplit(admin_url)
    place = parts.netloc.rpartition("@")[2]
    login = parts.netloc.rpartition("@")[0] if role is None else f"{quote(role)}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{place}", path=f"/{database}"))


def urls_of(admin_url: str, service: str, secrets: LocalSecrets) -> DatabaseUrls:
    """The three URLs of one service on the server of `admin_url`; nothing is asked of the server."""
    roles = {kind: role_name(service, kind) for kind in KINDS}
    return DatabaseUrls(**{kind: database_url(admin_url, service, r, secrets.roles[r]) for kind, r in roles.items()})


async def _connect(url: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as failure:
        place = urlsplit(url).netloc.rpartition("@")[2]
        raise LocalError(f"PostgreSQL at {place} did not let us in ({type(failure).__name__}).") from None


async def _make_roles(admin: asyncpg.Connection, service: str, secrets: LocalSecrets) -> None:
    known = {row["rolname"] for row in await admin.fetch("SELECT rolname FROM pg_roles")}
    for kind in KINDS:
        role = role_name(service, kind)
        if role not in known:
            await admin.execute(f'CREATE ROLE "{role}"')
        bypass = "BYPASSRLS" if kind == "audit" else "NOBYPASSRLS"
        options = f"LOGIN {bypass} NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L"
        change = await admin.fetchval(
            f"SELECT format('ALTER ROLE %I {options}', $1::text, $2::text)", role, secrets.roles[role]
        )
        await admin.execute(change)
    await admin.execute(f'ALTER ROLE "{role_name(service, "audit")}" SET default_transaction_read_only = on')


async def _make_database(admin: asyncpg.Connection, service: str) -> None:
    owner, process, audit = (role_name(service, kind) for kind in KINDS)
    if not await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", service):
        await admin.execute(f'CREATE DATABASE "{service}" OWNER "{owner}"')
    await admin.execute(f'REVOKE ALL ON DATABASE "{service}" FROM PUBLIC')
    await admin.execute(f'GRANT CONNECT ON DATABASE "{service}" TO "{owner}", "{process}", "{audit}"')


async def _close_schema(url: str) -> None:
    connection = await _connect(url)
    try:
        await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    finally:
        await connection.close()
