"""What people call each field of a fiche: one table for forms, errors, columns of files and the differences between two versions.

A path is that of the contract with `*` for the elements of lists: `hours.company`, `sessions.*.start`. Groups and lists have a label too.
"""

import re
from collections.abc import Mapping
from typing import Final

FICHE: Final[Mapping[str, str]] = {
    "programme_year": "Année du programme",
    "kind": "Type de besoin",
    "branch_idcc": "Branche (IDCC)",
    "need": "Origine du besoin",
    "need.origin": "Qui a identifié le besoin",
    "need.reference": "Référence de l’accord ou de la décision",
    "need.decided_on": "Date de l’accord ou de la décision",
    "title": "Intitulé",
    "objective": "Objectif",
    "contents": "Contenu",
    "prerequisites": "Prérequis",
    "rome": "Métier visé (ROME)",
    "formacodes": "Formacodes",
    "formacodes.*": "Formacode",
    "nsf": "Spécialités de formation (NSF)",
    "nsf.*": "Spécialité de formation (NSF)",
    "certification": "Certification préparée",
    "certification.rncp": "Numéro RNCP",
    "certification.rs": "Numéro RS",
    "certification.certifinfo": "Code Certifinfo",
    "modalities": "Modalités de déroulement, de suivi et de sanction",
    "shortage": "Métier en tension",
    "hours": "Durée",
    "hours.total": "Heures en tout",
    "hours.centre": "Heures en centre",
    "hours.company": "Heures en entreprise",
    "hours.weekly": "Heures par semaine",
    "hours.distance": "Heures à distance",
    "derogation": "Dérogation à la durée",
    "derogation.level": "Niveau de la dérogation",
    "derogation.reference": "Référence de la dérogation",
    "derogation.decided_on": "Date de la dérogation",
    "derogation.cap": "Durée permise par la dérogation (heures)",
    "derogation.zones": "Zones d’emploi de la dérogation",
    "derogation.zones.*": "Zone d’emploi de la dérogation",
    "derogation.valid_from": "Premier jour de la dérogation",
    "derogation.valid_until": "Dernier jour de la dérogation",
    "provider": "Organisme de formation",
    "provider.siret": "SIRET de l’organisme",
    "provider.nda": "Numéro de déclaration d’activité (NDA)",
    "provider.name": "Nom de l’organisme",
    "provider.qualiopi": "Organisme certifié Qualiopi",
    "provider.address": "Adresse de l’organisme",
    "provider.address.lines": "Voie et bâtiment (organisme)",
    "provider.address.lines.*": "Ligne d’adresse (organisme)",
    "provider.address.postal_code": "Code postal (organisme)",
    "provider.address.city": "Ville (organisme)",
    "provider.qualiopi_until": "Fin de la certification Qualiopi",
    "provider.cfa": "Organisme intervenant comme CFA",
    "trainer": "Organisme formateur, s’il est un autre",
    "trainer.siret": "SIRET de l’organisme formateur",
    "trainer.name": "Nom de l’organisme formateur",
    "place": "Lieu de formation",
    "place.insee": "Commune (code INSEE)",
    "place.zone_emploi": "Zone d’emploi",
    "place.address": "Adresse du lieu",
    "place.address.lines": "Voie et bâtiment (lieu)",
    "place.address.lines.*": "Ligne d’adresse (lieu)",
    "place.address.postal_code": "Code postal (lieu)",
    "place.address.city": "Ville (lieu)",
    "sessions": "Sessions",
    "sessions.*": "Session",
    "sessions.*.number": "Numéro de la session",
    "sessions.*.start": "Premier jour",
    "sessions.*.end": "Dernier jour",
    "sessions.*.seats": "Places",
    "sessions.*.minimum": "Effectif minimal",
    "sessions.*.meetings": "Réunions d’information",
    "sessions.*.meetings.*": "Réunion d’information",
    "sessions.*.meetings.*.on": "Date de la réunion",
    "sessions.*.meetings.*.starts_at": "Heure de la réunion",
    "sessions.*.meetings.*.place": "Lieu de la réunion",
    "sessions.*.meetings.*.audience": "Public invité",
    "sessions.*.meetings.*.seats": "Places à la réunion",
    "audiences": "Publics",
    "audiences.*": "Public",
    "target_contracts": "Contrats visés",
    "target_contracts.*": "Contrat visé",
    "follow_up": "Suite prévue",
    "follow_up.kind": "Ce qui suit la formation",
    "follow_up.contract_starts_on": "Début du contrat en alternance",
    "companies": "Entreprises associées",
    "hires_announced": "Embauches annoncées",
    "sourcing": "Recherche de candidats",
    "sourcing.plan": "Plan de recherche de candidats",
    "sourcing.partners": "Autres partenaires",
    "sourcing.partners.*": "Autre partenaire",
    "sourcing.partner_ids": "Partenaires de l’annuaire",
    "sourcing.partner_ids.*": "Partenaire de l’annuaire",
    "sourcing.pilots": "Réseaux qui conduisent la recherche",
    "sourcing.pilots.*": "Réseau qui conduit la recherche",
    "procurement": "État du marché public",
    "tender": "Calendrier du marché public",
    "tender.published_on": "Publication du marché",
    "tender.offers_due_on": "Date limite des offres",
    "tender.awarded_on": "Attribution du marché",
    "tender.contract_ends_on": "Fin du marché",
    "tender.provider_enters_session": "L’organisme saisit la session au Carif-Oref",
    "contact": "Boîte fonctionnelle de contact",
    "money": "Financement",
    "money.teaching_cost": "Coût pédagogique d’une session (euros)",
    "money.opco": "Part de l’OPCO (euros)",
    "money.state": "Part de l’État (euros)",
    "money.france_travail": "Part de Pôle emploi ou de France Travail (euros)",
    "money.company": "Part des entreprises (euros)",
    "money.other_costs": "Frais annexes (euros)",
}
"""Every field of `FicheContent`; a test compares it with the types."""

