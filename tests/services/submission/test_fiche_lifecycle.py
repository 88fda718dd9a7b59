"""The lifecycles of a fiche and of its sessions: every cell of the tables, every cell outside, and their picture in the README."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from services.submission import use_cases as story
from services.submission.domain import decisions, hearing, placements, preparing, sessions
from services.submission.domain.decisions import Decision
from services.submission.domain.fiche import FINAL, LABELS, PREPARED, Fiche, Session, SessionState, Status
from services.submission.domain.lifecycle import (
    COMMANDS,
    FILED,
    HEARD,
    SESSION_TABLE,
    TABLE,
    SessionStep,
    Step,
    legal,
    moves,
    session_allowed,
)
from services.submission.domain.preparation import Held
from services.submission.domain.preparing import Named, Prepared
from services.submission.store import Fiches
from shared.audit_trail import Change, Head
from shared.contracts.events import FicheEvent
from shared.contracts.references import SessionMotive, WithdrawalReason
from shared.errors import NotAllowedNow
from shared.policy import POLICY
from tests.services.submission import filings as f
from tests.services.submission.readme import shows
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, golden_content

OTHER = f.filing(golden_content(title="POEC - Peintre"))
LATER = sessions.NewDates(dt.date(2018, 6, 4), dt.date(2018, 9, 7), SessionMotive.SOURCING_INSUFFISANT)

DO: dict[str, Callable[[Fiche], Decision]] = {
    "submit_fiche": lambda fiche: decisions.submit_fiche(
        fiche.id, GOLDEN_OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN, fiche
    ),
    "complete_fiche": lambda fiche: decisions.complete_fiche(fiche, OTHER, f.GIVEN),
    "amend_fiche": lambda fiche: decisions.amend_fiche(fiche, OTHER, f.GIVEN),
    "accept_adaptation": lambda fiche: decisions.accept_adaptation(fiche, (), f.GIVEN, f.NOON),
    "decline_adaptation": lambda fiche: decisions.decline_adaptation(fiche, "Besoin daté.", f.NOON),
    "counter_propose": lambda fiche: decisions.counter_propose(fiche, OTHER, "Autre groupe.", f.GIVEN),
    "confirm_programmation": decisions.confirm_programmation,
    "engage_session": lambda fiche: sessions.engage_session(fiche, 1, 8, None),
    "postpone_session": lambda fiche: sessions.postpone_session(fiche, 1, LATER, f.GIVEN, f.NOON),
    "cancel_session": lambda fiche: sessions.cancel_session(fiche, 1, SessionMotive.BESOIN_DISPARU),
    "withdraw_fiche": lambda fiche: decisions.withdraw_fiche(fiche, WithdrawalReason.AUTRE),
    "return_placements": lambda fiche: placements.return_placements(_run(fiche), 1, f.told(), f.AFTERWARDS),
}
NAMED = Named(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE)
MEANT = f.INTENTION.model_copy(update={"seats": 15})
PREPARE: dict[str, Callable[[Held | None], Decision | Prepared]] = {
    "preprogramme_fiche": lambda held: preparing.preprogramme_fiche(NAMED, MEANT, (), f.GIVEN, f.NOON, held),
    "draft_fiche": lambda held: preparing.draft_fiche(NAMED, {"title": "POEC"}, f.NOON, held),
    "submit_fiche": lambda held: decisions.submit_fiche(
        f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN, held
    ),
    "renew_fiche": lambda held: preparing.renew_fiche(NAMED, {"title": "POEC"}, f.NOON, f.confirmed(), held),
}
"""Commands under a reference of the OPCO's own, where nothing has it, something is prepared, or a fiche was filed."""


def _run(fiche: Fiche) -> Fiche:
    return fiche.with_session(1, replace(fiche.sessions[1], state=SessionState.ENGAGED))


HEAR: dict[str, Callable[[Fiche], Fiche]] = {
    "dossier_opened": lambda fiche: hearing.dossier_opened(fiche, f.OPENED),
    "completion_asked": lambda fiche: hearing.completion_asked(fiche, f.ASKED),
    "adaptation_proposed": lambda fiche: hearing.adaptation_proposed(fiche, f.PROPOSED),
    "avis_given": lambda fiche: hearing.avis_given(fiche, f.GAVE),
    "avis_lapsed": lambda fiche: hearing.avis_lapsed(fiche, f.LAPSED),
    "fiche_validated": lambda fiche: hearing.fiche_validated(fiche, f.VALIDATED),
    "fiche_refused": lambda fiche: hearing.fiche_refused(fiche, f.REFUSED),
}
EVERY = [(name, status) for name in DO for status in FILED]
EVERY_HEARD = [(name, status) for name in HEAR for status in FILED]


def rows(name: str, status: Status) -> list[Step]:
    return [step for step in TABLE if step.command == name and status in step.from_statuses]


def possible(name: str, status: Status) -> set[Status]:
    return {step.to_status or status for step in rows(name, status)}


def test_every_row_is_for_a_known_command_or_event() -> None:
    assert {step.command for step in COMMANDS} == set(DO) | set(PREPARE)
    assert {step.command for step in HEARD} == set(HEAR)


