"""Rules on who and where: branch, need, provider, place."""

import re
from typing import Final

from services.submission.domain.case import Case, Facts
from services.submission.domain.sources import ZONES
from shared.contracts.references import DEPARTMENTS, IDCC_BY_OPCO, OPCOS, ZONES_EMPLOI
from shared.errors import Objection

_VOWEL: Final = re.compile(r"[aeiouyàâäéèêëîïôöùûü]", re.IGNORECASE)
_SIRET: Final = re.compile(r"[0-9]{14}")
_NDA: Final = re.compile(r"[0-9A-Z]{11}")
_NDA_STRUCTURE: Final = re.compile(r"[0-9]{4}[0-9A-Z][0-9]{6}")
_UNDER_26: Final = frozenset({"80009", "81024"})
"""Audiences that are all under 26."""
_PLACE: Final = "compétence de la Région (L6121-1)"


def branch_belongs_to_the_opco(case: Case) -> Objection | None:
    """A branch belongs to one OPCO (L6332-1-1 III)."""
    return own_branch(case.content.branch_idcc, case.opco, "branch_idcc")


def need_is_identified(case: Case) -> Objection | None:
    """A branch agreement or the OPCO's board identified the need: an act that was taken, not one to come (L6326-3)."""
    need = case.content.need
    if need.decided_on <= case.filed_on:
        return None
    message = (
        "L’accord ou la décision qui identifie le besoin est daté d’après le dépôt\u202f:"
        " attendez qu’il soit pris ou corrigez sa date."
    )
    facts: Facts = {"decided_on": need.decided_on.isoformat(), "filed_on": case.filed_on.isoformat()}
    return Objection("NEED_DATE", message, "L6326-3", "need.decided_on", facts)


def own_branch(idcc: str, opco: str, field: str) -> Objection | None:
    """Return what is wrong with a branch that is not this OPCO's."""
    owner = next((one for one, branches in IDCC_BY_OPCO.items() if idcc in branches), None)
    if owner == opco:
        return None
    name = OPCOS.get(opco, opco)
    if owner:
        message = f"La branche IDCC {idcc} relève {_of(OPCOS[owner])} et non {_of(name)}\u202f: corrigez la branche."
    else:
        message = (
            f"La branche IDCC {idcc} n’est pas dans la liste des branches {_of(name)}\u202f:"
            " corrigez-la ou faites-la ajouter."
        )
    facts = {"idcc": idcc, "opco": opco, "owner": owner}
    return Objection("BRANCH_OPCO", message, "L6332-1-1 III", field, facts)


def _of(name: str) -> str:
    """Return « d’Atlas », « de Constructys »: no name of an OPCO begins with an h."""
    return f"d’{name}" if _VOWEL.match(name) else f"de {name}"


def siret_is_valid(case: Case) -> Objection | None:
    """14 digits whose check digits hold; La Poste's own rule included."""
    siret = case.content.provider.siret
    if _SIRET.fullmatch(siret) and case.references.siret_valid(siret):
        return None
    message = (
        "Le SIRET de l’organisme de formation n’est pas valide\u202f:"
        " 14 chiffres sans espace, clé de contrôle comprise."
    )
    return Objection("PROVIDER_SIRET", message, "répertoire Sirene", "provider.siret")


def trainer_is_another_organisation(case: Case) -> Objection | None:
    """Who trains is named by a valid SIRET where it is not the organisation that answers for the training."""
    trainer = case.content.trainer
    if trainer is None:
        return None
    valid = _SIRET.fullmatch(trainer.siret) and case.references.siret_valid(trainer.siret)
    if valid and trainer.siret != case.content.provider.siret:
        return None
    message = (
        "L’organisme formateur porte le SIRET de l’organisme responsable\u202f: laissez-le vide s’il s’agit du même."
        if valid
        else "Le SIRET de l’organisme formateur n’est pas valide\u202f: 14 chiffres sans espace, clé de contrôle comprise."
    )
    return Objection("TRAINER_SIRET", message, "répertoire Sirene", "trainer.siret", {"same": bool(valid)})


def nda_has_its_form(case: Case) -> Objection | None:
    """The activity declaration number has exactly 11 digits or capitals (L6351-1, R6351-6)."""
    if _NDA.fullmatch(case.content.provider.nda):
        return None
    message = (
        "Le numéro de déclaration d’activité compte exactement 11 chiffres ou lettres majuscules\u202f: corrigez-le."
    )
    return Objection("PROVIDER_NDA", message, "L6351-1, R6351-6", "provider.nda")


def nda_has_the_usual_structure(case: Case) -> Objection | None:
    """Warning: region, department, order number, key; a letter only where public bodies have one. A convention, no rule."""
    nda = case.content.provider.nda
    if not _NDA.fullmatch(nda) or _NDA_STRUCTURE.fullmatch(nda):
        return None
    message = "Le numéro de déclaration d’activité n’a pas la structure habituelle\u202f: vérifiez-le ou confirmez-le."
    return Objection("PROVIDER_NDA_STRUCTURE", message, "L6351-1", "provider.nda")


def provider_is_certified(case: Case) -> Objection | None:
    """Providers paid by an OPCO, a Région or the State are Qualiopi-certified (L6316-1)."""
    if case.content.provider.qualiopi:
        return None
    message = (
        "L’organisme de formation doit être certifié Qualiopi pour être financé\u202f: vérifiez ou changez d’organisme."
    )
    return Objection("PROVIDER_QUALIOPI", message, "L6316-1", "provider.qualiopi")


