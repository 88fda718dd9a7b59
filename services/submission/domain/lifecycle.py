"""The lifecycles of a fiche and of its sessions as tables: what may happen, from which status, by whom, when, to which status.

Commands outside the tables are refused (`allowed`, `session_allowed`). What validation says is a fact and never refused: where no
row moves the fiche it is recorded and the status stays.
"""

from dataclasses import dataclass
from typing import Final

from services.submission.domain.fiche import CLOSED, LABELS, PREPARED, SESSION_LABELS, SessionState, Status
from services.submission.domain.sources import MOMENT
from shared.errors import NotAllowedNow, Objection

OPCO: Final = "OPCO"
VALIDATION: Final = "validation"

FILED: Final = tuple(status for status in Status if status not in PREPARED)
"""Statuses in which validation may speak of a fiche: it hears of what was filed."""
LIVE: Final = tuple(status for status in FILED if status not in CLOSED)


VERSION_WORDS: Final[dict[str, str]] = {
    "submit_fiche": "Fiche déposée",
    "complete_fiche": "Fiche complétée",
    "amend_fiche": "Fiche modifiée",
    "accept_adaptation": "Adaptation acceptée",
    "counter_propose": "Contre-proposition envoyée",
    "postpone_session": "Session reportée",
    "migration": "Fiche reprise",
}
"""What people call a content that a fiche has had, by the command that made it; `migration`: it is older than the keeping of versions."""


def version_words(action: str) -> str:
    """Return what people call a content made by this command; one that only a newer release beside this one knows has a word too."""
    return VERSION_WORDS.get(action, "Fiche modifiée")


@dataclass(frozen=True)
class Step:
    """A row: `from_statuses` empty means that there is no fiche yet, `to_status` None that the status stays."""

    command: str
    from_statuses: tuple[Status, ...]
    by: str
    guard: str
    to_status: Status | None


@dataclass(frozen=True)
class SessionStep:
    """A row for one session of a fiche whose status allows the command."""

    command: str
    from_states: tuple[SessionState, ...]
    by: str
    guard: str
    to_state: SessionState


_S = Status
_AMENDABLE: Final = (_S.SUBMITTED, _S.AVIS_LAPSED, _S.VALIDATED, _S.CONFIRMED)
_RENEWABLE: Final = (_S.VALIDATED, _S.CONFIRMED, _S.REVIEWED, _S.CANCELLED, _S.REFUSED, _S.WITHDRAWN)
_RETURNS: Final = "its moment has come; figures fit together"
_RULES: Final = "rules, warnings acknowledged"
_HOLDS: Final = "no avis, or it holds"
_LAPSED: Final = "the avis lapsed"


def _answer(command: str, status: Status, guard: str) -> tuple[Step, ...]:
    """Return the rows of an answer that a status waits for: the fiche goes back to where its avis stands."""
    return (
        Step(command, (status,), OPCO, f"{guard}; {_HOLDS}", _S.SUBMITTED),
        Step(command, (status,), OPCO, f"{guard}; {_LAPSED}", _S.AVIS_LAPSED),
    )


COMMANDS: Final[tuple[Step, ...]] = (
    Step("preprogramme_fiche", (), OPCO, "reference free; rules of an intention", _S.PREPROGRAMMED),
    Step("preprogramme_fiche", (_S.PREPROGRAMMED,), OPCO, "something changes; rules of an intention", None),
    Step("draft_fiche", (), OPCO, "reference free; known fields", _S.DRAFT),
    Step("draft_fiche", (_S.PREPROGRAMMED, _S.DRAFT), OPCO, "known fields", _S.DRAFT),
    Step("renew_fiche", (), OPCO, "reference free; takes up a fiche of an earlier year", _S.DRAFT),
    Step("renew_fiche", _RENEWABLE, OPCO, "a later year; the new reference free: a draft is made under it", None),
    Step("submit_fiche", (), OPCO, f"reference free; {_RULES}", _S.SUBMITTED),
    Step("submit_fiche", (_S.PREPROGRAMMED, _S.DRAFT), OPCO, _RULES, _S.SUBMITTED),
    *_answer("complete_fiche", _S.TO_COMPLETE, _RULES),
    Step("amend_fiche", _AMENDABLE, OPCO, f"something changes; {_RULES}", None),
    *_answer("accept_adaptation", _S.TO_ADAPT, "not expired; rules of dates and place"),
    *_answer("decline_adaptation", _S.TO_ADAPT, "not expired; a reason"),
    *_answer("counter_propose", _S.TO_ADAPT, f"not expired; something changes; {_RULES}"),
    Step("confirm_programmation", (_S.VALIDATED,), OPCO, "provider chosen", _S.CONFIRMED),
    Step("engage_session", (_S.CONFIRMED,), OPCO, "minimum reached, or forced with a reason", None),
    Step("postpone_session", _AMENDABLE, OPCO, "other dates; rules of dates", None),
    Step("cancel_session", LIVE, OPCO, "a motive; another session is left", None),
    Step("cancel_session", LIVE, OPCO, "a motive; it was the last one", _S.CANCELLED),
    Step("return_placements", (_S.CONFIRMED,), OPCO, f"{_RETURNS}; another return is missing", None),
    Step("return_placements", (_S.CONFIRMED, _S.REVIEWED), OPCO, f"{_RETURNS}; none is missing", _S.REVIEWED),
    Step("withdraw_fiche", (_S.PREPROGRAMMED, _S.DRAFT, *LIVE), OPCO, "a reason", _S.WITHDRAWN),
)

