"""The life of a session in the catalogue, as one table; what is not in it is refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.errors import NotAllowedNow, Objection


class SessionStatus(StrEnum):
    """Where a session stands in the catalogue; `published`, `full` and `suspended` are in the LHÉO document."""

    EXPECTED = "expected"
    PUBLISHED = "published"
    FULL = "full"
    SUSPENDED = "suspended"
    REMOVED = "removed"


Status = SessionStatus
LISTED: Final = frozenset({Status.PUBLISHED, Status.FULL, Status.SUSPENDED})
"""Statuses with an entry in the catalogue (etat-recrutement 1, 2, 3)."""

SCREEN_WORDS: Final[dict[SessionStatus, str]] = {
    Status.EXPECTED: "Prévue",
    Status.PUBLISHED: "Ouverte",
    Status.FULL: "Complète",
    Status.SUSPENDED: "Suspendue",
    Status.REMOVED: "Retirée du catalogue",
}


@dataclass(frozen=True)
class Step:
    """One row: a command, the statuses it starts from (None: no session yet), who gives it, its guard, where it leads."""

    command: str
    from_statuses: tuple[SessionStatus | None, ...]
    by: str
    guard: str
    to_statuses: tuple[SessionStatus, ...]


_SYSTEM: Final = "publication"
_ENTRIES: Final = "entries"
_STAYS: Final = "each row has its own answer"
UPDATE: Final = "update_session"

TABLE: Final[tuple[Step, ...]] = (
    Step("expect_session", (None, Status.REMOVED), _SYSTEM, "fiche validated, not confirmed", (Status.EXPECTED,)),
    Step(
        "publish_session",
        (None, Status.EXPECTED, Status.FULL, Status.SUSPENDED, Status.REMOVED),
        _SYSTEM,
        "fiche validated and confirmed, seats left",
        (Status.PUBLISHED,),
    ),
    Step(
        "fill_session",
        (None, Status.EXPECTED, Status.PUBLISHED, Status.SUSPENDED, Status.REMOVED),
        _SYSTEM,
        "fiche validated and confirmed, AIS reach the seats",
        (Status.FULL,),
    ),
    Step(
        "suspend_session",
        (None, Status.EXPECTED, Status.PUBLISHED, Status.FULL, Status.SUSPENDED, Status.REMOVED),
        _SYSTEM,
        "avis lapsed, or moved past a threshold of rule 8",
        (Status.SUSPENDED,),
    ),
    Step(
        "remove_session",
        (None, Status.EXPECTED, Status.PUBLISHED, Status.FULL, Status.SUSPENDED),
        _SYSTEM,
        "session cancelled or out of the fiche, fiche withdrawn or refused",
        (Status.REMOVED,),
    ),
    *(Step(UPDATE, (status,), _SYSTEM, "plan, content or reason changed", (status,)) for status in Status),
    Step(
        "record_ais", (Status.PUBLISHED,), _ENTRIES, "AIS below seats and overbooking", (Status.PUBLISHED, Status.FULL)
    ),
    Step("record_ais", (Status.FULL,), _ENTRIES, "AIS below seats and overbooking", (Status.FULL,)),
    Step("cancel_ais", (Status.PUBLISHED,), _ENTRIES, _STAYS, (Status.PUBLISHED,)),
    Step("cancel_ais", (Status.FULL,), _ENTRIES, "below the seats: published again", (Status.FULL, Status.PUBLISHED)),
    Step("cancel_ais", (Status.SUSPENDED,), _ENTRIES, _STAYS, (Status.SUSPENDED,)),
    Step("cancel_ais", (Status.REMOVED,), _ENTRIES, _STAYS, (Status.REMOVED,)),
    Step("record_aes", (Status.PUBLISHED,), _ENTRIES, _STAYS, (Status.PUBLISHED,)),
    Step("record_aes", (Status.FULL,), _ENTRIES, _STAYS, (Status.FULL,)),
)

COMMANDS: Final = tuple(dict.fromkeys(step.command for step in TABLE))
NOT_PUBLISHED: Final = "SESSION_NOT_PUBLISHED"
"""Code of the refusal that time may heal: the session is expected, not yet in the catalogue."""

_COMMAND_TO: Final[dict[SessionStatus, str]] = {
    Status.EXPECTED: "expect_session",
    Status.PUBLISHED: "publish_session",
    Status.FULL: "fill_session",
    Status.SUSPENDED: "suspend_session",
    Status.REMOVED: "remove_session",
}


def allowed(command: str, status: SessionStatus | None) -> Step:
    """Return the row for a command at a status; raises `NotAllowedNow` outside the table."""
    for step in TABLE:
        if step.command == command and status in step.from_statuses:
            return step
    raise NotAllowedNow(_objection(status))


def _objection(status: SessionStatus | None) -> Objection:
    facts = {"status": status.value if status else None}
    if status in (None, Status.EXPECTED):
        message = "La session n’est pas encore au catalogue\u202f: attendez sa publication."
        return Objection(NOT_PUBLISHED, message, facts=facts)
    word = SCREEN_WORDS[status].lower() if status else ""
    message = f"La session est «\u202f{word}\u202f»\u202f: cette opération n’y est pas possible."
    return Objection("SESSION_STATUS", message, facts=facts)


def transition(before: SessionStatus | None, after: SessionStatus, *, again: bool = False) -> Step:
    """Return the row by which publication itself brings a session to `after`; raises `NotAllowedNow` outside the table.

    Where the status stays the row is an update, unless the same status is said `again` for another reason.
    """
    return allowed(UPDATE if before is after and not again else _COMMAND_TO[after], before)
