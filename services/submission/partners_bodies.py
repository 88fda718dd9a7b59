"""The HTTP bodies of the directory of partners: what is taken in (`…In`), what is answered (`…Out`)."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.submission.domain.partners import CODE_PATTERN, LABELS, Partner, PartnerStatus, Sheet
from shared.contracts.fiche import Value
from shared.contracts.ingress import Codes
from shared.contracts.labels import label
from shared.contracts.references import ZONES_EMPLOI, PartnerKind
from shared.contracts.text import Label

Code = Annotated[str, Field(pattern=CODE_PATTERN)]
Mailbox = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=160)]
Web = Annotated[str, Field(pattern=r"^https?://[^\s@]+$", max_length=200)]


class SheetIn(Value):
    """What the directory is to say of a partner: an organisation, never a person; `acknowledged`: warnings that are read and kept."""

    name: Label
    kind: PartnerKind
    zones: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9]{4}$")], ...], Field(min_length=1, max_length=len(ZONES_EMPLOI))
    ]
    mailbox: Mailbox | None = None
    web: Web | None = None
    acknowledged: Codes = ()

    def sheet(self) -> Sheet:
        """Return it as the domain knows it."""
        return Sheet(self.name, self.kind, self.zones, self.mailbox, self.web)


class PartnerIn(SheetIn):
    """A partner that the directory does not have yet, under the Région's own code."""

    code: Code


class RetirementIn(Value):
    """Nothing has to be said beside the command."""


class PartnerOut(Value):
    """A partner of the directory; the ETag is its revision, `partner_id` what a fiche names in `sourcing.partner_ids`."""

    partner_id: UUID
    code: str
    name: Label
    kind: PartnerKind
    kind_label: str
    zones: tuple[str, ...]
    mailbox: str | None
    web: str | None
    status: PartnerStatus
    status_label: str
    revision: int
    changed_at: dt.datetime
    acknowledged: tuple[str, ...]


class PartnersOut(Value):
    """A page of the directory, by code; `next` is the value of `after` that continues it."""

    partners: tuple[PartnerOut, ...]
    next: str | None = None


def partner_out(partner: Partner) -> PartnerOut:
    """Return a partner as it is read."""
    shown = {
        **partner.__dict__,
        **partner.sheet.__dict__,
        "partner_id": partner.id,
        "kind_label": label(partner.sheet.kind),
        "status_label": LABELS[partner.status],
    }
    return PartnerOut.model_validate(shown)
