"""One JSON line per thing that happened, with the same keys everywhere: service, instance, event_id, fiche, trace.

Payloads, tokens and free text are never logged. Of an exception its kinds and places are, its message is not: a database's or a
parser's message quotes what it did not like.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

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
_CAUSES: Final = 5
_PLACES: Final = 12
"""How many failures behind one another, and how many places of each, are logged."""


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
        _failure,
        structlog.processors.JSONRenderer(),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=first, processors=last))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(least)


def _failure(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put kinds and places of a failure and of what caused it in the place of its traceback."""
    event["event"] = str(event.get("event", "")).split("\n", 1)[0]  # what follows, asyncio's and others' logs quote
    given = event.pop("exc_info", None)
    failure = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(failure, BaseException):
        event["exception"] = described(failure)
    return event


def described(failure: BaseException) -> list[str]:
    """Return one line per failure, the last one first: its kind, its SQLSTATE or errno, the last places of ours and others."""
    lines: list[str] = []
    seen: BaseException | None = failure
    while seen is not None and len(lines) < _CAUSES:
        number = getattr(seen, "sqlstate", None) or getattr(seen, "errno", None)
        places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(seen.__traceback__)[-_PLACES:]]
        files = traceback.extract_tb(seen.__traceback__)[-1:]
        where = f" in {Path(files[0].filename).name}" if files else ""
        lines.append(f"{type(seen).__name__}{f' [{number}]' if number else ''}{where} at {' > '.join(places)}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return lines


def log(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
