"""Rules on hours: the cap and its derogations, the immersion, the parts (deliberations 2018-48, 2021-44 and 2024-31)."""

import datetime as dt
from typing import Final

from services.submission.domain.case import DELIBERATIONS, Case, Facts
from shared.contracts.references import DerogationLevel
from shared.errors import Objection

DRIVER_ROME: Final = frozenset({"N4101", "N4103", "N4105"})
"""ROME codes of the two titles of the national derogation: goods transport on a rigid lorry (N4101, N4105), passengers (N4103)."""


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
    limits, derogation = case.limits, case.content.derogation
    if derogation is None:
        return limits.cap_hours
    national = derogation.level is DerogationLevel.NATIONALE
    granted = min(derogation.cap, limits.national_cap_hours) if national else derogation.cap
    return max(limits.cap_hours, granted)


def national_derogation_fits(case: Case) -> Objection | None:
    """The national derogation is for two driver titles and goes up to 434 hours (minutes L26-31)."""
    derogation = case.content.derogation
    if derogation is None or derogation.level is not DerogationLevel.NATIONALE:
        return None
    cap = case.limits.national_cap_hours
    if case.content.rome in DRIVER_ROME and derogation.cap <= cap:
        return None
    message = (
        f"La dérogation nationale va jusqu’à {cap} h et ne vaut que pour les deux titres de"
        " conducteur (ROME N4101, N4103,"
        " N4105)\u202f: corrigez-la ou demandez une dérogation régionale."
    )
    facts: Facts = {"cap": derogation.cap, "national_cap": cap, "rome": case.content.rome}
    return Objection("DEROGATION_NATIONAL", message, "délibération 2021-44", "derogation", facts)


def derogation_is_decided(case: Case) -> Objection | None:
    """A derogation is a decision that was taken, not one to come."""
    derogation = case.content.derogation
    if derogation is None or derogation.decided_on <= case.filed_on:
        return None
    message = (
        "La décision de dérogation est datée d’après le dépôt\u202f: attendez qu’elle soit prise ou corrigez sa date."
    )
    facts = {"decided_on": derogation.decided_on.isoformat(), "filed_on": case.filed_on.isoformat()}
    return Objection("DEROGATION_DATE", message, "délibération 2024-31", "derogation.decided_on", facts)


def regional_derogation_covers_the_zone(case: Case) -> Objection | None:
    """A regional derogation is for the employment zones it names (deliberation 2024-31; minutes L33-37)."""
    derogation, zone = case.content.derogation, case.content.place.zone_emploi
    if derogation is None or derogation.level is not DerogationLevel.REGIONALE or zone in derogation.zones:
        return None
    message = (
        f"La dérogation régionale ne nomme pas la zone d’emploi {zone} de la formation\u202f:"
        " complétez ses zones ou changez de lieu."
    )
    return Objection("DEROGATION_ZONES", message, "délibération 2024-31", "derogation.zones", {"zone": zone})


def derogation_covers_the_start(case: Case) -> Objection | None:
    """A regional derogation is for sessions that start between its first and its last day (deliberation 2024-31)."""
    derogation = case.content.derogation
    if derogation is None or derogation.level is not DerogationLevel.REGIONALE:
        return None
    first, last = derogation.valid_from or dt.date.min, derogation.valid_until or dt.date.max
    for index, plan in case.live:
        if not first <= plan.start <= last:
            message = (
                f"La session {plan.number} commence hors de la période de la dérogation régionale\u202f:"
                " changez sa date, ou demandez que la décision la couvre."
            )
            facts: Facts = {
                "session": plan.number,
                "start": plan.start.isoformat(),
                "valid_from": derogation.valid_from.isoformat() if derogation.valid_from else None,
                "valid_until": derogation.valid_until.isoformat() if derogation.valid_until else None,
            }
            return Objection("DEROGATION_PERIOD", message, "délibération 2024-31", f"sessions.{index}.start", facts)
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
