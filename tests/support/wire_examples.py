"""One example of everything that goes over the wire, with fixed identifiers and times: the golden messages are written from these."""

import datetime as dt
from typing import Final
from uuid import UUID

from shared.audit_trail import anchor_of
from shared.contracts import campaigns as c
from shared.contracts import ingress as i
from shared.contracts import publication as p
from shared.contracts import submission as s
from shared.contracts import validation as v
from shared.contracts.events import Event
from shared.contracts.fiche import Intention, PublishedContent, Value, fiche_id, session_id
from shared.contracts.letters import DeadLetterAnnounced
from shared.contracts.placements import Placed, Placements
from shared.contracts.references import (
    AvisKind,
    AvisReason,
    DeclarationSource,
    PlacementContract,
    PlacementMoment,
    RefusalReason,
    RemovalReason,
    SessionMotive,
    SourcingCause,
    SuspensionReason,
    WithdrawalReason,
)
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, GOLDEN_WARNINGS, golden_content

AT: Final = dt.datetime(2018, 3, 12, 9, 30, tzinfo=dt.UTC)
TRACE: Final = f"00-{'0af7651916cd43dd8448eb211c80319c'}-{'b7ad6b7169203331'}-01"
FICHE: Final = fiche_id(GOLDEN_OPCO, GOLDEN_REFERENCE)
SESSION: Final = session_id(FICHE, 1)
AIS: Final = UUID("7a9e3c1e-6a0f-4f0b-9a52-0d5a7f3c2b11")
AES: Final = UUID("c2f4b7d0-91e8-4f6e-8b57-3e1d2a6c9f22")
_START, _END = dt.date(2018, 4, 30), dt.date(2018, 8, 3)
_LATER, _LATER_END = dt.date(2018, 5, 14), dt.date(2018, 8, 17)
_CONTENT: Final = golden_content()
_PUBLISHED: Final = PublishedContent.model_validate(_CONTENT.model_dump())
_SHIFT: Final = s.Shift(start_days=14, commune_moved=False, zone_moved=False, main_formacode_moved=False)
_ADAPTATION: Final = v.Adaptation(sessions=(v.ProposedSession(number=1, start=_LATER, end=_LATER_END),))


def _fiche(revision: int = 1) -> dict[str, object]:
    return {"fiche_id": FICHE, "opco": GOLDEN_OPCO, "revision": revision}


_SESSION: Final[dict[str, object]] = {"session_id": SESSION, "fiche_id": FICHE, "opco": GOLDEN_OPCO}
_NUMBERED: Final[dict[str, object]] = {"session_id": SESSION, "number": 1}


_CAMPAIGN: Final[dict[str, object]] = {"campaign_id": c.campaign_id(2018, 3), "year": 2018, "quarter": 3}


def _made(model: type[Event], *parts: dict[str, object], **fields: object) -> Event:
    return model.model_validate({name: value for part in (*parts, fields) for name, value in part.items()})


_INTENTION: Final = Intention(
    programme_year=2018, title="POEC - Peintre industriel", rome="H3404", main_formacode="22472", branch_idcc="3248",
    zone_emploi="2816", starts_from=dt.date(2018, 4, 1), starts_until=dt.date(2018, 6, 30), seats=12,
)  # fmt: skip
_PLACEMENTS: Final = Placements(
    moment=PlacementMoment.FIN, finishing=10, companies_asked=4, companies_answered=3, companies_satisfied=3,
    placed=(Placed(contract=PlacementContract.CDI, count=5), Placed(contract=PlacementContract.CDD_12_MOIS, count=2)),
)  # fmt: skip

