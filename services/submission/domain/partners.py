"""The directory of those who accompany people towards a POEC, by territory: organisations only, kept by the Région.

OPCOs asked for it (minutes L426-452, L468-472): a fiche names the partners that its group is found with, and courses upstream of it
(#Avenir, Génération compétences) are a pool (L366-381). A partner is called by the code that the Région gives it, and keeps it.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from services.submission.domain.case import Facts
from services.submission.domain.parties import known_zone
from services.submission.domain.sources import AS_READ, COUNTED_ONCE, MOMENT, ONE_NAME
from services.submission.domain.texts import name_warning, personal_mailbox
from shared.contracts.fiche import POEC_NAMESPACE
from shared.contracts.references import PartnerKind
from shared.errors import NotAllowedNow, NotFound, Objection, RulesRefused, Stale, WarningsUnanswered

_DIRECTORY: Final = "minutes L426-452"
UNKNOWN: Final = Objection(
    "PARTNER_UNKNOWN", "Ce partenaire n’est pas dans l’annuaire\u202f: vérifiez son identifiant.", _DIRECTORY
)


CODE_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{1,59}$"
"""How the Région calls a partner."""


class PartnerStatus(StrEnum):
    """Whether a partner may be chosen for a fiche."""

    ACTIVE = "active"
    RETIRED = "retired"


LABELS: Final[dict[PartnerStatus, str]] = {PartnerStatus.ACTIVE: "En activité", PartnerStatus.RETIRED: "Retiré"}


@dataclass(frozen=True)
class Sheet:
    """What the directory says of a partner: name of the organisation, its network, the zones (ZE2020) it serves, how to reach it.

    `mailbox` is that of a service, `web` an address on the web; either may be missing.
    """

    name: str
    kind: PartnerKind
    zones: tuple[str, ...]
    mailbox: str | None = None
    web: str | None = None


@dataclass(frozen=True)
class Partner:
    """A partner of the directory; `revision` counts what was decided about it from 1."""

    id: UUID
    code: str
    revision: int
    status: PartnerStatus
    sheet: Sheet
    changed_at: dt.datetime
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A row of the lifecycle: `from_statuses` empty means that the partner is not in the directory yet."""

    command: str
    from_statuses: tuple[PartnerStatus, ...]
    guard: str
    to_status: PartnerStatus


_S: Final = PartnerStatus
TABLE: Final[tuple[Step, ...]] = (
    Step("record_partner", (), "code free; rules, warnings acknowledged", _S.ACTIVE),
    Step("record_partner", (_S.ACTIVE, _S.RETIRED), "revision read; rules, warnings acknowledged", _S.ACTIVE),
    Step("retire_partner", (_S.ACTIVE,), "", _S.RETIRED),
)
"""The life of a partner; the Région alone gives these commands."""


def partner_id(code: str) -> UUID:
    """Return the identifier of the partner that the Région calls `code`: derived, so that the same file makes the same partners."""
    return uuid5(POEC_NAMESPACE, f"partner/{code}")


def record_partner(
    code: str, sheet: Sheet, acknowledged: Sequence[str], at: dt.datetime, held: Partner | None
) -> Partner:
    """Put a partner into the directory.

    One that is there with the same sheet stays as it is: the same file again changes nothing. Raises `RulesRefused` with every
    objection, `WarningsUnanswered`, and `NotAllowedNow` where the code is another partner's.
    """
    if held is not None:
        if held.sheet == sheet and held.status is PartnerStatus.ACTIVE:
            return held
        message = "Ce code est déjà celui d’un partenaire\u202f: modifiez-le à partir de sa dernière révision, ou prenez un autre code."
        facts: Facts = {"partner_id": str(held.id), "revision": held.revision, "status": held.status.value}
        raise NotAllowedNow(Objection("PARTNER_CODE_TAKEN", message, ONE_NAME, "code", facts=facts))
    kept = _admitted(sheet, acknowledged)
    return Partner(partner_id(code), code, 1, PartnerStatus.ACTIVE, sheet, at, kept)


def change_partner(held: Partner, sheet: Sheet, acknowledged: Sequence[str], at: dt.datetime) -> Partner:
    """Give a partner another sheet, or take it up again; what is so already stays as it is."""
    if held.sheet == sheet and held.status is PartnerStatus.ACTIVE:
        return held
    kept = _admitted(sheet, acknowledged)
    return replace(
        held, revision=held.revision + 1, status=PartnerStatus.ACTIVE, sheet=sheet, changed_at=at, acknowledged=kept
    )


def retire_partner(held: Partner, at: dt.datetime) -> Partner:
    """Take a partner out of what may be chosen; fiches that name it keep it. Raises `NotAllowedNow` where it is out already."""
    if held.status is PartnerStatus.RETIRED:
        message = "Ce partenaire est déjà retiré de l’annuaire."
        raise NotAllowedNow(
            Objection("STATUS", message, MOMENT, facts={"status": held.status.value, "command": "retire_partner"})
        )
    return replace(held, revision=held.revision + 1, status=PartnerStatus.RETIRED, changed_at=at)


def existing(held: Partner | None) -> Partner:
    """Return what is held; raises `NotFound` where there is nothing."""
    if held is None:
        raise NotFound(UNKNOWN)
    return held


def at_revision(held: Partner, revision: int) -> None:
    """Let a decision pass that was taken on the present revision; raises `Stale` for another."""
    if held.revision != revision:
        message = "Ce partenaire a été modifié depuis votre lecture\u202f: relisez-le, puis reprenez votre changement."
        raise Stale(Objection("REVISION", message, AS_READ, facts={"revision": held.revision, "read": revision}))


def legal(command: str, before: PartnerStatus | None, after: PartnerStatus) -> bool:
    """Return whether a row leads from one status to the other (None: not in the directory) by this command."""
    return any(
        step.command == command
        and (before in step.from_statuses if before else not step.from_statuses)
        and step.to_status is after
        for step in TABLE
    )


def _admitted(sheet: Sheet, acknowledged: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of the warnings, all acknowledged."""
    objections, warnings = tuple(_objections(sheet)), tuple(_warnings(sheet))
    if objections:
        raise RulesRefused(*objections, warnings=warnings)
    if not {warning.code for warning in warnings} <= set(acknowledged):
        raise WarningsUnanswered(warnings=warnings)
    return tuple(warning.code for warning in warnings)


def _objections(sheet: Sheet) -> Iterator[Objection]:
    for index, zone in enumerate(sheet.zones):
        if unknown := known_zone(zone, f"zones.{index}"):
            yield unknown
        elif zone in sheet.zones[:index]:
            message = f"La zone d’emploi {zone} figure deux fois\u202f: gardez-la une fois."
            yield Objection("CODE_TWICE", message, COUNTED_ONCE, f"zones.{index}", {"code": zone})


def _warnings(sheet: Sheet) -> Iterator[Objection]:
    """Yield what looks like a person: the directory is of organisations and their services (RGPD)."""
    if named := name_warning([("name", sheet.name)]):
        yield named
    if sheet.mailbox and (personal := personal_mailbox(sheet.mailbox, "mailbox")):
        yield personal