_UNDECIDED: Final = (_S.SUBMITTED, _S.TO_COMPLETE, _S.TO_ADAPT, _S.AVIS_LAPSED)


def _heard(event: str, *moves: Step) -> tuple[Step, ...]:
    """Return the rows of an event: those that move the fiche, and one for every status they leave."""
    moved = {status for step in moves for status in step.from_statuses}
    others = tuple(status for status in FILED if status not in moved)
    return (*moves, Step(event, others, VALIDATION, "recorded", None))


HEARD: Final[tuple[Step, ...]] = (
    *_heard("dossier_opened"),
    *_heard(
        "completion_asked", Step("completion_asked", (_S.SUBMITTED, _S.AVIS_LAPSED), VALIDATION, "", _S.TO_COMPLETE)
    ),
    *_heard(
        "adaptation_proposed", Step("adaptation_proposed", (_S.SUBMITTED, _S.AVIS_LAPSED), VALIDATION, "", _S.TO_ADAPT)
    ),
    *_heard("avis_given", Step("avis_given", (_S.AVIS_LAPSED, _S.TO_ADAPT), VALIDATION, "", _S.SUBMITTED)),
    *_heard(
        "avis_lapsed", Step("avis_lapsed", (_S.SUBMITTED, _S.VALIDATED, _S.CONFIRMED), VALIDATION, "", _S.AVIS_LAPSED)
    ),
    *_heard(
        "fiche_validated",
        Step("fiche_validated", _UNDECIDED, VALIDATION, "programmation not confirmed yet", _S.VALIDATED),
        Step("fiche_validated", _UNDECIDED, VALIDATION, "programmation confirmed before", _S.CONFIRMED),
    ),
    *_heard("fiche_refused", Step("fiche_refused", LIVE, VALIDATION, "", _S.REFUSED)),
)
TABLE: Final[tuple[Step, ...]] = (*COMMANDS, *HEARD)

_N = SessionState
SESSION_TABLE: Final[tuple[SessionStep, ...]] = (
    SessionStep(
        "engage_session", (_N.PLANNED, _N.POSTPONED), OPCO, "minimum reached, or forced with a reason", _N.ENGAGED
    ),
    SessionStep("postpone_session", (_N.PLANNED, _N.ENGAGED, _N.POSTPONED), OPCO, "other dates, motive", _N.POSTPONED),
    SessionStep("cancel_session", (_N.PLANNED, _N.ENGAGED, _N.POSTPONED), OPCO, "motive", _N.CANCELLED),
    SessionStep("return_placements", (_N.ENGAGED,), OPCO, "its moment has come; figures fit together", _N.ENGAGED),
)


def allowed(command: str, status: Status) -> None:
    """Let a command pass in a status; raises `NotAllowedNow` where no row has it, saying which statuses have."""
    possible = dict.fromkeys(status for step in COMMANDS if step.command == command for status in step.from_statuses)
    if status in possible:
        return
    names = ", ".join(_quoted(LABELS[one]) for one in possible)
    message = f"La fiche est à l’état {_quoted(LABELS[status])}\u202f: cette commande suppose l’état {names}."
    raise NotAllowedNow(Objection("STATUS", message, MOMENT, facts={"status": status.value, "command": command}))


def session_allowed(command: str, number: int, state: SessionState) -> SessionState:
    """Return the state a command leads a session to; raises `NotAllowedNow` where no row has it."""
    for step in SESSION_TABLE:
        if step.command == command and state in step.from_states:
            return step.to_state
    message = (
        f"La session {number} est à l’état {_quoted(SESSION_LABELS[state])}\u202f: cette commande n’y est pas possible."
    )
    facts = {"session": number, "state": state.value, "command": command}
    raise NotAllowedNow(Objection("SESSION_STATE", message, MOMENT, "number", facts=facts))


def possible(command: str, status: Status) -> bool:
    """Return whether some row has a command in a status: what is offered, before anything is typed."""
    return any(step.command == command and status in step.from_statuses for step in COMMANDS)


def session_possible(command: str, state: SessionState) -> bool:
    """Return the same for a session, whose fiche must let it too."""
    return any(step.command == command and state in step.from_states for step in SESSION_TABLE)


def moves(event: str, status: Status) -> bool:
    """Return whether an event moves a fiche of this status, rather than being only recorded."""
    return any(step.to_status for step in HEARD if step.command == event and status in step.from_statuses)


def legal(action: str, before: Status | None, after: Status) -> bool:
    """Return whether some row leads from one status to the other by this action (None: there was no fiche)."""
    return any(
        step.command == action
        and (before in step.from_statuses if before else not step.from_statuses)
        and (step.to_status or before) is after
        for step in TABLE
    )


def _quoted(label: str) -> str:
    return f"«\u202f{label}\u202f»"