def test_every_command_has_its_row_in_the_policy() -> None:
    assert set(DO) | set(PREPARE) <= set(POLICY)


@pytest.mark.parametrize(("command", "status"), EVERY)
def test_a_command_does_what_its_row_says_and_is_refused_where_it_has_none(command: str, status: Status) -> None:
    fiche = f.AT[status]()
    if not rows(command, status):
        with pytest.raises(NotAllowedNow) as refused:
            DO[command](fiche)
        (objection,) = refused.value.objections
        assert objection.code == ("REFERENCE_TAKEN" if command == "submit_fiche" else "STATUS")
        return
    decision = DO[command](fiche)
    assert decision.fiche.status in possible(command, status)
    assert decision.events


@pytest.mark.parametrize("status", sorted(PREPARED))
def test_what_is_prepared_is_filed_under_its_reference_and_can_do_nothing_else_that_a_fiche_can(status: Status) -> None:
    prepared = f.prepared(status)
    decision = decisions.submit_fiche(prepared.id, GOLDEN_OPCO, GOLDEN_REFERENCE, f.filing(), f.GIVEN, prepared)
    assert (decision.fiche.id, decision.fiche.status) == (prepared.id, Status.SUBMITTED)
    for command in set(DO) - {"submit_fiche", "withdraw_fiche"}:
        with pytest.raises(NotAllowedNow) as refused:
            decisions.filed(prepared, command)
        assert refused.value.objections[0].code == "STATUS"


@pytest.mark.parametrize("status", [None, *Status])
@pytest.mark.parametrize("command", PREPARE)
def test_a_reference_may_be_used_where_a_row_says_so_and_nowhere_else(command: str, status: Status | None) -> None:
    under = f.held(status) if status else None
    found = [step for step in COMMANDS if step.command == command and (status in step.from_statuses or not (status or step.from_statuses))]
    if not found or (command == "renew_fiche" and status):
        with pytest.raises(NotAllowedNow) as refused:
            PREPARE[command](under)
        assert refused.value.objections[0].code in ("STATUS", "REFERENCE_TAKEN")
        return
    done = PREPARE[command](under)
    assert done.fiche.status in {step.to_status or status for step in found}
    assert legal(command, status, done.fiche.status)
    assert bool(done.events) == (command not in ("draft_fiche", "renew_fiche"))


@pytest.mark.parametrize("status", Status)
def test_a_fiche_is_taken_up_again_once_it_is_decided_or_ended(status: Status) -> None:
    held = f.held(status)
    if rows("renew_fiche", status) and isinstance(held, Fiche):
        renewed = preparing.renew_fiche(NAMED, {}, f.NOON, held, None).fiche
        assert (renewed.status, renewed.renews) == (Status.DRAFT, held.id)
        return
    with pytest.raises(NotAllowedNow):
        preparing.renew_fiche(NAMED, {}, f.NOON, decisions.filed(held, "renew_fiche"), None)


@pytest.mark.parametrize("status", sorted(PREPARED))
@pytest.mark.parametrize("command", sorted({*DO, "renew_fiche"} - {"submit_fiche"}))
def test_of_what_was_dropped_before_it_was_filed_nothing_is_taken_up_again(command: str, status: Status) -> None:
    dropped = preparing.drop_preparation(f.prepared(status), WithdrawalReason.BESOIN_DISPARU, f.NOON).fiche
    with pytest.raises(NotAllowedNow) as refused:
        decisions.filed(dropped, command)
    assert f.codes(refused.value.objections) == ["STATUS"]


@pytest.mark.parametrize("status", sorted(PREPARED))
def test_what_is_prepared_may_be_dropped_and_what_was_announced_is_said_to_be(status: Status) -> None:
    dropped = preparing.drop_preparation(f.prepared(status), WithdrawalReason.BESOIN_DISPARU, f.NOON)
    assert (dropped.fiche.status, dropped.fiche.fields) == (Status.WITHDRAWN, {})
    assert [type(event).__name__ for event in dropped.events] == (
        ["IntentionDropped"] if status is Status.PREPROGRAMMED else []
    )
    with pytest.raises(NotAllowedNow):
        preparing.drop_preparation(dropped.fiche, WithdrawalReason.AUTRE, f.NOON)
    for do in PREPARE.values():
        with pytest.raises(NotAllowedNow):
            do(dropped.fiche)


@pytest.mark.parametrize(("event", "status"), EVERY_HEARD)
def test_an_event_is_never_refused_and_does_what_its_row_says(event: str, status: Status) -> None:
    after = HEAR[event](f.AT[status]())
    assert after.status in possible(event, status)
    assert (after.status is not status) == moves(event, status)


@pytest.mark.parametrize("event", HEAR)
@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_late_event_leaves_a_final_fiche_final(event: str, status: Status) -> None:
    assert HEAR[event](f.AT[status]()).status is status


@pytest.mark.parametrize("status", [status for status in FILED if status not in FINAL])
def test_every_command_and_event_meets_exactly_one_outcome_per_guard(status: Status) -> None:
    for name in (*DO, *HEAR):
        found = rows(name, status)
        assert len({step.guard for step in found}) == len(found)


