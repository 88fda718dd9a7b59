"""Who may do what in everything that runs on one data folder: rows in every service, a secret at the issuer, a user at the brokers.

Each step may be repeated, so that a command that was cut off is simply given again. Rows are changed through the services' doors,
as the administrator; what was changed is in each service's audit trail. Passwords are read where they are kept: run.json follows
a moment later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from deploy.local.client import bearer
from deploy.local.clients import ADMINISTRATOR, add_client, clients_of, end_client, renew_client
from deploy.local.errors import LocalError
from deploy.local.kafka_users import drop, make_user, rotate
from deploy.local.runfile import Run
from deploy.local.secrets import change, load_secrets
from shared.contracts.access import USERS, access_of
from shared.contracts.flow import SERVICES

_OWN_USERS = frozenset(user.user for user in USERS if user.user.rpartition("-")[0] in SERVICES)


class LoginTaken(LocalError):
    """The mailbox is that of another account already; which one is told in `account`."""

    def __init__(self, words: str, account: str) -> None:
        super().__init__(f"{words} ({account})")
        self.account = account


@dataclass(frozen=True)
class Row:
    """What a service's table shall say of one principal."""

    id: str
    kind: Literal["person", "machine"]
    organisation: str
    roles: tuple[str, ...]
    state: Literal["active", "disabled"] = "active"
    login: str | None = None

    def body(self) -> dict[str, Any]:
        """The row as the door takes it."""
        return {**vars(self), "roles": list(self.roles)}


@dataclass
class Told:
    """What was done: each service's outcome, and secrets that are shown this once."""

    outcomes: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


def rows_of(run: Run) -> dict[str, dict[str, dict[str, Any]]]:
    """Principal to service to its row there; LocalError names a service that cannot be asked."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for service in run.services:
        for row in _asked(run, service, "GET")["principals"]:
            found.setdefault(row["id"], {})[service] = row
    return dict(sorted(found.items()))


def add(run: Run, row: Row) -> Told:
    """Make or change a principal in every service; a machine gets a secret at the local issuer, a partner its user at the brokers.

    Raises `LoginTaken` where a service knows the mailbox under another account; nothing is written there.
    Secrets are told when this call made them; those that stand already are not told again (`new_secrets` makes others).
    """
    told = Told(_put(run, row))
    home = Path(run.home)
    if row.kind == "machine":
        stood = row.id in clients_of(home)
        secret = add_client(home, row.id, row.organisation, row.roles)
        told.secrets |= {} if stood else {"client_secret": secret}
    if _has_user(row.id) and run.kafka.admin.signs_in:
        standing = load_secrets(home).kafka.get(row.id)
        password = standing or change(home, "kafka", row.id)
        make_user(run.kafka.admin, access_of(row.id), password)
        told.secrets |= {} if standing else {"kafka_user": row.id, "kafka_password": password}
    return told


def kind_of(run: Run, principal: str) -> Literal["person", "machine"] | None:
    """What a principal is, where some service knows it."""
    there = rows_of(run).get(principal)
    return next(iter(there.values()))["kind"] if there else None


def disable(run: Run, principal: str) -> Told:
    """Take every right from a principal: in every service that knows it, at the local issuer, at the brokers; its history stays."""
    there = _known(run, principal)
    row = next(iter(there.values()))
    off = Row(principal, row["kind"], row["organisation"], tuple(row["roles"]), "disabled")
    told = Told(_put(run, off, only=there))
    home = Path(run.home)
    if row["kind"] == "machine":
        end_client(home, principal)
    if _has_user(principal) and run.kafka.admin.signs_in:
        change(home, "kafka", principal, "")  # first: else a start after a kill in between would make the user again
        drop(run.kafka.admin, principal)
    return told


def new_secrets(run: Run, principal: str) -> Told:
    """Give a machine another secret at the local issuer, and its user at the brokers another password; the old ones end at once."""
    if principal in _OWN_USERS:
        raise LocalError(f"{principal} is a user of our own processes, which know its password from their start.")
    rows = _known(run, principal).values()
    if any(row["kind"] != "machine" for row in rows):
        raise LocalError(f"{principal} is a person: what they sign in with is their provider's.")
    if all(row["state"] == "disabled" for row in rows):
        raise LocalError(f"{principal} is disabled: `poec principals add` gives it back, with new secrets.")
    home, told = Path(run.home), Told()
    if secret := renew_client(home, principal):
        told.secrets["client_secret"] = secret
    if _has_user(principal) and run.kafka.admin.signs_in and load_secrets(home).kafka.get(principal):
        password = change(home, "kafka", principal)
        rotate(run.kafka.admin, principal, password)
        told.secrets |= {"kafka_user": principal, "kafka_password": password}
    if not told.secrets:
        raise LocalError(f"{principal} has no secret here: what it signs in with is kept by its own issuer.")
    return told


def _has_user(principal: str) -> bool:
    return principal not in _OWN_USERS and principal in {user.user for user in USERS}


def _known(run: Run, principal: str) -> Mapping[str, dict[str, Any]]:
    there = rows_of(run).get(principal)
    if not there:
        raise LocalError(f"No service knows a principal {principal}: `poec principals list`.")
    return there


def _put(run: Run, row: Row, only: Mapping[str, Any] | None = None) -> dict[str, str]:
    services = [name for name in run.services if only is None or name in only]
    return {name: _asked(run, name, "PUT", {"principals": [row.body()]})["outcomes"][row.id] for name in services}


def _asked(run: Run, service: str, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    url, headers = f"{run.services[service].url}/principals", bearer(run, ADMINISTRATOR)
    try:
        answer = httpx.request(method, url, headers=headers, json=body, timeout=30)
    except httpx.HTTPError as failure:
        raise LocalError(f"{service} does not answer ({type(failure).__name__}): give the command again.") from None
    if not answer.is_success:
        words = f"{service}: {'; '.join(_words(answer))}"
        raise LoginTaken(words, account) if (account := _holder_of_login(answer)) else LocalError(words)
    found: dict[str, Any] = answer.json()
    return found


def _words(answer: httpx.Response) -> list[str]:
    objections = [str(one["message"]) for one in _said(answer).get("objections", ())]
    return objections or [str(_said(answer).get("title") or answer.status_code)]


def _holder_of_login(answer: httpx.Response) -> str | None:
    found = [one["facts"].get("account") for one in _said(answer).get("objections", ()) if one["code"] == "LOGIN_TAKEN"]
    return found[0] if found else None


def _said(answer: httpx.Response) -> dict[str, Any]:
    return answer.json() if "json" in answer.headers.get("content-type", "") else {}
