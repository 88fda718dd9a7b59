"""What the terminal shows while something takes time. Results go to standard output; all of this to standard error."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from deploy.local.errors import LocalError
from deploy.local.report import PlainReporter, Reporter, with_figures
from deploy.local.report import Progress as Advance


def is_plain() -> bool:
    """True when standard error is no terminal, or NO_COLOR is set: plain lines then."""
    return bool(os.environ.get("NO_COLOR")) or not sys.stderr.isatty()


def stderr_console() -> Console:
    """Where everything goes that is not a result."""
    return Console(stderr=True, no_color=is_plain(), highlight=False)


def stdout_console() -> Console:
    """Where results for people go: tables as wide as the terminal, 120 columns in a pipe."""
    width = None if sys.stdout.isatty() else 120
    return Console(no_color=bool(os.environ.get("NO_COLOR")), highlight=False, width=width)


def print_json(content: Any) -> None:
    """Print a result as one JSON document on standard output."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


def explain(failure: Exception) -> None:
    """Say on standard error why it did not work."""
    stderr_console().print(f"[bold red]error[/]: {escape(str(failure))}", soft_wrap=True)


@dataclass
class Ending:
    """How a command that does not come to its end is left: `interrupted` says what Ctrl-C leaves behind."""

    interrupted: str = "Nothing was changed."


@contextmanager
def explained(failed: int, interrupted: int) -> Iterator[Ending]:
    """End a command that cannot go on with a sentence and its exit code: `failed` for a `LocalError`, `interrupted` for Ctrl-C."""
    ending = Ending()
    try:
        yield ending
    except LocalError as failure:
        explain(failure)
        raise typer.Exit(failed) from None
    except KeyboardInterrupt:
        stderr_console().print(escape(f"Interrupted. {ending.interrupted}"), soft_wrap=True)
        raise typer.Exit(interrupted) from None


def reporter() -> Reporter:
    """Shows named steps with their times: bars on a terminal, plain lines elsewhere."""
    return PlainReporter() if is_plain() else LiveReporter(stderr_console())


class LiveReporter:
    """A spinner, a bar when the length is known, and the time of each running step; one line stays for each finished one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._running = 0
        self._bars = self._new_bars()

    @contextmanager
    def step(self, name: str) -> Iterator[Advance]:
        """See Reporter."""
        task = self._begin(name)

        def advance(done: int, total: int, what: str) -> None:
            self._bars.update(task, completed=done, total=total, description=escape(with_figures(done, total, what)))

        try:
            yield advance
        except BaseException:  # only to mark the step as failed; whatever it was goes on
            self._finish(task, name, "[red]✗[/]")
            raise
        self._finish(task, name, "[green]✓[/]")

    def note(self, text: str) -> None:
        """See Reporter."""
        self._console.print(escape(text), soft_wrap=True)

    def _new_bars(self) -> Progress:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
        return Progress(*columns, console=self._console, transient=True)

    def _begin(self, name: str) -> TaskID:
        with self._lock:
            if self._running == 0:
                self._bars = self._new_bars()
                self._bars.start()
            self._running += 1
            return self._bars.add_task(escape(name), total=None)

    def _finish(self, task: TaskID, name: str, sign: str) -> None:
        with self._lock:
            elapsed = self._bars.tasks[self._bars.task_ids.index(task)].elapsed or 0.0
            self._bars.remove_task(task)
            self._console.print(f"{sign} {escape(name)} [dim]{elapsed:.1f} s[/]")
            self._running -= 1
            if self._running == 0:
                self._bars.stop()
