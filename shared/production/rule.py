"""What a rule of production is: a code, the settings it reads, why it is there, what to do, and the question itself.

Rules are pure: they are given everything they look at, and answer with the settings they object to. A finding never holds a value.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from shared.settings import ServiceSettings

PROCESS: Final = "(process)"
DATABASE: Final = "(database)"
"""What a finding is about where it is about no setting."""
Kind = Literal["settings", "process", "database"]


@dataclass(frozen=True)
class FileFacts:
    """A file that a setting names: whether this user can read a text in it, its permissions, whether it holds a PEM certificate."""

    readable: bool = False
    mode: int = 0
    certificate: bool = False

    @property
    def open_to_others(self) -> bool:
        """Return whether users outside its owner and group may do anything with it, or the group may write it."""
        return bool(self.mode & 0o027)

    @property
    def writable_by_others(self) -> bool:
        """Return whether anybody but its owner may write it."""
        return bool(self.mode & 0o022)


@dataclass(frozen=True)
class Surroundings:
    """What a process finds around itself: environment, user, interpreter, files of its settings, code of development."""

    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    root: bool = False
    optimized: bool = False
    debugged: bool = False
    development: tuple[str, ...] = ()


@dataclass(frozen=True)
class Address:
    """An http(s) or database URL, taken apart; `ok` is False for what is none."""

    text: str

    @cached_property
    def parts(self) -> SplitResult | None:
        """Return its parts; None for what is no URL with a host."""
        try:
            parts = urlsplit(self.text)
            port_is_a_number = parts.port is None or parts.port >= 0
        except ValueError:
            return None
        return parts if parts.scheme and parts.hostname and port_is_a_number else None

    @property
    def ok(self) -> bool:
        """Return whether it is a URL with a host, without blanks."""
        return self.parts is not None and self.text == "".join(self.text.split())

    @property
    def host(self) -> str:
        """Return its host name; empty for what is no URL."""
        return (self.parts.hostname or "") if self.parts else ""

    @property
    def query(self) -> dict[str, str]:
        """Return its parameters."""
        return dict(parse_qsl(self.parts.query)) if self.parts else {}

    @property
    def user(self) -> str:
        """Return the user it names, as the server will see it."""
        return unquote(self.parts.username or "") if self.parts else ""

    @property
    def password(self) -> str:
        """Return the password it holds."""
        return unquote(self.parts.password or "") if self.parts else ""


@dataclass(frozen=True)
class Case:
    """One process to be judged: its service, its roles, its settings, what is around it."""

    service: str
    roles: frozenset[str]
    settings: ServiceSettings
    around: Surroundings = field(default_factory=Surroundings)

    @cached_property
    def databases(self) -> tuple[Address, ...]:
        """Return the address of its database, once for each host that it names (`host:port,host:port`)."""
        url = self.settings.database_url
        text = url.get_secret_value() if url else ""
        beginning, _, rest = text.partition("://")
        authority = re.split("[/?#]", rest, maxsplit=1)[0]
        login, at, hosts = authority.rpartition("@")
        return tuple(Address(f"{beginning}://{login}{at}{host}{rest[len(authority) :]}") for host in hosts.split(","))

    @property
    def database(self) -> Address:
        """Return the address of its database, with the first host."""
        return self.databases[0]

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Return every secret it was given, by setting; of the database's URL the password alone."""
        found = {"POEC_DATABASE_URL": self.database.password}
        for name in type(self.settings).model_fields:
            value = getattr(self.settings, name)
            if isinstance(value, SecretStr) and name != "database_url":
                found[env(name)] = value.get_secret_value()
        return {name: secret for name, secret in found.items() if secret}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one setting: the rule's code, why that matters, what to do. Never a value."""

    code: str
    setting: str
    why: str
    do: str

    def __str__(self) -> str:
        """Return its line."""
        return f"{self.setting}: {self.code}: {self.why} {self.do}"


Answer = bool | Iterable[str] | Mapping[str, str]
"""True for the rule's own setting, or the settings themselves, each with a hint if there is one."""


@dataclass(frozen=True)
class Rule:
    """One rule: it is asked once every setting it reads is there and well-formed, and may be waived only where that is said."""

    code: str
    reads: tuple[str, ...]
    why: str
    do: str
    unsafe: Callable[[Case], Answer]
    waivable: bool = False
    kind: Kind = "settings"

    def findings(self, case: Case) -> list[Finding]:
        """Return what this rule objects to."""
        answer = self.unsafe(case)
        if isinstance(answer, bool):
            about = env(self.reads[0]) if self.reads else PROCESS
            answer = (about,) if answer else ()
        hints = answer if isinstance(answer, Mapping) else dict.fromkeys(answer, "")
        return [Finding(self.code, name, self.why, f"{self.do} {hint}".rstrip()) for name, hint in hints.items()]


def env(name: str) -> str:
    """Return the environment variable of a setting; what is a variable already stays."""
    return name if name.isupper() else f"POEC_{name.upper()}"


def path_of(value: str | Path | None) -> Path | None:
    """Return a path that a setting names; None for none."""
    return Path(value) if value else None
