"""What submission says of a year's programming: campaigns, the adopted programme, the projects that OPCOs declare.

On `poec.submission.campaigns`; the key is the identifier of the campaign, programme or declaration, each derived and the same for ever.
"""

from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from pydantic import Field

from shared.contracts.days import Day
from shared.contracts.events import Event
from shared.contracts.fiche import POEC_NAMESPACE, Count, Name, Revision, Value
from shared.contracts.references import DeclarationSource
from shared.contracts.text import FREE, FreeText

Year = Annotated[int, Field(ge=2018, le=2100)]
Quarter = Annotated[int, Field(ge=1, le=4)]


class Target(Value):
    """How many projects the conference aims at for an OPCO and a métier (ROME) in a year.

    `words` says it as the conference did where the number is no exact one (« une douzaine »: minutes L296).
    """

    opco: Name
    rome: Annotated[str, Field(pattern=r"^[A-N][0-9]{4}$")]
    number: Count
    words: Annotated[str, Field(min_length=1, max_length=120), FREE] | None = None


class _OnCampaigns(Event):
    """Whatever stands on the topic; `revision` counts what was decided on the noun, from 1."""

    topic: ClassVar[str] = "poec.submission.campaigns"
    revision: Revision


class _OfCampaign(_OnCampaigns):
    key_field: ClassVar[str] = "campaign_id"
    campaign_id: UUID
    year: Year
    quarter: Quarter


class CampaignOpened(_OfCampaign):
    """The conference opened the campaign for sessions that start in a quarter (minutes L176-182): first and last day to file."""

    wire_type: ClassVar[str] = "fr.poec.campaign.opened.v1"
    opens_on: Day
    deadline: Day


class CampaignMoved(_OfCampaign):
    """The conference gave the campaign other dates, earlier or later, for everybody."""

    wire_type: ClassVar[str] = "fr.poec.campaign.moved.v1"
    opens_on: Day
    deadline: Day
    reason: FreeText


class CampaignExtended(_OfCampaign):
    """The conference gave more time (minutes L487-490), to one OPCO or to all (`opco` None): the new last day to file."""

    wire_type: ClassVar[str] = "fr.poec.campaign.extended.v1"
    opco: Name | None = None
    deadline: Day
    reason: FreeText


class ProgrammeAdopted(_OnCampaigns):
    """The conference adopted a year's programme, or revised it: the whole of it (minutes L176-182)."""

    wire_type: ClassVar[str] = "fr.poec.programme.adopted.v1"
    key_field: ClassVar[str] = "programme_id"
    programme_id: UUID
    year: Year
    adopted_on: Day
    targets: tuple[Target, ...]


class ProjectsDeclared(_OnCampaigns):
    """An OPCO said how many projects it has for a year, as of a day (minutes L209-212); it replaces what the OPCO said before."""

    wire_type: ClassVar[str] = "fr.poec.projects.declared.v1"
    key_field: ClassVar[str] = "declaration_id"
    declaration_id: UUID
    opco: Name
    year: Year
    as_of: Day
    number: Count
    source: DeclarationSource


CAMPAIGN_EVENTS: tuple[type[Event], ...] = (
    CampaignOpened,
    CampaignMoved,
    CampaignExtended,
    ProgrammeAdopted,
    ProjectsDeclared,
)


def campaign_id(year: int, quarter: int) -> UUID:
    """Return the identifier of the campaign for a quarter: there is one of them."""
    return uuid5(POEC_NAMESPACE, f"campaign/{year}/{quarter}")


def programme_id(year: int) -> UUID:
    """Return the identifier of a year's programme."""
    return uuid5(POEC_NAMESPACE, f"programme/{year}")


def declaration_id(opco: str, year: int) -> UUID:
    """Return the identifier of what an OPCO declares for a year."""
    return uuid5(POEC_NAMESPACE, f"declaration/{opco}/{year}")
