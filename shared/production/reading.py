"""Reads what the rules look at: settings as far as they are well-formed, and what is around this process."""

import os
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError, create_model

from shared.production.rule import FileFacts, Finding, Surroundings, env
from shared.secret_files import SUFFIX, content_of, secret_files, secret_names
from shared.settings import ServiceSettings

_DEVELOPMENT: Final = {"deploy": "local", "tests": "support"}
"""Folders that no image holds: the development issuer and the supervisor of one machine, the tests with their crash switches."""


@dataclass(frozen=True)
class Read:
    """Settings as far as they could be read, and what is wrong with the others, which are None in `settings`."""

    settings: ServiceSettings
    wrong: tuple[Finding, ...] = ()
    unread: frozenset[str] = frozenset()


def read_settings(kind: type[ServiceSettings]) -> Read:
    """Read the environment into settings; what is missing or of another type does not keep the rest from being judged."""
    try:
        return Read(kind())
    except ValidationError as failure:
        errors = {str(error["loc"][0]): error for error in failure.errors(include_input=False, include_url=False)}
    # the settings that are wrong become optional in a class made for this reading, and are given as None
    fields: dict[str, Any] = dict.fromkeys(errors, (Any, None))
    lenient = create_model("Lenient", __base__=kind, **fields)
    settings = lenient(**dict.fromkeys(errors))
    return Read(settings, tuple(_wrong(name, error) for name, error in errors.items()), frozenset(errors))


def _wrong(name: str, error: Mapping[str, Any]) -> Finding:
    if error["type"] == "missing":
        return missing(env(name))
    return Finding("SETTING_WRONG", env(name), f"{error['msg']}.", "Correct it.")


def missing(name: str) -> Finding:
    """Return the finding for a setting that is not there."""
    return Finding("SETTING_MISSING", name, "It is needed and has no default.", "Set it.")


def surroundings(kind: type[ServiceSettings], settings: ServiceSettings, roots: str | None) -> Surroundings:
    """Return what is around this process; `roots` is the `sslrootcert` of its database, if it names one."""
    environment = dict(os.environ)
    files = {f"{name}{SUFFIX}": path for name, path in secret_files(kind, environment).items()}
    if settings.kafka_ca_file:
        files["POEC_KAFKA_CA_FILE"] = settings.kafka_ca_file
    if roots:
        files["sslrootcert"] = Path(roots)
    return Surroundings(
        environment=environment,
        files={key: _facts(path) for key, path in files.items()},
        known=frozenset(known_names(kind)),
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        optimized=sys.flags.optimize > 0,
        debugged=bool(sys.flags.debug or sys.flags.inspect or sys.flags.interactive or sys.flags.dev_mode),
        development=tuple(sorted(_development())),
    )


def known_names(kind: type[ServiceSettings]) -> set[str]:
    """Return every name of the environment that a class of settings reads."""
    return {*(env(name) for name in kind.model_fields), *(name + SUFFIX for name in secret_names(kind))}


def _facts(path: Path) -> FileFacts:
    try:
        mode = path.stat().st_mode
    except OSError:
        return FileFacts()
    held = content_of(path) if path.is_file() else None
    return FileFacts(bool(held), mode & 0o777, _holds_a_certificate(path))


def _holds_a_certificate(path: Path) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # a default one would open the file of SSLKEYLOGFILE
    try:
        context.load_verify_locations(path)
        return bool(context.get_ca_certs())
    except (OSError, ssl.SSLError):
        return False


def _development() -> set[str]:
    """Return the folders of development that can be imported here; they are looked for, not imported."""
    found: set[str] = set()
    for package, folder in _DEVELOPMENT.items():
        spec = find_spec(package)
        places = list(spec.submodule_search_locations or ()) if spec else []
        found |= {f"{package}/{folder}" for place in places if (Path(place) / folder).is_dir()}
    return found
