"""`POEC_HOME/run.json`: where everything that runs can be reached. Other programs rely on its names."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.local.clients import Client
from deploy.local.errors import LocalError
from deploy.local.files import write_private
from deploy.local.guarded import is_same

if TYPE_CHECKING:
    from shared.messaging.clients import KafkaAccess

RUN_FILE = "run.json"
START_PAGE = "/espace/fiches"
State = Literal["starting", "ready", "degraded", "stopping"]
Infra = Literal["embedded", "external", "docker"]


class _Part(BaseModel):
    """Unknown names are kept out of the way, so that an older command can read a newer file."""

    model_config = ConfigDict(extra="ignore")


class SupervisorProcess(_Part):
    """The process that holds all others; `started` (seconds since 1970) tells it from a later one with the same pid."""

    pid: int
    started: float = 0.0


class KafkaServer(_Part):
    """The brokers; `pids` is empty for servers that we did not start, `users` (to passwords) where nobody signs in."""

    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-256"
    ca_file: Path | None = None
    admin_user: str = "admin"
    users: dict[str, str] = Field(default={}, repr=False)
    cluster_id: str = ""
    pids: list[int] = []

    def access(self, user: str) -> "KafkaAccess":
        """How a client signs in as `user`; LocalError when run.json has no such user."""
        from shared.messaging.clients import KafkaAccess  # a client library, slow to load

        if self.security_protocol != "PLAINTEXT" and user not in self.users:
            raise LocalError(f"run.json has no Kafka user {user}.")
        return KafkaAccess(
            self.bootstrap_servers,
            security_protocol=self.security_protocol,
            sasl_mechanism=self.sasl_mechanism,
            ca_file=self.ca_file,
            user=user,
            password=self.users.get(user, ""),
        )

    @property
    def admin(self) -> "KafkaAccess":
        """How the administrator signs in."""
        return self.access(self.admin_user)


class PostgresServer(_Part):
    """The database server; `pid` is null for a server that we did not start."""

    pid: int | None = None
    host: str
    port: int


class Issuer(_Part):
    """Who issues the bearer tokens of this machine: its `iss`, and where tokens and keys are had."""

    url: str
    issuer: str
    token_url: str
    jwks_url: str
    pid: int | None = None


class ServiceProcesses(_Part):
    """One service: its API's URL, its three database URLs (owner, process, audit), and pid and URL of each role."""

    url: str
    database_url: str = Field(default="", repr=False)
    process_database_url: str = Field(default="", repr=False)
    audit_database_url: str = Field(default="", repr=False)
    pids: dict[str, int] = {}
    urls: dict[str, str] = {}


class Restart(_Part):
    """Something died at `at` (ISO 8601, UTC) and was started again; `count` says how many times so far."""

    what: str
    at: str
    reason: str
    count: int


class Run(_Part):
    """Everything that runs on one data folder; the file is written when all of it is ready, and kept true afterwards."""

    version: str
    home: str
    state: State
    infra: Infra
    started_at: str
    supervisor: SupervisorProcess
    kafka: KafkaServer
    postgres: PostgresServer
    issuer: Issuer
    clients: dict[str, Client] = {}
    services: dict[str, ServiceProcesses] = {}
    restarts: list[Restart] = []

    @classmethod
    def load(cls, home: Path) -> "Run":
        """Read the file of a data folder; LocalError when there is none (nothing runs) or it is not readable."""
        try:
            return cls.model_validate_json((home / RUN_FILE).read_bytes())
        except FileNotFoundError:
            raise LocalError(f"Nothing runs in {home}: start it with `poec up`.") from None
        except (ValidationError, OSError) as failure:
            raise LocalError(f"{home / RUN_FILE} cannot be read ({type(failure).__name__}).") from None

    @property
    def pages_url(self) -> str | None:
        """Where people of OPCOs begin in a browser; None where submission does not run."""
        submission = self.services.get("submission")
        return f"{submission.url}{START_PAGE}" if submission else None

    def save(self) -> None:
        """Write the file whole or not at all, mode 0600: it holds credentials."""
        write_private(Path(self.home) / RUN_FILE, self.model_dump_json(indent=2) + "\n")

    def is_live(self) -> bool:
        """True while the supervisor that wrote the file is the process that now has its pid."""
        return is_same(self.supervisor.model_dump())


def home_folder(named: Path | None = None) -> Path:
    """The data folder: the one named, else POEC_HOME, else `.poec` under the current directory; absolute."""
    folder = named or Path(os.environ.get("POEC_HOME") or ".poec")
    return folder.expanduser().absolute()


def live_run(home: Path) -> Run | None:
    """What runs in `home` now; None when nothing does, or when the file was left by a supervisor that is gone."""
    try:
        run = Run.load(home)
    except LocalError:
        return None
    return run if run.is_live() else None
