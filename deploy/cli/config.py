"""`poec config check`: every setting with its effective value, where it comes from, and what is wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.asked import Json
from deploy.cli.config_production import check_production
from deploy.cli.console import print_json, reporter, stdout_console
from deploy.local.errors import LocalError
from shared.contracts.flow import SERVICES

ROOT = Path(__file__).parents[2]
PROBE = ROOT / "deploy" / "local" / "settings_probe.py"
LOCAL = {
    "POEC_HOME": "Data folder; otherwise .poec under the current directory.",
    "POEC_CACHE": "Folder of what is fetched once per machine; otherwise ~/.cache/poec.",
    "POEC_OFFLINE": "1: nothing is fetched; what is missing is an error.",
    "POEC_POSTGRES_ACCOUNT": "Account that PostgreSQL runs as when we are root; otherwise nobody.",
    "POEC_DATABASE_URL": "A superuser's URL of a PostgreSQL server to use instead of the embedded one.",
    "POEC_KAFKA_BOOTSTRAP_SERVERS": "Brokers to use instead of the embedded ones.",
    "POEC_KAFKA_SECURITY_PROTOCOL": "How those brokers are spoken to: PLAINTEXT (the default), SASL_PLAINTEXT or SASL_SSL.",
    "POEC_KAFKA_SASL_MECHANISM": "How one signs in there: SCRAM-SHA-256 (the default) or SCRAM-SHA-512.",
    "POEC_KAFKA_CA_FILE": "PEM file of the authority of their certificates; otherwise those of the system.",
    "POEC_KAFKA_ADMIN_USER": "Administrator of those brokers, who makes the product's users.",
    "POEC_KAFKA_ADMIN_PASSWORD": "The administrator's password.",
}
# What `poec up` decides for each process, whatever the environment says.
GIVEN = frozenset(
    f"POEC_{name}"
    for name in (
        *("MODE", "ISSUER", "JWKS_URL", "HTTP_HOST", "HTTP_PORT", "INSTANCE", "STDIN_WATCH", "CLIENTS_FILE"),
        *("KAFKA_WORKER_PASSWORD", "KAFKA_RELAY_PASSWORD"),
    )
)
config = typer.Typer(no_args_is_help=True, add_completion=False, help="Check the effective settings.")


@config.callback()
def _group() -> None:
    """A group, though it has one command."""


@dataclass
class Setting:
    """A setting: who reads it, its sentence, its effective value (masked if secret), where that comes from, what is wrong."""

    key: str
    read_by: list[str]
    meaning: str
    value: str | None
    origin: str
    wrong: str | None = None


@dataclass
class Report:
    """All settings, and the POEC_ names in the environment that nothing reads, each with what may have been meant."""

    settings: list[Setting] = field(default_factory=list)
    unknown: dict[str, str | None] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True when no value is wrong and no name unknown."""
        return not self.unknown and not any(setting.wrong for setting in self.settings)


@config.command()
def check(
    production: Annotated[
        bool,
        typer.Option("--production", help="Judge this environment as a service's in production: everything at once."),
    ] = False,
    connect: Annotated[
        bool, typer.Option("--connect", help="With --production: look at the database of POEC_DATABASE_URL too.")
    ] = False,
    service: Annotated[
        list[str] | None, typer.Option("--service", help="With --production: only this service; may be repeated.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="With --production: a process of this role only; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show every setting with its value (secrets masked) and origin; name wrong values and POEC_ names that nothing reads.

    With --production: everything in this environment that would keep a service from starting in production, and what is waived.

    Exit codes: 0 all is well, 1 a value is wrong or a name unknown, or something is unsafe in production.
    """
    if production:
        raise typer.Exit(check_production(service or list(SERVICES), role or [], connect, as_json))
    with reporter().step("Asking the services for their settings"):
        found = examine(os.environ, probe_all())
    if as_json:
        print_json({"ok": found.ok, **asdict(found)})
    else:
        _show(found)
    raise typer.Exit(0 if found.ok else 1)


def probe_all() -> dict[str, list[dict[str, Any]]]:
    """Service to its settings, as `settings_probe.py` tells them; the four are asked at the same time."""
    asked = {name: _ask(name) for name in SERVICES}
    answers = {}
    for name, process in asked.items():
        out, error = process.communicate()
        if process.returncode != 0:
            last = error.strip().rpartition("\n")[2]
            raise LocalError(f"The settings of {name} cannot be read: {last}")
        answers[name] = json.loads(out)
    return answers


def _ask(service: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", str(PROBE), f"services.{service}.settings"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=environment)


def examine(environment: Mapping[str, str], probed: Mapping[str, list[dict[str, Any]]]) -> Report:
    """Put together what the services read and what the environment says."""
    settings = {key: _local(key, meaning, environment.get(key)) for key, meaning in LOCAL.items()}
    for service, rows in probed.items():
        for row in rows:
            if row["key"] in settings and settings[row["key"]].read_by != ["poec"]:
                settings[row["key"]].read_by.append(service)
                settings[row["key"]].wrong = settings[row["key"]].wrong or row["wrong"]
            elif row["key"] not in settings:
                settings[row["key"]] = _setting(service, row, environment.get(row["key"]))
    files = {f"{key}_FILE" for rows in probed.values() for key in (row["key"] for row in rows if row["secret"])}
    return Report(list(settings.values()), unknown_keys(environment, {*settings, *GIVEN, *files}))


def unknown_keys(environment: Iterable[str], known: Iterable[str]) -> dict[str, str | None]:
    """POEC_ names that nothing reads, each with the nearest known one."""
    names = sorted(known)
    unknown = sorted(key for key in environment if key.startswith("POEC_") and key.upper() not in names)
    return {key: next(iter(get_close_matches(key, names, n=1)), None) for key in unknown}


def masked(value: str, secret: bool) -> str:
    """`***` for a secret, or the same in place of the password of a URL."""
    if "://" in value:
        login, found, _ = urlsplit(value).netloc.rpartition("@")
        user = login.partition(":")[0]
        return value.replace(f"{login}@", f"{user}:***@", 1) if found and ":" in login else value
    return "***" if secret else value


def _local(key: str, meaning: str, value: str | None) -> Setting:
    shown = None if value is None else masked(value, key.endswith("_PASSWORD"))
    return Setting(key, ["poec"], meaning, shown, "default" if value is None else "environment")


def _setting(service: str, row: dict[str, Any], value: str | None) -> Setting:
    if row["key"] in GIVEN:
        return Setting(row["key"], [service], row["meaning"], None, "given by poec up")
    if value is None:
        return Setting(row["key"], [service], row["meaning"], row["default"], "default")
    return Setting(row["key"], [service], row["meaning"], masked(value, row["secret"]), "environment", row["wrong"])


def _show(found: Report) -> None:
    out = stdout_console()
    table = Table("setting", "value", "from", "read by", "meaning", box=None, pad_edge=False)
    for setting in found.settings:
        readers = "all services" if len(setting.read_by) == len(SERVICES) else ", ".join(setting.read_by)
        value = escape(setting.value or "") + (f" [red]{escape(setting.wrong)}[/]" if setting.wrong else "")
        table.add_row(setting.key, value, setting.origin, readers, escape(setting.meaning))
    out.print(table)
    for key, meant in found.unknown.items():
        out.print(f"[red]{key}: nothing reads it" + (f"; was {meant} meant?" if meant else "") + "[/]", soft_wrap=True)
    out.print("all is well" if found.ok else "[red]something is wrong[/]")
