"""Rules on the address of the database: the process's own role, over verified TLS, on a server that is not this machine."""

from typing import Final

from shared.production.addresses import is_loopback
from shared.production.rule import Case, Rule

_MIGHTY: Final = frozenset({"admin", "administrator", "postgres", "root", "sa", "superuser"})


def _well_formed(case: Case) -> bool:
    return all(
        address.ok
        and address.parts is not None
        and address.parts.scheme in ("postgresql", "postgres")
        and bool(address.user)
        and bool(address.parts.path.strip("/"))
        for address in case.databases
    )


def on_this_machine(case: Case) -> bool:
    """Return whether the database is reached without leaving the machine."""
    return all(is_loopback(address.host) for address in case.databases)


def _another_role(user: str) -> bool:
    return user.lower() in _MIGHTY or user.lower().endswith(("_owner", "_audit"))


STORAGE_RULES: Final = (
    Rule(
        "DATABASE_MALFORMED", ("database_url",),
        "An address without host, user or database is completed from the environment, by whatever is there.",
        "Give postgresql://user:password@host:port/database?sslmode=verify-full.",
        lambda case: not _well_formed(case),
    ),
    Rule(
        "DATABASE_PASSWORD_MISSING", ("database_url",),
        "A server that lets a role in without proof lets everybody in.",
        "Give the role a password, or a client certificate (sslcert).",
        lambda case: _well_formed(case) and not case.database.password and "sslcert" not in case.database.query,
    ),
    Rule(
        "DATABASE_ROLE", ("database_url",),
        "Owners and superusers can switch off row-level security and rewrite the trail; the audit's role sees every organisation.",
        "Use the role of the process, which owns nothing; only `migrate` takes the owner's.",
        lambda case: _another_role(case.database.user),
    ),
    Rule(
        "DATABASE_NOT_VERIFIED", ("database_url",),
        "Below sslmode=verify-full the password and every fiche can go to whoever answers.",
        "Add sslmode=verify-full and sslrootcert=….",
        lambda case: _well_formed(case)
        and not on_this_machine(case)
        and case.database.query.get("sslmode") != "verify-full",
    ),
    Rule(
        "DATABASE_AUTHORITY_MISSING", ("database_url",),
        "To verify the server one must know who signs its certificate; a file in somebody's home is not told by the configuration.",
        "Add sslrootcert=… with the file of that authority.",
        lambda case: case.database.query.get("sslmode") == "verify-full" and "sslrootcert" not in case.database.query,
    ),
    Rule(
        "DATABASE_LOOPBACK", ("database_url",),
        "A database on this machine is a development database: what is lost with the machine is lost with both.",
        "Name the database server; a proxy on this machine that speaks TLS to it is worth a waiver.",
        lambda case: any(is_loopback(address.host) for address in case.databases),
        waivable=True,
    ),
)  # fmt: skip
