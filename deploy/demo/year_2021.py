"""The year 2021 as it was written down: invented fiches whose margins are the minutes' (`year_2021.json`, made by `make_year`).

`load()` reads it; `contents.py` turns a fiche into the content that is filed. The shape is described in README.md.
"""

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.references import (
    AvisKind,
    AvisReason,
    FicheKind,
    FollowUpKind,
    NeedOrigin,
    RefusalReason,
    SessionMotive,
    SourcingCause,
    WithdrawalReason,
)

FILE: Final = Path(__file__).with_suffix(".json")


class Part(BaseModel):
    """Base of everything in the file: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Town(Part):
    """A commune: name, postal code, employment zone (ZE2020)."""

    name: str
    postal_code: str
    zone: str


class Provider(Part):
    """An invented training organisation; SIRET and NDA have the right form and belong to nobody."""

    siret: str
    nda: str
    name: str
    town: str


class Training(Part):
    """What is taught."""

    title: str
    rome: str
    formacodes: tuple[str, ...]
    nsf: str
    objective: str
    contents: str


class Need(Part):
    """Who identified the need, by which act, when."""

    origin: NeedOrigin
    reference: str
    decided_on: dt.date


class Hours(Part):
    """Whole hours of one trainee."""

    total: int
    centre: int
    company: int
    weekly: int


class Parameters(Part):
    """What makes the content of a fiche; keys name rows of the file's own tables. `town` is an INSEE code."""

    training: str
    provider: str
    town: str
    branch_idcc: str
    kind: FicheKind
    need: Need
    hours: Hours
    derogation: bool = False
    start: dt.date
    end: dt.date
    seats: int
    minimum: int
    meeting_on: dt.date
    companies: int
    hires_announced: int
    follow_up: FollowUpKind
    contract_starts_on: dt.date | None = None
    sourcing_plan: str
    prerequisites: str


class Changes(Part):
    """What a later content has otherwise than the one before; absent = as before."""

    start: dt.date | None = None
    end: dt.date | None = None
    town: str | None = None
    hires_announced: int | None = None
    sourcing_plan: str | None = None
    prerequisites: str | None = None


class Dated(Part):
    """A step of a story: on which day, by which client."""

    on: dt.date
    by: str


class SubmitFiche(Dated):
    """The OPCO files the fiche (revision 1)."""

    do: Literal["submit_fiche"] = "submit_fiche"


class AskCompletion(Dated):
    """A reviewer asks to complete one field."""

    do: Literal["ask_completion"] = "ask_completion"
    field: str
    request: str


class CompleteFiche(Dated):
    """The OPCO answers with the whole content, changed."""

    do: Literal["complete_fiche"] = "complete_fiche"
    changes: Changes


class ProposeAdaptation(Dated):
    """The Région proposes other dates or another town; `changes` holds those only."""

    do: Literal["propose_adaptation"] = "propose_adaptation"
    changes: Changes
    reasons: tuple[AvisReason, ...]
    comment: str
    expires_on: dt.date


class AcceptAdaptation(Dated):
    """The OPCO takes the proposal over; `changes` repeats it, the command itself carries nothing."""

    do: Literal["accept_adaptation"] = "accept_adaptation"
    changes: Changes


class DeclineAdaptation(Dated):
    """The OPCO keeps its content."""

    do: Literal["decline_adaptation"] = "decline_adaptation"
    reason: str


class CounterPropose(Dated):
    """The OPCO answers with another content."""

    do: Literal["counter_propose"] = "counter_propose"
    changes: Changes
    reason: str


class GiveAvis(Dated):
    """The Région gives its avis; CONCURRENT rests on a structuring or engaged PRF session."""

    do: Literal["give_avis"] = "give_avis"
    avis: AvisKind
    reasons: tuple[AvisReason, ...] = ()
    comment: str = ""


class ValidateFiche(Dated):
    """Pôle emploi validates; against CONCURRENT with a reason."""

    do: Literal["validate_fiche"] = "validate_fiche"
    reason: str | None = None


class RefuseFiche(Dated):
    """Pôle emploi refuses."""

    do: Literal["refuse_fiche"] = "refuse_fiche"
    reasons: tuple[RefusalReason, ...]
    comment: str


class ConfirmProgrammation(Dated):
    """The OPCO confirms that the validated fiche is really programmed."""

    do: Literal["confirm_programmation"] = "confirm_programmation"


class RecordAis(Dated):
    """AIS number `first` to `first + count - 1` of the session are recorded (their ids: `contents.ais_id`)."""

    do: Literal["record_ais"] = "record_ais"
    first: int
    count: int


class CancelAis(Dated):
    """The AIS with these numbers are cancelled."""

    do: Literal["cancel_ais"] = "cancel_ais"
    numbers: tuple[int, ...]


class EngageSession(Dated):
    """The OPCO says go, with so many people enrolled."""

    do: Literal["engage_session"] = "engage_session"
    enrolled: int


class PostponeSession(Dated):
    """The session gets other dates; `acknowledged` are the warnings the OPCO has read and keeps."""

    do: Literal["postpone_session"] = "postpone_session"
    changes: Changes
    motive: SessionMotive
    acknowledged: tuple[str, ...] = ()


class CancelSession(Dated):
    """The session will not take place; nor will the fiche, which has no other."""

    do: Literal["cancel_session"] = "cancel_session"
    motive: SessionMotive
    cause: SourcingCause | None = None


class WithdrawFiche(Dated):
    """The OPCO takes the fiche back."""

    do: Literal["withdraw_fiche"] = "withdraw_fiche"
    reason: WithdrawalReason


Step = Annotated[
    SubmitFiche
    | AskCompletion
    | CompleteFiche
    | ProposeAdaptation
    | AcceptAdaptation
    | DeclineAdaptation
    | CounterPropose
    | GiveAvis
    | ValidateFiche
    | RefuseFiche
    | ConfirmProgrammation
    | RecordAis
    | CancelAis
    | EngageSession
    | PostponeSession
    | CancelSession
    | WithdrawFiche,
    Field(discriminator="do"),
]


class Fiche(Part):
    """One fiche of the year: whose, by which door its OPCO sends, its first content, how it ends, its story day by day.

    `file` names the file in which it is filed together with others, whatever its door is later.
    """

    opco: str
    reference: str
    door: Literal["http", "ingress"]
    outcome: Literal["engaged", "cancelled", "next_year", "refused", "withdrawn"]
    file: str | None = None
    parameters: Parameters
    steps: tuple[Step, ...]


class Year(Part):
    """The whole year and the tables its fiches refer to."""

    note: str
    year: int
    seed: int
    towns: dict[str, Town]
    providers: dict[str, Provider]
    trainings: dict[str, Training]
    fiches: tuple[Fiche, ...]


@cache
def load() -> Year:
    """Return the year of the file beside this module."""
    return Year.model_validate_json(FILE.read_bytes())
