"""How the embedded brokers let anybody in: SASL/SCRAM users with their rights, TLS on request; in the words of server.properties."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from deploy.local.certificates import AUTHORITY, BROKER, ensure_certificate
from deploy.local.files import write_private
from deploy.local.secrets import KAFKA_ADMIN, KAFKA_BROKER, load_secrets
from shared.messaging.clients import KafkaAccess, SecurityProtocol

MECHANISM = "SCRAM-SHA-256"
_MODULES = "org.apache.kafka.common.security"
OPEN = {
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
}
"""Brokers that ask nobody anything: containers, and a data folder of before while its first two users are made."""


@dataclass(frozen=True)
class Security:
    """The brokers' own two users, both above all rights, and the folder of their certificate (None: no TLS)."""

    admin_password: str = field(repr=False)
    broker_password: str = field(repr=False)
    certificates: Path | None = None

    @classmethod
    def of(cls, home: Path, tls: bool) -> Self:
        """Read the passwords of a data folder, and with `tls` make its certificate; what is missing is made."""
        passwords, folder = load_secrets(home).kafka, home / "kafka" / "tls"
        if tls:
            ensure_certificate(folder, dt.datetime.now(dt.UTC))
        return cls(passwords[KAFKA_ADMIN], passwords[KAFKA_BROKER], folder if tls else None)

    @property
    def first_passwords(self) -> dict[str, str]:
        """The two users without whom nobody could make the others."""
        return {KAFKA_ADMIN: self.admin_password, KAFKA_BROKER: self.broker_password}

    @property
    def protocol(self) -> SecurityProtocol:
        """What clients speak."""
        return "SASL_SSL" if self.certificates else "SASL_PLAINTEXT"

    def access(self, bootstrap_servers: str) -> KafkaAccess:
        """The administrator's access."""
        return KafkaAccess(
            bootstrap_servers,
            security_protocol=self.protocol,
            ca_file=self.certificates / AUTHORITY if self.certificates else None,
            user=KAFKA_ADMIN,
            password=self.admin_password,
        )

    def settings(self) -> dict[str, str]:
        """The part of server.properties that says who is let in and who may do what; it holds passwords.

        Controllers speak to each other with PLAIN: SCRAM users lie in the very log that they have to agree upon first.
        """
        listener = f"listener.name.{self.protocol.lower()}"
        login = f'required username="{KAFKA_BROKER}" password="{self.broker_password}"'
        plain = f'{_MODULES}.plain.PlainLoginModule {login} user_{KAFKA_BROKER}="{self.broker_password}";'
        return {
            "inter.broker.listener.name": self.protocol,
            "listener.security.protocol.map": f"CONTROLLER:SASL_PLAINTEXT,{self.protocol}:{self.protocol}",
            "sasl.enabled.mechanisms": MECHANISM,
            "sasl.mechanism.inter.broker.protocol": MECHANISM,
            f"{listener}.scram-sha-256.sasl.jaas.config": f"{_MODULES}.scram.ScramLoginModule {login};",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{KAFKA_BROKER};User:{KAFKA_ADMIN}",
            **self._tls(),
        }

    def _tls(self) -> dict[str, str]:
        """Paths relative to a node's folder: server.properties is read as Latin-1, and a data folder may have any name."""
        if self.certificates is None:
            return {}
        store, trusted = f"../{self.certificates.name}/{BROKER}", f"../{self.certificates.name}/{AUTHORITY}"
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": store,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": trusted,
            "ssl.client.auth": "none",
            "ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
        }

    @contextmanager
    def first_users(self, folder: Path) -> Iterator[list[str]]:
        """Lend the arguments of `format` that make the two users: read from a file (0600) that is gone afterwards.

        On the command line itself every account of the machine could read the passwords.
        """
        path = folder / "first-users"
        users = self.first_passwords.items()
        lines = [part for name, word in users for part in ("--add-scram", f"{MECHANISM}=[name={name},password={word}]")]
        write_private(path, "\n".join(lines) + "\n")
        try:
            yield [f"@{path.name}"]
        finally:
            path.unlink(missing_ok=True)
