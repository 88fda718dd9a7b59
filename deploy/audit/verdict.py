"""What an invariant is, and what looking at one says."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.audit.evidence import Evidence


class CouldNotLook(Exception):
    """The audit could not read what it must judge; the message says what to do and holds no secret."""


@dataclass(frozen=True)
class Verdict:
    """How many things were looked at, and one sentence for each that is not as it must be."""

    checked: int = 0
    violations: tuple[str, ...] = ()

    def __add__(self, other: "Verdict") -> "Verdict":
        """Return both verdicts as one."""
        return Verdict(self.checked + other.checked, self.violations + other.violations)

    def confirmed_by(self, later: "Verdict") -> "Verdict":
        """Return a later verdict with only those violations that this one had too."""
        before = set(self.violations)
        return Verdict(later.checked, tuple(found for found in later.violations if found in before))


def verdict(checked: int, violations: Iterable[str]) -> Verdict:
    """Return a verdict on `checked` things."""
    return Verdict(checked, tuple(violations))


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold: its number, a sentence, and how it is looked at.

    `folds` are the classes of log folds (`deploy.audit.log.Fold`) that must have read the log before `look` is called.
    """

    id: str
    sentence: str
    look: "Callable[[Evidence], Awaitable[Verdict]]"
    folds: tuple[type, ...] = ()
