"""A working set: what was loaded, what was changed, and in which order it is written."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.audit_trail import NEW, Change, Head
from shared.working_set import WorkingSet

ONE, TWO, THREE = (UUID(int=n) for n in (1, 2, 3))
TABLE = sa.Table("t", sa.MetaData())
CHANGE = Change("count", "akto", None, "counted")


class Noting:
    """A unit of work that only notes what it is handed."""

    def __init__(self) -> None:
        self.saved: list[tuple[Any, ...]] = []

    def save(self, table: sa.Table, identifier: UUID, head: Head, columns: Any, changes: Any) -> None:
        self.saved.append((identifier, head, dict(columns), len(changes)))


def written(working: WorkingSet[int]) -> list[tuple[Any, ...]]:
    unit = Noting()
    working.write(unit, TABLE, lambda state: {"seen": state})  # type: ignore[arg-type]  # a stand-in with the one method used
    return unit.saved


def test_what_was_not_changed_is_not_written() -> None:
    assert written(WorkingSet({ONE: (Head(3, 1, "h"), 5)})) == []


def test_what_was_changed_is_written_with_the_head_it_was_loaded_with() -> None:
    working = WorkingSet({ONE: (Head(3, 1, "h"), 5)})
    working.put(ONE, 6, CHANGE)
    working.put(ONE, 7, CHANGE, CHANGE)
    assert working.get(ONE) == 7
    assert written(working) == [(ONE, Head(3, 1, "h"), {"seen": 7}, 3)]


def test_what_is_new_has_an_empty_head() -> None:
    working = WorkingSet[int]()
    assert working.get(TWO) is None
    working.put(TWO, 1, CHANGE)
    assert written(working) == [(TWO, NEW, {"seen": 1}, 1)]


def test_two_batches_lock_in_one_order() -> None:
    working = WorkingSet[int]()
    for identifier in (THREE, ONE, TWO):
        working.put(identifier, 1, CHANGE)
    assert [saved[0] for saved in written(working)] == [ONE, TWO, THREE]


def test_a_state_that_is_put_without_a_change_is_seen_and_not_written() -> None:
    working = WorkingSet({ONE: (Head(3, 1, "h"), 5)})
    working.put(ONE, 5)
    assert written(working) == []
    assert working.states() == {ONE: 5}
