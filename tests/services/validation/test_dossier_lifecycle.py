"""The lifecycle of a dossier: every cell of its table, every cell outside it, and its picture in the README."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import services.validation
from services.validation.domain.adaptation import propose_adaptation
from services.validation.domain.avis import correct_avis, give_avis
from services.validation.domain.completion import ask_completion
from services.validation.domain.decision import refuse_fiche, validate_fiche
from services.validation.domain.dossier import FINAL, Decided, Dossier, Status
from services.validation.domain.lifecycle import COMMANDS, HEARD, TABLE, Step, allowed, legal
from services.validation.use_cases import (
    Dossiers,
    hear_accepted,
    hear_amended,
    hear_cancelled,
    hear_completed,
    hear_countered,
    hear_declined,
    hear_postponed,
    hear_withdrawn,
)
from shared.audit_trail import Change, Head
from shared.contracts.fiche import FicheContent, session_id
from shared.contracts.references import SessionMotive, WithdrawalReason
from shared.contracts.submission import (
    AdaptationAccepted,
    AdaptationDeclined,
    CounterProposed,
    FicheAmended,
    FicheCompleted,
    FicheWithdrawn,
    SessionCancelled,
    SessionPostponed,
    Shift,
)
from shared.errors import NotAllowedNow
from tests.services.validation import dossiers as d

README = Path(services.validation.__file__).parent / "README.md"
START, END = "<!-- lifecycle -->", "<!-- /lifecycle -->"
SHIFT = Shift(start_days=0, commune_moved=False, zone_moved=False, main_formacode_moved=False)


def after_expiry(dossier: Dossier) -> dt.datetime:
    """Return noon, or the day after a proposal that waits for its answer expires."""
    waits = dossier.status is Status.ADAPTATION_PROPOSED
    return d.NOON + dt.timedelta(days=11) if waits else d.NOON


DO: dict[str, Callable[[Dossier], Decided]] = {
    "ask_completion": lambda dossier: ask_completion(dossier, d.ITEMS),
    "propose_adaptation": lambda dossier: propose_adaptation(dossier, d.an_adaptation(), d.NOON),
    "give_avis": lambda dossier: give_avis(dossier, d.PLAIN, d.AGENT, after_expiry(dossier)),
    "correct_avis": lambda dossier: correct_avis(dossier, d.PLAIN, d.AGENT, d.NOON),
    "validate_fiche": lambda dossier: validate_fiche(dossier, None, d.NOON),
    "refuse_fiche": lambda dossier: refuse_fiche(dossier, d.NO, d.NOON),
}
INSIDE = [
    (command, status) for command in DO for step in COMMANDS if step.command == command for status in step.from_statuses
]
OUTSIDE = [(command, status) for command in DO for status in Status if (command, status) not in INSIDE]


def common(dossier: Dossier, content: FicheContent) -> dict[str, object]:
    """Return the members every event with a new content has."""
    return {"fiche_id": dossier.fiche_id, "opco": dossier.opco, "revision": dossier.revision + 1, "content": content}


def cancelled(dossier: Dossier, *, fiche: bool) -> SessionCancelled:
    return SessionCancelled(
        fiche_id=dossier.fiche_id,
        opco=dossier.opco,
        revision=dossier.revision,
        session_id=session_id(dossier.fiche_id, 1),
        number=1,
        motive=SessionMotive.BESOIN_DISPARU,
        fiche_cancelled=fiche,
    )


def postponed(dossier: Dossier, content: FicheContent) -> SessionPostponed:
    session = content.sessions[0]
    return SessionPostponed.model_validate(
        {
            **common(dossier, content),
            "session_id": session_id(dossier.fiche_id, 1),
            "number": 1,
            "start": session.start,
            "end": session.end,
            "shift_days": 1,
            "motive": SessionMotive.AUTRE,
        }
    )


def declined(dossier: Dossier) -> AdaptationDeclined:
    return AdaptationDeclined(fiche_id=dossier.fiche_id, opco=dossier.opco, revision=dossier.revision, reason="Non.")


def withdrawn(dossier: Dossier) -> FicheWithdrawn:
    reason = WithdrawalReason.AUTRE
    return FicheWithdrawn(fiche_id=dossier.fiche_id, opco=dossier.opco, revision=dossier.revision, reason=reason)


def hear(name: str, dossiers: Dossiers, dossier: Dossier, content: FicheContent) -> None:
    """Let a working set hear an event about this dossier."""
    new = {**common(dossier, content), "shift": SHIFT}
    match name:
        case "fiche_completed":
            hear_completed(dossiers, FicheCompleted.model_validate(new), d.NOON, d.LIMITS)
        case "fiche_amended":
            hear_amended(dossiers, FicheAmended.model_validate(new), d.NOON, d.LIMITS)
        case "adaptation_accepted":
            hear_accepted(dossiers, AdaptationAccepted.model_validate(new), d.NOON, d.LIMITS)
        case "counter_proposed":
            hear_countered(dossiers, CounterProposed.model_validate({**new, "reason": "Plutôt."}), d.NOON, d.LIMITS)
        case "session_postponed":
            hear_postponed(dossiers, postponed(dossier, content), d.NOON, d.LIMITS)
        case "adaptation_declined":
            hear_declined(dossiers, declined(dossier), d.NOON)
        case "session_cancelled":
            hear_cancelled(dossiers, cancelled(dossier, fiche=False), d.NOON)
        case "fiche_cancelled":
            hear_cancelled(dossiers, cancelled(dossier, fiche=True), d.NOON)
        case "fiche_withdrawn":
            hear_withdrawn(dossiers, withdrawn(dossier), d.NOON)
        case _:
            raise AssertionError(name)


NEW_CONTENTS = ("fiche_completed", "fiche_amended", "adaptation_accepted", "counter_proposed", "session_postponed")
FACTS = (*NEW_CONTENTS, "adaptation_declined", "session_cancelled", "fiche_cancelled", "fiche_withdrawn")


class Recorded(Dossiers):
    """A working set that shows the changes it took."""

    taken: list[Change]

    def __init__(self, dossier: Dossier) -> None:
        super().__init__({dossier.fiche_id: (Head(1, 1, ""), dossier)})
        self.taken = []

    def put(self, identifier: object, state: Dossier, *changes: Change) -> None:
        super().put(state.fiche_id, state, *changes)
        self.taken += changes


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_reached_by_its_story(status: Status) -> None:
    assert d.IN_STATUS[status]().status is status


@pytest.mark.parametrize(("command", "status"), OUTSIDE)
def test_a_command_outside_the_table_is_refused(command: str, status: Status) -> None:
    with pytest.raises(NotAllowedNow, match="STATUS"):
        DO[command](d.IN_STATUS[status]())


@pytest.mark.parametrize(("command", "status"), INSIDE)
def test_a_command_inside_the_table_leads_where_it_says(command: str, status: Status) -> None:
    new = d.state(DO[command](d.IN_STATUS[status]()))
    assert new.status is allowed(command, status).to_status


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("days", [30, 31])
@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_never_refused_and_every_turn_it_takes_is_in_the_table(fact: str, days: int, status: Status) -> None:
    before = d.IN_STATUS[status]()
    dossiers = Recorded(before)
    hear(fact, dossiers, before, d.moved(days))
    (change,) = dossiers.taken
    after = dossiers.get(before.fiche_id)
    assert after is not None
    assert (change.before, change.after) == (before.status.value, after.status.value)
    assert legal(change.action, before.status, after.status)


@pytest.mark.parametrize("status", sorted(FINAL))
@pytest.mark.parametrize("fact", FACTS)
def test_nothing_leaves_a_final_status_but_what_is_said_is_recorded(fact: str, status: Status) -> None:
    before = d.IN_STATUS[status]()
    dossiers = Recorded(before)
    hear(fact, dossiers, before, d.moved(90))
    after = dossiers.get(before.fiche_id)
    assert after is not None
    assert (after.status, dossiers.taken[0].events) == (status, ())
    assert (after.revision == before.revision + 1) is (fact in NEW_CONTENTS)


@pytest.mark.parametrize("step", HEARD, ids=lambda step: f"{step.command}-{step.guard}-{step.to_status}")
def test_every_row_of_what_is_heard_is_taken_by_some_dossier(step: Step) -> None:
    turns = {(action, before, after) for action, before, after in all_turns() if action == step.command}
    for status in step.from_statuses or (None,):
        assert any(turn == (step.command, status, step.to_status or status) for turn in turns), status


def all_turns() -> set[tuple[str, Status | None, Status]]:
    """Return every turn that facts give to dossiers in every status, with and without an avis that holds."""
    lapsed_then = [
        d.state(ask_completion(d.with_lapsed_avis(), d.ITEMS)),
        d.state(propose_adaptation(d.with_lapsed_avis(), d.an_adaptation(40), d.NOON)),
        d.state(ask_completion(d.with_avis(), d.ITEMS)),
    ]
    turns: set[tuple[str, Status | None, Status]] = {("fiche_submitted", None, Status.OPEN)}
    for before in [*(make() for make in d.IN_STATUS.values()), *lapsed_then]:
        for fact in FACTS:
            for days in (0, 31):
                dossiers = Recorded(before)
                hear(fact, dossiers, before, d.moved(days))
                turns.add((dossiers.taken[0].action, before.status, Status(dossiers.taken[0].after)))
    return turns


def as_markdown() -> str:
    """Return the table as the README shows it."""
    rows = ["| what | from | by | when | to |", "|---|---|---|---|---|"]
    rows += [
        f"| `{step.command}` | {_names(step.from_statuses)} | {step.by} | {step.guard} | {_target(step.to_status)} |"
        for step in TABLE
    ]
    return "\n".join(rows)


def _names(statuses: tuple[Status, ...]) -> str:
    if len(statuses) == len(Status):
        return "any"
    return ", ".join(f"`{status}`" for status in statuses) or "no dossier"


def _target(status: Status | None) -> str:
    return f"`{status}`" if status else "unchanged"


def test_the_readme_shows_the_table() -> None:
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(START)
    shown, after = rest.split(END)
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(f"{before}{START}\n{as_markdown()}\n{END}{after}", encoding="utf-8")
    else:
        assert shown.strip() == as_markdown()
