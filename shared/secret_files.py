"""Secrets read from files: for every secret setting `POEC_X` there is `POEC_X_FILE`, the path of a file that holds it.

Orchestrators hand secrets over as files; an environment is seen by more (`docker inspect`, `/proc`, crash reports).
"""

import os
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

SUFFIX: Final = "_FILE"
MAX_BYTES: Final = 16 * 1024


def is_secret(field: FieldInfo) -> bool:
    """Return whether a setting is a secret, also where it may be left out."""
    return field.annotation is SecretStr or SecretStr in typing.get_args(field.annotation)


def secret_names(kind: type[BaseSettings]) -> tuple[str, ...]:
    """Return the names of the environment variables of a class's secret settings: `POEC_DATABASE_URL`."""
    prefix = str(kind.model_config.get("env_prefix") or "")
    return tuple(f"{prefix}{name}".upper() for name, field in kind.model_fields.items() if is_secret(field))


def secret_files(kind: type[BaseSettings], environment: Mapping[str, str]) -> dict[str, Path]:
    """Return secret setting to the file that the environment names for it."""
    given = {key.upper(): value for key, value in environment.items() if value}
    return {name: Path(given[name + SUFFIX]) for name in secret_names(kind) if name + SUFFIX in given}


def content_of(path: Path) -> str | None:
    """Return the secret in a file without the newline at its end; None where it cannot be read as at most 16 KiB of text."""
    try:
        with path.open("rb") as file:
            held = file.read(MAX_BYTES + 1)
        return None if len(held) > MAX_BYTES else held.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return None


class SecretFiles(PydanticBaseSettingsSource):
    """The source of settings that reads these files; a file that cannot be read is as a setting that is missing."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing: `__call__` reads all of them."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return setting to secret, for the files that can be read."""
        prefix = str(self.config.get("env_prefix") or "")
        named = {
            name.removeprefix(prefix).lower(): content_of(path)
            for name, path in secret_files(self.settings_cls, os.environ).items()
        }
        return {name: held for name, held in named.items() if held is not None}
