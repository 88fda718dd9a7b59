"""The lifecycle of a dossier as a table: what may happen, from which status, by whom, when, to which status.

Commands outside the table are refused (`allowed`). Events of submission are facts and never refused: where no row moves
the dossier they are recorded and the status stays.
"""

from dataclasses import dataclass
from typing import Final

from services.validation.domain.dossier import FINAL, LABELS, Status
from shared.errors import NotAllowedNow, Objection

REGION: Final = "Région"
POLE_EMPLOI: Final = "Pôle emploi"
REVIEWERS: Final = "Région, Pôle emploi"
SUBMISSION: Final = "submission"

_ALL: Final = tuple(Status)
_LIVE: Final = tuple(status for status in Status if status not in FINAL)


@dataclass(frozen=True)
class Step:
    """A row: `from_statuses` empty means that there is no dossier yet, `to_status` None that the status stays."""

    command: str
    from_statuses: tuple[Status, ...]
    by: str
    guard: str
    to_status: Status | None


COMMANDS: Final[tuple[Step, ...]] = (
    Step(
        "ask_completion",
        (Status.OPEN, Status.AVIS_GIVEN, Status.AVIS_LAPSED),
        REVIEWERS,
        "items",
        Status.COMPLETION_ASKED,
    ),
    Step(
        "propose_adaptation",
        (Status.OPEN, Status.AVIS_LAPSED),
        REGION,
        "at least one change, reasons, expiry to come",
        Status.ADAPTATION_PROPOSED,
    ),
    Step("give_avis", (Status.OPEN, Status.AVIS_LAPSED), REGION, "rules of the avis", Status.AVIS_GIVEN),
    Step("give_avis", (Status.ADAPTATION_PROPOSED,), REGION, "rules of the avis; proposal expired", Status.AVIS_GIVEN),
    Step("correct_avis", (Status.AVIS_GIVEN,), REGION, "rules of the avis", Status.AVIS_GIVEN),
    Step(
        "validate_fiche",
        (Status.AVIS_GIVEN,),
        POLE_EMPLOI,
        "the avis holds; not one's own avis; against CONCURRENT a reason",
        Status.VALIDATED,
    ),
    Step("refuse_fiche", (Status.AVIS_GIVEN,), POLE_EMPLOI, "not one's own avis; coded reasons", Status.REFUSED),
)


_NO_AVIS: Final = ("no avis yet", Status.OPEN)
_HOLDS: Final = ("the avis holds", Status.AVIS_GIVEN)
_LAPSED: Final = ("the avis lapsed", Status.AVIS_LAPSED)
_BEYOND: Final = "moved past a threshold of rule 8"


def _answer(event: str, awaited: Status, *rests: tuple[str, Status]) -> tuple[Step, ...]:
    """Return the rows of the answer that a status waits for: the dossier goes back to where its avis stands."""
    return tuple(Step(event, (awaited,), SUBMISSION, guard, status) for guard, status in rests)


def _moves(event: str, awaited: Status | None = None) -> tuple[Step, ...]:
    """Return the rows of a new content that nothing waits for: the avis lapses or holds, else the status stays."""
    others = tuple(status for status in _ALL if status is not awaited)
    beyond = Step(event, (Status.AVIS_GIVEN, Status.VALIDATED), SUBMISSION, _BEYOND, Status.AVIS_LAPSED)
    return (beyond, Step(event, others, SUBMISSION, "else", None))


_PROPOSED: Final = Status.ADAPTATION_PROPOSED
HEARD: Final[tuple[Step, ...]] = (
    Step("fiche_submitted", (), SUBMISSION, "no dossier yet", Status.OPEN),
    *_answer("fiche_completed", Status.COMPLETION_ASKED, _NO_AVIS, _HOLDS, _LAPSED),
    *_moves("fiche_completed", Status.COMPLETION_ASKED),
    *_moves("fiche_amended"),
    *_answer("adaptation_accepted", _PROPOSED, _NO_AVIS, _LAPSED),
    *_moves("adaptation_accepted", _PROPOSED),
    *_answer("adaptation_declined", _PROPOSED, _NO_AVIS, _LAPSED),
    Step("adaptation_declined", tuple(status for status in _ALL if status is not _PROPOSED), SUBMISSION, "else", None),
    *_answer("counter_proposed", _PROPOSED, _NO_AVIS, _LAPSED),
    *_moves("counter_proposed", _PROPOSED),
    *_moves("session_postponed"),
    Step("session_cancelled", _LIVE, SUBMISSION, "the fiche is cancelled with it", Status.CLOSED),
    Step("session_cancelled", _ALL, SUBMISSION, "else", None),
    Step("fiche_withdrawn", _LIVE, SUBMISSION, "", Status.CLOSED),
    Step("fiche_withdrawn", (Status.REFUSED, Status.CLOSED), SUBMISSION, "", None),
)
TABLE: Final[tuple[Step, ...]] = (*COMMANDS, *HEARD)

_FRENCH: Final = {
    "ask_completion": "demander un complément",
    "propose_adaptation": "proposer une adaptation",
    "give_avis": "rendre l’avis",
    "correct_avis": "corriger l’avis",
    "validate_fiche": "valider la fiche",
    "refuse_fiche": "refuser la fiche",
}


def allowed(command: str, status: Status) -> Step:
    """Return the row of a command in a status; raises `NotAllowedNow` where there is none."""
    for step in COMMANDS:
        if step.command == command and status in step.from_statuses:
            return step
    name = f"«\u202f{LABELS[status]}\u202f»"
    message = f"Le dossier est à l’état {name}\u202f: on ne peut pas {_FRENCH[command]} maintenant."
    raise NotAllowedNow(Objection("STATUS", message, facts={"status": status.value, "command": command}))


def legal(action: str, before: Status | None, after: Status) -> bool:
    """Return whether some row leads from one status to the other by this action (None: there was no dossier)."""
    return any(
        step.command == action
        and (before in step.from_statuses if before else not step.from_statuses)
        and (step.to_status or before) is after
        for step in TABLE
    )
