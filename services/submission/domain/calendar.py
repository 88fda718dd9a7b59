"""Rules on sessions and their dates, and on what may happen to sessions when a content replaces another."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from services.submission.domain.case import Case, Facts
from services.submission.domain.content import first_start
from services.submission.domain.fiche import SessionState
from services.submission.domain.sources import SESSION_NUMBER, SESSION_SIZE, SOURCING
from shared.contracts.fiche import SessionPlan
from shared.contracts.references import FollowUpKind
from shared.errors import Objection

_RETURNS: Final = frozenset({(7, 9), (12, 1)})
"""Months in which a training ends and the work-study contract starts that it prepares: the two school returns of the minutes."""
_HALF_A_YEAR: Final = 183
_PEAKS: Final = {4: "avril", 10: "octobre", 11: "novembre"}
_CALMER: Final = {4: "mars ou mai", 10: "septembre", 11: "décembre"}
"""The peaks of the curve of entries, and the months beside them (minutes L150-162)."""


def session_numbers_are_unique(case: Case) -> Objection | None:
    """A session is known by its number within the fiche (LHÉO)."""
    twice = [number for number, times in Counter(plan.number for plan in case.content.sessions).items() if times > 1]
    if not twice:
        return None
    message = f"Le numéro de session {twice[0]} sert deux fois\u202f: donnez un numéro à chaque session."
    return Objection("SESSION_NUMBERS", message, SESSION_NUMBER, "sessions", {"number": twice[0]})


def sessions_end_after_they_start(case: Case) -> Objection | None:
    """A session does not end before its first day; one day is enough."""
    for index, plan in enumerate(case.content.sessions):
        if plan.end < plan.start:
            message = f"La session {plan.number} finit avant d’avoir commencé\u202f: corrigez ses dates."
            return Objection("SESSION_DATES", message, "D6353-1", f"sessions.{index}.end", {"session": plan.number})
    return None


def meetings_come_before_the_start(case: Case) -> Objection | None:
    """An information collective is held before the first day, or nobody can come in (minutes L503-504)."""
    for index, plan in case.live:
        for n, meeting in enumerate(plan.meetings):
            if meeting.on >= plan.start:
                message = (
                    f"Une information collective de la session {plan.number} n’a pas lieu avant son"
                    " premier jour\u202f:"
                    " avancez-la ou retirez-la."
                )
                field = f"sessions.{index}.meetings.{n}.on"
                return Objection("MEETING_DATE", message, "minutes L503-504", field, {"session": plan.number})
    return None


def programme_year_is_that_of_the_first_start(case: Case) -> Objection | None:
    """The year of programming is that of the first start; a fiche that is moved to another year keeps its own (minutes L176-182)."""
    year = case.content.programme_year
    allowed = {first_start(tuple(plan for _, plan in case.live) or case.content.sessions).year}
    if case.before is not None:
        allowed.add(case.before.content.programme_year)
    if year in allowed:
        return None
    message = f"Le millésime {year} n’est pas l’année de la première session\u202f: indiquez {min(allowed)}."
    return Objection(
        "PROGRAMME_YEAR", message, "minutes L176-182", "programme_year", {"year": year, "expected": min(allowed)}
    )


def campaign_is_open(case: Case) -> Objection | None:
    """A new fiche is filed by the deadline of the quarter of its first start, or says why it comes after (minutes L176-182, L283-289)."""
    campaign = case.campaign
    if case.before is not None or campaign is None or case.in_campaign or case.outside_campaign is not None:
        return None
    last, quarter = campaign.last_day(case.opco), "1er" if campaign.quarter == 1 else f"{campaign.quarter}e"
    message = (
        f"La campagne du {quarter} trimestre {campaign.year} a pris fin le {last:%d/%m/%Y} pour votre OPCO\u202f:"
        " indiquez le motif du dépôt hors campagne (besoin conjoncturel, projet particulier ou marché public)."
    )
    facts: Facts = {"year": campaign.year, "quarter": campaign.quarter, "last_day": last.isoformat()}
    return Objection("CAMPAIGN_CLOSED", message, "minutes L176-182", "outside_campaign", facts)


def tender_days_are_in_order(case: Case) -> Objection | None:
    """A contract is published, then offers are due, then it is awarded, then it ends; days that are not known yet are left out."""
    tender = case.content.tender
    if tender is None:
        return None
    days = {name: getattr(tender, name) for name in ("published_on", "offers_due_on", "awarded_on", "contract_ends_on")}
    known: list[tuple[str, dt.date]] = [(name, day) for name, day in days.items() if day is not None]
    for (_, before), (name, after) in pairwise(known):
        if after < before:
            message = (
                f"Les dates du marché ne se suivent pas\u202f: le {after:%d/%m/%Y} vient avant l’étape précédente"
                f" ({before:%d/%m/%Y}). Corrigez l’une des deux."
            )
            facts: Facts = {"day": after.isoformat(), "before": before.isoformat()}
            return Objection("TENDER_DATES", message, "minutes L384-391", f"tender.{name}", facts)
    return None


def seats_reach_the_minimum(case: Case) -> Objection | None:
    """The minimum to run a session is at most its seats (LHÉO)."""
    for index, plan in enumerate(case.content.sessions):
        if plan.minimum > plan.seats:
            message = (
                f"L’effectif minimal de la session {plan.number} dépasse ses {plan.seats} places\u202f:"
                " abaissez-le ou ajoutez des places."
            )
            facts = {"session": plan.number, "minimum": plan.minimum, "seats": plan.seats}
            return Objection("SEATS_MINIMUM", message, SESSION_SIZE, f"sessions.{index}.minimum", facts)
    return None


def engaged_sessions_stay(case: Case) -> Objection | None:
    """A session the OPCO said go for is postponed or cancelled with a motive, not edited away (minutes L107, L329-332)."""
    if case.before is None:
        return None
    for number, session in case.before.sessions.items():
        if session.state is not SessionState.ENGAGED:
            continue
        old, new = case.before.plan(number), _plan(case, number)
        if new is None or old is None or (old.start, old.end) != (new.start, new.end):
            message = (
                f"La session {number} est engagée\u202f: reportez-la ou annulez-la avec un motif au"
                " lieu de changer ses dates ici."
            )
            return Objection("SESSION_ENGAGED", message, "minutes L329-332", "sessions", {"session": number})
    return None


def cancelled_sessions_stay_cancelled(case: Case) -> Objection | None:
    """The number of a cancelled session is not given to another one (LHÉO)."""
    if case.before is None:
        return None
    for index, plan in enumerate(case.content.sessions):
        cancelled = case.state(plan.number) is SessionState.CANCELLED
        if cancelled and plan != case.before.plan(plan.number):
            message = f"La session {plan.number} est annulée\u202f: donnez un autre numéro à la nouvelle session."
            return Objection(
                "SESSION_CANCELLED", message, SESSION_NUMBER, f"sessions.{index}.number", {"session": plan.number}
            )
    return None


def a_session_is_left(case: Case) -> Objection | None:
    """A fiche whose sessions are all cancelled is cancelled by cancelling them, not by editing (minutes L254-258, L329-332)."""
    if case.live:
        return None
    message = "Toutes les sessions qui restent sont annulées\u202f: ajoutez une session ou retirez la fiche."
    return Objection("SESSION_LEFT", message, SOURCING, "sessions")


def work_study_names_its_start(case: Case) -> Objection | None:
    """A POEC that leads to a work-study contract says when it starts (minutes L333-341)."""
    follow_up = case.content.follow_up
    if follow_up.kind is not FollowUpKind.ALTERNANCE or follow_up.contract_starts_on is not None:
        return None
    message = "La suite est un contrat en alternance\u202f: indiquez sa date de début."
    return Objection("FOLLOW_UP_DATE", message, "minutes L333-341", "follow_up.contract_starts_on")


def work_study_follows_at_once(case: Case) -> Objection | None:
    """Warning: the work-study contract starts within 30 days of the end of the last session, and not before it.

    A training that ends in July leads to September, one that ends in December to January, whatever the days between (minutes L333-341).
    """
    starts_on = case.content.follow_up.contract_starts_on
    if case.content.follow_up.kind is not FollowUpKind.ALTERNANCE or starts_on is None or not case.live:
        return None
    ends_on = max(plan.end for _, plan in case.live)
    gap = (starts_on - ends_on).days
    if 0 <= gap <= case.limits.gap_days or ((ends_on.month, starts_on.month) in _RETURNS and 0 < gap < _HALF_A_YEAR):
        return None
    message = (
        f"Le contrat en alternance commence {abs(gap)} jours {'avant' if gap < 0 else 'après'} la fin"
        " de la formation\u202f:"
        " rapprochez les dates ou confirmez."
    )
    facts = {"gap_days": gap, "most": case.limits.gap_days}
    return Objection("FOLLOW_UP_GAP", message, "minutes L333-341", "follow_up.contract_starts_on", facts)


def sessions_are_to_come(case: Case) -> Objection | None:
    """Warning: a session whose dates are new has not started yet: it is validated first (minutes L384-391, L506-508)."""
    for index, plan in case.rescheduled:
        if plan.start < case.filed_on:
            message = (
                f"La session {plan.number} a déjà commencé au jour du dépôt\u202f:"
                " corrigez ses dates ou confirmez qu’il s’agit d’une régularisation."
            )
            facts: Facts = {
                "session": plan.number,
                "start": plan.start.isoformat(),
                "filed_on": case.filed_on.isoformat(),
            }
            return Objection(
                "SESSION_ALREADY_STARTED", message, "minutes L384-391, L506-508", f"sessions.{index}.start", facts
            )
    return None


def there_is_time_for_sourcing(case: Case) -> Objection | None:
    """Warning: a group takes six weeks to build (practice of Pôle emploi; minutes L254-258)."""
    for index, plan, days in _leads(case):
        if case.limits.lead_days_critical <= days < case.limits.lead_days:
            message = (
                f"La session {plan.number} commence dans {days} jours\u202f: comptez"
                f" {case.limits.lead_days} jours pour"
                " constituer le groupe, décalez-la ou confirmez."
            )
            facts: Facts = {"session": plan.number, "days": days, "least": case.limits.lead_days}
            return Objection("LEAD_TIME_SHORT", message, "minutes L254-258", f"sessions.{index}.start", facts)
    return None


def sourcing_is_not_hopeless(case: Case) -> Objection | None:
    """Warning: with less than three weeks a group is seldom there on the first day: the usual outcome is a postponement (L329-332)."""
    for index, plan, days in _leads(case):
        if days < case.limits.lead_days_critical:
            message = (
                f"La session {plan.number} commence dans {days} jours seulement\u202f: le groupe ne sera sans doute pas"
                f" constitué. Décalez-la d’au moins {case.limits.lead_days_critical - days} jours, ou confirmez que les"
                " candidats sont déjà connus."
            )
            facts: Facts = {"session": plan.number, "days": days, "least": case.limits.lead_days_critical}
            return Objection("LEAD_TIME_CRITICAL", message, "minutes L329-332", f"sessions.{index}.start", facts)
    return None


def _leads(case: Case) -> Iterator[tuple[int, SessionPlan, int]]:
    """Yield the sessions with new dates that are to come: place in the content, plan, days from the filing to the first day."""
    for index, plan in case.rescheduled:
        if (days := (plan.start - case.filed_on).days) >= 0:
            yield index, plan, days


def another_month_is_calmer(case: Case) -> Objection | None:
    """Advice: April, October and November are the peaks of the year; who may start earlier or later finds a group more easily.

    Not where a work-study contract follows: its start decides (minutes L150-162, L333-341).
    """
    if case.content.follow_up.kind is FollowUpKind.ALTERNANCE:
        return None
    for index, plan in case.rescheduled:
        if calmer := _CALMER.get(plan.start.month):
            message = (
                f"La session {plan.number} commence en {_PEAKS[plan.start.month]}, où beaucoup de formations démarrent\u202f:"
                f" si les entreprises le permettent, {calmer} est plus calme."
            )
            facts: Facts = {"session": plan.number, "month": plan.start.month}
            return Objection("PEAK_MONTH", message, "minutes L150-162", f"sessions.{index}.start", facts)
    return None


def _plan(case: Case, number: int) -> SessionPlan | None:
    return next((plan for plan in case.content.sessions if plan.number == number), None)
