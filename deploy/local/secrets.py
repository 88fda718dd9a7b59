"""The passwords and client secrets of one data folder: made once, kept in POEC_HOME/secrets.json (0600)."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from deploy.local.files import locked, read_json, write_json
from shared.contracts.access import USERS

SERVICES = ("submission", "validation", "publication", "analytics")
KINDS = ("owner", "process", "audit")
KAFKA_ADMIN, KAFKA_BROKER = "admin", "broker"
FILE, LOCK = "secrets.json", "secrets.lock"
_BYTES = 32


@dataclass(frozen=True)
class LocalSecrets:
    """Random words of 32 bytes: the database superuser's, one per database role, client of the issuer, and user at the brokers."""

    postgres: str = field(repr=False)
    roles: dict[str, str] = field(repr=False, default_factory=dict)
    clients: dict[str, str] = field(repr=False, default_factory=dict)
    kafka: dict[str, str] = field(repr=False, default_factory=dict)


def role_name(service: str, kind: str) -> str:
    """`submission_owner`, `submission`, `submission_audit` for the kinds owner, process, audit."""
    return service if kind == "process" else f"{service}_{kind}"


def load_secrets(home: Path, clients: Iterable[str] = ()) -> LocalSecrets:
    """Read the secrets of `home`; what is missing (all of it the first time) is made, and the file written whole.

    Of several that find something missing at once, one makes it and the others read it.
    """
    names = tuple(clients)
    kept = read_json(home / FILE) or {}
    found = _completed(kept, names)
    if asdict(found) == kept:
        return found
    with locked(home, LOCK):
        kept = read_json(home / FILE) or {}
        found = _completed(kept, names)
        if asdict(found) != kept:
            write_json(home / FILE, asdict(found))
    return found


def change(home: Path, kind: Literal["clients", "kafka"], name: str, word: str | None = None) -> str:
    """Give one client or user another word, a random one unless `word` is given, and return it; one change at a time.

    An empty word means that there is none and none is to be made.
    """
    new = secrets.token_urlsafe(_BYTES) if word is None else word
    with locked(home, LOCK):
        found = asdict(_completed(read_json(home / FILE) or {}, ()))
        write_json(home / FILE, {**found, kind: {**found[kind], name: new}})
    return new


def _completed(kept: dict[str, Any], clients: Iterable[str]) -> LocalSecrets:
    names = [role_name(service, kind) for service in SERVICES for kind in KINDS]
    return LocalSecrets(
        postgres=kept.get("postgres") or secrets.token_urlsafe(_BYTES),
        roles=_complete(kept.get("roles"), names),
        clients=_complete(kept.get("clients"), clients),
        kafka=_complete(kept.get("kafka"), [KAFKA_ADMIN, KAFKA_BROKER, *(access.user for access in USERS)]),
    )


def _complete(kept: dict[str, str] | None, names: Iterable[str]) -> dict[str, str]:
    known = dict(kept or {})
    return known | {name: secrets.token_urlsafe(_BYTES) for name in names if name not in known}
