"""What partners' systems may say on `poec.ingress.<organisation>`, and what they are answered.

A command's record: key = the OPCO's own reference of the fiche (the session id for entries), value = the JSON of
one of these classes, headers `ce_type` (`fr.poec.command.<name>.v1`) and `ce_id` (the sender's own id of the record).
Who sent it is the topic, never the payload.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.days import Day
from shared.contracts.fiche import FicheContent, Intention, OutsideCampaign, Value
from shared.contracts.placements import Placements
from shared.contracts.references import SessionMotive, SourcingCause, WithdrawalReason
from shared.contracts.text import Reason

Codes = Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{2,60}$")], ...], Field(max_length=50)]


class Command(Value):
    """Something a partner asks for; `wire_type` names it in the `ce_type` header."""

    wire_type: ClassVar[str]


class PreprogrammeFiche(Command):
    """Announce what is meant, before provider and content are known; again: announce it anew."""

    wire_type: ClassVar[str] = "fr.poec.command.preprogramme_fiche.v1"
    intention: Intention
    acknowledged: Codes = ()


class SubmitFiche(Command):
    """File a new fiche; `acknowledged` lists the codes of the warnings the OPCO has read and keeps.

    After the deadline of its quarter, `outside_campaign` says why.
    """

    wire_type: ClassVar[str] = "fr.poec.command.submit_fiche.v1"
    content: FicheContent
    acknowledged: Codes = ()
    outside_campaign: OutsideCampaign | None = None


class CompleteFiche(Command):
    """Answer a request for completion with the whole content."""

    wire_type: ClassVar[str] = "fr.poec.command.complete_fiche.v1"
    content: FicheContent
    acknowledged: Codes = ()


class AmendFiche(Command):
    """Change the content."""

    wire_type: ClassVar[str] = "fr.poec.command.amend_fiche.v1"
    content: FicheContent
    acknowledged: Codes = ()


class AcceptAdaptation(Command):
    """Take the proposed adaptation over as it is."""

    wire_type: ClassVar[str] = "fr.poec.command.accept_adaptation.v1"
    acknowledged: Codes = ()


class DeclineAdaptation(Command):
    """Keep the content as it is."""

    wire_type: ClassVar[str] = "fr.poec.command.decline_adaptation.v1"
    reason: Reason
    acknowledged: Codes = ()


class CounterPropose(Command):
    """Answer a proposed adaptation with another content."""

    wire_type: ClassVar[str] = "fr.poec.command.counter_propose.v1"
    content: FicheContent
    reason: Reason
    acknowledged: Codes = ()


class ConfirmProgrammation(Command):
    """Say that the validated fiche is really programmed."""

    wire_type: ClassVar[str] = "fr.poec.command.confirm_programmation.v1"


class EngageSession(Command):
    """Say go for a session: minimum reached (`enrolled` people), or forced with a reason."""

    wire_type: ClassVar[str] = "fr.poec.command.engage_session.v1"
    number: Annotated[int, Field(ge=1, le=99)]
    enrolled: Annotated[int, Field(ge=0, le=500)]
    forced_reason: Reason | None = None
    acknowledged: Codes = ()


class PostponeSession(Command):
    """Give a session other dates."""

    wire_type: ClassVar[str] = "fr.poec.command.postpone_session.v1"
    number: Annotated[int, Field(ge=1, le=99)]
    start: Day
    end: Day
    motive: SessionMotive
    cause: SourcingCause | None = None
    acknowledged: Codes = ()


class CancelSession(Command):
    """Say that a session will not take place; the motive SOURCING_INSUFFISANT, and no other, has a cause."""

    wire_type: ClassVar[str] = "fr.poec.command.cancel_session.v1"
    number: Annotated[int, Field(ge=1, le=99)]
    motive: SessionMotive
    cause: SourcingCause | None = None


class ReturnPlacements(Command):
    """Say what became of the group of a session at one moment: at its end, or three months after."""

    wire_type: ClassVar[str] = "fr.poec.command.return_placements.v1"
    number: Annotated[int, Field(ge=1, le=99)]
    placements: Placements


class WithdrawFiche(Command):
    """Take the fiche back, or drop what was announced under its reference."""

    wire_type: ClassVar[str] = "fr.poec.command.withdraw_fiche.v1"
    reason: WithdrawalReason


class AisRow(Value):
    """One AIS: an id of its own (no person in it) and the day it was recorded."""

    ais_id: UUID
    recorded_on: Day


class AesRow(Value):
    """One effective entry: an id of its own, the AIS it confirms if known, the day of entry."""

    aes_id: UUID
    entered_on: Day
    ais_id: UUID | None = None


class RecordAis(Command):
    """Record up to 500 AIS of one session; each row gets its own answer."""

    wire_type: ClassVar[str] = "fr.poec.command.record_ais.v1"
    session_id: UUID
    rows: Annotated[tuple[AisRow, ...], Field(min_length=1, max_length=500)]


class CancelAis(Command):
    """Cancel up to 500 AIS of one session, each named by its id."""

    wire_type: ClassVar[str] = "fr.poec.command.cancel_ais.v1"
    session_id: UUID
    ais_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]


class RecordAes(Command):
    """Record up to 500 effective entries of one session."""

    wire_type: ClassVar[str] = "fr.poec.command.record_aes.v1"
    session_id: UUID
    rows: Annotated[tuple[AesRow, ...], Field(min_length=1, max_length=500)]


OPCO_COMMANDS: tuple[type[Command], ...] = (
    PreprogrammeFiche,
    SubmitFiche,
    CompleteFiche,
    AmendFiche,
    AcceptAdaptation,
    DeclineAdaptation,
    CounterPropose,
    ConfirmProgrammation,
    EngageSession,
    PostponeSession,
    CancelSession,
    WithdrawFiche,
    ReturnPlacements,
)
ENTRY_COMMANDS: tuple[type[Command], ...] = (RecordAis, CancelAis, RecordAes)

Outcome = Literal["accepted", "warned", "refused", "duplicate", "unreadable", "kept"]


class ObjectionOut(Value):
    """One objection or warning: stable code, the field, a French sentence that says what to do, the rule's source."""

    code: str
    field: str | None = None
    message: str
    source: str | None = None


class RowOut(Value):
    """The answer to one row of a batch."""

    id: UUID
    outcome: Literal["recorded", "cancelled", "already", "refused"]
    code: str | None = None
    message: str | None = None


class CommandAnswered(Value):
    """The one answer to one ingress record, on `poec.<service>.results.<organisation>`.

    `kept` = nothing was refused, but it cannot be done yet; operations replay it from the dead letters.
    """

    wire_type: ClassVar[str] = "fr.poec.command.answered.v1"
    reference: str | None
    command: str | None
    command_id: str | None
    topic: str
    partition: int
    offset: int
    outcome: Outcome
    fiche_id: UUID | None = None
    revision: int | None = None
    status: str | None = None
    objections: tuple[ObjectionOut, ...] = ()
    warnings: tuple[ObjectionOut, ...] = ()
    rows: tuple[RowOut, ...] = ()
