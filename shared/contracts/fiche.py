"""The content of a fiche projet, as every service reads it.

Readers ignore unknown fields; the edges (HTTP, ingress) parse the same types with `extra="forbid"`.
Only form is checked here (type, length, pattern): the rules are submission's (`services/submission/domain/admissibility.py`).
"""

from typing import Annotated, Final
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.days import Day
from shared.contracts.references import (
    DerogationLevel,
    FicheKind,
    FollowUpKind,
    NeedOrigin,
    OutsideMotive,
    ProcurementState,
    SourcingPilot,
    TargetContract,
)
from shared.contracts.text import CODE, FREE, FreeText, Label, Reason, Text

POEC_NAMESPACE = UUID("6f1f5d5e-0c5b-5a3e-9b57-2f2f6c0f7a10")
"""Namespace of every identifier that is derived rather than drawn; arbitrary, fixed for ever."""

EUROS: Final = "euros"
"""The mark of an amount in cents that people type and read in euros."""
Cents = Annotated[int, Field(ge=0, le=100_000_000_000), EUROS]
Hours = Annotated[int, Field(ge=0, le=2_000)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]
Total = Annotated[int, Field(ge=0, le=2**31 - 1)]
Days = Annotated[int, Field(ge=-100_000, le=100_000)]
SessionNumber = Annotated[int, Field(ge=1, le=99)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
"""Events are bounded too: what no table takes is not read either, and dies with its reason instead of with a whole batch."""


class Value(BaseModel):
    """Base of everything on the wire: frozen, unknown fields ignored by readers, spaces at both ends removed."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


class Need(Value):
    """Who identified the need, by which act, when (L6326-3)."""

    origin: NeedOrigin
    reference: Annotated[str, Field(min_length=1, max_length=120), CODE]
    decided_on: Day


class Certification(Value):
    """Codes of the certification the training prepares, when there is one."""

    rncp: Annotated[str, Field(pattern=r"^(RNCP)?[0-9]{1,6}$")] | None = None
    rs: Annotated[str, Field(pattern=r"^(RS)?[0-9]{1,6}$")] | None = None
    certifinfo: Annotated[str, Field(pattern=r"^[0-9]{1,10}$")] | None = None


class TrainingHours(Value):
    """Hours of one trainee: whole hours; `company` is the immersion, `distance` the share taught at a distance."""

    total: Hours
    centre: Hours
    company: Hours
    weekly: Annotated[int, Field(ge=1, le=60)]
    distance: Hours = 0


class Derogation(Value):
    """A decision that lifts the 400-hour cap (deliberations 2021-44 and 2024-31): new cap in hours, zones and days it covers.

    `valid_from` and `valid_until` are the first and the last day on which a session may start under it; None: from the day of
    the decision on, and no last day was set (filed before submission asked for one, or a national one).
    """

    level: DerogationLevel
    reference: Annotated[str, Field(min_length=1, max_length=120), CODE]
    decided_on: Day
    cap: Hours
    zones: tuple[FreeText, ...] = ()
    valid_from: Day | None = None
    valid_until: Day | None = None


class Address(Value):
    """A postal address: 1 to 4 lines of 50 characters (LHÉO), postal code, city."""

    lines: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=50), FREE], ...], Field(min_length=1, max_length=4)
    ]
    postal_code: Annotated[str, Field(pattern=r"^[0-9]{5}$")]
    city: Annotated[str, Field(min_length=1, max_length=50), FREE]


class Provider(Value):
    """The training organisation (OF) that answers for the training: SIRET (14), activity declaration NDA (11), Qualiopi.

    `qualiopi_until` is the last day of its certificate, where it is known; `cfa` says that it trains as an apprenticeship centre,
    which it may for people under 26 (L6326-3).
    """

    siret: Annotated[str, Field(min_length=1, max_length=20), CODE]
    nda: Annotated[str, Field(min_length=1, max_length=20), CODE]
    name: Label
    qualiopi: bool
    address: Address
    qualiopi_until: Day | None = None
    cfa: bool = False


class Trainer(Value):
    """The organisation that trains, where it is not the one that answers for the training: SIRET (14) and name."""

    siret: Annotated[str, Field(min_length=1, max_length=20), CODE]
    name: Label


class Tender(Value):
    """The public procurement of the training: its days as far as they are known, and the end of a contract over several years.

    `provider_enters_session`: the contract obliges the provider to enter the session at the Carif-Oref (minutes L512-514).
    """

    published_on: Day | None = None
    offers_due_on: Day | None = None
    awarded_on: Day | None = None
    contract_ends_on: Day | None = None
    provider_enters_session: bool = False


class Place(Value):
    """Where the training takes place: INSEE commune, employment zone (ZE2020), address."""

    insee: Annotated[str, Field(pattern=r"^[0-9AB]{5}$")]
    zone_emploi: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    address: Address


class InformationMeeting(Value):
    """An information collective: where and when jobseekers meet the provider and the companies."""

    on: Day
    starts_at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    place: Label
    audience: Label
    seats: Annotated[int, Field(ge=1, le=1000)]


class SessionPlan(Value):
    """One session: its number within the fiche, first and last day, seats, the minimum to run, meetings."""

    number: Annotated[int, Field(ge=1, le=99)]
    start: Day
    end: Day
    seats: Annotated[int, Field(ge=1, le=500)]
    minimum: Annotated[int, Field(ge=1, le=500)]
    meetings: Annotated[tuple[InformationMeeting, ...], Field(max_length=10)] = ()


class FollowUp(Value):
    """What follows the POEC; a work-study contract names its start (minutes L333-341)."""

    kind: FollowUpKind
    contract_starts_on: Day | None = None


class Sourcing(Value):
    """How trainees are found: plan, whose agencies lead it, upstream partners (organisations only).

    `partner_ids` are partners of the directory, `partners` those that are not in it, by their names.
    """

    plan: Text
    partners: Annotated[tuple[Label, ...], Field(max_length=20)] = ()
    partner_ids: Annotated[tuple[UUID, ...], Field(max_length=20)] = ()
    pilots: Annotated[tuple[SourcingPilot, ...], Field(max_length=3)] = ()


class Money(Value):
    """Teaching cost of one session in euro cents, and who pays which part of it; `other_costs` come beside it (meals, travel)."""

    teaching_cost: Cents
    opco: Cents
    state: Cents = 0
    france_travail: Cents = 0
    company: Cents = 0
    other_costs: Cents = 0


class OutsideCampaign(Value):
    """Why a fiche comes after the deadline of its quarter: a motive of the closed list, and what there is to say about it."""

    motive: OutsideMotive
    reason: Reason | None = None


class Intention(Value):
    """What an OPCO means to train for, before provider and content are known: job, zone, first days between two dates, seats.

    Source: minutes L384-391 (the Région is told even before the award of the contract).
    """

    programme_year: Annotated[int, Field(ge=2018, le=2100)]
    title: Annotated[str, Field(min_length=3, max_length=240), FREE]
    rome: Annotated[str, Field(pattern=r"^[A-N][0-9]{4}$")]
    main_formacode: Annotated[str, Field(pattern=r"^[0-9]{5}$")] | None = None
    branch_idcc: Annotated[str, Field(pattern=r"^[0-9]{4}$")] | None = None
    zone_emploi: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    starts_from: Day
    starts_until: Day
    seats: Annotated[int, Field(ge=1, le=500)]
    sessions: Annotated[int, Field(ge=1, le=20)] = 1


class PublishedContent(Value):
    """What of a fiche may be read by everybody: all of it but the money.

    `modalities`: how the training is run, followed and attested (D6353-1); `shortage`: whether companies lack people in this job,
    None where nobody said so.
    """

    programme_year: Annotated[int, Field(ge=2018, le=2100)]
    kind: FicheKind
    branch_idcc: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    need: Need
    title: Annotated[str, Field(min_length=3, max_length=240), FREE]
    objective: Text
    contents: Text
    prerequisites: Annotated[str, Field(max_length=3000), FREE] = ""
    rome: Annotated[str, Field(pattern=r"^[A-N][0-9]{4}$")]
    formacodes: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9]{5}$")], ...], Field(min_length=1, max_length=5)]
    nsf: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9]{3}$")], ...], Field(max_length=3)] = ()
    certification: Certification | None = None
    hours: TrainingHours
    derogation: Derogation | None = None
    provider: Provider
    place: Place
    sessions: Annotated[tuple[SessionPlan, ...], Field(min_length=1, max_length=20)]
    audiences: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9]{5}$")], ...], Field(min_length=1, max_length=10)]
    target_contracts: Annotated[tuple[TargetContract, ...], Field(min_length=1, max_length=4)]
    follow_up: FollowUp
    companies: Count
    hires_announced: Count
    sourcing: Sourcing
    procurement: ProcurementState
    contact: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=160)]
    modalities: Annotated[str, Field(max_length=3000), FREE] = ""
    shortage: bool | None = None
    trainer: Trainer | None = None
    tender: Tender | None = None


class FicheContent(PublishedContent):
    """Everything an OPCO writes in a fiche projet (one revision of it)."""

    money: Money


def fiche_id(opco: str, reference: str) -> UUID:
    """Return the identifier of the fiche an OPCO calls `reference`: derived, so the same filing makes the same fiche."""
    return uuid5(POEC_NAMESPACE, f"fiche/{opco}/{reference}")


def session_id(fiche: UUID, number: int) -> UUID:
    """Return the identifier of session `number` of a fiche."""
    return uuid5(POEC_NAMESPACE, f"session/{fiche}/{number}")
