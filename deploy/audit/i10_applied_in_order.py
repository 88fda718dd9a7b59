"""I10: what one service says of one thing is applied by every other in the order it was said, without a gap."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from deploy.audit.evidence import Evidence
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES

_APPLIED = "SELECT topic, key, sequence FROM inbox WHERE sequence IS NOT NULL ORDER BY n"
_LAST = "SELECT topic, key, last_sequence FROM stream"
_DISCARDED = (
    "SELECT topic, convert_from(key, 'UTF8') AS key, sequence FROM dead_letter"
    " WHERE state = 'discarded' AND parks AND sequence IS NOT NULL"
)
Key = tuple[str, str]
"""Topic and key: one emitter on one thing."""


class InOrder:
    """Follows one service's inbox in the order of its marks; `discarded` are sequences that operations gave up, with a reason."""

    def __init__(self, service: str, discarded: AbstractSet[tuple[Key, int]] = frozenset()) -> None:
        """Begin before the first mark."""
        self._service, self._discarded = service, discarded
        self._last: dict[Key, int] = {}
        self._wrong: list[str] = []
        self._marks = 0

    def take(self, key: Key, sequence: int) -> None:
        """Take the next mark of the inbox; poison may have claimed its place, and been given up."""
        self._marks += 1
        expected = self._next(key)
        if sequence not in {expected, self._last.get(key, 0) + 1}:
            self._wrong.append(
                f"{self._service}: {key[1]} of {key[0]}: no. {sequence} was applied where no. {expected} was due"
            )
        self._last[key] = max(sequence, self._last.get(key, 0))

    def _next(self, key: Key) -> int:
        following = self._last.get(key, 0) + 1
        while (key, following) in self._discarded:
            following += 1
        return following

    def verdict(self, streams: Mapping[Key, int]) -> Verdict:
        """Judge, with what the service itself believes to be the last sequence of each key."""
        wrong = list(self._wrong)
        for key in sorted(streams.keys() | self._last.keys()):
            believed, applied = streams.get(key, 0), self._last.get(key, 0)
            if believed != applied and believed != self._next(key) - 1:
                wrong.append(
                    f"{self._service}: {key[1]} of {key[0]}: last believed no. {believed}, last applied no. {applied}"
                )
        return verdict(self._marks, wrong)


def judge(
    service: str,
    marks: Iterable[tuple[Key, int]],
    streams: Mapping[Key, int],
    discarded: AbstractSet[tuple[Key, int]] = frozenset(),
) -> Verdict:
    """Judge one service's marks (topic and key, sequence), in the order they were made."""
    order = InOrder(service, discarded)
    for key, sequence in marks:
        order.take(key, sequence)
    return order.verdict(streams)


async def look(evidence: Evidence) -> Verdict:
    """Follow every service's inbox."""
    found = Verdict()
    for service in SERVICES:
        rows = await evidence.rows(service, _DISCARDED)
        order = InOrder(service, {((row["topic"], row["key"]), int(row["sequence"])) for row in rows})
        async for row in evidence.stream(service, _APPLIED):
            order.take((row["topic"], row["key"]), row["sequence"])
        streams = {(row["topic"], row["key"]): row["last_sequence"] for row in await evidence.rows(service, _LAST)}
        found += order.verdict(streams)
    return found


INVARIANT = Invariant(
    "I10", "What a service says of one thing is applied by every other in the order it was said.", look
)
