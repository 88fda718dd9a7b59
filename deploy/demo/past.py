"""What an earlier play of this data folder did, by the journals it left: a play that was broken off goes on from there.

What it was told is done is not sent again; what it sent without seeing an answer is, under the same key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.demo.agenda import Turn
from deploy.journal import Entry, journals_of, read_journals


@dataclass(frozen=True)
class Past:
    """Keys and record ids that were told to be done, and those that were sent."""

    accepted: frozenset[str] = frozenset()
    sent: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Return what these entries say."""
        known = tuple(entries)
        accepted = frozenset(entry.key for entry in known if entry.accepted)
        return cls(accepted, frozenset(entry.key for entry in known))

    @classmethod
    def read(cls, home: Path) -> Self:
        """Return what the journals of a data folder say. Raises `JournalUnreadable`."""
        return cls.of(read_journals(journals_of(home)))

    def done(self, turn: Turn) -> bool:
        """Return whether this step was told to be done, under its own name or that of a later try."""
        return _any_of(turn, self.accepted)

    def deed_done(self, key: str) -> bool:
        """Return whether what frames the year was put on record under this key."""
        return key in self.accepted

    def perhaps(self, turn: Turn) -> bool:
        """Return whether a later try was sent: then the step may be done although the first try is refused now."""
        return any(key.startswith(f"{turn.name}/") for key in self.sent)


def _any_of(turn: Turn, keys: frozenset[str]) -> bool:
    return turn.name in keys or any(key.startswith(f"{turn.name}/") for key in keys)
