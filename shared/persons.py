"""What a service holds of one person's own account: shown whole, and erased.

The log cannot be edited and decisions stay true: what is erased is the one mapping of a pseudonym to a sign-in, and all that hangs
on it. What a person did stays under the pseudonym, which then means nobody.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from shared.database import Database, UnitOfWork
from shared.errors import NotFound, Objection, RulesRefused
from shared.identity import service_principal
from shared.logs import log
from shared.principals import Registration, write_row

PAGE: Final = 1_000
"""Entries of the trail on a page; a shorter page is the last one."""
_ROW = "SELECT * FROM principal WHERE id = $1"
_LOCKED = f"{_ROW} FOR UPDATE"
_TRAIL = (
    "SELECT aggregate, n, at, actor, action, facts::text AS facts FROM audit_entry"
    " WHERE (actor = $1 OR aggregate = 'principal/' || $1) AND (aggregate, n) > ($2, $3) ORDER BY aggregate, n LIMIT $4"
)
_LOG = log("persons")


@dataclass(frozen=True)
class Held:
    """A table that holds something about a person: what it is called, how it is read, how it is erased; `$1` is the pseudonym."""

    what: str
    read: str
    erase: str


HELD: Final[tuple[Held, ...]] = (
    Held(
        "sessions",
        "SELECT created_at, seen_at FROM web_session WHERE principal_id = $1",
        "DELETE FROM web_session WHERE principal_id = $1::text",
    ),
    Held(
        "sign_in",
        "SELECT login, issuer, subject, registered_at, last_sign_in FROM person WHERE principal_id = $1",
        "DELETE FROM person WHERE principal_id = $1::text",
    ),
)
"""A table that comes to hold something about a person is one line here: then it is shown, and erased, with the others."""


async def held_of(database: Database, identifier: str, after: tuple[str, int]) -> dict[str, Any]:
    """Return everything held under a pseudonym: its row, what hangs on it, and a page of the entries by or about it after a place.

    Raises `NotFound` where the service does not know the pseudonym.
    """
    reader = service_principal(database.service, "api")
    rows = await database.query(reader, _ROW, identifier)
    if not rows:
        raise _unknown()
    row = {name: value for name, value in rows[0].items() if name != "audit_hash"}
    held = {one.what: [dict(found) for found in await database.query(reader, one.read, identifier)] for one in HELD}
    trail = [dict(entry) for entry in await database.query(reader, _TRAIL, identifier, *after, PAGE)]
    for entry in trail:
        entry["facts"] = orjson.loads(entry["facts"])
    return {"row": {**row, "roles": orjson.loads(row["roles"])}, "held": held, "trail": trail}


async def erase(unit: UnitOfWork, identifier: str, actor: str) -> Literal["erased", "unchanged"]:
    """Erase what hangs on a pseudonym and disable it, with one entry in the trail; once that is so, nothing is left to do.

    Raises `NotFound` for a pseudonym this service does not know, `RulesRefused` for a machine, and for one's own account.
    """
    rows = await unit.read(_LOCKED, identifier)
    if not rows:
        raise _unknown()
    (row,) = rows
    if objections := _objections(row["kind"], identifier, actor):
        raise RulesRefused(*objections)
    found = [one.what for one in HELD if await unit.read(one.read, identifier)]
    if not found and row["state"] == "disabled":
        return "unchanged"
    for one in HELD:
        unit.add(one.erase, identifier)
    roles = tuple(orjson.loads(row["roles"]))
    write_row(
        unit, Registration(identifier, "person", row["organisation"], roles, "disabled"), row, actor, "erase_person"
    )
    _LOG.info("person_erased", principal=identifier, held=found)
    return "erased"


def _unknown() -> NotFound:
    return NotFound(Objection("UNKNOWN", "Aucun compte de ce nom n’est connu de ce service."))


def _objections(kind: str, identifier: str, actor: str) -> list[Objection]:
    found = []
    if kind != "person":
        text = "Ce compte est celui d’une machine\u202f: désactivez-le dans la table des comptes."
        found.append(Objection("NOT_A_PERSON", text))
    if identifier == actor:
        text = "Personne n’efface son propre compte\u202f: demandez à un autre administrateur."
        found.append(Objection("OWN_ROW", text))
    return found
