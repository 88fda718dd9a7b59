"""The ears of every service, as `app.py` puts them together, for tests that look at them without a process."""

import functools
import importlib
from pathlib import Path
from typing import Any

from shared.contracts.flow import SERVICES
from shared.messaging.hearing import Hearing
from shared.service import Service

_ROOT = Path(__file__).parent.parent.parent / "services"
_NEEDED = {
    "mode": "local",
    "database_url": "postgresql://nobody@127.0.0.1:1/none",
    "kafka_bootstrap_servers": "127.0.0.1:1",
    "kafka_security_protocol": "PLAINTEXT",
    "issuer": "https://issuer.invalid",
    "jwks_url": "https://issuer.invalid/jwks",
    "instance": "test",
}


def present() -> tuple[str, ...]:
    """Return the services that have an `app.py`."""
    return tuple(name for name in SERVICES if (_ROOT / name / "app.py").is_file())


def service(name: str) -> Service:
    """Return a service as its `app.py` puts it together."""
    found: Service = importlib.import_module(f"services.{name}.app").SERVICE
    return found


@functools.cache
def ears() -> dict[str, Hearing[Any]]:
    """Return what each service hears, with the defaults of its settings."""
    return {name: service(name).hearing(service(name).settings.model_validate(_NEEDED)) for name in present()}
