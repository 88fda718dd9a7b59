"""The table of principals: who is known here, of which organisation, with which roles. Every service has its own copy.

Whoever signs in is looked up in `Directory`; `register` is the one way a row is made or changed, with its entry in the audit
trail (aggregate `principal/<id>`). The mapping of a pseudonym to a person's sign-in is a table of its own, `person`.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from shared.audit_trail import Change, Head, chained
from shared.contracts.flow import SERVICES
from shared.database import AUDIT_ENTRY, Database, Row, UnitOfWork
from shared.errors import Objection, RulesRefused
from shared.identity import SLUG, Principal, service_principal
from shared.logs import log
from shared.policy import fits

FRESH_SECONDS: Final = 2.0
"""So long a read may rest on a row that was changed meanwhile; a write never does (`Principal.version`)."""
RESERVED: Final = frozenset({"migration"})
RESERVED_BEGINNINGS: Final = ("topic:", *(f"{service}:" for service in SERVICES))
"""Names under which migrations, ingress topics and the services' own processes stand in the trail: no principal bears one.

The table itself refuses them too (`principals_schema.principals_v2`).
"""
_ACTIVE = "SELECT id, kind, organisation, roles, version FROM principal WHERE state = 'active'"
_KNOWN = (
    "SELECT p.*, d.login FROM principal p LEFT JOIN person d ON d.principal_id = p.id"
    " WHERE p.id = ANY($1::text[]) OR d.login = ANY($2::text[]) ORDER BY p.id FOR UPDATE OF p"
)
_BOUND = (
    "SELECT principal_id, subject IS NOT NULL AS bound FROM person WHERE principal_id = ANY($1::text[])"
    " ORDER BY principal_id FOR UPDATE"
)
"""Locks what is not bound too: a sign-in that is under way binds before this is answered, or after the change."""
_ALL = (
    "SELECT p.id, p.kind, p.organisation, p.roles, p.state, p.changed_at, d.login IS NOT NULL AS signs_in FROM principal p"
    " LEFT JOIN person d ON d.principal_id = p.id ORDER BY p.id"
)
_LOG = log("principals")

_metadata = sa.MetaData()
PRINCIPAL: Final = sa.Table(
    "principal",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text),
    sa.Column("organisation", sa.Text),
    sa.Column("roles", postgresql.JSONB),
    sa.Column("state", sa.Text),
    sa.Column("version", sa.Integer),
    sa.Column("audit_hash", sa.Text),
    sa.Column("changed_at", sa.DateTime(timezone=True)),
)
PERSON: Final = sa.Table(
    "person",
    _metadata,
    sa.Column("principal_id", sa.Text, primary_key=True),
    sa.Column("login", sa.Text),
    sa.Column("registered_at", sa.DateTime(timezone=True)),
)
_REPLACED = (
    "ON CONFLICT (id) DO UPDATE SET organisation = EXCLUDED.organisation, roles = EXCLUDED.roles, state = EXCLUDED.state,"
    " version = EXCLUDED.version, audit_hash = EXCLUDED.audit_hash, changed_at = EXCLUDED.changed_at"
)
_REDIRECTED = "ON CONFLICT (principal_id) DO UPDATE SET login = EXCLUDED.login"
"""Only where nobody has signed in yet (`LOGIN_BOUND`)."""
_SESSIONS_OVER = "DELETE FROM web_session WHERE principal_id = ANY($1::text[])"
State = Literal["active", "disabled"]
Outcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True)
class Registration:
    """What a row shall say. `login` is the mailbox a person signs in with for the first time; machines have none."""

    id: str
    kind: Literal["person", "machine"]
    organisation: str
    roles: tuple[str, ...]
    state: State = "active"
    login: str | None = None


class Directory:
    """The active principals of one service, read again when what is remembered is older than `fresh` seconds."""

    def __init__(self, database: Database, fresh: float = FRESH_SECONDS) -> None:
        self._database, self._fresh = database, fresh
        self._reader = service_principal(database.service, "api")
        self._known: dict[str, Principal] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, identifier: str) -> Principal | None:
        """Return an active principal; None for an unknown or a disabled one."""
        if time.monotonic() - self._read_at > self._fresh:
            await self._read(time.monotonic())
        return self._known.get(identifier)

    def forget(self) -> None:
        """Read again at the next question: somebody has just learnt that a row changed."""
        self._read_at = float("-inf")

    async def _read(self, since: float) -> None:
        async with self._reading:
            if self._read_at >= since:
                return
            began = time.monotonic()
            rows = await self._database.query(self._reader, _ACTIVE)
            self._known = {row["id"]: principal for row in rows if (principal := principal_of(row))}
            self._read_at = began


async def registrations(database: Database) -> list[dict[str, Any]]:
    """Return every row, without who is behind it: `signs_in` says whether a sign-in is mapped to it."""
    rows = await database.query(service_principal(database.service, "api"), _ALL)
    return [{**row, "roles": orjson.loads(row["roles"])} for row in rows]


async def register(unit: UnitOfWork, wanted: Sequence[Registration], actor: str) -> dict[str, Outcome]:
    """Make or change rows, each with its entry in the trail; the unit is the service's own, `actor` is who asked for it.

    Returns what became of each. Raises `RulesRefused` with every objection; a row that is as wanted is left alone.
    """
    logins = [one.login for one in wanted if one.login]
    known = {row["id"]: row for row in await unit.read(_KNOWN, [one.id for one in wanted], logins)}
    people = await unit.read(_BOUND, list(known)) if logins else []
    bound = {row["principal_id"] for row in people if row["bound"]}
    if objections := _objections(wanted, known, bound, actor):
        raise RulesRefused(*objections)
    outcomes = {one.id: _outcome(one, known.get(one.id)) for one in wanted}
    due = [one for one in wanted if outcomes[one.id] != "unchanged"]
    for one in due:
        write_row(unit, one, known.get(one.id), actor, _action(one, known.get(one.id)))
    rows = [{"principal_id": one.id, "login": one.login, "registered_at": unit.now} for one in due if one.login]
    unit.insert(PERSON, rows, on_conflict=_REDIRECTED)
    if over := [one.id for one in due if one.id in known and one.state == "disabled"]:
        unit.add(_SESSIONS_OVER, over)
    return outcomes


def may_be_named(identifier: str) -> bool:
    """Return whether a principal may bear this name: a slug that no process and no topic has."""
    return bool(re.fullmatch(SLUG, identifier)) and not _is_reserved(identifier)


async def first_administrator(url: str, service: str, identifier: str) -> bool:
    """Let a machine that the issuer knows manage principals, where nobody may yet; `url` is the owner's. Returns whether it was due.

    Raises `RulesRefused` where the name stands for somebody who cannot be one.
    """
    database = await Database.open(url, service, 1)
    try:
        async with database.unit(service_principal(service, "api")) as unit:
            found = await unit.read(
                "SELECT 1 FROM principal WHERE roles ? 'administrator' AND state = 'active' LIMIT 1"
            )
            if found:
                return False
            await register(unit, [Registration(identifier, "machine", "operations", ("administrator",))], "migration")
            await unit.flush()
    finally:
        await database.close()
    return True


def principal_of(row: Row) -> Principal | None:
    """Return who a row of the table says; None, loudly, for a row that `register` would not have made."""
    roles = frozenset(orjson.loads(row["roles"]))
    wrong = sorted(role for role in roles if not fits(role, row["organisation"]))
    if wrong:
        _LOG.error("principal_left_out", principal=row["id"], roles=wrong)
        return None
    return Principal(row["id"], row["organisation"], row["kind"], roles, row["version"])


def _outcome(one: Registration, row: Row | None) -> Outcome:
    if row is None:
        return "added"
    now = (row["organisation"], set(orjson.loads(row["roles"])), row["state"])
    same = now == (one.organisation, set(one.roles), one.state) and one.login in (None, row["login"])
    return "unchanged" if same else "changed"


def _action(one: Registration, row: Row | None) -> str:
    if row is None:
        return "register_principal"
    return "change_principal" if one.state == "active" else "disable_principal"


def write_row(unit: UnitOfWork, one: Registration, row: Row | None, actor: str, action: str) -> None:
    """Put a row, new or in place of `row` (all its columns, locked), and its entry in the trail into a unit of the service's own."""
    head = Head(row["version"], 0, row["audit_hash"]) if row else Head()
    facts = {"organisation": one.organisation, "roles": ",".join(sorted(one.roles)), "kind": one.kind}
    change = Change(action, actor, row["state"] if row else None, one.state, facts=facts)
    (link,) = chained(f"principal/{one.id}", head, [change], unit.now)
    unit.insert(AUDIT_ENTRY, [link.as_row()])
    columns = {
        "id": one.id,
        "kind": one.kind,
        "organisation": one.organisation,
        "roles": orjson.dumps(sorted(one.roles)).decode(),
        "state": one.state,
        "version": link.n,
        "audit_hash": link.hash,
        "changed_at": unit.now,
    }
    unit.insert(PRINCIPAL, [columns], on_conflict=_REPLACED)