INTENTION: Final[Mapping[str, str]] = {
    "programme_year": FICHE["programme_year"],
    "title": FICHE["title"],
    "rome": FICHE["rome"],
    "main_formacode": "Formacode principal",
    "branch_idcc": FICHE["branch_idcc"],
    "zone_emploi": FICHE["place.zone_emploi"],
    "starts_from": "Début au plus tôt",
    "starts_until": "Début au plus tard",
    "seats": FICHE["sessions.*.seats"],
    "sessions": "Nombre de sessions",
}
"""Every field of `Intention`."""
_PLACE: Final = re.compile(r"^[0-9]+$")


def field_label(path: str, labels: Mapping[str, str] = FICHE) -> str | None:
    """Return what the field of a path is called, None where there is no such field: `sessions.1.start` is « Premier jour »."""
    return labels.get(_pattern(path))


def full_label(path: str, labels: Mapping[str, str] = FICHE) -> str | None:
    """Return the label of a field with the elements of lists that it lies in: « Session 2, réunion d’information 1 : Lieu de la réunion ».

    A number is the element's place in the list, counted from 1 as people do. None where there is no such field.
    """
    name = field_label(path, labels)
    if name is None:
        return None
    parts = path.split(".")
    within = [_element(parts[: n + 1], labels) for n, part in enumerate(parts) if _PLACE.match(part)]
    if _PLACE.match(parts[-1]):
        return _joined(within)
    return f"{_joined(within)}\u202f: {name}" if within else name


def _element(parts: list[str], labels: Mapping[str, str]) -> str:
    return f"{labels[_pattern('.'.join(parts))]} {int(parts[-1]) + 1}"


def _joined(elements: list[str]) -> str:
    return ", ".join([*elements[:1], *(one[0].lower() + one[1:] for one in elements[1:])])


def _pattern(path: str) -> str:
    return ".".join("*" if _PLACE.match(part) else part for part in path.split("."))
