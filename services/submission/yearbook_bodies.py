"""The HTTP bodies of campaigns, conferences, programmes and declarations: what is taken in (`…In`) and what is answered (`…Out`)."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.contracts.campaigns import Quarter, Year
from shared.contracts.days import Day
from shared.contracts.fiche import Count, Value
from shared.contracts.ingress import Codes, ObjectionOut
from shared.contracts.references import DeclarationSource
from shared.contracts.text import FreeText, Label, Reason, Text

Opco = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Month = Annotated[str, Field(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$")]
Rome = Annotated[str, Field(pattern=r"^[A-N]\d{4}$")]


class CampaignIn(Value):
    """The campaign of a quarter: first and last day to file."""

    year: Year
    quarter: Quarter
    opens_on: Day
    deadline: Day


class CampaignDatesIn(Value):
    """Other dates for everybody, and why."""

    opens_on: Day
    deadline: Day
    reason: Reason
    acknowledged: Codes = ()


class ExtensionIn(Value):
    """A later last day, for one OPCO or for all (`opco` left out), and why."""

    opco: Opco | None = None
    deadline: Day
    reason: Reason
    acknowledged: Codes = ()


class DatedOut(Value):
    """One decision on the dates of a campaign; `opco` None: for all."""

    revision: int
    action: str
    decided_at: dt.datetime
    opco: str | None
    opens_on: dt.date
    deadline: dt.date
    reason: FreeText


class CampaignOut(Value):
    """A campaign; `extensions` are the later last days of single OPCOs, `history` every decision; the ETag is its revision."""

    campaign_id: UUID
    year: int
    quarter: int
    revision: int
    opens_on: dt.date
    deadline: dt.date
    extensions: dict[str, dt.date]
    history: tuple[DatedOut, ...]
    warnings: tuple[ObjectionOut, ...] = ()


class CampaignsOut(Value):
    """A page of campaigns, the latest quarter first."""

    campaigns: tuple[CampaignOut, ...]
    next: str | None = None


class ResolutionIn(Value):
    """A decision in words; `decides`: identifier of the campaign or programme that it led to, `revision` which one of it."""

    text: Text
    decides: UUID | None = None
    revision: Annotated[int, Field(ge=1, le=10_000)] | None = None


class ConferenceIn(Value):
    """A conference: its day, its agenda, what was decided."""

    held_on: Day
    agenda: Annotated[tuple[Label, ...], Field(min_length=1, max_length=50)]
    decisions: Annotated[tuple[ResolutionIn, ...], Field(max_length=50)] = ()
    acknowledged: Codes = ()


class CorrectionIn(Value):
    """The whole record as it should read, and why."""

    agenda: Annotated[tuple[Label, ...], Field(min_length=1, max_length=50)]
    decisions: Annotated[tuple[ResolutionIn, ...], Field(max_length=50)] = ()
    reason: Reason
    acknowledged: Codes = ()


class ResolutionOut(Value):
    """A decision as it was put on record."""

    text: FreeText
    decides: UUID | None
    revision: int | None


class MinutesOut(Value):
    """One version of the record of a conference."""

    revision: int
    recorded_at: dt.datetime
    agenda: tuple[FreeText, ...]
    decisions: tuple[ResolutionOut, ...]
    reason: FreeText


class ConferenceOut(Value):
    """A conference as it stands on record, and every version before; the ETag is its revision."""

    conference_id: UUID
    held_on: dt.date
    revision: int
    agenda: tuple[FreeText, ...]
    decisions: tuple[ResolutionOut, ...]
    history: tuple[MinutesOut, ...]
    warnings: tuple[ObjectionOut, ...] = ()


class ConferencesOut(Value):
    """A page of conferences, the latest first."""

    conferences: tuple[ConferenceOut, ...]
    next: str | None = None


class TargetIn(Value):
    """What is aimed at for an OPCO and a métier: a number of projects, in the conference's own words where it is no exact one."""

    opco: Opco
    rome: Rome
    number: Count
    words: Annotated[Label, Field(max_length=120)] | None = None


class AdoptionIn(Value):
    """The whole programme of the year, and the day it was adopted."""

    adopted_on: Day
    targets: Annotated[tuple[TargetIn, ...], Field(min_length=1, max_length=2000)]
    acknowledged: Codes = ()


