"""What an OPCO does with its fiche: pure decisions from (fiche, what is asked, when) to (new fiche, events, warnings kept).

Each raises `NotAllowedNow` outside the lifecycle, `RulesRefused` with all objections, or `WarningsUnanswered`; nothing is changed then.
"""

import datetime as dt
import unicodedata
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.submission.domain.admissibility import DATE_RULES, DATE_WARNINGS, PLACE_RULES, admit
from services.submission.domain.case import Case, Facts, Given, Rule
from services.submission.domain.content import adapted, changed_since, digest, revised, shift_between
from services.submission.domain.dates import civil_date
from services.submission.domain.fiche import Fiche, Session, Status
from services.submission.domain.lifecycle import allowed
from services.submission.domain.preparation import Held
from services.submission.domain.sources import AS_READ, MOMENT, ONE_NAME, RIGHTS, SOMETHING_CHANGES
from services.submission.domain.texts import heeded, name_warning
from shared.contracts.events import FicheEvent
from shared.contracts.fiche import FicheContent, OutsideCampaign
from shared.contracts.references import ProcurementState, WithdrawalReason
from shared.contracts.submission import (
    AdaptationAccepted,
    AdaptationDeclined,
    CounterProposed,
    FicheAmended,
    FicheCompleted,
    FicheSubmitted,
    FicheWithdrawn,
    ProgrammationConfirmed,
    Shift,
)
from shared.contracts.validation import Adaptation
from shared.errors import NotAllowedNow, NotFound, Objection, RulesRefused, Stale

REFERENCE_LENGTH: Final = 80
_ADAPTATION_RULES: Final[tuple[Rule, ...]] = (*DATE_RULES, *PLACE_RULES)


@dataclass(frozen=True)
class Decision:
    """What a decision makes of a fiche: its new state, the events that say so, the warnings that stand acknowledged."""

    fiche: Fiche
    events: tuple[FicheEvent, ...] = ()
    warnings: tuple[Objection, ...] = ()


@dataclass(frozen=True)
class Filing:
    """A content that an OPCO files, the codes of the warnings it has read, the instant (timezone-aware).

    `outside_campaign`: why it files a new fiche after the deadline of its quarter.
    """

    content: FicheContent
    acknowledged: tuple[str, ...]
    at: dt.datetime
    outside_campaign: OutsideCampaign | None = None


def submit_fiche(
    identifier: UUID, opco: str, reference: str, filing: Filing, given: Given, taken: Held | None
) -> Decision:
    """File a new fiche, or what was prepared under this reference; `taken` is what has the reference already, if anything."""
    if isinstance(taken, Fiche):
        raise NotAllowedNow(reference_taken(taken, filing.content))
    if taken is not None:
        allowed("submit_fiche", taken.status)
    wrong = reference_form(reference)
    outside = filing.outside_campaign
    case = Case(filing.content, opco, civil_date(filing.at), given, outside_campaign=outside)
    named = name_warning([("outside_campaign.reason", outside.reason or "")]) if outside else None
    also, also_warned = (wrong,) if wrong else (), (named,) if named else ()
    warnings = admit(case, filing.acknowledged, also=also, also_warned=also_warned)
    codes = _codes(warnings)
    fiche = Fiche(
        id=identifier,
        opco=opco,
        reference=reference,
        status=Status.SUBMITTED,
        revision=1,
        content=filing.content,
        submitted_at=filing.at,
        sessions={plan.number: Session() for plan in filing.content.sessions},
        acknowledged=codes,
        filed_digest=digest(filing.content),
        renews=taken.renews if taken else None,
        outside_campaign=None if case.in_campaign else outside,
    )
    event = FicheSubmitted(
        fiche_id=identifier,
        opco=opco,
        revision=1,
        reference=reference,
        content=filing.content,
        acknowledged=codes,
        outside_campaign=fiche.outside_campaign,
    )
    return Decision(fiche, (event,), warnings)


def reference_taken(fiche: Fiche, content: FicheContent | None = None) -> Objection:
    """Return what is said of a reference that a fiche has; `same_content` tells a repeated filing from another fiche."""
    message = (
        "Vous avez déjà déposé une fiche sous cette référence\u202f: modifiez-la ou choisissez une autre référence."
    )
    same = content is not None and (
        digest(content) == fiche.filed_digest or (fiche.revision == 1 and content == fiche.content)
    )
    facts: Facts = {"status": fiche.status.value, "same_content": same}
    return Objection("REFERENCE_TAKEN", message, ONE_NAME, field="reference", facts=facts)