EVENTS: Final[tuple[Event, ...]] = (
    _made(s.FichePreprogrammed, _fiche(), reference=GOLDEN_REFERENCE, intention=_INTENTION),
    _made(s.IntentionDropped, _fiche(2), reason=WithdrawalReason.BESOIN_DISPARU),
    _made(s.PlacementsReturned, _fiche(), _NUMBERED, placements=_PLACEMENTS, fiche_reviewed=False),
    _made(s.FicheSubmitted, _fiche(), reference=GOLDEN_REFERENCE, content=_CONTENT, acknowledged=GOLDEN_WARNINGS),
    _made(s.FicheCompleted, _fiche(2), content=_CONTENT, shift=_SHIFT),
    _made(s.FicheAmended, _fiche(2), content=_CONTENT, shift=_SHIFT),
    _made(s.AdaptationAccepted, _fiche(2), content=_CONTENT, shift=_SHIFT),
    _made(s.AdaptationDeclined, _fiche(), reason="Le centre n’est libre qu’à ces dates."),
    _made(s.CounterProposed, _fiche(2), content=_CONTENT, shift=_SHIFT, reason="Une semaine plus tard convient à tous."),
    _made(s.ProgrammationConfirmed, _fiche(), content=_CONTENT),
    _made(s.SessionEngaged, _fiche(), _NUMBERED, start=_START, end=_END, seats=12, hours=399, committed=6703200),
    _made(
        s.SessionPostponed, _fiche(2), _NUMBERED, start=_LATER, end=_LATER_END, shift_days=14,
        motive=SessionMotive.SOURCING_INSUFFISANT, content=_CONTENT,
    ),
    _made(
        s.SessionCancelled, _fiche(), _NUMBERED, motive=SessionMotive.SOURCING_INSUFFISANT, fiche_cancelled=True,
        cause=SourcingCause.MOBILITE,
    ),
    _made(s.FicheWithdrawn, _fiche(), reason=WithdrawalReason.BESOIN_DISPARU),
    _made(c.CampaignOpened, _CAMPAIGN, revision=1, opens_on=dt.date(2018, 1, 8), deadline=dt.date(2018, 5, 15)),
    _made(
        c.CampaignMoved, _CAMPAIGN, revision=2, opens_on=dt.date(2018, 1, 8), deadline=dt.date(2018, 5, 18),
        reason="Le 15 mai tombait pendant les ponts.",
    ),
    _made(
        c.CampaignExtended, _CAMPAIGN, revision=3, opco=GOLDEN_OPCO, deadline=dt.date(2018, 5, 30),
        reason="Le choix des organismes s’achève fin mai.",
    ),
    _made(
        c.ProgrammeAdopted, programme_id=c.programme_id(2018), year=2018, revision=1, adopted_on=dt.date(2018, 1, 8),
        targets=(c.Target(opco=GOLDEN_OPCO, rome="H3404", number=12, words="une douzaine"), c.Target(opco="akto", rome="N1101", number=4)),
    ),
    _made(
        c.ProjectsDeclared, declaration_id=c.declaration_id(GOLDEN_OPCO, 2018), opco=GOLDEN_OPCO, year=2018, revision=1,
        as_of=dt.date(2018, 3, 1), number=10, source=DeclarationSource.ENQUETE,
    ),
    _made(v.DossierOpened, _fiche(), avis_due_on=dt.date(2018, 3, 27)),
    _made(v.CompletionAsked, _fiche(), items=(v.CompletionItem(field="sourcing.plan", request="Précisez les réunions prévues."),)),
    _made(
        v.AdaptationProposed, _fiche(), reasons=(AvisReason.CALENDRIER,), adaptation=_ADAPTATION,
        comment="Une session du PRF commence le même jour dans la même zone.", expires_on=dt.date(2018, 3, 30),
    ),
    _made(v.AvisGiven, _fiche(), avis=AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION, reasons=(AvisReason.LIEU,), comment="À Saint-Lô seulement."),
    _made(v.AvisLapsed, _fiche(3), avis_revision=1, reasons=(AvisReason.CALENDRIER,), was_validated=True),
    _made(
        v.FicheValidated, _fiche(), reference="PE-28-2018-7K3QXW9C", validated_on=dt.date(2018, 3, 20), validated_by="pole-emploi",
        against_avis=False,
    ),
    _made(v.FicheRefused, _fiche(), reasons=(RefusalReason.BESOIN_NON_ETABLI,), comment="Aucune embauche n’est annoncée."),
    _made(p.SessionPublished, _SESSION, reference="PE-28-2018-7K3QXW9C", start=_START, end=_END, seats=12),
    _made(p.SessionFilled, _SESSION),
    _made(p.SessionSuspended, _SESSION, reason=SuspensionReason.AVIS_A_RENOUVELER),
    _made(p.SessionRemoved, _SESSION, reason=RemovalReason.SESSION_ANNULEE),
    _made(p.AisRecorded, _SESSION, ais_id=AIS, recorded_on=dt.date(2018, 4, 4), net=9),
    _made(p.AisCancelled, _SESSION, ais_id=AIS, net=8),
    _made(p.AesRecorded, _SESSION, aes_id=AES, entered_on=_START, total=8),
    _made(
        p.CatalogueEntry, _SESSION, number=1, status="published", reference="PE-28-2018-7K3QXW9C", validated_on=dt.date(2018, 3, 20),
        validated_by="pole-emploi", content=_PUBLISHED,
    ),
)  # fmt: skip