def _objections(
    wanted: Sequence[Registration], known: Mapping[str, Row], bound: Set[str], actor: str
) -> list[Objection]:
    found: list[Objection] = []
    taken = {row["login"]: row["id"] for row in known.values() if row["login"]}
    seen: set[str] = set()
    for n, one in enumerate(wanted):
        found += _own(one, f"principals.{n}", known.get(one.id), actor)
        if one.login and taken.setdefault(one.login, one.id) != one.id:
            text = "Cette adresse de connexion est déjà celle d’un autre compte\u202f: une personne a un seul compte."
            facts = {"account": taken[one.login]}
            found.append(Objection("LOGIN_TAKEN", text, field=f"principals.{n}.login", facts=facts))
        if one.id in bound and one.login not in (None, known[one.id]["login"]):
            text = (
                "Quelqu’un s’est déjà connecté avec ce compte\u202f: il garde son adresse, sans quoi une autre personne hériterait"
                " de ce qui y a été fait. Désactivez-le et ouvrez-en un autre."
            )
            found.append(Objection("LOGIN_BOUND", text, field=f"principals.{n}.login"))
        if one.id in seen:
            found.append(Objection("TWICE", "Cet identifiant est deux fois dans la liste.", field=f"principals.{n}.id"))
        seen.add(one.id)
    return found