def reference_form(reference: str) -> Objection | None:
    """Return what is wrong with an OPCO's own reference: 1 to 80 visible characters, as they are written everywhere else."""
    fits = 1 <= len(reference) <= REFERENCE_LENGTH and reference == reference.strip() and reference.isprintable()
    if fits and unicodedata.is_normalized("NFC", reference):
        return None
    message = f"La référence compte de 1 à {REFERENCE_LENGTH} caractères visibles, sans espace au début ni à la fin."
    return Objection("REFERENCE_FORM", message, ONE_NAME, field="reference")


def complete_fiche(fiche: Fiche, filing: Filing, given: Given) -> Decision:
    """Answer a request for completion with a content, changed or not."""
    allowed("complete_fiche", fiche.status)
    new, shift, warnings = _revised(fiche, filing, given)
    event = FicheCompleted(
        fiche_id=fiche.id, opco=fiche.opco, revision=new.revision, content=filing.content, shift=shift
    )
    return Decision(replace(new, status=fiche.standing, completion=()), (event,), warnings)


def amend_fiche(fiche: Fiche, filing: Filing, given: Given) -> Decision:
    """Change the content of one's own accord."""
    allowed("amend_fiche", fiche.status)
    new, shift, warnings = _revised(fiche, filing, given, _unchanged(fiche, filing))
    event = FicheAmended(fiche_id=fiche.id, opco=fiche.opco, revision=new.revision, content=filing.content, shift=shift)
    return Decision(new, (event,), warnings)


def accept_adaptation(fiche: Fiche, acknowledged: tuple[str, ...], given: Given, at: dt.datetime) -> Decision:
    """Take the proposed adaptation over as it is; the rules of dates and place look at the result."""
    proposal = _pending(fiche, "accept_adaptation", at)
    gone = [s.number for s in proposal.sessions if s.number not in {plan.number for plan in fiche.live_sessions}]
    if gone:
        message = (
            f"La proposition déplace la session {gone[0]}, qui n’est plus dans la fiche\u202f:"
            " faites une contre-proposition."
        )
        raise RulesRefused(Objection("ADAPTATION_OUTDATED", message, "minutes L173-175", facts={"session": gone[0]}))
    content = adapted(fiche.content, proposal)
    case = Case(content, fiche.opco, civil_date(at), given, fiche)
    warnings = admit(case, acknowledged, _ADAPTATION_RULES, DATE_WARNINGS)
    new = revised(fiche, content, _codes(warnings))
    event = AdaptationAccepted(
        fiche_id=fiche.id,
        opco=fiche.opco,
        revision=new.revision,
        content=content,
        shift=shift_between(fiche.content, content),
    )
    return Decision(replace(new, status=fiche.standing, proposal=None), (event,), warnings)


def decline_adaptation(fiche: Fiche, reason: str, at: dt.datetime, acknowledged: tuple[str, ...] = ()) -> Decision:
    """Keep the content; the avis stays to be given."""
    _pending(fiche, "decline_adaptation", at)
    warnings = heeded(name_warning([("reason", reason)]), acknowledged)
    event = AdaptationDeclined(fiche_id=fiche.id, opco=fiche.opco, revision=fiche.revision, reason=reason)
    return Decision(replace(fiche, status=fiche.standing, proposal=None), (event,), warnings)


def counter_propose(fiche: Fiche, filing: Filing, reason: str, given: Given) -> Decision:
    """Answer a proposed adaptation with another content."""
    _pending(fiche, "counter_propose", filing.at)
    named = name_warning([("reason", reason)])
    new, shift, warnings = _revised(fiche, filing, given, _unchanged(fiche, filing), (named,) if named else ())
    event = CounterProposed(
        fiche_id=fiche.id,
        opco=fiche.opco,
        revision=new.revision,
        content=filing.content,
        shift=shift,
        reason=reason,
    )
    return Decision(replace(new, status=fiche.standing, proposal=None), (event,), warnings)


