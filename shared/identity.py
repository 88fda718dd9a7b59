"""Who is asking: a principal, made out of a signed-in name or of the topic a record came by; never of a payload or a header.

A token says only who it is; organisation and roles come from the table of principals (`shared/principals.py`).
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.contracts.references import FRANCE_TRAVAIL, OPCOS

SLUG: Final = r"^[a-z0-9][a-z0-9_.:-]{0,99}$"
"""What names a principal or an organisation."""
_IDENTIFIER: Final = re.compile(SLUG)
_INGRESS: Final = "poec.ingress."


@dataclass(frozen=True)
class Principal:
    """An authenticated actor: `id` is a pseudonym, `organisation` a slug, `roles` what the policy table asks for.

    `version` is the row of the table of principals that the roles were read from: a write is refused once the row is another
    one, so that a right that was taken away is gone at once. None: not from the table (a topic's or a service's own principal).
    """

    id: str
    organisation: str
    kind: Literal["person", "machine", "service"]
    roles: frozenset[str] = field(default_factory=frozenset)
    version: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse identifiers that could be anything but a slug: they are set in the database session."""
        if not (_IDENTIFIER.fullmatch(self.id) and _IDENTIFIER.fullmatch(self.organisation)):
            raise ValueError("principal id and organisation must be slugs of at most 100 characters")


def principal_of_topic(topic: str) -> Principal:
    """Return the organisation that alone may write to this ingress topic; ValueError for any other topic."""
    organisation = topic.removeprefix(_INGRESS)
    if not topic.startswith(_INGRESS) or organisation not in {*OPCOS, FRANCE_TRAVAIL}:
        raise ValueError("not an ingress topic of the flow table")
    role = "entries" if organisation == FRANCE_TRAVAIL else "opco"
    return Principal(f"topic:{organisation}", organisation, "machine", frozenset({role}))


def service_principal(service: str, role: Literal["worker", "relay", "api", "retention"]) -> Principal:
    """Return the principal a service's own process acts as."""
    return Principal(f"{service}:{role}", service, "service", frozenset({role}))
