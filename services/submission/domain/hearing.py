"""What validation says of a fiche, taken into it. Facts are never refused: what moves nothing is recorded."""

from dataclasses import replace

from services.submission.domain.fiche import FINAL, Fiche, Proposal, Refusal, Status, Validation
from services.submission.domain.lifecycle import moves
from shared.contracts.validation import (
    AdaptationProposed,
    AvisGiven,
    AvisLapsed,
    CompletionAsked,
    DossierOpened,
    FicheRefused,
    FicheValidated,
)


def dossier_opened(fiche: Fiche, event: DossierOpened) -> Fiche:
    """Take the day on which the avis is due."""
    return replace(fiche, avis_due_on=event.avis_due_on)


def completion_asked(fiche: Fiche, event: CompletionAsked) -> Fiche:
    """Take what is missing; the OPCO has to answer."""
    if not moves("completion_asked", fiche.status):
        return fiche
    return replace(fiche, status=Status.TO_COMPLETE, completion=event.items)


def adaptation_proposed(fiche: Fiche, event: AdaptationProposed) -> Fiche:
    """Take the proposal; the OPCO has until its day to answer."""
    if not moves("adaptation_proposed", fiche.status):
        return fiche
    proposal = Proposal(event.adaptation, event.reasons, event.comment, event.expires_on, event.revision)
    return replace(fiche, status=Status.TO_ADAPT, proposal=proposal)


def avis_given(fiche: Fiche, event: AvisGiven) -> Fiche:
    """Take the avis: none is to be renewed any more, and a proposal that it follows has run out."""
    if fiche.status in FINAL:
        return fiche
    new = replace(fiche, avis=event.avis, avis_lapsed=False)
    return replace(new, status=Status.SUBMITTED, proposal=None) if moves("avis_given", fiche.status) else new


def avis_lapsed(fiche: Fiche, event: AvisLapsed) -> Fiche:
    """Take that the avis no longer holds; what waits for the OPCO's answer goes on waiting."""
    if fiche.status in FINAL:
        return fiche
    new = replace(fiche, avis_lapsed=True)
    return new.to(Status.AVIS_LAPSED) if moves("avis_lapsed", fiche.status) else new


def fiche_validated(fiche: Fiche, event: FicheValidated) -> Fiche:
    """Take the validation; a programmation that was confirmed before a lapse stands again."""
    if fiche.status in FINAL:
        return fiche
    validation = Validation(event.reference, event.validated_on, event.validated_by, event.revision)
    new = replace(fiche, validation=validation, avis_lapsed=False)
    if not moves("fiche_validated", fiche.status):
        return new
    status = Status.CONFIRMED if fiche.confirmed_revision else Status.VALIDATED
    return replace(new, status=status, completion=(), proposal=None)


def fiche_refused(fiche: Fiche, event: FicheRefused) -> Fiche:
    """Take the refusal: final."""
    if not moves("fiche_refused", fiche.status):
        return fiche
    return replace(
        fiche, status=Status.REFUSED, refusal=Refusal(event.reasons, event.comment), completion=(), proposal=None
    )
