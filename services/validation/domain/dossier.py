"""The dossier of a fiche: what the reviewers know of it and said about it, and where it stands.

Everything is frozen: a decision returns a new dossier.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from shared.contracts.events import FicheEvent
from shared.contracts.fiche import FicheContent
from shared.contracts.references import AvisKind, AvisReason, RefusalReason
from shared.contracts.validation import Adaptation, CompletionItem

CHANGES_KEPT = 20
"""How many revisions back a dossier can say what changed; a reader further behind has to read the whole fiche again."""


class Status(StrEnum):
    """Where a dossier stands (minutes L506-508: avis, then validation or not)."""

    OPEN = "open"
    COMPLETION_ASKED = "completion_asked"
    ADAPTATION_PROPOSED = "adaptation_proposed"
    AVIS_GIVEN = "avis_given"
    AVIS_LAPSED = "avis_lapsed"
    VALIDATED = "validated"
    REFUSED = "refused"
    CLOSED = "closed"


LABELS: dict[Status, str] = {
    Status.OPEN: "Avis attendu",
    Status.COMPLETION_ASKED: "Complément demandé",
    Status.ADAPTATION_PROPOSED: "Adaptation proposée",
    Status.AVIS_GIVEN: "Avis rendu, validation attendue",
    Status.AVIS_LAPSED: "Avis à renouveler",
    Status.VALIDATED: "Validée",
    Status.REFUSED: "Refusée",
    Status.CLOSED: "Close",
}
"""What screens and answers call a status."""

FINAL = frozenset({Status.REFUSED, Status.CLOSED})
"""Statuses that nothing leaves: a correction is a new fiche."""


class Outcome(StrEnum):
    """What the OPCO answered to a proposed adaptation."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    COUNTERED = "countered"


@dataclass(frozen=True)
class Bound:
    """What an avis rests on in a content (rule 8): start of each session by number, commune, zone, main Formacode."""

    starts: tuple[tuple[int, dt.date], ...]
    commune: str
    zone: str
    formacode: str


@dataclass(frozen=True)
class Avis:
    """The Région's opinion on one revision; `prf_committed`: it rests on a structuring or engaged PRF session."""

    kind: AvisKind
    reasons: tuple[AvisReason, ...]
    comment: str
    prf_committed: bool
    revision: int
    bound: Bound
    given_on: dt.date
    lapsed: bool = False


@dataclass(frozen=True)
class Proposal:
    """An adaptation the Région proposed on one revision, to be answered by the end of `expires_on`, and its answer."""

    adaptation: Adaptation
    reasons: tuple[AvisReason, ...]
    comment: str
    expires_on: dt.date
    revision: int
    outcome: Outcome | None = None
    answer: str = ""


@dataclass(frozen=True)
class Validation:
    """Pôle emploi's yes to one revision; `against_avis` when the avis was CONCURRENT, then `reason` says why."""

    reference: str
    on: dt.date
    by: str
    revision: int
    against_avis: bool
    reason: str | None


@dataclass(frozen=True)
class Refusal:
    """Pôle emploi's no, with its coded reasons."""

    reasons: tuple[RefusalReason, ...]
    comment: str
    on: dt.date
    by: str
    revision: int


@dataclass(frozen=True)
class Changed:
    """Names of the members of the content that a revision changed."""

    revision: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Dossier:
    """A dossier; `revision` is the fiche's, `advisers` the pseudonyms of all who gave an avis on it.

    `validation` is the decision in force; those that a lapsed avis took back are in `past_validations`.
    `cancelled` are the numbers of the sessions that will not take place.
    """

    fiche_id: UUID
    opco: str
    reference: str
    status: Status
    revision: int
    content: FicheContent
    opened_at: dt.datetime
    avis_due_on: dt.date
    avis: Avis | None = None
    advisers: tuple[str, ...] = ()
    items: tuple[CompletionItem, ...] = ()
    proposal: Proposal | None = None
    validation: Validation | None = None
    refusal: Refusal | None = None
    past_validations: tuple[Validation, ...] = ()
    changes: tuple[Changed, ...] = ()
    cancelled: tuple[int, ...] = ()

    @property
    def standing(self) -> Status:
        """Return where the dossier stands by its avis alone: none, one that holds, one that lapsed."""
        if self.avis is None:
            return Status.OPEN
        return Status.AVIS_LAPSED if self.avis.lapsed else Status.AVIS_GIVEN

    def to(self, status: Status) -> "Dossier":
        """Return this dossier in another status."""
        return replace(self, status=status)


Decided = tuple[Dossier, tuple[FicheEvent, ...]]
"""What a decision returns: the new state and what is said about it."""


def bound_to(content: FicheContent, cancelled: Collection[int] = ()) -> Bound:
    """Return the facts of a content that an avis given on it is bound to; the first Formacode is the main one.

    Sessions that were cancelled are left out: they compete with nothing.
    """
    starts = tuple(sorted((one.number, one.start) for one in content.sessions if one.number not in cancelled))
    return Bound(starts, content.place.insee, content.place.zone_emploi, content.formacodes[0])


def changed_fields(before: FicheContent, after: FicheContent) -> tuple[str, ...]:
    """Return the names of the members in which two contents differ, in the order of the fiche."""
    names = type(before).model_fields
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))
