"""A proposed adaptation: other dates or another place, so that the fiche completes the PRF (minutes L173-175)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from services.validation.domain.dates import civil_date
from services.validation.domain.dossier import Decided, Dossier, Proposal, Status
from services.validation.domain.lifecycle import allowed
from shared.contracts.references import DEPARTMENTS, ZONES_EMPLOI, AvisReason
from shared.contracts.validation import Adaptation, AdaptationProposed
from shared.errors import Objection, RulesRefused


@dataclass(frozen=True)
class AskedAdaptation:
    """What a reviewer of the Région proposes, and until the end of which day the OPCO may answer."""

    adaptation: Adaptation
    reasons: tuple[AvisReason, ...]
    comment: str
    expires_on: dt.date
    acknowledged: tuple[str, ...] = ()


Rule = Callable[[Dossier, AskedAdaptation, dt.date], Objection | None]


def something_changes(dossier: Dossier, asked: AskedAdaptation, _: dt.date) -> Objection | None:
    """An adaptation has at least one change (minutes L173-175): dates or place that are not the fiche's already."""
    dates = {session.number: (session.start, session.end) for session in dossier.content.sessions}
    sessions = any(dates.get(session.number) != (session.start, session.end) for session in asked.adaptation.sessions)
    place = asked.adaptation.place not in (None, dossier.content.place)
    if sessions or place:
        return None
    message = "Proposez au moins un changement de dates ou de lieu par rapport à la fiche."
    return Objection("ADAPTATION_EMPTY", message, "minutes L173-175", "adaptation")


def sessions_are_the_fiches(dossier: Dossier, asked: AskedAdaptation, _: dt.date) -> Objection | None:
    """Dates are proposed for sessions of the fiche that will take place, each once."""
    proposed = [session.number for session in asked.adaptation.sessions]
    known = {session.number for session in dossier.content.sessions} - set(dossier.cancelled)
    if len(set(proposed)) == len(proposed) and set(proposed) <= known:
        return None
    message = "Chaque session à déplacer existe dans la fiche, n’est pas annulée et n’est citée qu’une fois."
    return Objection("ADAPTATION_SESSIONS", message, None, "adaptation.sessions")


def dates_are_ordered_and_to_come(_: Dossier, asked: AskedAdaptation, today: dt.date) -> Objection | None:
    """A proposed session starts after today and does not end before it starts."""
    if all(today < session.start <= session.end for session in asked.adaptation.sessions):
        return None
    message = "Une session proposée commence après aujourd’hui et ne finit pas avant d’avoir commencé."
    return Objection("ADAPTATION_DATES", message, None, "adaptation.sessions", {"today": today.isoformat()})


def place_is_in_normandie(_: Dossier, asked: AskedAdaptation, __: dt.date) -> Objection | None:
    """The training place is in Normandie: department of the commune, employment zone."""
    place = asked.adaptation.place
    if place is None or (place.insee[:2] in DEPARTMENTS and place.zone_emploi in ZONES_EMPLOI):
        return None
    message = "Proposez un lieu en Normandie\u202f: commune du 14, 27, 50, 61 ou 76 et zone d’emploi de la région."
    return Objection("ADAPTATION_PLACE", message, None, "adaptation.place")


def reasons_are_given(_: Dossier, asked: AskedAdaptation, __: dt.date) -> Objection | None:
    """An adaptation says on what it rests (minutes L173, L247-262)."""
    if asked.reasons:
        return None
    message = "Indiquez au moins un motif\u202f: calendrier, lieu, domaine ou sourcing."
    return Objection("ADAPTATION_REASONS_MISSING", message, "minutes L173", "reasons")


def there_is_time_to_answer(_: Dossier, asked: AskedAdaptation, today: dt.date) -> Objection | None:
    """The OPCO has at least until the end of tomorrow to answer."""
    if asked.expires_on > today:
        return None
    message = "L’échéance de réponse doit être postérieure à aujourd’hui."
    return Objection("ADAPTATION_EXPIRY", message, None, "expires_on", {"today": today.isoformat()})


ADAPTATION_RULES: Final[tuple[Rule, ...]] = (
    something_changes,
    sessions_are_the_fiches,
    dates_are_ordered_and_to_come,
    place_is_in_normandie,
    reasons_are_given,
    there_is_time_to_answer,
)


def propose_adaptation(dossier: Dossier, asked: AskedAdaptation, when: dt.datetime) -> Decided:
    """Propose the adaptation on the current revision. Raises `NotAllowedNow` or `RulesRefused` with all objections."""
    allowed("propose_adaptation", dossier.status)
    today = civil_date(when)
    objections = [objection for rule in ADAPTATION_RULES if (objection := rule(dossier, asked, today))]
    if objections:
        raise RulesRefused(*objections)
    reasons = tuple(dict.fromkeys(asked.reasons))
    proposal = Proposal(asked.adaptation, reasons, asked.comment, asked.expires_on, dossier.revision)
    event = AdaptationProposed(
        fiche_id=dossier.fiche_id,
        opco=dossier.opco,
        revision=dossier.revision,
        reasons=reasons,
        adaptation=asked.adaptation,
        comment=asked.comment,
        expires_on=asked.expires_on,
    )
    return replace(dossier, status=Status.ADAPTATION_PROPOSED, proposal=proposal), (event,)
