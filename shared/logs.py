"""One JSON line per thing that happened, with the same keys everywhere: service, instance, event_id, fiche, trace.

Payloads, tokens and free text are never logged.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.trace import trace_id

_NOISY = {
    "aiokafka": logging.ERROR,
    "uvicorn.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "alembic": logging.WARNING,
    "httpx": logging.WARNING,
}
"""Loggers held back: during a broker restart aiokafka writes thousands of lines a second."""


def configure(service: str, instance: str, level: str = "INFO") -> None:
    """Send structlog and the standard library's loggers to standard error as JSON lines."""

    def place(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"], event["instance"] = service, instance
        if "trace" not in event and (trace := trace_id()):
            event["trace"] = trace
        return event

    first: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        place,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[*first, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=first, processors=last))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(least)


def log(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
