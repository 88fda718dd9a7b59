"""Rules on the database as it is found once connected: what the role may do, what is switched off, whether a copy confirms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from shared.production.rule import DATABASE, Finding


@dataclass(frozen=True)
class Found:
    """What a connection says of itself, of its role and of its server."""

    encrypted: bool = True
    superuser: bool = False
    bypasses_rows: bool = False
    makes_roles: bool = False
    owns: tuple[str, ...] = ()
    open_tables: tuple[str, ...] = ()
    trail_writable: bool = False
    clock_offset: int = 0
    durable: bool = True
    standby: bool = True


@dataclass(frozen=True)
class DatabaseRule:
    """One rule on what was found; answers with what is wrong, in a word if there is more to say than yes."""

    code: str
    why: str
    do: str
    unsafe: Callable[[Found], bool | tuple[str, ...]]
    waivable: bool = False


_QUERY: Final = """
WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
  mine AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p'))
SELECT
  (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS encrypted,
  (SELECT rolsuper FROM me) AS superuser,
  (SELECT rolbypassrls FROM me) AS bypasses_rows,
  (SELECT rolcreaterole OR rolcreatedb OR rolreplication FROM me) AS makes_roles,
  ARRAY(SELECT relname::text FROM mine WHERE pg_has_role(current_user, relowner, 'MEMBER') ORDER BY 1) AS owns,
  ARRAY(SELECT relname::text FROM mine c WHERE NOT (relrowsecurity AND relforcerowsecurity)
    AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) ORDER BY 1) AS open_tables,
  (SELECT bool_or(has_table_privilege(name, 'UPDATE, DELETE, TRUNCATE') OR NOT EXISTS (SELECT FROM pg_trigger
    WHERE tgrelid = name::regclass AND tgname = 'only_inserted' AND tgenabled = 'A'))
    FROM unnest(ARRAY['audit_entry', 'anchor', 'anchored_head']) name) AS trail_writable,
  (SELECT seconds FROM clock_offset) AS clock_offset,
  current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
    AND current_setting('synchronous_commit') <> 'off' AS durable,
  current_setting('synchronous_standby_names') <> '' AS standby
"""


async def found_in(connection: asyncpg.Connection) -> Found:
    """Ask a connection: one round trip."""
    row: dict[str, Any] = dict(await connection.fetchrow(_QUERY))
    return Found(**{**row, "owns": tuple(row["owns"]), "open_tables": tuple(row["open_tables"])})


DATABASE_RULES: Final = (
    DatabaseRule(
        "CONNECTION_IN_THE_CLEAR",
        "This connection is not encrypted.",
        "Switch TLS on at the server.",
        lambda found: not found.encrypted,
    ),
    DatabaseRule(
        "ROLE_SUPERUSER",
        "For a superuser no right and no row is closed.",
        "Use the role of the process.",
        lambda found: found.superuser,
    ),
    DatabaseRule(
        "ROLE_BYPASSES_ROWS",
        "Row-level security does not hold for this role (BYPASSRLS).",
        "ALTER ROLE … NOBYPASSRLS.",
        lambda found: found.bypasses_rows and not found.superuser,
    ),
    DatabaseRule(
        "ROLE_MAKES_ROLES",
        "This role may make roles or databases, or copy the whole server.",
        "ALTER ROLE … NOCREATEROLE NOCREATEDB NOREPLICATION.",
        lambda found: found.makes_roles and not found.superuser,
    ),
    DatabaseRule(
        "ROLE_OWNS",
        "This role owns tables, or is a member of the role that does: it can open them to itself.",
        "Let the owner's role own them, and take the membership away.",
        lambda found: () if found.superuser else found.owns,
    ),
    DatabaseRule(
        "ROW_SECURITY_OFF",
        "Row-level security is off, or not forced, on tables that have policies: those then hold nobody back.",
        "Switch it on again: ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY.",
        lambda found: found.open_tables,
    ),
    DatabaseRule(
        "TRAIL_WRITABLE",
        "This role may change or remove entries of the audit trail.",
        "REVOKE UPDATE, DELETE, TRUNCATE ON audit_entry.",
        lambda found: found.trail_writable and not found.superuser,
    ),
    DatabaseRule(
        "CLOCK_MOVED",
        "The business clock is moved: that is for a demonstration.",
        "Use another database: this one has played another time.",
        lambda found: bool(found.clock_offset),
    ),
    DatabaseRule(
        "NOT_DURABLE",
        "What the server confirms it can forget: fsync, full_page_writes or synchronous_commit is off.",
        "Switch them on.",
        lambda found: not found.durable,
    ),
    DatabaseRule(
        "NO_STANDBY",
        "No synchronous standby confirms a commit: what was accepted is lost with one disk.",
        "Set synchronous_standby_names; a disk that is itself replicated is worth a waiver.",
        lambda found: not found.standby,
        waivable=True,
    ),
)


def database_findings(found: Found) -> list[Finding]:
    """Return what is wrong with a database as it was found; for one on this machine, give `encrypted` as true."""
    findings = []
    for rule in DATABASE_RULES:
        answer = rule.unsafe(found)
        if answer:
            hint = f" ({', '.join(answer)})" if isinstance(answer, tuple) else ""
            findings.append(Finding(rule.code, DATABASE, rule.why + hint, rule.do))
    return findings
