"""The machine clients of the embedded run: who may ask the local issuer for a token, and as what the services know them at first.

A token says the client's name alone; organisation and roles are registered with each service when it starts for the first time
(`registration.py`), and may be changed there.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.files import make_private, read_json, write_json
from deploy.local.secrets import load_secrets
from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPCOS, OPERATIONS, REGION

PROVIDER_SIRET = "99912345800013"  # of an invented training provider, which the example fiche names
ADMINISTRATOR = "administrator"
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
    """All clients with the secrets of this data folder, which are made if missing."""
    secrets = load_secrets(home, TABLE).clients
    return {
        name: Client(client_id=name, client_secret=secrets[name], organisation=organisation, roles=roles)
        for name, (organisation, roles) in TABLE.items()
    }


def write_clients(home: Path) -> Path:
    """Write POEC_HOME/clients.json (0600), which the issuer reads, and return its path."""
    path = make_private(home) / "clients.json"
    write_json(path, {name: client.model_dump(mode="json") for name, client in clients_of(home).items()})
    return path


def read_clients(path: Path) -> dict[str, Client]:
    """The clients of a file that `write_clients` wrote; ValueError when it is missing or not one."""
    content = read_json(path)
    if content is None:
        raise ValueError("the clients file is missing or not a JSON object")
    return {name: Client.model_validate(client) for name, client in content.items()}