def confirm_programmation(fiche: Fiche) -> Decision:
    """Say that the validated fiche is really programmed: its provider is chosen (minutes L502)."""
    allowed("confirm_programmation", fiche.status)
    if fiche.content.procurement in (ProcurementState.EN_PREPARATION, ProcurementState.PUBLIE):
        message = "Le marché n’est pas attribué\u202f: modifiez la fiche quand l’organisme est choisi, puis confirmez."
        objection = Objection("PROCUREMENT_OPEN", message, "minutes L502", "procurement")
        raise RulesRefused(objection)
    event = ProgrammationConfirmed(fiche_id=fiche.id, opco=fiche.opco, revision=fiche.revision, content=fiche.content)
    return Decision(replace(fiche, status=Status.CONFIRMED, confirmed_revision=fiche.revision), (event,))


def withdraw_fiche(fiche: Fiche, reason: WithdrawalReason) -> Decision:
    """Take the fiche back, for good."""
    allowed("withdraw_fiche", fiche.status)
    event = FicheWithdrawn(fiche_id=fiche.id, opco=fiche.opco, revision=fiche.revision, reason=reason)
    new = replace(fiche, status=Status.WITHDRAWN, withdrawal=reason, completion=(), proposal=None)
    return Decision(new, (event,))


def at_revision(fiche: Fiche, read: int) -> None:
    """Raise `Stale` where the caller has read another revision than the current one."""
    if read != fiche.revision:
        message = (
            f"La fiche en est à la révision {fiche.revision}, vous avez lu la {read}\u202f:"
            " relisez-la, puis recommencez."
        )
        facts = {"read": read, "current": fiche.revision, "changed": changed_since(fiche, read)}
        raise Stale(Objection("REVISION", message, AS_READ, facts=facts))


UNKNOWN: Final = Objection("UNKNOWN", "Aucune fiche de ce nom n’est visible pour votre organisation.", RIGHTS)
"""What is said of a fiche that does not exist, and in the same words of another organisation's."""


def existing(held: Held | None) -> Held:
    """Return what is held; raises `NotFound` where there is nothing, or nothing that the caller may see."""
    if held is None:
        raise NotFound(UNKNOWN)
    return held


def filed(held: Held, command: str) -> Fiche:
    """Return the fiche that was filed; raises `NotAllowedNow` for what was not, saying which states the command needs."""
    if isinstance(held, Fiche):
        return held
    allowed(command, held.status)
    message = (
        "Cette fiche a été retirée sans avoir été déposée\u202f: il n’y a rien à reprendre, préparez-en une autre."
    )
    raise NotAllowedNow(Objection("STATUS", message, MOMENT, facts={"status": held.status.value, "command": command}))


def _pending(fiche: Fiche, command: str, at: dt.datetime) -> Adaptation:
    """Return the adaptation that waits for an answer; raises `NotAllowedNow` where none does, or its time is over."""
    allowed(command, fiche.status)
    assert fiche.proposal is not None, "a fiche to adapt has a proposal"
    if civil_date(at) > fiche.proposal.expires_on:
        expired = fiche.proposal.expires_on
        message = f"Le délai de réponse a pris fin le {expired:%d/%m/%Y}\u202f: la Région rend maintenant son avis."
        raise NotAllowedNow(
            Objection("ADAPTATION_EXPIRED", message, "minutes L173-175", facts={"expires_on": expired.isoformat()})
        )
    return fiche.proposal.adaptation


def _unchanged(fiche: Fiche, filing: Filing) -> tuple[Objection, ...]:
    if filing.content != fiche.content:
        return ()
    return (
        Objection(
            "CONTENT_UNCHANGED",
            "Le contenu est celui de la fiche\u202f: changez ce qui doit l’être.",
            SOMETHING_CHANGES,
            "content",
        ),
    )


def _revised(
    fiche: Fiche,
    filing: Filing,
    given: Given,
    also: tuple[Objection, ...] = (),
    also_warned: tuple[Objection, ...] = (),
) -> tuple[Fiche, Shift, tuple[Objection, ...]]:
    case = Case(filing.content, fiche.opco, civil_date(filing.at), given, fiche)
    warnings = admit(case, filing.acknowledged, also=also, also_warned=also_warned)
    new = revised(fiche, filing.content, _codes(warnings))
    return new, shift_between(fiche.content, filing.content), warnings


def _codes(warnings: tuple[Objection, ...]) -> tuple[str, ...]:
    return tuple(warning.code for warning in warnings)
