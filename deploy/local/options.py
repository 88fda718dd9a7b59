"""What `up` was asked for: the data folder, which servers, which services, and how their roles share processes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.runfile import Infra
from shared.contracts.flow import SERVICES

ROLES = ("api", "worker", "relay")


@dataclass(frozen=True)
class ServiceSpec:
    """A service to run: its name, and its command after the interpreter; a role, or `migrate`, is appended to it."""

    name: str
    command: tuple[str, ...]
    migrations: Path | None = None


def real_services() -> tuple[ServiceSpec, ...]:
    """The four services of the product."""
    root = Path(__file__).parents[2] / "services"
    return tuple(ServiceSpec(name, ("-m", f"services.{name}"), root / name / "migrations") for name in SERVICES)


@dataclass(frozen=True)
class Options:
    """`kafka` (bootstrap servers) and `database` (URL of a superuser) name servers to use instead of our own."""

    home: Path
    brokers: int = 1
    split: bool = False
    docker: bool = False
    kafka: str | None = None
    database: str | None = field(default=None, repr=False)
    services: tuple[ServiceSpec, ...] = field(default_factory=real_services)

    @property
    def infra(self) -> Infra:
        """Where the two servers come from; `external` as soon as one of them does."""
        if self.kafka or self.database:
            return "external"
        return "docker" if self.docker else "embedded"


def options_from(
    home: Path,
    environment: Mapping[str, str] = os.environ,
    brokers: int = 1,
    roles: str = "all",
    infra: str = "embedded",
) -> Options:
    """Options of a command line and its environment; LocalError names what contradicts."""
    kafka, database = environment.get("POEC_KAFKA_BOOTSTRAP_SERVERS"), environment.get("POEC_DATABASE_URL")
    if infra == "docker" and (kafka or database):
        raise LocalError(
            "--infra docker starts its own servers: unset POEC_KAFKA_BOOTSTRAP_SERVERS and POEC_DATABASE_URL, or leave it out."
        )
    if roles not in ("all", "split"):
        raise LocalError("--roles is `all` (one process per service) or `split` (one per role).")
    return Options(home, brokers, roles == "split", infra == "docker", kafka or None, database or None)
