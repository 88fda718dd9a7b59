"""Prints one service's settings as JSON: `python settings_probe.py services.validation.settings`.

Run as a process of its own by `poec config check`: a service's code is never imported by what operates it. Each setting has
its environment variable, its sentence, its default (null: required), whether it is secret, and what is wrong with the value
in the environment, if anything. No value is printed.
"""

import importlib
import json
import sys
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings


def settings_class(module: str) -> type[BaseSettings]:
    """The most specific settings class of a module."""
    found = vars(importlib.import_module(module)).values()
    classes = [
        kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind is not BaseSettings
    ]
    return max(classes, key=lambda kind: len(kind.__mro__))


def describe(kind: type[BaseSettings]) -> list[dict[str, Any]]:
    """One object per setting."""
    prefix = str(kind.model_config.get("env_prefix") or "")
    wrong = _wrong(kind)
    return [
        {
            "key": f"{prefix}{name}".upper(),
            "meaning": field.description or "",
            "default": None if field.is_required() else str(field.default),
            "secret": field.annotation is SecretStr or SecretStr in get_args(field.annotation),
            "wrong": wrong.get(name),
        }
        for name, field in kind.model_fields.items()
    ]


def _wrong(kind: type[BaseSettings]) -> dict[str, str]:
    """Setting to what is wrong with its value; one that is only missing is not wrong: the supervisor gives it."""
    try:
        kind()
    except ValidationError as failure:
        return {str(error["loc"][0]): error["msg"] for error in failure.errors() if error["type"] != "missing"}
    return {}


if __name__ == "__main__":
    print(json.dumps(describe(settings_class(sys.argv[1]))))
