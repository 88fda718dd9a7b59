"""What publication knows of a fiche: facts of submission and facts of validation, kept apart, joined only when read.

The two topics have no order between them, so each event writes its own side and nothing else: whatever the interleaving,
the facts end up the same, and so does all that is derived from them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from shared.contracts.fiche import FicheContent, SessionPlan
from shared.contracts.references import AvisKind, WithdrawalReason


@dataclass(frozen=True)
class Limits:
    """The two figures that are settings.

    `overbooking`: percent of the seats that AIS may exceed them by. `shift_days`: days a start may lie from the one the avis was
    given on before it lapses (rule 8); the same figure as validation's.
    """

    overbooking: int = 20
    shift_days: int = 30


class Standing(StrEnum):
    """What holds of a fiche now, for whoever checks a reference."""

    SUBMITTED = "submitted"
    VALIDATED = "validated"
    CONFIRMED = "confirmed"
    TO_RENEW = "to_renew"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Outline:
    """What an avis rests on in a content (rule 8): start of each session by number, commune, employment zone, main Formacode."""

    starts: Mapping[int, dt.date]
    insee: str
    zone_emploi: str
    formacode: str


@dataclass(frozen=True)
class Validation:
    """What validation said: the avis, the validation (revision it is bound to), its lapse, the refusal.

    `reference`, `validated_on` and `validated_by` stay after a lapse: they say what was validated, `lapsed` that it no longer holds.
    """

    reference: str | None = None
    validated_on: dt.date | None = None
    validated_by: str | None = None
    revision: int = 0
    lapsed: bool = False
    refused: bool = False
    avis: AvisKind | None = None
    avis_revision: int = 0


@dataclass(frozen=True)
class FicheFacts:
    """All that was heard of one fiche.

    `revision` numbers `content`, `outlines` keeps what an avis rests on of every revision; `confirmed_revision` is 0 until the
    OPCO confirmed the programmation; `plans` has the last plan of every session the fiche ever had, by number; `cancelled` and
    `engaged` are numbers of sessions.
    """

    id: UUID
    opco: str
    reference: str | None = None
    revision: int = 0
    content: FicheContent | None = None
    outlines: Mapping[int, Outline] = field(default_factory=dict)
    plans: Mapping[int, SessionPlan] = field(default_factory=dict)
    confirmed_revision: int = 0
    cancelled: frozenset[int] = frozenset()
    engaged: frozenset[int] = frozenset()
    withdrawn: WithdrawalReason | None = None
    validation: Validation = field(default_factory=Validation)

    def plans_now(self, number: int) -> bool:
        """Return whether the content of now still has a session of this number."""
        return self.content is not None and any(plan.number == number for plan in self.content.sessions)


def standing_of(facts: FicheFacts, shift_days: int) -> Standing:
    """Return what holds now: the last word first."""
    if facts.withdrawn:
        return Standing.WITHDRAWN
    if facts.validation.refused:
        return Standing.REFUSED
    if facts.validation.reference is None:
        return Standing.SUBMITTED
    if facts.validation.lapsed or moved(facts, shift_days):
        return Standing.TO_RENEW
    return Standing.CONFIRMED if facts.confirmed_revision else Standing.VALIDATED


def holds(facts: FicheFacts) -> bool:
    """Return whether a validation stands: not lapsed, and of a content that was heard (its topic may be ahead of the other)."""
    said = facts.validation
    return said.reference is not None and not said.lapsed and said.revision <= facts.revision


def moved(facts: FicheFacts, shift_days: int) -> bool:
    """Return whether the content has left the facts of its avis (rule 8).

    Validation will say so itself (`AvisLapsed`); until that is heard, the session already stops recruiting (minutes L254-262).
    """
    base = facts.outlines.get(facts.validation.avis_revision or facts.validation.revision)
    now = facts.outlines.get(facts.revision)
    return base is not None and now is not None and departs(base, now, shift_days)


def departs(base: Outline, now: Outline, shift_days: int) -> bool:
    """Return whether a content has left the facts of an avis: small moves add up, as starts are compared with the avis's own."""
    elsewhere = (base.insee, base.zone_emploi, base.formacode) != (now.insee, now.zone_emploi, now.formacode)
    return elsewhere or any(_days_from(base, number, start) > shift_days for number, start in now.starts.items())


def _days_from(base: Outline, number: int, start: dt.date) -> int:
    """Return how far a start lies from the avis's; a session the avis did not know is measured from the nearest it knew."""
    references = (base.starts[number],) if number in base.starts else tuple(base.starts.values())
    return min(abs((start - reference).days) for reference in references)


def outline_of(content: FicheContent) -> Outline:
    """Return what an avis on this content would rest on; the first Formacode is the main one."""
    starts = {plan.number: plan.start for plan in content.sessions}
    return Outline(starts, content.place.insee, content.place.zone_emploi, content.formacodes[0])


def with_content(facts: FicheFacts, revision: int, content: FicheContent) -> FicheFacts:
    """Return the facts with a newer content; an older one changes nothing."""
    if revision < facts.revision:
        return facts
    return replace(
        facts,
        revision=revision,
        content=content,
        outlines={**facts.outlines, revision: outline_of(content)},
        plans={**facts.plans, **{plan.number: plan for plan in content.sessions}},
    )


def with_validation(facts: FicheFacts, revision: int, reference: str, on: dt.date, by: str) -> FicheFacts:
    """Return the facts once Pôle emploi validated this revision: an earlier lapse is over."""
    said = facts.validation
    said = replace(said, reference=reference, validated_on=on, validated_by=by, revision=revision, lapsed=False)
    return replace(facts, validation=said)