class TargetOut(Value):
    """A target; `approximate` where `words` says it otherwise than by its number."""

    opco: str
    rome: str
    number: int
    words: FreeText | None
    approximate: bool


class AdoptedOut(Value):
    """One version of a programme."""

    revision: int
    adopted_on: dt.date
    recorded_at: dt.datetime
    targets: tuple[TargetOut, ...]


class ProgrammeOut(Value):
    """A year's programme with all its revisions, the first one first; the ETag is the revision that holds."""

    programme_id: UUID
    year: int
    revision: int
    revisions: tuple[AdoptedOut, ...]
    warnings: tuple[ObjectionOut, ...] = ()


class KnownOut(Value):
    """Fiches of the year by where they stand: `filed` and not closed, of these validated, of these confirmed; `closed` apart."""

    filed: int
    validated: int
    confirmed: int
    closed: int


class EstimatedOut(Value):
    """What the OPCO estimates for the months to come, and when it said so: a zero is a zero of that day."""

    number: int
    told_on: dt.date
    words: str


class StandingOut(Value):
    """An OPCO and a métier: target, known, intended, estimated. Numbers of projects that are not to be added to each other.

    `target` None: none was set; `estimated` None: the OPCO told nothing for this year, which is no zero.
    """

    opco: str
    opco_label: str
    rome: str
    target: TargetOut | None
    known: KnownOut
    intended: int
    estimated: EstimatedOut | None


class ComparisonOut(Value):
    """The programme of a year beside what is known of it as of a moment; `known_on` says so in words."""

    year: int
    as_of: dt.datetime
    known_on: str
    revision: int | None
    adopted_on: dt.date | None
    lines: tuple[StandingOut, ...]


class EstimateIn(Value):
    """Projects that are expected to start in a month for a métier; 0 says that none is."""

    rome: Rome
    month: Month
    projects: Count


class DeliveryIn(Value):
    """All that is expected for the months to come of the year."""

    estimates: Annotated[tuple[EstimateIn, ...], Field(max_length=2000)]


class DeliveredOut(Value):
    """One version of a delivery."""

    revision: int
    delivered_at: dt.datetime
    estimates: tuple[EstimateIn, ...]


class DeliveryOut(Value):
    """What an OPCO told in a month about a year, and every version before; the ETag is its revision."""

    delivery_id: UUID
    opco: str
    year: int
    month: str
    revision: int
    estimates: tuple[EstimateIn, ...]
    history: tuple[DeliveredOut, ...]


class DeliveriesOut(Value):
    """A page of deliveries, the latest month first."""

    deliveries: tuple[DeliveryOut, ...]
    next: str | None = None


class DeclarationIn(Value):
    """How many projects the OPCO has for a year, as of which day, by which source."""

    year: Year
    as_of: Day
    number: Count
    source: DeclarationSource


class DeclaredOut(Value):
    """What was declared once."""

    revision: int
    declared_at: dt.datetime
    as_of: dt.date
    number: int
    source: DeclarationSource


class DeclarationOut(Value):
    """What an OPCO declared last for a year, and everything before; the ETag is its revision."""

    declaration_id: UUID
    opco: str
    year: int
    revision: int
    as_of: dt.date
    number: int
    source: DeclarationSource
    history: tuple[DeclaredOut, ...]


class ReconciledOut(Value):
    """One OPCO: projects declared (None: it declared nothing), fiches received, the gap; what explains it is not added.

    `received` counts every fiche filed for the programme year, `closed` those of them refused, withdrawn or cancelled, `intended`
    what was announced and not filed.
    """

    opco: str
    opco_label: str
    declared: int | None
    received: int
    gap: int | None
    closed: int
    intended: int
    declaration: DeclarationOut | None


class ReconciliationOut(Value):
    """Declared and received as of a moment (minutes L209-212: 178 and 162); the totals are of the lines shown.

    `gap` is over the OPCOs that declared; `undeclared` are the fiches of those that did not.
    """

    year: int
    as_of: dt.datetime
    known_on: str
    declared: int
    received: int
    gap: int
    undeclared: int
    lines: tuple[ReconciledOut, ...]
