"""What an OPCO would be told if it filed a content now, and which of its fiches are alike; nothing is written."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.submission.check_store import Alike, find_alike
from services.submission.domain import decisions
from services.submission.domain.case import Given
from services.submission.domain.checking import Draft, Findings, check_change, check_filing
from services.submission.domain.fiche import Fiche
from services.submission.store import open_fiches
from shared.contracts.fiche import FicheContent, OutsideCampaign, fiche_id
from shared.database import Database
from shared.errors import NotFound
from shared.identity import Principal
from shared.policy import authorize

_NO_FICHE: Final = UUID(int=0)


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at: a content for a new fiche under `reference`, or in place of what the fiche `fiche_id` has."""

    content: FicheContent
    reference: str | None = None
    fiche_id: UUID | None = None
    outside_campaign: OutsideCampaign | None = None


@dataclass(frozen=True)
class Checked:
    """What the rules say of a content, and the fiches that it resembles."""

    findings: Findings
    alike: tuple[Alike, ...]


async def check_fiche(database: Database, principal: Principal, wanted: Wanted, given: Given) -> Checked:
    """Say what filing would say, with the desk of this moment; raises `NotFound` for a fiche that is not the caller's.

    One transaction of two reads; it commits nothing.
    """
    authorize(principal, "check_fiche", principal.organisation)
    opco = principal.organisation
    by_reference = fiche_id(opco, wanted.reference) if wanted.reference is not None else _NO_FICHE
    itself = wanted.fiche_id or by_reference
    async with database.unit(principal) as unit:
        fiches = await open_fiches(unit, [itself, *wanted.content.sourcing.partner_ids])
        held, beside = fiches.get(itself), given.beside(fiches.desk)
        if wanted.fiche_id is not None and (held is None or held.opco != opco):
            raise NotFound(decisions.UNKNOWN)
        draft = Draft(wanted.content, opco, unit.now, wanted.reference, wanted.outside_campaign)
        if wanted.fiche_id is not None and isinstance(held, Fiche):
            findings = check_change(draft, beside, held)
        else:
            findings = check_filing(draft, beside, held)
        return Checked(findings, await find_alike(unit, opco, wanted.content, itself))
