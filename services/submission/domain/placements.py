"""What became of the group of a session, returned by its OPCO at the end and three months after. Pure, like all decisions."""

import calendar
import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import Final

from services.submission.domain.case import Facts
from services.submission.domain.dates import civil_date
from services.submission.domain.decisions import Decision
from services.submission.domain.fiche import Fiche, Status
from services.submission.domain.sessions import session_for
from services.submission.domain.sources import COUNTED_ONCE, FIGURES_AGREE, PLACEMENTS
from shared.contracts.fiche import SessionPlan, session_id
from shared.contracts.placements import Placements
from shared.contracts.references import PlacementMoment
from shared.contracts.submission import PlacementsReturned
from shared.errors import Objection, RulesRefused

_AGREE: Final = f"{PLACEMENTS}, {FIGURES_AGREE}"
_ONCE: Final = f"{PLACEMENTS}, {COUNTED_ONCE}"
_MONTHS: Final = {PlacementMoment.FIN: 0, PlacementMoment.TROIS_MOIS: 3}


def return_placements(fiche: Fiche, number: int, placements: Placements, at: dt.datetime) -> Decision:
    """Take what became of a group: of an engaged session, once its moment has come; a return of the same moment corrects it.

    The fiche is reviewed once both moments of every session that was not cancelled are returned.
    """
    _, plan = session_for(fiche, "return_placements", number)
    objections = (_too_early(plan, placements.moment, civil_date(at)), *_inconsistent(plan, placements))
    if found := [one for one in objections if one]:
        raise RulesRefused(*found)
    session = fiche.sessions[number]
    new = fiche.with_session(number, replace(session, returned={**session.returned, placements.moment: placements}))
    reviewed = all(len(new.sessions[live.number].returned) == len(PlacementMoment) for live in new.live_sessions)
    event = PlacementsReturned(
        fiche_id=fiche.id,
        opco=fiche.opco,
        revision=fiche.revision,
        session_id=session_id(fiche.id, number),
        number=number,
        placements=placements,
        fiche_reviewed=reviewed,
    )
    return Decision(new.to(Status.REVIEWED) if reviewed else new, (event,))


def due_on(plan: SessionPlan, moment: PlacementMoment) -> dt.date:
    """Return the first day on which a return of this moment can be known: the day after the end, or after three months from it."""
    if plan.end.year == dt.MAXYEAR:
        return dt.date.max  # a session that does not end in any calendar is never due
    month = plan.end.month - 1 + _MONTHS[moment]
    year, month = plan.end.year + month // 12, month % 12 + 1
    return dt.date(year, month, min(plan.end.day, calendar.monthrange(year, month)[1])) + dt.timedelta(days=1)


def _too_early(plan: SessionPlan, moment: PlacementMoment, today: dt.date) -> Objection | None:
    """What became of a group is not known before its moment."""
    due = due_on(plan, moment)
    if today >= due:
        return None
    message = (
        f"Ce bilan de la session {plan.number} peut être rendu à partir du {due:%d/%m/%Y}\u202f: attendez cette date."
    )
    facts: Facts = {"session": plan.number, "moment": moment.value, "due_on": due.isoformat()}
    return Objection("PLACEMENTS_EARLY", message, PLACEMENTS, "moment", facts)


def _inconsistent(plan: SessionPlan, told: Placements) -> tuple[Objection | None, ...]:
    return (_finishing(plan, told), _placed(told), _contracts(told), _answers(told))


def _finishing(plan: SessionPlan, told: Placements) -> Objection | None:
    """No more people finish than the session has seats."""
    if told.finishing <= plan.seats:
        return None
    message = (
        f"La session {plan.number} compte {plan.seats} places\u202f: corrigez le nombre de personnes qui l’ont finie."
    )
    return Objection(
        "PLACEMENTS_FINISHING", message, _AGREE, "finishing", {"finishing": told.finishing, "seats": plan.seats}
    )


def _placed(told: Placements) -> Objection | None:
    """No more people are placed than finished."""
    if told.placed_people <= told.finishing:
        return None
    message = (
        f"{told.placed_people} personnes en emploi pour {told.finishing} qui ont fini la formation\u202f:"
        " corrigez l’un ou l’autre."
    )
    facts: Facts = {"placed": told.placed_people, "finishing": told.finishing}
    return Objection("PLACEMENTS_PLACED", message, _AGREE, "placed", facts)


def _contracts(told: Placements) -> Objection | None:
    """Each kind of contract is counted once."""
    twice = [kind for kind, times in Counter(one.contract for one in told.placed).items() if times > 1]
    if not twice:
        return None
    message = "Un type de contrat figure deux fois\u202f: additionnez ses personnes en une ligne."
    return Objection("PLACEMENTS_TWICE", message, _ONCE, "placed", {"contract": twice[0].value})


def _answers(told: Placements) -> Objection | None:
    """Companies that are satisfied have answered, those that answered were asked."""
    if told.companies_satisfied <= told.companies_answered <= told.companies_asked:
        return None
    message = (
        "Les entreprises satisfaites ont répondu, celles qui ont répondu ont été interrogées\u202f:"
        " corrigez ces trois nombres."
    )
    facts: Facts = {
        "asked": told.companies_asked,
        "answered": told.companies_answered,
        "satisfied": told.companies_satisfied,
    }
    return Objection("PLACEMENTS_ANSWERS", message, _AGREE, "companies_satisfied", facts)
