"""The partners that a fiche may choose from the directory: those of its zone first, then the others, always those it has already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import Request

from services.submission import partners_cases as story
from services.submission.domain.partners import Partner, PartnerStatus
from services.submission.pages.form_parts import Box
from services.submission.partners_store import Wanted
from shared.contracts.labels import LABELS
from shared.contracts.references import ZONES_EMPLOI, PartnerKind
from shared.http import database
from shared.identity import Principal

OFFERED: Final = 200
"""So many partners of a zone, and of the others, stand as boxes at most; the directory's own page shows all of them."""
PATH: Final = "sourcing.partner_ids"


@dataclass(frozen=True)
class Offered:
    """Partners as boxes: `near` serve the zone of the fiche, `others` do not; where no zone is known yet all are near."""

    near: Sequence[tuple[str, str]] = ()
    others: Sequence[tuple[str, str]] = ()

    def further(self, box: Box) -> Sequence[tuple[str, str]]:
        """Return what a field is chosen from besides what is likely."""
        return self.others if box.path == PATH else ()


async def offered(request: Request, principal: Principal, fields: Mapping[str, str]) -> Offered:
    """Return the partners that a fiche with these fields may choose, by name; what it has chosen is among them, retired or not."""
    zone = fields.get("place.zone_emploi", "")
    chosen = await story.read_named(database(request), principal, _ids(fields))
    known = {one.id: one for one in chosen}
    wants = [Wanted(zone)] if zone in ZONES_EMPLOI else []
    for wanted in (*wants, Wanted()):
        found = await story.read_partners(database(request), principal, wanted, None, OFFERED)
        known |= {one.id: one for one in found if one.id not in known}
    near = [one for one in known.values() if not wants or zone in one.sheet.zones]
    return Offered(_boxes(near), _boxes([one for one in known.values() if one not in near], with_zone=True))


async def names(request: Request, principal: Principal, fields: Mapping[str, str]) -> dict[str, str]:
    """Return what the partners are called that a fiche with these fields has chosen."""
    found = await story.read_named(database(request), principal, _ids(fields))
    return dict(_boxes(found))


def _ids(fields: Mapping[str, str]) -> list[UUID]:
    return [found for path, text in fields.items() if path.startswith(f"{PATH}.") and (found := _uuid(text))]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _boxes(partners: Sequence[Partner], with_zone: bool = False) -> list[tuple[str, str]]:
    return sorted(((str(one.id), _said(one, with_zone)) for one in partners), key=lambda pair: pair[1])


def _said(partner: Partner, with_zone: bool) -> str:
    zones = ", ".join(ZONES_EMPLOI.get(zone, zone) for zone in partner.sheet.zones[:3])
    where = f", {zones}{'…' if len(partner.sheet.zones) > 3 else ''}" if with_zone else ""
    gone = ", retiré de l’annuaire" if partner.status is PartnerStatus.RETIRED else ""
    return f"{partner.sheet.name} ({LABELS[PartnerKind][partner.sheet.kind]}{where}){gone}"
