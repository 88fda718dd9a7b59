"""The HTTP bodies of campaigns, conferences, programmes and declarations: what is taken in (`…In`) and what is answered (`…Out`)."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.contracts.campaigns import Quarter, Year
from shared.contracts.days import Day
from shared.contracts.fiche import Count, Value
from shared.contracts.ingress import Codes, ObjectionOut
from shared.contracts.opco_names import Opco
from shared.contracts.references import DeclarationSource
from shared.contracts.text import FreeText, Label, Reason, Text

Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
Rome = Annotated[str, Field(pattern=r"^[A-N][0-9]{4}$")]


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
    """A campaign; `extensions` are the later last days of single OPCOs; the ETag is its revision."""

    campaign_id: UUID
    year: int
    quarter: int
    revision: int
    opens_on: dt.date
    deadline: dt.date
    extensions: dict[str, dt.date]
    warnings: tuple[ObjectionOut, ...] = ()


class CampaignsOut(Value):
    """A page of campaigns, the latest quarter first."""

    campaigns: tuple[CampaignOut, ...]
    next: str | None = None


class CampaignHistoryOut(Value):
    """A page of the decisions on the dates of a campaign, the last one first; `next` is the value of `after` that continues it."""

    history: tuple[DatedOut, ...]
    next: int | None = None


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
    """A conference as it stands on record; the ETag is its revision."""

    conference_id: UUID
    held_on: dt.date
    revision: int
    agenda: tuple[FreeText, ...]
    decisions: tuple[ResolutionOut, ...]
    warnings: tuple[ObjectionOut, ...] = ()


class ConferencesOut(Value):
    """A page of conferences, the latest first."""

    conferences: tuple[ConferenceOut, ...]
    next: str | None = None


class ConferenceHistoryOut(Value):
    """A page of the versions of the record of a conference, the last one first; `next` is the value of `after` that continues it."""

    history: tuple[MinutesOut, ...]
    next: int | None = None


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
    """One revision of a programme whole; an OPCO reads its own targets."""

    revision: int
    adopted_on: dt.date
    recorded_at: dt.datetime
    targets: tuple[TargetOut, ...]


class RevisionOut(Value):
    """One revision of a programme: when it was adopted and put on record, how many targets it has for whoever reads it."""

    revision: int
    adopted_on: dt.date
    recorded_at: dt.datetime
    targets: int


class RevisionsOut(Value):
    """A page of the revisions of a year's programme, the last one first; `next` is the value of `after` that continues it."""

    programme_id: UUID
    year: int
    revisions: tuple[RevisionOut, ...]
    next: int | None = None


class ProgrammeOut(AdoptedOut):
    """A year's programme as it holds now; the ETag is its revision."""

    programme_id: UUID
    year: int
    warnings: tuple[ObjectionOut, ...] = ()


class KnownOut(Value):
    """Fiches of the year by where they stand: `filed`, of these validated, of these confirmed.

    `not_pursued` are apart: refused, withdrawn or cancelled (« sans suite »).
    """

    filed: int
    validated: int
    confirmed: int
    not_pursued: int


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
    """One version of what an OPCO told in a month about a year."""

    opco: str
    month: str
    revision: int
    delivered_at: dt.datetime
    estimates: tuple[EstimateIn, ...]


class DeliveryOut(Value):
    """What an OPCO told last in a month about a year; the ETag is its revision."""

    delivery_id: UUID
    opco: str
    year: int
    month: str
    revision: int
    estimates: tuple[EstimateIn, ...]


class DeliveriesOut(Value):
    """A page of deliveries, the latest month first."""

    deliveries: tuple[DeliveryOut, ...]
    next: str | None = None


class DeliveryHistoryOut(Value):
    """A page of all that was delivered for a year, the latest month first; `next` is the value of `after` that continues it."""

    history: tuple[DeliveredOut, ...]
    next: str | None = None


class DeclarationIn(Value):
    """How many projects the OPCO has for a year, as of which day, by which source."""

    year: Year
    as_of: Day
    number: Count
    source: DeclarationSource


class DeclaredOut(Value):
    """What an OPCO declared once for a year."""

    opco: str
    revision: int
    declared_at: dt.datetime
    as_of: dt.date
    number: int
    source: DeclarationSource


class DeclarationOut(Value):
    """What an OPCO declared last for a year; the ETag is its revision."""

    declaration_id: UUID
    opco: str
    year: int
    revision: int
    as_of: dt.date
    number: int
    source: DeclarationSource


class DeclarationHistoryOut(Value):
    """A page of all that was declared for a year, of each OPCO the last first; `next` is the value of `after` that continues it."""

    history: tuple[DeclaredOut, ...]
    next: str | None = None


class ReconciledOut(Value):
    """One OPCO: projects declared (None: it declared nothing), fiches received, the gap; what explains it is not added.

    `received` counts every fiche filed for the programme year, `not_pursued` those of them refused, withdrawn or
    cancelled, `intended` what was announced and not filed.
    """

    opco: str
    opco_label: str
    declared: int | None
    received: int
    gap: int | None
    not_pursued: int
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