def _is_reserved(identifier: str) -> bool:
    return identifier in RESERVED or identifier.startswith(RESERVED_BEGINNINGS)


def _own(one: Registration, field: str, row: Row | None, actor: str) -> list[Objection]:
    """Return what a registration is refused for by itself."""
    found: list[Objection] = []
    if one.id == actor:
        text = "Personne ne change son propre compte\u202f: demandez à un autre administrateur."
        found.append(Objection("OWN_ROW", text, field=f"{field}.id"))
    if wrong := sorted(role for role in one.roles if not fits(role, one.organisation)):
        text = "Un de ces rôles n’existe pas, ou n’est pas de cette organisation\u202f: voyez la table des droits."
        found.append(Objection("ROLE_UNFIT", text, field=f"{field}.roles", facts={"roles_unfit": len(wrong)}))
    if _is_reserved(one.id):
        text = "Cet identifiant est celui d’un processus ou d’un canal Kafka\u202f: choisissez-en un autre."
        found.append(Objection("ID_RESERVED", text, field=f"{field}.id"))
    if not one.roles:
        found.append(Objection("ROLE_MISSING", "Donnez au moins un rôle.", field=f"{field}.roles"))
    has_login = one.login is not None or (row is not None and row["login"] is not None)
    if row is not None and row["kind"] == "person" and row["login"] is None and (one.login or one.state == "active"):
        text = "Ce compte a été effacé et ne désigne plus personne\u202f: ouvrez-en un autre."
        found.append(Objection("ERASED", text, field=f"{field}.id"))
    elif (one.kind == "person") is not has_login and (one.state == "active" or row is None):
        text = "Une personne a une adresse de connexion, une machine n’en a pas."
        found.append(Objection("LOGIN_KIND", text, field=f"{field}.login"))
    if row is not None and row["organisation"] != one.organisation:
        text = "Un compte ne change pas d’organisation\u202f: il jugerait ce qu’il a déposé pour une autre. Ouvrez-en un autre."
        found.append(Objection("ORGANISATION_FIXED", text, "minutes L506-508", f"{field}.organisation"))
    if row is not None and row["kind"] != one.kind:
        found.append(Objection("KIND_FIXED", "Une personne ne devient pas une machine.", field=f"{field}.kind"))
    return found