COMMANDS: Final[tuple[i.Command, ...]] = (
    i.PreprogrammeFiche(intention=_INTENTION),
    i.ReturnPlacements(number=1, placements=_PLACEMENTS),
    i.SubmitFiche(content=_CONTENT, acknowledged=GOLDEN_WARNINGS),
    i.CompleteFiche(content=_CONTENT, acknowledged=GOLDEN_WARNINGS),
    i.AmendFiche(content=_CONTENT),
    i.AcceptAdaptation(),
    i.DeclineAdaptation(reason="Le centre n’est libre qu’à ces dates."),
    i.CounterPropose(content=_CONTENT, reason="Une semaine plus tard convient à tous."),
    i.ConfirmProgrammation(),
    i.EngageSession(number=1, enrolled=4, forced_reason="Deux candidats attendent leur réponse."),
    i.PostponeSession(number=1, start=_LATER, end=_LATER_END, motive=SessionMotive.SOURCING_INSUFFISANT),
    i.CancelSession(number=1, motive=SessionMotive.SOURCING_INSUFFISANT, cause=SourcingCause.ATTRACTIVITE),
    i.WithdrawFiche(reason=WithdrawalReason.FICHE_REMPLACEE),
    i.RecordAis(session_id=SESSION, rows=(i.AisRow(ais_id=AIS, recorded_on=dt.date(2018, 4, 4)),)),
    i.CancelAis(session_id=SESSION, ais_ids=(AIS,)),
    i.RecordAes(session_id=SESSION, rows=(i.AesRow(aes_id=AES, entered_on=_START, ais_id=AIS),)),
)

ANSWER: Final = i.CommandAnswered(
    reference=GOLDEN_REFERENCE,
    command=i.SubmitFiche.wire_type,
    command_id="opco-2i/2018/000117",
    topic=f"poec.ingress.{GOLDEN_OPCO}",
    partition=1,
    offset=4711,
    outcome="warned",
    warnings=(
        i.ObjectionOut(
            code="HOURS_PARTS",
            field="hours.centre",
            message="Les heures en centre et en entreprise ne font pas le total\u202f: vérifiez-les.",
            source="minutes L173",
        ),
    ),
)

LETTER: Final = DeadLetterAnnounced(
    id=UUID("5a1d7c4e-2f0b-5e63-8c94-b7e6f2a91d33"),
    topic="poec.submission.fiches",
    partition=2,
    offset=815,
    code="VALUE_NOT_JSON",
    detail="json_invalid",
)

ANCHOR: Final = anchor_of(
    "validation",
    n=7,
    at=AT,
    written_at=AT,
    entries=4711,
    heads=38,
    root="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    previous_hash="fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
)


def key_of(command: Value) -> str:
    """Return the key of a command's record: the session for entries, else the OPCO's own reference of the fiche."""
    return str(SESSION) if isinstance(command, i.ENTRY_COMMANDS) else GOLDEN_REFERENCE
