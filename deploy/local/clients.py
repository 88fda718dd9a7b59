"""The machine clients of the embedded run: who may ask the local issuer for a token, and as what the services know them at first.

A token says the client's name alone; organisation and roles are registered with each service when it starts for the first time
(`registration.py`), and may be changed there.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.files import locked, make_private, read_json, write_json
from deploy.local.secrets import change, load_secrets
from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPCOS, OPERATIONS, REGION

PROVIDER_SIRET = "99912345800013"  # of an invented training provider, which the example fiche names
ADMINISTRATOR = "administrator"
ADDED, LOCK = "added_clients.json", "clients.lock"
# client id -> (organisation, roles)
TABLE: dict[str, tuple[str, tuple[str, ...]]] = {
    **{opco: (opco, ("opco",)) for opco in OPCOS},
    "region": (REGION, ("region_reviewer",)),
    "pole-emploi": (FRANCE_TRAVAIL, ("pole_emploi_reviewer",)),
    "france-travail": (FRANCE_TRAVAIL, ("entries",)),
    "carif-oref": (CARIF_OREF, ("carif_oref",)),
    "dreets": (DREETS, ("dreets",)),
    "organisme": (PROVIDER_SIRET, ("training_provider",)),
    "agence": ("agence-caen", ("agency",)),
    "operations": (OPERATIONS, ("operations",)),
    ADMINISTRATOR: (OPERATIONS, ("administrator",)),
}


class Client(BaseModel):
    """One machine client: its credentials, and as what it is registered at first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_secret: str = Field(repr=False)
    organisation: str
    roles: tuple[str, ...]


def clients_of(home: Path) -> dict[str, Client]:
    """All clients with the secrets of this data folder, which are made if missing: those of the table, and those added since.

    Who was disabled has none, and is left out (`end_client`).
    """
    found = {**added_clients(home), **TABLE}
    secrets = load_secrets(home, found).clients
    return {
        name: Client(client_id=name, client_secret=secrets[name], organisation=organisation, roles=roles)
        for name, (organisation, roles) in found.items()
        if secrets[name]
    }


def added_clients(home: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The clients that were added to those of the table, in its form."""
    kept = read_json(home / ADDED) or {}
    return {name: (organisation, tuple(roles)) for name, (organisation, roles) in kept.items()}


def add_client(home: Path, name: str, organisation: str, roles: Sequence[str]) -> str:
    """Let one more client ask the issuer for tokens, and return its secret; the same one where it may already."""
    with locked(home, LOCK):
        if name not in TABLE:
            write_json(home / ADDED, {**added_clients(home), name: (organisation, list(roles))})
        if name not in clients_of(home):  # it was disabled, and its old secret is known to who had it
            change(home, "clients", name)
        _write_clients(home)
        return clients_of(home)[name].client_secret


def renew_client(home: Path, name: str) -> str | None:
    """Give a client another secret and return it; None where it has none here."""
    with locked(home, LOCK):
        if name not in clients_of(home):
            return None
        secret = change(home, "clients", name)
        _write_clients(home)
        return secret


def end_client(home: Path, name: str) -> None:
    """Take its secret from a client; it gets another one when it is added again."""
    with locked(home, LOCK):
        if name in clients_of(home):
            change(home, "clients", name, "")
        _write_clients(home)


def write_clients(home: Path) -> Path:
    """Write POEC_HOME/clients.json (0600), which the issuer reads whenever it changes, and return its path."""
    with locked(home, LOCK):
        return _write_clients(home)


def _write_clients(home: Path) -> Path:
    path = make_private(home) / "clients.json"
    write_json(path, {name: client.model_dump(mode="json") for name, client in clients_of(home).items()})
    return path


def read_clients(path: Path) -> dict[str, Client]:
    """The clients of a file that `write_clients` wrote; ValueError when it is missing or not one."""
    content = read_json(path)
    if content is None:
        raise ValueError("the clients file is missing or not a JSON object")
    return {name: Client.model_validate(client) for name, client in content.items()}


class ClientsFile:
    """The clients of a file, read again when the file was replaced; used as a function."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, (0, 0)
        self._clients: dict[str, Client] = {}

    def __call__(self) -> dict[str, Client]:
        """The clients as the file says now; ValueError or OSError when it cannot be read."""
        found = self._path.stat()
        if (found.st_mtime_ns, found.st_ino) != self._seen:
            self._clients, self._seen = read_clients(self._path), (found.st_mtime_ns, found.st_ino)
        return self._clients