def certificate_lasts(case: Case) -> Objection | None:
    """Warning: the Qualiopi certificate, where its last day is known, lasts until the last session ends (L6316-1)."""
    until = case.content.provider.qualiopi_until
    ends_on = max((plan.end for _, plan in case.live), default=None)
    if until is None or ends_on is None or ends_on <= until:
        return None
    message = (
        f"Le certificat Qualiopi prend fin le {until:%d/%m/%Y}, avant la dernière session ({ends_on:%d/%m/%Y})\u202f:"
        " faites-le renouveler d’ici là, ou confirmez qu’il le sera."
    )
    facts: Facts = {"until": until.isoformat(), "ends_on": ends_on.isoformat()}
    return Objection("QUALIOPI_ENDS", message, "L6316-1", "provider.qualiopi_until", facts)


def cfa_is_for_the_young(case: Case) -> Objection | None:
    """An apprenticeship centre trains, as one, people under 26 only (L6326-3)."""
    others = [code for code in case.content.audiences if code not in _UNDER_26]
    if not case.content.provider.cfa or not others:
        return None
    message = (
        f"Un CFA n’accueille à ce titre que des moins de 26 ans\u202f: retirez le public {others[0]},"
        " ou dites que l’organisme n’intervient pas comme CFA."
    )
    return Objection("CFA_AUDIENCE", message, "L6326-3", "provider.cfa", {"audience": others[0]})


def partners_are_known(case: Case) -> Objection | None:
    """Partners are chosen from the directory that the Région keeps; one that a fiche has already may leave it (minutes L426-452)."""
    kept = set(case.before.content.sourcing.partner_ids) if case.before else set()
    for index, partner in enumerate(case.content.sourcing.partner_ids):
        if partner not in case.desk.partners and partner not in kept:
            message = (
                "Ce partenaire n’est pas dans l’annuaire\u202f: choisissez-le dans la liste,"
                " ou nommez-le parmi les autres partenaires."
            )
            field = f"sourcing.partner_ids.{index}"
            return Objection("PARTNER_UNKNOWN", message, "minutes L426-452", field, {"number": index + 1})
    return None


def provider_is_of_the_region(case: Case) -> Objection | None:
    """Warning: a provider from elsewhere is allowed, and known to cause doubt (minutes L499-501)."""
    department = case.content.provider.address.postal_code[:2]
    if department in DEPARTMENTS:
        return None
    message = (
        "L’organisme de formation est hors de Normandie\u202f: c’est possible, confirmez que l’adresse est la bonne."
    )
    return Objection(
        "PROVIDER_OUTSIDE", message, "minutes L499-501", "provider.address.postal_code", {"department": department}
    )


def place_is_in_normandie(case: Case) -> Objection | None:
    """The training place is in one of the five departments of Normandie."""
    insee = case.content.place.insee
    if insee[:2] in DEPARTMENTS:
        return None
    message = "La formation doit avoir lieu en Normandie\u202f: indiquez une commune du 14, 27, 50, 61 ou 76."
    return Objection("PLACE_DEPARTMENT", message, _PLACE, "place.insee", {"department": insee[:2]})


def commune_is_known(case: Case) -> Objection | None:
    """The INSEE code is that of a commune of today; a postal code is not one."""
    insee = case.content.place.insee
    if insee[:2] not in DEPARTMENTS or insee in case.references.communes:
        return None
    message = (
        f"Le code INSEE {insee} n’est pas celui d’une commune normande\u202f: vérifiez (ce n’est pas le code postal)."
    )
    return Objection("PLACE_COMMUNE", message, "code officiel géographique (INSEE)", "place.insee", {"insee": insee})


def zone_is_known(case: Case) -> Objection | None:
    """The employment zone is one of ZE2020 that lies in or touches Normandie."""
    return known_zone(case.content.place.zone_emploi, "place.zone_emploi")


def known_zone(zone: str, field: str) -> Objection | None:
    """Return what is wrong with a code that is no employment zone of the region."""
    if zone in ZONES_EMPLOI:
        return None
    message = f"La zone d’emploi {zone} ne touche pas la Normandie\u202f: indiquez une zone ZE2020 de la région."
    return Objection("PLACE_ZONE", message, ZONES, field, {"zone": zone})


def zone_is_that_of_the_commune(case: Case) -> Objection | None:
    """Warning: the commune lies in the employment zone: avis and derogations look at both (composition of ZE2020, INSEE)."""
    place = case.content.place
    zone = case.references.zones.get(place.insee)
    if zone is None or zone == place.zone_emploi or place.zone_emploi not in ZONES_EMPLOI:
        return None
    message = (
        f"La commune {place.insee} est dans la zone d’emploi {zone} ({ZONES_EMPLOI[zone]}) et non {place.zone_emploi}\u202f:"
        " corrigez la zone ou la commune, ou confirmez."
    )
    facts: Facts = {"insee": place.insee, "zone": place.zone_emploi, "expected": zone}
    return Objection("PLACE_ZONE_COMMUNE", message, ZONES, "place.zone_emploi", facts)


def postal_code_is_that_of_the_commune(case: Case) -> Objection | None:
    """Warning: the address has a postal code of its commune; a CEDEX has another one."""
    place = case.content.place
    known = case.references.postal_codes.get(place.insee)
    if known is None or place.address.postal_code in known:
        return None
    message = (
        f"Le code postal {place.address.postal_code} n’est pas celui de la commune {place.insee} ({', '.join(known)})\u202f:"
        " vérifiez la commune et l’adresse, ou confirmez (CEDEX)."
    )
    facts: Facts = {"insee": place.insee, "postal_code": place.address.postal_code}
    return Objection(
        "PLACE_POSTAL_CODE", message, "code officiel géographique (INSEE)", "place.address.postal_code", facts
    )
