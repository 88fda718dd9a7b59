"""The services as clients of the local identity provider: each with a secret and addresses of its own."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.files import make_private, read_json, write_json
from deploy.local.secrets import load_secrets


class WebClient(BaseModel):
    """One service as an OpenID client: its name and secret at the provider, and where browsers may come back to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_secret: str = Field(repr=False)
    url: str

    @property
    def redirect_uri(self) -> str:
        """Where a browser comes back to from signing in."""
        return f"{self.url}/sign-in/callback"

    @property
    def signed_out_uri(self) -> str:
        """Where a browser comes back to from signing out."""
        return f"{self.url}/sign-out"


def web_clients_of(home: Path, urls: Mapping[str, str]) -> dict[str, WebClient]:
    """Service to its client, for the services at these addresses; secrets are made if missing."""
    names = {service: f"poec-{service}" for service in urls}
    secrets = load_secrets(home, names.values()).clients
    return {
        service: WebClient(client_id=name, client_secret=secrets[name], url=urls[service])
        for service, name in names.items()
    }


def write_web_clients(home: Path, clients: Mapping[str, WebClient]) -> Path:
    """Write POEC_HOME/web_clients.json (0600), which the provider reads, and return its path."""
    path = make_private(home) / "web_clients.json"
    write_json(path, {client.client_id: client.model_dump(mode="json") for client in clients.values()})
    return path


def read_web_clients(path: Path) -> dict[str, WebClient]:
    """Client id to client, of a file that `write_web_clients` wrote; ValueError when it is missing or not one."""
    content = read_json(path)
    if content is None:
        raise ValueError("the file of web clients is missing or not a JSON object")
    return {name: WebClient.model_validate(client) for name, client in content.items()}
