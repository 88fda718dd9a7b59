"""What screens, exports and letters call the codes of the closed lists: one French label for every member of every enumeration."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.contracts import references as r

LABELS: Final[Mapping[type[StrEnum], Mapping[str, str]]] = {
    r.FicheKind: {"STRUCTURANTE": "Structurante", "CONJONCTURELLE": "Conjoncturelle"},
    r.NeedOrigin: {
        "ACCORD_DE_BRANCHE": "Accord de branche",
        "DECISION_CA_OPCO": "Décision du conseil d’administration de l’OPCO",
    },
    r.TargetContract: {
        "CDI": "CDI",
        "CDD_12_MOIS": "CDD d’au moins 12 mois",
        "PROFESSIONNALISATION_12_MOIS": "Contrat de professionnalisation d’au moins 12 mois",
        "APPRENTISSAGE": "Contrat d’apprentissage",
    },
    r.FollowUpKind: {"EMPLOI_DIRECT": "Emploi direct", "ALTERNANCE": "Contrat en alternance"},
    r.DerogationLevel: {"NATIONALE": "Dérogation nationale", "REGIONALE": "Dérogation régionale"},
    r.ProcurementState: {
        "AUCUN": "Pas de marché public",
        "EN_PREPARATION": "Marché en préparation",
        "PUBLIE": "Marché publié",
        "ATTRIBUE": "Marché attribué",
    },
    r.SourcingPilot: {
        "FRANCE_TRAVAIL": "Pôle emploi (France Travail)",
        "MISSION_LOCALE": "Mission locale",
        "CAP_EMPLOI": "Cap emploi",
    },
    r.PartnerKind: {
        "AVENIR": "#Avenir",
        "GENERATION_COMPETENCES": "Génération compétences",
        "MISSION_LOCALE": "Mission locale",
        "CAP_EMPLOI": "Cap emploi",
        "INSERTION": "Structure d’insertion par l’activité économique",
        "ACCOMPAGNEMENT_SOCIAL": "Accompagnement social",
        "AUTRE": "Autre organisme",
    },
    r.OutsideMotive: {
        "CONJONCTUREL": "Besoin conjoncturel",
        "PROJET_PARTICULIER": "Projet particulier",
        "MARCHE_PUBLIC": "Marché public",
    },
    r.SourcingCause: {
        "ATTRACTIVITE": "Attractivité du métier",
        "CONNAISSANCE_DU_METIER": "Connaissance du métier",
        "MOBILITE": "Mobilité",
        "CALENDRIER": "Calendrier",
        "CONCURRENCE": "Concurrence d’une autre formation",
    },
    r.SessionMotive: {
        "SOURCING_INSUFFISANT": "Pas assez de candidats",
        "ENVELOPPE": "Enveloppe consommée",
        "OF_DEFAILLANT": "Organisme de formation défaillant",
        "BESOIN_DISPARU": "Besoin disparu",
        "MARCHE_INFRUCTUEUX": "Marché infructueux",
        "SANITAIRE": "Raison sanitaire",
        "AUTRE": "Autre motif",
    },
    r.PlacementMoment: {"FIN": "À la fin de la session", "TROIS_MOIS": "Trois mois après"},
    r.PlacementContract: {
        "CDI": "CDI",
        "CDD_12_MOIS": "CDD d’au moins 12 mois",
        "PROFESSIONNALISATION_12_MOIS": "Contrat de professionnalisation d’au moins 12 mois",
        "APPRENTISSAGE": "Contrat d’apprentissage",
        "CDD_COURT": "CDD de moins de 12 mois",
        "INTERIM": "Intérim",
        "AUTRE": "Autre contrat",
    },
    r.DeclarationSource: {
        "ENQUETE": "Enquête auprès des OPCO",
        "OUTIL_DE_GESTION": "Outil de gestion de l’OPCO",
        "DECISION_CA_OPCO": "Décision du conseil d’administration de l’OPCO",
        "AUTRE": "Autre source",
    },
    r.WithdrawalReason: {
        "BESOIN_DISPARU": "Besoin disparu",
        "MARCHE_INFRUCTUEUX": "Marché infructueux",
        "FICHE_REMPLACEE": "Fiche remplacée par une autre",
        "AUTRE": "Autre motif",
    },
    r.AvisKind: {
        "COMPLEMENTAIRE": "Complémentaire",
        "COMPLEMENTAIRE_SOUS_ADAPTATION": "Complémentaire sous réserve d’adaptation",
        "CONCURRENT": "Concurrent de l’offre régionale",
    },
    r.AvisReason: {
        "CALENDRIER": "Calendrier",
        "LIEU": "Lieu",
        "DOMAINE": "Domaine de formation",
        "SOURCING": "Recherche de candidats",
    },
    r.RefusalReason: {
        "CONCURRENCE_PRF": "Concurrence avec le programme régional de formations",
        "ENVELOPPE_INSUFFISANTE": "Enveloppe insuffisante",
        "BESOIN_NON_ETABLI": "Besoin non établi",
        "HORS_CADRE_POEC": "Hors du cadre de la POEC",
        "DEROGATION_REFUSEE": "Dérogation refusée",
        "DOSSIER_INCOMPLET": "Dossier incomplet",
    },
    r.SuspensionReason: {"AVIS_A_RENOUVELER": "Avis à renouveler", "REPORT": "Session reportée"},
    r.RemovalReason: {
        "SESSION_ANNULEE": "Session annulée",
        "FICHE_RETIREE": "Fiche retirée",
        "FICHE_REFUSEE": "Fiche refusée",
    },
}
"""By enumeration, then by code: two lists may hold the same code and mean their own."""


def label(member: StrEnum) -> str:
    """Return what a code is called on screens. Raises KeyError for a list that has no words, which a test does not let happen."""
    return LABELS[type(member)][member.value]


def in_sentence(member: StrEnum) -> str:
    """Return what a code is called within a sentence: with a small first letter, unless it begins with an abbreviation."""
    words = label(member)
    return words if words[:2].isupper() else words[:1].lower() + words[1:]
