"""What a service announces of its dead letters, on `poec.<service>.dead-letters`; the record itself stays in the service's database."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.fiche import Value


class DeadLetterAnnounced(Value):
    """A record could not be applied: where it lies in the log, and why; key of the announcement = `id`."""

    wire_type: ClassVar[str] = "fr.poec.dead-letter.v1"
    id: UUID
    topic: str
    partition: int
    offset: int
    code: str
    detail: str
