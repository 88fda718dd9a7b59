"""What screens call the codes of a fiche, and how a status looks: French words, the kind of badge."""

from typing import Final

from services.submission.domain.fiche import SessionState, Status
from shared.contracts.references import (
    AvisKind,
    AvisReason,
    DerogationLevel,
    FicheKind,
    FollowUpKind,
    NeedOrigin,
    OutsideMotive,
    ProcurementState,
    RefusalReason,
    SessionMotive,
    SourcingCause,
    SourcingPilot,
    TargetContract,
    WithdrawalReason,
)

BADGES: Final[dict[Status, str]] = {
    Status.PREPROGRAMMED: "neutral",
    Status.DRAFT: "neutral",
    Status.SUBMITTED: "info",
    Status.TO_COMPLETE: "warning",
    Status.TO_ADAPT: "warning",
    Status.AVIS_LAPSED: "warning",
    Status.VALIDATED: "ok",
    Status.CONFIRMED: "ok",
    Status.REVIEWED: "ok",
    Status.REFUSED: "danger",
    Status.WITHDRAWN: "neutral",
    Status.CANCELLED: "neutral",
}
SESSION_BADGES: Final[dict[SessionState, str]] = {
    SessionState.PLANNED: "info",
    SessionState.ENGAGED: "ok",
    SessionState.POSTPONED: "warning",
    SessionState.CANCELLED: "neutral",
}
WORDS: Final[dict[str, dict[str, str]]] = {
    "kind": {FicheKind.STRUCTURANTE: "Structurante", FicheKind.CONJONCTURELLE: "Conjoncturelle"},
    "need": {
        NeedOrigin.ACCORD_DE_BRANCHE: "Accord de branche",
        NeedOrigin.DECISION_CA_OPCO: "Décision du conseil d’administration de l’OPCO",
    },
    "contract": {
        TargetContract.CDI: "CDI",
        TargetContract.CDD_12_MOIS: "CDD de 12 mois au moins",
        TargetContract.PROFESSIONNALISATION_12_MOIS: "Contrat de professionnalisation de 12 mois au moins",
        TargetContract.APPRENTISSAGE: "Contrat d’apprentissage",
    },
    "follow_up": {FollowUpKind.EMPLOI_DIRECT: "Emploi direct", FollowUpKind.ALTERNANCE: "Alternance"},
    "derogation": {DerogationLevel.NATIONALE: "Nationale", DerogationLevel.REGIONALE: "Régionale"},
    "procurement": {
        ProcurementState.AUCUN: "Sans marché public",
        ProcurementState.EN_PREPARATION: "Marché en préparation",
        ProcurementState.PUBLIE: "Marché publié",
        ProcurementState.ATTRIBUE: "Marché attribué",
    },
    "pilot": {
        SourcingPilot.FRANCE_TRAVAIL: "Pôle emploi",
        SourcingPilot.MISSION_LOCALE: "Mission locale",
        SourcingPilot.CAP_EMPLOI: "Cap emploi",
    },
    "outside": {
        OutsideMotive.CONJONCTUREL: "Besoin conjoncturel",
        OutsideMotive.PROJET_PARTICULIER: "Projet particulier",
        OutsideMotive.MARCHE_PUBLIC: "Calendrier du marché public",
    },
    "motive": {
        SessionMotive.SOURCING_INSUFFISANT: "Sourcing insuffisant",
        SessionMotive.ENVELOPPE: "Enveloppe insuffisante",
        SessionMotive.OF_DEFAILLANT: "Organisme de formation défaillant",
        SessionMotive.BESOIN_DISPARU: "Besoin disparu",
        SessionMotive.MARCHE_INFRUCTUEUX: "Marché infructueux",
        SessionMotive.SANITAIRE: "Situation sanitaire",
        SessionMotive.AUTRE: "Autre motif",
    },
    "cause": {
        SourcingCause.ATTRACTIVITE: "Attractivité du métier",
        SourcingCause.CONNAISSANCE_DU_METIER: "Connaissance du métier",
        SourcingCause.MOBILITE: "Mobilité",
        SourcingCause.CALENDRIER: "Calendrier",
        SourcingCause.CONCURRENCE: "Concurrence d’une autre offre",
    },
    "withdrawal": {
        WithdrawalReason.BESOIN_DISPARU: "Besoin disparu",
        WithdrawalReason.MARCHE_INFRUCTUEUX: "Marché infructueux",
        WithdrawalReason.FICHE_REMPLACEE: "Remplacée par une autre fiche",
        WithdrawalReason.AUTRE: "Autre motif",
    },
    "avis": {
        AvisKind.COMPLEMENTAIRE: "Complémentaire",
        AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION: "Complémentaire sous réserve d’adaptation",
        AvisKind.CONCURRENT: "Concurrent d’une offre régionale",
    },
    "avis_reason": {
        AvisReason.CALENDRIER: "Calendrier",
        AvisReason.LIEU: "Lieu",
        AvisReason.DOMAINE: "Domaine de formation",
        AvisReason.SOURCING: "Sourcing",
    },
    "refusal": {
        RefusalReason.CONCURRENCE_PRF: "Concurrence avec l’offre régionale",
        RefusalReason.ENVELOPPE_INSUFFISANTE: "Enveloppe insuffisante",
        RefusalReason.BESOIN_NON_ETABLI: "Besoin non établi",
        RefusalReason.HORS_CADRE_POEC: "Hors du cadre de la POEC",
        RefusalReason.DEROGATION_REFUSEE: "Dérogation refusée",
        RefusalReason.DOSSIER_INCOMPLET: "Dossier incomplet",
    },
}  # fmt: skip
"""Codes that people choose from, by what they are about: the codes of `shared/contracts/references.py`, all of them."""
