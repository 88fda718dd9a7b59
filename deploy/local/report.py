"""How the supervisor says what it waits for: named steps with their time, on whatever the reader looks at."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what) from any thread while a step advances."""


def with_figures(done: int, total: int, what: str) -> str:
    """Return how far a step is, with its figures where it has several parts: `what` holds none."""
    return f"{what} ({done} of {total})" if total > 1 else what


class Reporter(Protocol):
    """Shows steps that may run at the same time."""

    def step(self, name: str) -> AbstractContextManager[Progress]:
        """Show that a named step begins; leaving the block ends it, by an exception as failed."""
        ...

    def note(self, text: str) -> None:
        """Show one line."""
        ...


class PlainReporter:
    """One line per finished step with its time; one before it when it takes longer than a second. For logs and pipes."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._lock = threading.Lock()

    @contextmanager
    def step(self, name: str) -> Iterator[Progress]:
        """See Reporter."""
        begun = time.monotonic()
        late = threading.Timer(1.0, self.note, (f"{name} …",))
        late.daemon = True
        late.start()
        try:
            yield self._every_few_seconds(begun)
        except BaseException:  # only to name the step that failed; whatever it was goes on
            self.note(f"{name}: failed after {time.monotonic() - begun:.1f} s")
            raise
        else:
            self.note(f"{name}: {time.monotonic() - begun:.1f} s")
        finally:
            late.cancel()

    def note(self, text: str) -> None:
        """See Reporter."""
        with self._lock:
            print(text, file=self._out, flush=True)

    def _every_few_seconds(self, begun: float) -> Progress:
        shown = begun

        def progress(done: int, total: int, what: str) -> None:
            nonlocal shown
            if time.monotonic() - shown >= 3 and total > 0:
                shown = time.monotonic()
                self.note(f"  {with_figures(done, total, what)}")

        return progress
