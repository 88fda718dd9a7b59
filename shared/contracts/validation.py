"""What validation says: events on `poec.validation.fiches`, key fiche id."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.days import Day
from shared.contracts.events import FicheEvent
from shared.contracts.fiche import Name, Place, Revision, SessionNumber, Value
from shared.contracts.references import AvisKind, AvisReason, RefusalReason
from shared.contracts.text import FREE, FreeText, Label


class _OnDossiers(FicheEvent):
    topic: ClassVar[str] = "poec.validation.fiches"


class CompletionItem(Value):
    """One thing that is missing or unclear: the field of the fiche and what to do about it."""

    field: Label
    request: Annotated[str, Field(min_length=1, max_length=500), FREE]


class ProposedSession(Value):
    """Dates proposed for one session of the fiche."""

    number: SessionNumber
    start: Day
    end: Day


class Adaptation(Value):
    """What the Région proposes to change: dates of sessions, or the place, or both; never nothing."""

    sessions: tuple[ProposedSession, ...] = ()
    place: Place | None = None


class DossierOpened(_OnDossiers):
    """A dossier stands open for this fiche; the avis is due on `avis_due_on`."""

    wire_type: ClassVar[str] = "fr.poec.dossier.opened.v1"
    avis_due_on: Day


class CompletionAsked(_OnDossiers):
    """A reviewer asks the OPCO to complete the fiche."""

    wire_type: ClassVar[str] = "fr.poec.completion.asked.v1"
    items: tuple[CompletionItem, ...]


class AdaptationProposed(_OnDossiers):
    """The Région proposes an adaptation, to be answered by `expires_on`."""

    wire_type: ClassVar[str] = "fr.poec.adaptation.proposed.v1"
    reasons: tuple[AvisReason, ...]
    adaptation: Adaptation
    comment: FreeText
    expires_on: Day


class AvisGiven(_OnDossiers):
    """The Région gave its avis on this revision of the fiche."""

    wire_type: ClassVar[str] = "fr.poec.avis.given.v1"
    avis: AvisKind
    reasons: tuple[AvisReason, ...]
    comment: FreeText
    corrects: bool = False


class AvisLapsed(_OnDossiers):
    """The avis no longer holds: dates, place or domain moved past the thresholds of rule 8 (minutes L254-262)."""

    wire_type: ClassVar[str] = "fr.poec.avis.lapsed.v1"
    avis_revision: Revision
    reasons: tuple[AvisReason, ...]
    was_validated: bool


class FicheValidated(_OnDossiers):
    """Pôle emploi validated the fiche; `reference` is what the Carif-Oref checks a session against."""

    wire_type: ClassVar[str] = "fr.poec.fiche.validated.v1"
    reference: Name
    validated_on: Day
    validated_by: Name
    against_avis: bool
    reason: FreeText | None = None


class FicheRefused(_OnDossiers):
    """Pôle emploi refused the fiche: final."""

    wire_type: ClassVar[str] = "fr.poec.fiche.refused.v1"
    reasons: tuple[RefusalReason, ...]
    comment: FreeText


VALIDATION_EVENTS: tuple[type[FicheEvent], ...] = (
    DossierOpened,
    CompletionAsked,
    AdaptationProposed,
    AvisGiven,
    AvisLapsed,
    FicheValidated,
    FicheRefused,
)
