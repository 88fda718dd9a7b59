"""The cells of the matrix: each door x each caller x own, other or absent x each state; what is tabled and what was answered."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.policy import POLICY, Row
from tests.access.entrance import CALLERS, NOBODY, ORGANISATIONS, Answered, Entrance
from tests.support.operations import LETTERS, STATES, legal_states, routes

Relation = Literal["own", "other", "judged", "absent", "none"]
Outcome = Literal["signed_out", "forbidden", "unknown", "not_now", "reached", "broken"]
TABLE: Final[Mapping[str, Row]] = {operation: dict(row) for operation, row in POLICY.items()}
"""The policy table as it was read: a row that is changed afterwards is a hole that the matrix finds."""
_BY_STATUS: Final[Mapping[int, Outcome]] = {401: "signed_out", 403: "forbidden", 404: "unknown"}
_STATE_CODES: Final = frozenset(
    ("STATUS", "SESSION_STATE", "SESSION_STATUS", "SESSION_NOT_PUBLISHED", "REFERENCE_TAKEN", "ALREADY_REPLAYED")
)
_AT_ONCE: Final = 16
BY_REFERENCE: Final = frozenset({"submit_fiche", "preprogramme_fiche", "draft_fiche"})
"""Operations on what the caller's own reference names: on nobody else's, and on nothing where it is free."""
PRIVATE: Final = frozenset({"draft"})
"""States in which an object is seen by its own organisation alone, whoever may see all others."""


@dataclass(frozen=True)
class Cell:
    """One question: may this caller do this, by this door, on an object of that owner in that state?

    `judged`: another organisation's object that the caller gave an avis on; `none`: the door has no object.
    """

    door: str
    operation: str
    caller: str
    relation: Relation
    state: str | None = None

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.door} by {self.caller} on {self.relation} {self.state or ''}".strip()


def cells(service: str, doors: Collection[str] = (), callers: Collection[str] = CALLERS) -> Iterator[Cell]:
    """Yield every cell of a service, or of some of its doors and callers."""
    for door, operation in routes(service).items():
        for caller in callers if not doors or door in doors else ():
            for relation, state in objects_of(service, door, operation):
                yield Cell(door, operation, caller, relation, state)


WITHOUT_OWNER: Final = ("{pseudonym}", "{campaign_id}", "{conference_id}", "{partner_id}")
"""Objects that are no organisation's own, by what a door has in its path."""


def objects_of(service: str, door: str, operation: str) -> Iterator[tuple[Relation, str | None]]:
    """Yield the kinds of objects that a door may be asked about."""
    if door == "GET /check":
        yield from (("own", None), ("other", None))
    elif "{letter}" in door:
        yield from (("none", state) for state in LETTERS)
        yield "absent", None
    elif door.startswith("GET /programmes/{year}/revisions") or any(part in door for part in WITHOUT_OWNER):
        yield from (("none", None), ("absent", None))
    elif "{import_id}" in door or "{template_id}" in door:
        yield from (("own", None), ("other", None), ("absent", None))
    elif "{fiche_id}" in door or "{session_id}" in door or operation in BY_REFERENCE:
        judged = "not_author" in TABLE[operation].values()
        relations: tuple[Relation, ...] = ("own",) if operation in BY_REFERENCE else ("own", "other")
        for relation in (*relations, "judged") if judged else relations:
            yield from ((relation, state) for state in STATES[service])
        yield "absent", None
    else:
        yield "none", None


def expected(cell: Cell) -> Outcome:
    """Return what the policy table and the lifecycles say of a cell."""
    if cell.caller == NOBODY:
        return "signed_out"
    relation = TABLE[cell.operation].get(cell.caller) if cell.caller in ORGANISATIONS else None
    if relation is None or (relation == "not_author" and cell.relation == "judged"):
        return "forbidden"
    if cell.relation == "absent":
        return "reached" if cell.operation in BY_REFERENCE and "{template_id}" not in cell.door else "unknown"
    if relation == "own" and cell.relation == "other":
        return "unknown"
    if cell.state in PRIVATE and relation != "own":
        return "unknown"
    legal = None if "{template_id}" in cell.door else legal_states(cell.operation)
    return "reached" if legal is None or cell.state in legal else "not_now"


def outcome(answer: Answered) -> Outcome:
    """Return what an answer says; a rule that refuses what role, relation and state allow was reached."""
    if answer.status >= 500 or answer.status == 429:
        return "broken"
    if answer.status == 409 and answer.code in _STATE_CODES:
        return "not_now"
    if answer.code == "VERSION_UNKNOWN":
        return "reached"  # the fiche is seen, and has no content of this number: nothing was filed yet
    return _BY_STATUS.get(answer.status, "reached")


@dataclass
class Report:
    """What a run found: cells by outcome, those answered otherwise than tabled, answers that tell what they should not."""

    outcomes: Counter[str] = field(default_factory=Counter)
    deviations: list[str] = field(default_factory=list)
    done: dict[Cell, Answered] = field(default_factory=dict)

    @property
    def effective(self) -> set[Cell]:
        """Return the cells whose command had its effect."""
        return {cell for cell, answer in self.done.items() if answer.status < 300}


@dataclass(frozen=True)
class Asked:
    """The request of one cell."""

    method: str
    target: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


async def run(entrance: Entrance, requests: Mapping[Cell, Asked]) -> Report:
    """Send the request of every cell and compare each answer with the tables."""
    report, room = Report(), asyncio.Semaphore(_AT_ONCE)

    async def ask(cell: Cell, asked: Asked) -> None:
        async with room:
            report.done[cell] = await entrance.by(cell.caller, asked.method, asked.target, asked.body, **asked.headers)

    await asyncio.gather(*(ask(cell, asked) for cell, asked in requests.items()))
    for cell, answer in report.done.items():
        found = outcome(answer)
        report.outcomes[found] += 1
        if found != expected(cell):
            report.deviations.append(f"{cell}: {expected(cell)} expected, {answer.status} {answer.code}")
    report.deviations += _telling(report.done)
    return report


def _telling(done: Mapping[Cell, Answered]) -> list[str]:
    """Return where one caller gets different answers at one door to what is unknown, or is forbidden, by what there is."""
    answers: dict[tuple[str, str, str], dict[object, Cell]] = {}
    for cell, answer in done.items():
        if answer.status in (403, 404):
            answers.setdefault((cell.door, cell.caller, f"{answer.status} {answer.code}"), {})[answer.whole] = cell
    return [
        f"{door} by {caller}: {what} is said in {len(different)} ways: {'; '.join(map(str, different.values()))}"
        for (door, caller, what), different in answers.items()
        if len(different) > 1
    ]
