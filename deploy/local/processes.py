"""The Python processes of a run: the issuer, and each service as one process or one per role, with their environments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.children import Child
from deploy.local.clients import write_clients
from deploy.local.databases import DatabaseUrls
from deploy.local.files import read_json, write_json
from deploy.local.options import ROLES, Options, ServiceSpec
from deploy.local.ports import LOOPBACK, keep_or_choose
from deploy.local.runfile import Issuer, KafkaServer, ServiceProcesses
from deploy.local.web_clients import WebClient, web_clients_of, write_web_clients
from shared.contracts.access import relay_user, worker_user


class Ports:
    """The HTTP ports of a data folder: those of its last run while they are free, so that URLs stay the same."""

    def __init__(self, home: Path) -> None:
        self._path = home / "ports.json"
        self._kept: dict[str, int] = read_json(self._path) or {}
        self._given: dict[str, int] = {}

    def of(self, process: str) -> int:
        """The port of a process, always the same one; written down for the next run."""
        if process in self._given:
            return self._given[process]
        port = keep_or_choose(self._kept.get(process), tuple(self._given.values()))
        self._given[process] = port
        if self._kept.get(process) != port:
            self._kept[process] = port
            write_json(self._path, self._kept)
        return port


def issuer_process(home: Path, ports: Ports, web: Mapping[str, WebClient] | None = None) -> Child:
    """The local issuer, not yet started; people may sign in to the services of `web`."""
    port = ports.of("issuer")
    environment = {
        "POEC_MODE": "local",
        "POEC_ISSUER": f"http://{LOOPBACK}:{port}",
        "POEC_CLIENTS_FILE": str(write_clients(home)),
        "POEC_WEB_CLIENTS_FILE": str(write_web_clients(home, web or {})),
    }
    return Child("issuer", ("-m", "deploy.local.issuer"), environment, home / "logs" / "issuer.log", port, "/livez")


def describe_issuer(child: Child) -> Issuer:
    """Its part of run.json."""
    url = child.url
    return Issuer(url=url, issuer=url, token_url=f"{url}/token", jwks_url=f"{url}/jwks.json", pid=child.pid)


@dataclass(frozen=True)
class Surroundings:
    """What every service process is told: where Kafka, the issuer and its database are."""

    kafka: KafkaServer
    issuer: Issuer
    databases: Mapping[str, DatabaseUrls]
    web: Mapping[str, WebClient] = field(default_factory=dict)

    def environment(self, service: str, instance: str, role: str = "all", owner: bool = False) -> dict[str, str]:
        """The POEC_ variables of one process of a role; `owner` gives it the database owner's URL, for migrations."""
        urls = self.databases[service]
        return {
            "POEC_MODE": "local",
            "POEC_DATABASE_URL": urls.owner if owner else urls.process,
            "POEC_KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "POEC_KAFKA_SECURITY_PROTOCOL": self.kafka.security_protocol,
            "POEC_KAFKA_SASL_MECHANISM": self.kafka.sasl_mechanism,
            **({"POEC_KAFKA_CA_FILE": str(self.kafka.ca_file)} if self.kafka.ca_file else {}),
            **({} if owner else self._passwords(service, role)),
            **({} if owner else self._sign_in(service, role)),
            "POEC_ISSUER": self.issuer.issuer,
            "POEC_JWKS_URL": self.issuer.jwks_url,
            "POEC_INSTANCE": instance,
            # one machine's trail is short and its days are: an hour would be longer than most runs
            "POEC_ANCHOR_SECONDS": "10",
        }

    def _passwords(self, service: str, role: str) -> dict[str, str]:
        """Each role its own password at the brokers; the API speaks to none."""
        users = {"worker": worker_user(service), "relay": relay_user(service)}
        return {
            f"POEC_KAFKA_{of.upper()}_PASSWORD": self.kafka.users[user]
            for of, user in users.items()
            if role in (of, "all") and user in self.kafka.users
        }

    def _sign_in(self, service: str, role: str) -> dict[str, str]:
        """How people sign in to a service, for the role that speaks with browsers."""
        client = self.web.get(service)
        if client is None or role not in ("api", "all"):
            return {}
        return {
            "POEC_PUBLIC_URL": client.url,
            "POEC_OIDC_ISSUER": self.issuer.issuer,
            "POEC_OIDC_CLIENT_ID": client.client_id,
            "POEC_OIDC_CLIENT_SECRET": client.client_secret,
            "POEC_OIDC_SCOPE": "openid email siret",
        }


def web_clients(options: Options, ports: Ports) -> dict[str, WebClient]:
    """Each service as a client of the local identity provider, at the address that its API will have."""
    names = {spec.name: f"{spec.name}.api" if options.split else spec.name for spec in options.services}
    urls = {service: f"http://{LOOPBACK}:{ports.of(name)}" for service, name in names.items()}
    return web_clients_of(options.home, urls)


def service_processes(options: Options, spec: ServiceSpec, around: Surroundings, ports: Ports) -> dict[str, Child]:
    """The processes of one service by role: the same one for all roles, or one each; not yet started."""
    if not options.split:
        child = _process(options.home, spec, "all", spec.name, around, ports)
        return dict.fromkeys(ROLES, child)
    return {role: _process(options.home, spec, role, f"{spec.name}.{role}", around, ports) for role in ROLES}


def _process(home: Path, spec: ServiceSpec, role: str, name: str, around: Surroundings, ports: Ports) -> Child:
    instance = f"{name.replace('.', '-')}-1"
    environment = around.environment(spec.name, instance, role)
    return Child(name, (*spec.command, role), environment, home / "logs" / f"{name}.log", ports.of(name))


def describe_service(children: Mapping[str, Child], urls: DatabaseUrls) -> ServiceProcesses:
    """A service's part of run.json."""
    return ServiceProcesses(
        url=children["api"].url,
        database_url=urls.owner,
        process_database_url=urls.process,
        audit_database_url=urls.audit,
        pids={role: child.pid for role, child in children.items() if child.pid is not None},
        urls={role: child.url for role, child in children.items()},
    )
