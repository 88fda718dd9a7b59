"""What publication says: events on `poec.publication.sessions` and the compacted `poec.publication.catalogue`, key session id."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.days import Day
from shared.contracts.events import Event
from shared.contracts.fiche import Name, PublishedContent, SessionNumber, Total
from shared.contracts.references import RemovalReason, SuspensionReason


class _OnSessions(Event):
    topic: ClassVar[str] = "poec.publication.sessions"
    key_field: ClassVar[str] = "session_id"
    session_id: UUID
    fiche_id: UUID
    opco: Name


class SessionPublished(_OnSessions):
    """The session stands in the catalogue and recruits (etat-recrutement 1)."""

    wire_type: ClassVar[str] = "fr.poec.session.published.v1"
    reference: Name
    start: Day
    end: Day
    seats: Total


class SessionFilled(_OnSessions):
    """Every seat has its AIS (etat-recrutement 2)."""

    wire_type: ClassVar[str] = "fr.poec.session.filled.v1"


class SessionSuspended(_OnSessions):
    """The session stays in the catalogue but does not recruit (etat-recrutement 3)."""

    wire_type: ClassVar[str] = "fr.poec.session.suspended.v1"
    reason: SuspensionReason


class SessionRemoved(_OnSessions):
    """The session left the catalogue."""

    wire_type: ClassVar[str] = "fr.poec.session.removed.v1"
    reason: RemovalReason


class AisRecorded(_OnSessions):
    """One intention to enter (AIS, minutes L73-76) was recorded; `net` is what the session has after it."""

    wire_type: ClassVar[str] = "fr.poec.ais.recorded.v1"
    ais_id: UUID
    recorded_on: Day
    net: Total


class AisCancelled(_OnSessions):
    """One AIS was cancelled; `net` is what the session has after it."""

    wire_type: ClassVar[str] = "fr.poec.ais.cancelled.v1"
    ais_id: UUID
    net: Total


class AesRecorded(_OnSessions):
    """One effective entry (AES) was recorded; `total` is what the session has after it."""

    wire_type: ClassVar[str] = "fr.poec.aes.recorded.v1"
    aes_id: UUID
    entered_on: Day
    total: Total


class CatalogueEntry(Event):
    """The whole entry of one session in the catalogue; a tombstone under the same key takes it out.

    Without the budget, which is not public.
    """

    wire_type: ClassVar[str] = "fr.poec.catalogue.entry.v1"
    topic: ClassVar[str] = "poec.publication.catalogue"
    key_field: ClassVar[str] = "session_id"
    session_id: UUID
    fiche_id: UUID
    opco: Name
    number: SessionNumber
    status: str
    reference: Name
    validated_on: Day
    validated_by: Name
    content: PublishedContent


SESSION_EVENTS: tuple[type[Event], ...] = (
    SessionPublished,
    SessionFilled,
    SessionSuspended,
    SessionRemoved,
    AisRecorded,
    AisCancelled,
    AesRecorded,
)
PUBLICATION_EVENTS: tuple[type[Event], ...] = (*SESSION_EVENTS, CatalogueEntry)
