"""What `up` was asked for: the data folder, which servers, which services, and how their roles share processes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from deploy.local.errors import LocalError
from deploy.local.runfile import Infra
from shared.contracts.flow import SERVICES

if TYPE_CHECKING:
    from shared.messaging.clients import KafkaAccess

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
    """`kafka` (an administrator's access) and `database` (URL of a superuser) name servers to use instead of our own.

    `tls`: our own brokers encrypt what they say.
    """

    home: Path
    brokers: int = 1
    split: bool = False
    docker: bool = False
    tls: bool = False
    kafka: "KafkaAccess | None" = field(default=None, repr=False)
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
    tls: bool = False,
) -> Options:
    """Options of a command line and its environment; LocalError names what contradicts."""
    kafka, database = _brokers_named(environment), environment.get("POEC_DATABASE_URL")
    if kafka is None and environment.get("POEC_KAFKA_SECURITY_PROTOCOL"):
        raise LocalError(
            "POEC_KAFKA_SECURITY_PROTOCOL is for brokers that POEC_KAFKA_BOOTSTRAP_SERVERS names; our own ask for a password "
            "in any case, and encrypt with --tls."
        )
    if tls and (kafka or infra == "docker"):
        raise LocalError("--tls is for the embedded brokers: leave it out, or use them.")
    if infra == "docker" and (kafka or database):
        raise LocalError(
            "--infra docker starts its own servers: unset POEC_KAFKA_BOOTSTRAP_SERVERS and POEC_DATABASE_URL, or leave it out."
        )
    if roles not in ("all", "split"):
        raise LocalError("--roles is `all` (one process per service) or `split` (one per role).")
    return Options(home, brokers, roles == "split", infra == "docker", tls, kafka, database or None)


def _brokers_named(environment: Mapping[str, str]) -> "KafkaAccess | None":
    """The administrator's access to the brokers that the environment names; None when it names none."""
    servers = environment.get("POEC_KAFKA_BOOTSTRAP_SERVERS")
    if not servers:
        return None
    from shared.messaging.clients import KafkaAccess, Mechanism, SecurityProtocol  # a client library, slow to load

    protocol = environment.get("POEC_KAFKA_SECURITY_PROTOCOL") or "PLAINTEXT"
    mechanism = environment.get("POEC_KAFKA_SASL_MECHANISM") or "SCRAM-SHA-256"
    user, password = environment.get("POEC_KAFKA_ADMIN_USER", ""), environment.get("POEC_KAFKA_ADMIN_PASSWORD", "")
    file = environment.get("POEC_KAFKA_CA_FILE")
    wrong = [
        *_one_of("POEC_KAFKA_SECURITY_PROTOCOL", protocol, get_args(SecurityProtocol)),
        *_one_of("POEC_KAFKA_SASL_MECHANISM", mechanism, get_args(Mechanism)),
        *(
            [
                "POEC_KAFKA_ADMIN_USER and POEC_KAFKA_ADMIN_PASSWORD are needed: the users of the product are made with them"
            ]
            if protocol != "PLAINTEXT" and not (user and password)
            else []
        ),
        *(["POEC_KAFKA_CA_FILE names no file"] if file and not Path(file).is_file() else []),
    ]
    if wrong:
        raise LocalError("; ".join(wrong) + ".")
    return KafkaAccess(
        servers,
        security_protocol=cast(SecurityProtocol, protocol),
        sasl_mechanism=cast(Mechanism, mechanism),
        ca_file=Path(file) if file else None,
        user=user,
        password=password,
    )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> list[str]:
    return [] if value in allowed else [f"{name} is one of {', '.join(allowed)}"]
