"""How much is tried: a short, always equal run in `make test`, or as long as one likes, by chance (`make fuzz`); and what was found."""

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SHORT_SEED: Final = 20181125


@dataclass(frozen=True)
class Effort:
    """`minutes` 0: one round with a seed that never changes; else rounds with seeds drawn from `seed` until a part's time is up."""

    minutes: float = 0.0
    seed: int = SHORT_SEED

    @property
    def long(self) -> bool:
        """Return whether this is the long run."""
        return self.minutes > 0

    def rounds(self, share: float) -> Iterator[random.Random]:
        """Yield one source of chance per round; `share` is this part's share of the whole time."""
        yield random.Random(self.seed)
        until = time.monotonic() + 60 * self.minutes * share
        chance = random.Random(self.seed)
        while time.monotonic() < until:
            yield random.Random(chance.getrandbits(48))


@dataclass
class Found:
    """What a fuzzer did and saw: by operation the answers by status; what is wrong, with what is needed to do it again."""

    answers: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def saw(self, operation: str, answer: str) -> None:
        """Count an answer."""
        self.answers.setdefault(operation, Counter())[answer] += 1

    def total(self, *answers: str) -> int:
        """Return how many answers begin with one of these, all by default."""
        return sum(
            n
            for seen in self.answers.values()
            for answer, n in seen.items()
            if not answers or answer.startswith(answers)
        )

    def least(self) -> tuple[str, int]:
        """Return the operation that was tried least, and how often."""
        operation, seen = min(self.answers.items(), key=lambda one: one[1].total())
        return operation, seen.total()

    def share(self, *answers: str) -> float:
        """Return the share of these answers in all."""
        return self.total(*answers) / max(1, self.total())


@dataclass
class Figures:
    """What a whole run did, for its report."""

    effort: Effort
    parts: dict[str, Found] = field(default_factory=dict)
    memory: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Resident MiB of a fuzzed process after warming up, and at the end."""
    rounds: Counter[str] = field(default_factory=Counter)
    began: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def part(self, name: str) -> Found:
        """Return the place of one part."""
        return self.parts.setdefault(name, Found())
