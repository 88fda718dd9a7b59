"""The aggregates a transaction works on: loaded once, changed in memory by pure decisions, written together.

A decision first computes the whole new state, then calls `put`: an exception in between leaves the set as it was.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

from shared.audit_trail import NEW, Change, Head
from shared.database import UnitOfWork

S = TypeVar("S")


class WorkingSet(Generic[S]):
    """States by identifier, with the head each was loaded with and the changes made since."""

    def __init__(self, loaded: Mapping[UUID, tuple[Head, S]] | None = None) -> None:
        self._heads = {key: head for key, (head, _) in (loaded or {}).items()}
        self._states = {key: state for key, (_, state) in (loaded or {}).items()}
        self._changes: dict[UUID, list[Change]] = {}

    def get(self, identifier: UUID) -> S | None:
        """Return the current state of an aggregate, or None where there is none."""
        return self._states.get(identifier)

    def states(self) -> Mapping[UUID, S]:
        """Return every state of the set by identifier."""
        return self._states

    def put(self, identifier: UUID, state: S, *changes: Change) -> None:
        """Take the state that these changes led to."""
        self._states[identifier] = state
        self._changes.setdefault(identifier, []).extend(changes)

    def write(self, unit: UnitOfWork, table: sa.Table, columns: Callable[[S], Mapping[str, Any]]) -> None:
        """Hand every changed aggregate to the unit of work; sorted by identifier, so that two batches lock in one order."""
        for identifier in sorted(key for key, changes in self._changes.items() if changes):
            head = self._heads.get(identifier, NEW)
            unit.save(table, identifier, head, columns(self._states[identifier]), self._changes[identifier])
