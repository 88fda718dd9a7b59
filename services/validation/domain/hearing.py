"""What submission says of a fiche, taken into its dossier. Facts are never refused: what moves nothing is recorded."""

import datetime as dt
from dataclasses import dataclass, replace

from services.validation.domain.avis import departures
from services.validation.domain.dates import civil_date
from services.validation.domain.dossier import (
    CHANGES_KEPT,
    FINAL,
    Changed,
    Decided,
    Dossier,
    Outcome,
    Status,
    bound_to,
    changed_fields,
)
from shared.contracts.fiche import FicheContent
from shared.contracts.submission import FicheSubmitted
from shared.contracts.validation import AvisLapsed, DossierOpened
from shared.errors import Impossible


@dataclass(frozen=True)
class Limits:
    """The two figures that the rules leave to the conference.

    `avis_days`: days from opening until the avis is due; the minutes (L506-508) set no delay.
    `shift_days`: days a start may lie from the one the avis was given on before it lapses (minutes L254-262).
    """

    avis_days: int = 15
    shift_days: int = 30


def open_dossier(filed: FicheSubmitted, when: dt.datetime, limits: Limits) -> Decided:
    """Open the dossier of a fiche that was submitted."""
    due = civil_date(when) + dt.timedelta(days=limits.avis_days)
    dossier = Dossier(
        fiche_id=filed.fiche_id,
        opco=filed.opco,
        reference=filed.reference,
        status=Status.OPEN,
        revision=filed.revision,
        content=filed.content,
        opened_at=when,
        avis_due_on=due,
    )
    opened = DossierOpened(fiche_id=filed.fiche_id, opco=filed.opco, revision=filed.revision, avis_due_on=due)
    return dossier, (opened,)


def take_content(
    dossier: Dossier, revision: int, content: FicheContent, limits: Limits, awaited: Status | None = None
) -> Decided:
    """Take a new revision: the avis lapses past the thresholds of rule 8, else it stays bound to its own revision.

    `awaited` is the status that this content answers. Raises `Impossible` for a revision that is not a new one.
    """
    if revision <= dossier.revision:
        raise Impossible("REVISION_NOT_NEW", "a new content must carry a higher revision than the one the dossier has")
    changes = (*dossier.changes, Changed(revision, changed_fields(dossier.content, content)))[-CHANGES_KEPT:]
    new = replace(dossier, revision=revision, content=content, changes=changes)
    new, events = _lapsed_if_moved(new, limits)
    return _settled(new, awaited), events


def decline_adaptation(dossier: Dossier, reason: str) -> Decided:
    """Record that the OPCO keeps its content; the avis is to be given."""
    return _settled(answer_proposal(dossier, Outcome.DECLINED, reason), Status.ADAPTATION_PROPOSED), ()


def answer_proposal(dossier: Dossier, outcome: Outcome, reason: str = "") -> Dossier:
    """Return the dossier with the OPCO's answer beside the proposal; a proposal answered before keeps its answer."""
    if dossier.proposal is None or dossier.proposal.outcome is not None:
        return dossier
    return replace(dossier, proposal=replace(dossier.proposal, outcome=outcome, answer=reason))


def cancel_session(dossier: Dossier, number: int, *, fiche_cancelled: bool) -> Decided:
    """Remember that a session will not take place; close the dossier where the fiche goes with it."""
    new = replace(dossier, cancelled=tuple(sorted({*dossier.cancelled, number})))
    return close(new) if fiche_cancelled else (new, ())


def close(dossier: Dossier) -> Decided:
    """Close the dossier of a fiche that was withdrawn or cancelled; a refused one stays refused."""
    return (dossier if dossier.status in FINAL else dossier.to(Status.CLOSED)), ()


def _lapsed_if_moved(dossier: Dossier, limits: Limits) -> Decided:
    """Let the avis lapse past a threshold, and with it the validation that rests on it; a final dossier needs none."""
    avis, validation = dossier.avis, dossier.validation
    if avis is None or avis.lapsed or dossier.status in FINAL:
        return dossier, ()
    now = bound_to(dossier.content, dossier.cancelled)
    reasons = departures(avis.bound, now, limits.shift_days)
    if not reasons:
        return dossier, ()
    past = (*dossier.past_validations, validation) if validation else dossier.past_validations
    event = AvisLapsed(
        fiche_id=dossier.fiche_id,
        opco=dossier.opco,
        revision=dossier.revision,
        avis_revision=avis.revision,
        reasons=reasons,
        was_validated=validation is not None,
    )
    return replace(dossier, avis=replace(avis, lapsed=True), validation=None, past_validations=past), (event,)


def _settled(dossier: Dossier, awaited: Status | None) -> Dossier:
    """Return the dossier in the status that its avis and the answer it waited for lead to."""
    lapsed = dossier.avis is not None and dossier.avis.lapsed
    if dossier.status is awaited or (lapsed and dossier.status in (Status.AVIS_GIVEN, Status.VALIDATED)):
        return dossier.to(dossier.standing)
    return dossier