def test_a_refusal_says_in_which_statuses_the_command_is_possible() -> None:
    with pytest.raises(NotAllowedNow) as refused:
        decisions.confirm_programmation(f.filed())
    (objection,) = refused.value.objections
    assert objection.message == (
        "La fiche est à l’état «\u202fDéposée\u202f»\u202f: cette commande suppose l’état «\u202fValidée\u202f»."
    )


def test_the_answer_to_a_request_returns_to_where_the_avis_stands() -> None:
    for status, command in (
        (Status.TO_COMPLETE, "complete_fiche"),
        (Status.TO_ADAPT, "accept_adaptation"),
        (Status.TO_ADAPT, "decline_adaptation"),
        (Status.TO_ADAPT, "counter_propose"),
    ):
        fiche = f.AT[status]()
        assert DO[command](fiche).fiche.status is Status.SUBMITTED
        assert DO[command](replace(fiche, avis_lapsed=True)).fiche.status is Status.AVIS_LAPSED


def test_a_programmation_confirmed_before_a_lapse_stands_again_once_validated_anew() -> None:
    lapsed = hearing.avis_lapsed(f.confirmed(), f.LAPSED)
    assert lapsed.status is Status.AVIS_LAPSED
    assert hearing.fiche_validated(hearing.avis_given(lapsed, f.GAVE), f.VALIDATED).status is Status.CONFIRMED


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("command", ["engage_session", "postpone_session", "cancel_session", "return_placements"])
def test_a_session_command_does_what_its_row_says_and_is_refused_where_it_has_none(
    command: str, state: SessionState
) -> None:
    fiche = f.confirmed(f.validated().with_session(1, Session(state)))
    do = DO | {"return_placements": lambda fiche: placements.return_placements(fiche, 1, f.told(), f.AFTERWARDS)}
    found = [step.to_state for step in SESSION_TABLE if step.command == command and state in step.from_states]
    to_state = found[0] if found else None
    if to_state is None:
        with pytest.raises(NotAllowedNow) as refused:
            do[command](fiche)
        assert refused.value.objections[0].code == "SESSION_STATE"
        return
    assert session_allowed(command, 1, state) is to_state
    assert do[command](fiche).fiche.sessions[1].state is to_state


def test_the_trail_of_every_event_is_legal_and_its_action_is_the_row() -> None:
    hears: dict[str, tuple[Callable[..., None], FicheEvent]] = {
        "dossier_opened": (story.hear_opened, f.OPENED),
        "completion_asked": (story.hear_completion_asked, f.ASKED),
        "adaptation_proposed": (story.hear_adaptation, f.PROPOSED),
        "avis_given": (story.hear_avis, f.GAVE),
        "avis_lapsed": (story.hear_lapsed, f.LAPSED),
        "fiche_validated": (story.hear_validated, f.VALIDATED),
        "fiche_refused": (story.hear_refused, f.REFUSED),
    }
    for action, (hear, event) in hears.items():
        for status in FILED:
            fiches = Kept({f.FICHE: (Head(1, 1, "a"), f.AT[status]())})
            hear(fiches, event, f.NOON)
            (change,) = fiches.changes
            assert (change.action, change.before, change.actor) == (action, status.value, "submission:worker")
            assert legal(change.action, status, Status(change.after))
            assert change.events == ()


class Kept(Fiches):
    """A working set that shows its changes."""

    def __init__(self, *loaded: object) -> None:
        super().__init__(*loaded)  # type: ignore[arg-type]  # passes on what it is given
        self.changes: list[Change] = []

    def put(self, identifier: object, state: object, *changes: Change) -> None:
        self.changes += changes


def test_every_status_has_its_french_word() -> None:
    assert set(LABELS) == set(Status)


def test_the_readme_shows_the_tables_as_they_are() -> None:
    assert shows("lifecycle", fiche_table())
    assert shows("sessions", session_table())


def fiche_table() -> str:
    """Return the lifecycle of a fiche as a table in Markdown."""
    head = ["| what | from | by | when | to |", "|---|---|---|---|---|"]
    return "\n".join(head + [_row(step) for step in TABLE])


def _row(step: Step) -> str:
    to = f"`{step.to_status.value}`" if step.to_status else "unchanged"
    return f"| `{step.command}` | {_from(step)} | {step.by} | {step.guard} | {to} |"


def _from(step: Step) -> str:
    if not step.from_statuses:
        return "no fiche"
    if set(step.from_statuses) == set(Status):
        return "any"
    return ", ".join(f"`{status.value}`" for status in step.from_statuses)


def session_table() -> str:
    """Return the lifecycle of a session as a table in Markdown."""
    head = ["| what | from | by | when | to |", "|---|---|---|---|---|"]
    return "\n".join(head + [_session_row(step) for step in SESSION_TABLE])


def _session_row(step: SessionStep) -> str:
    states = ", ".join(f"`{state.value}`" for state in step.from_states)
    return f"| `{step.command}` | {states} | {step.by} | {step.guard} | `{step.to_state.value}` |"
