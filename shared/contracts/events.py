"""What every event has: a versioned type on the wire, and the key of the noun it is about."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.fiche import Name, Revision, Value


class Event(Value):
    """A fact said by one service; the class variables give its place on the wire.

    `wire_type` is the CloudEvents type (`fr.poec.<noun>.<participle>.v<n>`), `topic` where it is emitted,
    `key_field` the attribute whose value is the record's key.
    """

    wire_type: ClassVar[str]
    topic: ClassVar[str]
    key_field: ClassVar[str] = "fiche_id"

    @property
    def key(self) -> str:
        """Return the record's key: the identifier of the noun."""
        return str(getattr(self, self.key_field))


class FicheEvent(Event):
    """A fact about a fiche: whose it is and the revision of its content that the fact is about."""

    fiche_id: UUID
    opco: Name
    revision: Revision
