"""Keeps run.json true: state, pids and addresses of what runs, and what had to be started again."""

from collections.abc import Callable
from datetime import UTC, datetime

from deploy.local.runfile import Restart, Run, State

KEPT_RESTARTS = 200


class Chronicle:
    """Writes the file when something changed. `describe` makes the run as it is now, with the state and restarts given."""

    def __init__(self, describe: Callable[[State, list[Restart]], Run]) -> None:
        self._describe = describe
        self._counts: dict[str, int] = {}
        self._restarts: list[Restart] = []
        self._written: Run | None = None

    def died(self, what: str, reason: str) -> int:
        """Note that something died and will be started again; how many times so far."""
        self._counts[what] = self._counts.get(what, 0) + 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._restarts.append(Restart(what=what, at=at, reason=reason, count=self._counts[what]))
        del self._restarts[:-KEPT_RESTARTS]
        return self._counts[what]

    def write(self, state: State) -> Run:
        """Write the run as it is now, unless the file says so already."""
        run = self._describe(state, list(self._restarts))
        if run != self._written:
            run.save()
            self._written = run
        return run
