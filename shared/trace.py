"""The W3C trace context that follows a command from its door through every event it causes."""

import re
import secrets
from contextvars import ContextVar
from typing import Final

_FORM: Final = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def follow(traceparent: str | None) -> str:
    """Make `traceparent` the current trace if it has the W3C form, else begin a new one; return it."""
    trace = traceparent if traceparent and _FORM.fullmatch(traceparent) else _begin()
    _current.set(trace)
    return trace


def current_trace() -> str:
    """Return the current trace; a new one where nothing is being followed."""
    return _current.get() or _begin()


def trace_id() -> str | None:
    """Return the identifier of the current trace for logs, or None."""
    trace = _current.get()
    return trace.split("-")[1] if trace else None


def _begin() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
