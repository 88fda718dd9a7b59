"""A fiche before it is filed: what its OPCO means to do (an intention), and what it has typed so far (a draft)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from services.submission.domain.fiche import Changed, Fiche, Status
from shared.contracts.fiche import Intention
from shared.contracts.references import WithdrawalReason


@dataclass(frozen=True)
class Preparation:
    """A fiche that was not filed, or was dropped before it was.

    `revision` counts its savings from 1, `reference` is the OPCO's own name for it.

    `fields` holds what stands in the form, path to text as it was typed (`hours.total`, `sessions.0.start`), right or wrong.
    `intention` is what was announced (rule 12, minutes L384-391): it is seen by the Région, a draft alone is seen by its OPCO.
    `renews` is the fiche of an earlier year that this one takes up again (minutes L290).
    """

    id: UUID
    opco: str
    reference: str
    status: Status
    revision: int
    saved_at: dt.datetime
    fields: Mapping[str, str] = field(default_factory=dict)
    intention: Intention | None = None
    renews: UUID | None = None
    withdrawal: WithdrawalReason | None = None
    changes: tuple[Changed, ...] = ()


Held: TypeAlias = Fiche | Preparation
"""What submission holds under an identifier: it is prepared, then filed, and keeps identifier and reference."""
