"""Rules on hours: the cap and its derogations, the immersion, the parts (deliberations 2018-48, 2021-44 and 2024-31)."""

import datetime as dt

from services.submission.domain.case import Case, Facts
from services.submission.domain.sources import DELIBERATIONS, REGIONAL
from shared.contracts.references import DerogationLevel
from shared.errors import Objection


def hours_within_cap(case: Case) -> Objection | None:
    """400 hours, or what a derogation allows (minutes L23-37)."""
    total, cap = case.content.hours.total, _cap(case)
    if total <= cap:
        return None
    message = (
        f"La formation dure {total} h pour un plafond de {cap} h\u202f: ramenez-la à {cap} h"
        " ou joignez la décision de dérogation qui couvre cette durée."
    )
    return Objection("HOURS_CAP", message, DELIBERATIONS, "hours.total", {"total": total, "cap": cap})


def _cap(case: Case) -> int:
    """Return how long the training may last: a national derogation counts for what its decision says, not for what was typed."""
    derogation = case.content.derogation
    if derogation is None:
        return case.limits.cap_hours
    granted = derogation.cap
    if derogation.level is DerogationLevel.NATIONALE:
        decided = case.references.derogation_for(case.content.rome, case.filed_on)
        granted = min(granted, decided.cap_hours) if decided else 0
    return max(case.limits.cap_hours, granted)


def national_derogation_fits(case: Case) -> Objection | None:
    """A national derogation is for the jobs and up to the hours that a decision in force names (minutes L26-31)."""
    derogation = case.content.derogation
    if derogation is None or derogation.level is not DerogationLevel.NATIONALE:
        return None
    decided = case.references.derogation_for(case.content.rome, case.filed_on)
    if decided and derogation.cap <= decided.cap_hours:
        return None
    facts: Facts = {
        "cap": derogation.cap,
        "national_cap": decided.cap_hours if decided else None,
        "rome": case.content.rome,
    }
    return Objection("DEROGATION_NATIONAL", _national(case), _source(case), "derogation", facts)


def _national(case: Case) -> str:
    known = case.references.derogations
    jobs = ", ".join(sorted({one.rome for one in known}))
    longest = max((one.cap_hours for one in known), default=case.limits.cap_hours)
    since = min((one.since for one in known), default=case.filed_on)
    return (
        f"La dérogation nationale va jusqu’à {longest} h, depuis le {since:%d/%m/%Y} et pour certains métiers seulement"
        f" (ROME {jobs})\u202f: corrigez-la ou demandez une dérogation régionale."
    )


def _source(case: Case) -> str:
    return ", ".join(sorted({one.reference for one in case.references.derogations}))


def derogation_is_decided(case: Case) -> Objection | None:
    """A derogation is a decision that was taken, not one to come."""
    derogation = case.content.derogation
    if derogation is None or derogation.decided_on <= case.filed_on:
        return None
    message = (
        "La décision de dérogation est datée d’après le dépôt\u202f: attendez qu’elle soit prise ou corrigez sa date."
    )
    facts = {"decided_on": derogation.decided_on.isoformat(), "filed_on": case.filed_on.isoformat()}
    return Objection("DEROGATION_DATE", message, REGIONAL, "derogation.decided_on", facts)


def regional_derogation_covers_the_zone(case: Case) -> Objection | None:
    """A regional derogation is for the employment zones it names (deliberation 2024-31; minutes L33-37)."""
    derogation, zone = case.content.derogation, case.content.place.zone_emploi
    if derogation is None or derogation.level is not DerogationLevel.REGIONALE or zone in derogation.zones:
        return None
    message = (
        f"La dérogation régionale ne nomme pas la zone d’emploi {zone} de la formation\u202f:"
        " complétez ses zones ou changez de lieu."
    )
    return Objection("DEROGATION_ZONES", message, REGIONAL, "derogation.zones", {"zone": zone})


def derogation_is_bounded(case: Case) -> Objection | None:
    """A regional derogation holds until a day: it is for difficulties of the moment, in the zones it names (deliberation 2024-31)."""
    derogation = case.content.derogation
    if derogation is None or derogation.level is not DerogationLevel.REGIONALE or derogation.valid_until is not None:
        return None
    message = (
        "La dérogation régionale vaut pour un temps\u202f: indiquez le dernier jour auquel une session peut commencer,"
        " comme la décision le fixe."
    )
    facts: Facts = {"decided_on": derogation.decided_on.isoformat()}
    return Objection("DEROGATION_UNBOUNDED", message, REGIONAL, "derogation.valid_until", facts)


def derogation_covers_the_start(case: Case) -> Objection | None:
    """A regional derogation is for sessions that start between its first and its last day (deliberation 2024-31).

    Without a first day it holds from that of the decision. One of before, without a last day, leaves its sessions as they are
    until the content is filed anew (`derogation_is_bounded`).
    """
    derogation = case.content.derogation
    if derogation is None or derogation.level is not DerogationLevel.REGIONALE:
        return None
    first, last = derogation.valid_from or derogation.decided_on, derogation.valid_until or dt.date.max
    known = (
        case.before is not None and case.before.content.derogation == derogation
    )  # then sessions that stay are left alone
    for index, plan in case.rescheduled if known else case.live:
        if not first <= plan.start <= last:
            message = (
                f"La session {plan.number} commence hors de la période de la dérogation régionale\u202f:"
                " changez sa date, ou demandez que la décision la couvre."
            )
            facts: Facts = {
                "session": plan.number,
                "start": plan.start.isoformat(),
                "valid_from": first.isoformat(),
                "valid_until": derogation.valid_until.isoformat() if derogation.valid_until else None,
            }
            return Objection("DEROGATION_PERIOD", message, REGIONAL, f"sessions.{index}.start", facts)
    return None


def immersion_within_a_third(case: Case) -> Objection | None:
    """At most one third of the hours in company; exactly a third passes."""
    hours = case.content.hours
    if hours.company * 3 <= hours.total:
        return None
    most = hours.total // 3
    message = (
        f"L’immersion dépasse le tiers de la formation\u202f: au plus {most} h en entreprise pour {hours.total} h."
    )
    facts = {"company": hours.company, "total": hours.total, "most": most}
    return Objection("IMMERSION_THIRD", message, DELIBERATIONS, "hours.company", facts)


def parts_within_total(case: Case) -> Objection | None:
    """There are hours, and no part of them is more than the whole."""
    hours = case.content.hours
    if hours.total > 0 and hours.centre <= hours.total and hours.distance <= hours.total:
        return None
    message = "Indiquez une durée totale d’au moins une heure, qu’aucune de ses parts (centre, distance) ne dépasse."
    facts = {"total": hours.total, "centre": hours.centre, "distance": hours.distance}
    return Objection("HOURS_TOTAL", message, "D6353-1", "hours.total", facts)


def parts_make_the_total(case: Case) -> Objection | None:
    """Warning: centre and company add up to the total; real fiches count company hours within centre hours."""
    hours = case.content.hours
    if hours.centre + hours.company == hours.total:
        return None
    message = (
        f"Centre ({hours.centre} h) et entreprise ({hours.company} h) ne font pas le total ({hours.total} h)\u202f:"
        " corrigez, ou confirmez que l’immersion est comptée dans les heures de centre."
    )
    facts = {"total": hours.total, "centre": hours.centre, "company": hours.company}
    return Objection("HOURS_PARTS", message, "D6353-1", "hours", facts)
