"""I4: only legal transitions, versions contiguous from 1, each beginning where the last one ended, no two decisions on one revision.

And of every revision the content is kept (`kept_contents.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.audit import kept_contents
from deploy.audit.evidence import Evidence
from deploy.audit.shape import aggregates
from deploy.audit.transitions import DECISIONS, legal
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES, TOPICS

_TRAIL = (
    "SELECT aggregate, n, action, facts ->> 'from' AS before, facts ->> 'to' AS after, (facts ->> 'revision')::int AS revision"
    " FROM audit_entry ORDER BY aggregate, n"
)
_ROWS = 'SELECT id::text AS id, version, sequence, "{status}" AS status FROM "{table}"'
_SAID = (
    "SELECT key, count(*) AS said, max(sequence) AS last, count(*) FILTER (WHERE sequence <> place) AS astray FROM"
    " (SELECT key, sequence, row_number() OVER (PARTITION BY topic, key ORDER BY id) AS place FROM outbox"
    "  WHERE sequence IS NOT NULL AND NOT topic = ANY($1::text[])) numbered GROUP BY key"
)
_COMPACTED = [topic.name for topic in TOPICS if topic.compacted]


@dataclass(frozen=True)
class Step:
    """One entry of the trail: the n-th transition of an aggregate; `revision` where the action is about one."""

    aggregate: str
    n: int
    action: str
    before: str | None
    after: str | None
    revision: int | None = None


@dataclass(frozen=True)
class Row:
    """An aggregate's own row: its version, the last sequence it said, where it stands."""

    version: int
    sequence: int
    status: str


@dataclass(frozen=True)
class Said:
    """What the outbox holds of one key: how many records, the last sequence, how many stand out of order."""

    said: int
    last: int
    astray: int


@dataclass
class Trail:
    """Walks one service's trail, aggregate by aggregate."""

    service: str
    _last: dict[str, Step] = field(default_factory=dict)
    _decided: set[tuple[str, int]] = field(default_factory=set)
    _wrong: list[str] = field(default_factory=list)
    _steps: int = 0

    def take(self, step: Step) -> None:
        """Take the next step."""
        self._steps += 1
        last = self._last.get(step.aggregate)
        where = f"{self.service}: {step.aggregate}, version {step.n}"
        if step.n != (last.n if last else 0) + 1:
            self._wrong.append(f"{where} follows version {last.n if last else 0}")
        expected = last.after if last else _first_status(step)
        if step.before != expected:
            self._wrong.append(f"{where} begins as {step.before}, the one before ended as {expected}")
        if not legal(self.service, step.action, step.before, step.after):
            self._wrong.append(f"{where}: {step.action} may not lead from {step.before} to {step.after}")
        if step.action in DECISIONS and step.revision is not None:
            if (step.aggregate, step.revision) in self._decided:
                self._wrong.append(f"{where}: a second decision on revision {step.revision}")
            self._decided.add((step.aggregate, step.revision))
        self._last[step.aggregate] = step

    def verdict(self, rows: Mapping[str, Row], said: Mapping[str, Said]) -> Verdict:
        """Judge, with the aggregates' own rows and what the outbox says of each key."""
        wrong = list(self._wrong)
        for aggregate, row in rows.items():
            last, heard = self._last.get(aggregate), said.get(aggregate, Said(0, 0, 0))
            where = f"{self.service}: {aggregate}"
            if last is not None and last.after != row.status:
                wrong.append(f"{where} stands as {row.status}, its trail ends as {last.after}")
            if last is None or last.n != row.version:
                wrong.append(f"{where} is at version {row.version}, its trail at {last.n if last else 0}")
            if heard.said != row.sequence or heard.last != row.sequence or heard.astray:
                wrong.append(
                    f"{where} said {row.sequence} things, the outbox has {heard.said}, the last being no. {heard.last}"
                )
        return verdict(self._steps, wrong)


def _first_status(step: Step) -> str | None:
    """Return what the first entry of an aggregate begins as: nothing; a dead letter is born dead before its trail begins."""
    return "dead" if step.aggregate.startswith("dead_letter/") else None


async def look(evidence: Evidence) -> Verdict:
    """Walk every service's trail."""
    found = Verdict()
    for service in SERVICES:
        trail = Trail(service)
        async for row in evidence.stream(service, _TRAIL):
            trail.take(Step(**row))
        rows: dict[str, Row] = {}
        for table in await aggregates(evidence, service):
            if table.status:
                query = _ROWS.format(table=table.name, status=table.status)
                rows.update(
                    {
                        r["id"]: Row(r["version"], r["sequence"], r["status"])
                        for r in await evidence.rows(service, query)
                    }
                )
        said = {
            r["key"]: Said(r["said"], r["last"], r["astray"]) for r in await evidence.rows(service, _SAID, _COMPACTED)
        }
        found += trail.verdict(rows, said)
    return found + await kept_contents.look(evidence)


INVARIANT = Invariant(
    "I4", "Only legal transitions, versions without a gap, one decision and one content per revision.", look
)
