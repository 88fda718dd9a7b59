"""The Région's avis: on complementarity with its own offer, never on opportunity (minutes L168-175).

It is bound to what it was given on, and lapses when the fiche has moved too far from it (minutes L254-262).
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from services.validation.domain.dates import civil_date
from services.validation.domain.dossier import Avis, Bound, Decided, Dossier, Outcome, Status, bound_to
from services.validation.domain.lifecycle import allowed
from shared.contracts.references import AvisKind, AvisReason
from shared.contracts.validation import AvisGiven
from shared.errors import NotAllowedNow, Objection, RulesRefused


@dataclass(frozen=True)
class AskedAvis:
    """What a reviewer of the Région asks to give; `prf_committed`: it rests on a structuring or engaged PRF session.

    `acknowledged` are the codes of the warnings that were read.
    """

    kind: AvisKind
    reasons: tuple[AvisReason, ...] = ()
    comment: str = ""
    prf_committed: bool = False
    acknowledged: tuple[str, ...] = ()


Rule = Callable[[Dossier, AskedAvis], Objection | None]


def reasons_are_given(_: Dossier, asked: AskedAvis) -> Objection | None:
    """An avis with reservations says on what it rests (minutes L173, L247-262)."""
    if asked.kind is AvisKind.COMPLEMENTAIRE or asked.reasons:
        return None
    message = "Indiquez au moins un motif\u202f: calendrier, lieu, domaine ou sourcing."
    return Objection("AVIS_REASONS_MISSING", message, "minutes L173", "reasons")


def no_reason_is_needed(_: Dossier, asked: AskedAvis) -> Objection | None:
    """A plain yes carries no reason: reasons are counted."""
    if asked.kind is not AvisKind.COMPLEMENTAIRE or not asked.reasons:
        return None
    message = "Un avis complémentaire se rend sans motif\u202f: retirez les motifs ou changez l’avis."
    return Objection("AVIS_REASONS_UNNEEDED", message, "minutes L173", "reasons")


def competition_is_explained(_: Dossier, asked: AskedAvis) -> Objection | None:
    """CONCURRENT needs a free text (minutes L168-171)."""
    if asked.kind is not AvisKind.CONCURRENT or asked.comment.strip():
        return None
    message = "Précisez en quelques mots avec quelle offre régionale la fiche est en concurrence."
    return Objection("AVIS_COMMENT_MISSING", message, "minutes L168-171", "comment")


def competition_is_with_a_committed_session(_: Dossier, asked: AskedAvis) -> Objection | None:
    """Only a PRF session that is structuring, or engaged with a provider, may ground CONCURRENT (minutes L349-353)."""
    if asked.kind is not AvisKind.CONCURRENT or asked.prf_committed:
        return None
    message = (
        "L’avis concurrent suppose une session du PRF structurante ou déjà engagée\u202f;"
        " sinon, rendez un avis complémentaire sous adaptation."
    )
    return Objection("AVIS_NOT_COMMITTED", message, "minutes L349-353", "prf_committed")


def a_declined_adaptation_counts(dossier: Dossier, asked: AskedAvis) -> Objection | None:
    """While the OPCO's no to an adaptation stands, so does the overlap: CONCURRENT or SOUS_ADAPTATION."""
    proposal = dossier.proposal
    if asked.kind is not AvisKind.COMPLEMENTAIRE or proposal is None:
        return None
    if proposal.outcome is not Outcome.DECLINED or proposal.revision != dossier.revision:
        return None
    message = (
        "L’OPCO a décliné l’adaptation proposée sur cette révision\u202f: l’avis est complémentaire sous adaptation,"
        " ou concurrent face à une session du PRF structurante ou engagée."
    )
    return Objection("AVIS_AFTER_DECLINE", message, "minutes L173-175", "avis")


AVIS_RULES: Final[tuple[Rule, ...]] = (
    reasons_are_given,
    no_reason_is_needed,
    competition_is_explained,
    competition_is_with_a_committed_session,
    a_declined_adaptation_counts,
)


def give_avis(dossier: Dossier, asked: AskedAvis, by: str, when: dt.datetime) -> Decided:
    """Give the avis on the current revision. Raises `NotAllowedNow` or `RulesRefused` with all objections."""
    allowed("give_avis", dossier.status)
    _proposal_has_expired(dossier, civil_date(when))
    return _given(dossier, asked, by, when, corrects=False)


def correct_avis(dossier: Dossier, asked: AskedAvis, by: str, when: dt.datetime) -> Decided:
    """Replace the avis by another one, before the decision; the trail keeps both."""
    allowed("correct_avis", dossier.status)
    return _given(dossier, asked, by, when, corrects=True)


def _given(dossier: Dossier, asked: AskedAvis, by: str, when: dt.datetime, *, corrects: bool) -> Decided:
    objections = [objection for rule in AVIS_RULES if (objection := rule(dossier, asked))]
    if objections:
        raise RulesRefused(*objections)
    reasons = tuple(dict.fromkeys(asked.reasons))
    bound = bound_to(dossier.content, dossier.cancelled)
    avis = Avis(asked.kind, reasons, asked.comment, asked.prf_committed, dossier.revision, bound, civil_date(when))
    advisers = tuple(dict.fromkeys((*dossier.advisers, by)))
    new = replace(dossier, status=Status.AVIS_GIVEN, avis=avis, advisers=advisers)
    event = AvisGiven(
        fiche_id=dossier.fiche_id,
        opco=dossier.opco,
        revision=dossier.revision,
        avis=avis.kind,
        reasons=reasons,
        comment=avis.comment,
        corrects=corrects,
    )
    return new, (event,)


def _proposal_has_expired(dossier: Dossier, today: dt.date) -> None:
    proposal = dossier.proposal
    if dossier.status is not Status.ADAPTATION_PROPOSED or proposal is None or today > proposal.expires_on:
        return
    message = "L’OPCO peut encore répondre à l’adaptation proposée\u202f: attendez sa réponse ou la fin du délai."
    facts = {"expires_on": proposal.expires_on.isoformat()}
    raise NotAllowedNow(Objection("ADAPTATION_PENDING", message, facts=facts))


def departures(bound: Bound, now: Bound, threshold_days: int) -> tuple[AvisReason, ...]:
    """Return in what a content has left the facts of an avis (rule 8, minutes L254-262); empty while the avis holds.

    Starts are compared with those the avis was given on, not with the last content: small moves add up.
    A session that the avis did not know is measured from the nearest start it knew; one that is gone competes
    with nothing.
    """
    moved = {
        AvisReason.CALENDRIER: any(_too_far(bound, number, start, threshold_days) for number, start in now.starts),
        AvisReason.LIEU: (now.commune, now.zone) != (bound.commune, bound.zone),
        AvisReason.DOMAINE: now.formacode != bound.formacode,
    }
    return tuple(reason for reason, true in moved.items() if true)


def _too_far(bound: Bound, number: int, start: dt.date, threshold_days: int) -> bool:
    known = dict(bound.starts)
    references = (known[number],) if number in known else tuple(known.values())
    return all(abs((start - reference).days) > threshold_days for reference in references)
