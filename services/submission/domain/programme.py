"""Rules on what is taught, to whom, for which jobs, at what cost."""

from collections import Counter

from services.submission.domain.case import Case
from services.submission.domain.sources import COUNTED_ONCE, ROME
from shared.contracts.references import AUDIENCES
from shared.errors import Objection


def rome_is_known(case: Case) -> Objection | None:
    """The job is one of the ROME list."""
    return known_rome(case.content.rome, case.references.rome, "rome")


def known_rome(rome: str, listed: frozenset[str], field: str) -> Objection | None:
    """Return what is wrong with a job that the ROME list does not have."""
    if rome in listed:
        return None
    message = f"Le code ROME {rome} n’existe pas\u202f: choisissez un métier du répertoire."
    return Objection("ROME_UNKNOWN", message, ROME, field, {"rome": rome})


def nsf_are_known(case: Case) -> Objection | None:
    """What is taught is of groups of the NSF (decree 94-522)."""
    for index, code in enumerate(case.content.nsf):
        if code not in case.references.nsf:
            message = f"Le code NSF {code} n’existe pas\u202f: choisissez un groupe de spécialités de la nomenclature."
            return Objection("NSF_UNKNOWN", message, "décret 94-522", f"nsf.{index}", {"code": code})
    return None


def audiences_are_known(case: Case) -> Objection | None:
    """Audiences come from a closed list."""
    for index, code in enumerate(case.content.audiences):
        if code not in AUDIENCES:
            message = (
                f"Le public {code} n’est pas dans la liste\u202f: choisissez par exemple 80006 (demandeur d’emploi)."
            )
            return Objection("AUDIENCE_UNKNOWN", message, "L6326-3", f"audiences.{index}", {"code": code})
    return None


def no_code_comes_twice(case: Case) -> Objection | None:
    """A list of codes names each of them once."""
    content = case.content
    lists = {
        "audiences": content.audiences,
        "formacodes": content.formacodes,
        "nsf": content.nsf,
        "target_contracts": content.target_contracts,
        "sourcing.partner_ids": content.sourcing.partner_ids,
        "sourcing.pilots": content.sourcing.pilots,
    }
    for name, codes in lists.items():
        twice = [str(code) for code, times in Counter(codes).items() if times > 1]
        if twice:
            message = f"Le code {twice[0]} figure deux fois\u202f: gardez-le une fois."
            return Objection("CODE_TWICE", message, COUNTED_ONCE, name, {"code": twice[0]})
    return None


def money_adds_up(case: Case) -> Objection | None:
    """The parts of those who pay make the teaching cost, to the cent."""
    money = case.content.money
    parts = money.opco + money.state + money.france_travail + money.company
    if parts == money.teaching_cost:
        return None
    message = (
        f"Les parts de financement font {_euros(parts)} pour un coût pédagogique de"
        f" {_euros(money.teaching_cost)}\u202f:"
        " corrigez les parts ou le coût."
    )
    facts = {"parts": parts, "teaching_cost": money.teaching_cost}
    return Objection("MONEY_PARTS", message, "D6353-1", "money", facts)


def cost_is_in_the_usual_band(case: Case) -> Objection | None:
    """Warning: euros per hour and trainee between two figures (2021: about 15.8 €, from minutes L107-111)."""
    content, limits = case.content, case.limits
    for _, plan in case.live:
        trainee_hours = plan.seats * content.hours.total
        low, high = limits.cost_low_cents * trainee_hours, limits.cost_high_cents * trainee_hours
        if trainee_hours and not low <= content.money.teaching_cost <= high:
            each = content.money.teaching_cost // trainee_hours
            message = (
                f"Le coût de la session {plan.number} est de {_euros(each)} par heure et par"
                " stagiaire, hors de la fourchette"
                f" habituelle ({_euros(limits.cost_low_cents)} à"
                f" {_euros(limits.cost_high_cents)})\u202f: vérifiez ou confirmez."
            )
            facts = {
                "session": plan.number,
                "cents": each,
                "low": limits.cost_low_cents,
                "high": limits.cost_high_cents,
            }
            return Objection("COST_BAND", message, "minutes L107-111", "money.teaching_cost", facts)
    return None


def hires_are_announced(case: Case) -> Objection | None:
    """Warning: companies announce at least one hire for two seats (minutes L433-437)."""
    seats, hires = sum(plan.seats for _, plan in case.live), case.content.hires_announced
    if hires * 2 >= seats:
        return None
    message = (
        f"Les entreprises annoncent {hires} embauches pour {seats} places\u202f: précisez leurs"
        " besoins avec elles ou confirmez."
    )
    return Objection("HIRES_LOW", message, "minutes L433-437", "hires_announced", {"hires": hires, "seats": seats})


def several_companies_hire(case: Case) -> Objection | None:
    """Warning: a single company with jobs to fill is what the individual POE is for (L6326-1; minutes L392-398)."""
    if case.content.companies != 1:
        return None
    message = (
        "Une seule entreprise recrute\u202f:"
        " une POE individuelle (POEI) conviendrait-elle mieux\u202f? Sinon, confirmez."
    )
    return Objection("POEI_LIKELY", message, "L6326-1, minutes L392-398", "companies", {"companies": 1})


def _euros(cents: int) -> str:
    """Return an amount as it is written in French: 67 032 €, 8,50 €; whole euros without cents, as the screens have them."""
    euros, rest = divmod(cents, 100)
    return f"{euros:,}".replace(",", "\u202f") + (f",{rest:02d}" if rest else "") + "\u00a0€"
