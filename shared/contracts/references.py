"""Closed lists that more than one service reads: organisations, branches, territory, codes that people choose from.

Codes keep their French form; labels are what screens show.
"""

from enum import StrEnum
from typing import Final

OPCOS: Final[dict[str, str]] = {
    "afdas": "Afdas",
    "akto": "AKTO",
    "atlas": "Atlas",
    "constructys": "Constructys",
    "lopcommerce": "L’Opcommerce",
    "ocapiat": "Ocapiat",
    "opco-2i": "OPCO 2i",
    "opco-ep": "Opco EP",
    "opco-mobilites": "Opco Mobilités",
    "opco-sante": "OPCO Santé",
    "uniformation": "Uniformation",
}
"""The 11 OPCOs agreed by the orders published on 31 March 2019: slug to usual name."""

FRANCE_TRAVAIL: Final = "france-travail"
CARIF_OREF: Final = "carif-oref"
REGION: Final = "region"
DREETS: Final = "dreets"
OPERATIONS: Final = "operations"

IDCC_BY_OPCO: Final[dict[str, frozenset[str]]] = {
    "akto": frozenset({"1413", "2378", "1979", "3043", "1351", "1501", "1266", "1516", "0573", "2149"}),
    "opco-2i": frozenset({"0044", "0176", "0292", "0045", "1388", "3248"}),
    "constructys": frozenset({"1596", "1597", "2609", "2420", "1702", "2614"}),
    "opco-mobilites": frozenset({"0016", "1090", "1424", "3223"}),
    "lopcommerce": frozenset({"2216", "1505", "1517", "1606", "0675", "3168"}),
    "ocapiat": frozenset({"7001", "7002", "1534", "0112", "2728", "3109", "2494", "7018"}),
    "opco-ep": frozenset({"1527", "1043", "2596", "1996", "0843", "1147", "1404", "2098", "3127"}),
    "atlas": frozenset({"1486", "2120", "1672", "0787", "2335"}),
    "uniformation": frozenset({"2941", "1518", "1261", "2150", "3016"}),
    "opco-sante": frozenset({"0029", "0413", "2264", "2046"}),
    "afdas": frozenset({"2511", "2148", "1285"}),
}
"""Branches (IDCC, 4 digits) of each OPCO: a starter set cross-checked in two public tables. L6332-1-1 III: one OPCO per branch."""

DEPARTMENTS: Final[dict[str, str]] = {
    "14": "Calvados",
    "27": "Eure",
    "50": "Manche",
    "61": "Orne",
    "76": "Seine-Maritime",
}
"""Departments of Normandie (region code 28)."""

ZONES_EMPLOI: Final[dict[str, str]] = {
    "2801": "Argentan",
    "2802": "Avranches",
    "2803": "Bernay",
    "2804": "Caen",
    "2805": "Cherbourg-en-Cotentin",
    "2806": "Coutances",
    "2807": "Dieppe-Caux maritime",
    "2808": "Évreux",
    "2809": "Flers",
    "2810": "Granville",
    "2811": "Honfleur Pont-Audemer",
    "2812": "L’Aigle",
    "2813": "Le Havre",
    "2814": "Lisieux",
    "2815": "Rouen",
    "2816": "Saint-Lô",
    "2817": "Vernon-Gisors",
    "2818": "Vire Normandie",
    "2819": "Yvetot-Vallée du Commerce",
    "0051": "Alençon",
    "0054": "Beauvais",
    "0057": "Dreux",
    "0058": "La Vallée de la Bresle-Vimeu",
    "0061": "Nogent-le-Rotrou",
}
"""Employment zones ZE2020 (INSEE) that lie in or touch Normandie; codes below 0100 are inter-regional."""

AUDIENCES: Final[dict[str, str]] = {
    "80006": "Demandeur d’emploi",
    "80009": "Moins de 26 ans",
    "80003": "Plus de 26 ans",
    "80007": "Demandeur d’emploi de longue durée",
    "80005": "Bénéficiaire du RSA",
    "82047": "Salarié en contrat aidé",
    "81020": "Personne handicapée",
    "81024": "Jeune",
    "81013": "Public sous main de justice",
    "83056": "Tout public",
}
"""Public codes (Formacode list) a POEC may name (lheo/lheo-schema dictionaries)."""


class FicheKind(StrEnum):
    """Whether the need comes back every year (minutes L314-319)."""

    STRUCTURANTE = "STRUCTURANTE"
    CONJONCTURELLE = "CONJONCTURELLE"


class NeedOrigin(StrEnum):
    """Who identified the need: L6326-3, branch agreement or, failing that, the OPCO's board."""

    ACCORD_DE_BRANCHE = "ACCORD_DE_BRANCHE"
    DECISION_CA_OPCO = "DECISION_CA_OPCO"


class TargetContract(StrEnum):
    """Contracts a POEC may lead to: the closed list of L6326-3."""

    CDI = "CDI"
    CDD_12_MOIS = "CDD_12_MOIS"
    PROFESSIONNALISATION_12_MOIS = "PROFESSIONNALISATION_12_MOIS"
    APPRENTISSAGE = "APPRENTISSAGE"


class FollowUpKind(StrEnum):
    """What comes after the POEC (minutes L333-341)."""

    EMPLOI_DIRECT = "EMPLOI_DIRECT"
    ALTERNANCE = "ALTERNANCE"


class DerogationLevel(StrEnum):
    """Who granted more than 400 hours: the national list, or the regional director (deliberation 2024-31)."""

    NATIONALE = "NATIONALE"
    REGIONALE = "REGIONALE"


class ProcurementState(StrEnum):
    """How far the public procurement of the training is (minutes L384-391)."""

    AUCUN = "AUCUN"
    EN_PREPARATION = "EN_PREPARATION"
    PUBLIE = "PUBLIE"
    ATTRIBUE = "ATTRIBUE"


class SourcingPilot(StrEnum):
    """Whose agencies lead the sourcing of a group: the employment services that prescribe (minutes L426-452)."""

    FRANCE_TRAVAIL = "FRANCE_TRAVAIL"
    MISSION_LOCALE = "MISSION_LOCALE"
    CAP_EMPLOI = "CAP_EMPLOI"


class PartnerKind(StrEnum):
    """Which network a partner of the directory belongs to: who accompanies people towards a POEC (minutes L366-381, L426-452)."""

    AVENIR = "AVENIR"
    GENERATION_COMPETENCES = "GENERATION_COMPETENCES"
    MISSION_LOCALE = "MISSION_LOCALE"
    CAP_EMPLOI = "CAP_EMPLOI"
    INSERTION = "INSERTION"
    ACCOMPAGNEMENT_SOCIAL = "ACCOMPAGNEMENT_SOCIAL"
    AUTRE = "AUTRE"


class OutsideMotive(StrEnum):
    """Why a fiche is filed after the deadline of its quarter: what the conference lets come monthly (minutes L176-182, L218-222)."""

    CONJONCTUREL = "CONJONCTUREL"
    PROJET_PARTICULIER = "PROJET_PARTICULIER"
    MARCHE_PUBLIC = "MARCHE_PUBLIC"


class DeclarationSource(StrEnum):
    """Where the number of projects that an OPCO declares comes from (minutes L77-82, L209-212)."""

    ENQUETE = "ENQUETE"
    OUTIL_DE_GESTION = "OUTIL_DE_GESTION"
    DECISION_CA_OPCO = "DECISION_CA_OPCO"
    AUTRE = "AUTRE"


class SessionMotive(StrEnum):
    """Why a session is postponed or cancelled (minutes L254-258, L329-332): closed list."""

    SOURCING_INSUFFISANT = "SOURCING_INSUFFISANT"
    ENVELOPPE = "ENVELOPPE"
    OF_DEFAILLANT = "OF_DEFAILLANT"
    BESOIN_DISPARU = "BESOIN_DISPARU"
    MARCHE_INFRUCTUEUX = "MARCHE_INFRUCTUEUX"
    SANITAIRE = "SANITAIRE"
    AUTRE = "AUTRE"


class SourcingCause(StrEnum):
    """Why too few people came forward: what the OPCO says with the motive SOURCING_INSUFFISANT (minutes L254-258, L329-332)."""

    ATTRACTIVITE = "ATTRACTIVITE"
    CONNAISSANCE_DU_METIER = "CONNAISSANCE_DU_METIER"
    MOBILITE = "MOBILITE"
    CALENDRIER = "CALENDRIER"
    CONCURRENCE = "CONCURRENCE"


class PlacementMoment(StrEnum):
    """When an OPCO says what became of a group: at the end of the session, and three months after (ministry sheet on the POEC)."""

    FIN = "FIN"
    TROIS_MOIS = "TROIS_MOIS"


class PlacementContract(StrEnum):
    """Under which contract somebody found a job: those a POEC leads to (L6326-3), and the others that people find."""

    CDI = "CDI"
    CDD_12_MOIS = "CDD_12_MOIS"
    PROFESSIONNALISATION_12_MOIS = "PROFESSIONNALISATION_12_MOIS"
    APPRENTISSAGE = "APPRENTISSAGE"
    CDD_COURT = "CDD_COURT"
    INTERIM = "INTERIM"
    AUTRE = "AUTRE"


class WithdrawalReason(StrEnum):
    """Why an OPCO takes a fiche back."""

    BESOIN_DISPARU = "BESOIN_DISPARU"
    MARCHE_INFRUCTUEUX = "MARCHE_INFRUCTUEUX"
    FICHE_REMPLACEE = "FICHE_REMPLACEE"
    AUTRE = "AUTRE"


class AvisKind(StrEnum):
    """The Région's opinion on complementarity with its own offer, never on opportunity (minutes L168-175)."""

    COMPLEMENTAIRE = "COMPLEMENTAIRE"
    COMPLEMENTAIRE_SOUS_ADAPTATION = "COMPLEMENTAIRE_SOUS_ADAPTATION"
    CONCURRENT = "CONCURRENT"


class AvisReason(StrEnum):
    """On what an avis may rest (minutes L173, L247-262); opportunity is not among them."""

    CALENDRIER = "CALENDRIER"
    LIEU = "LIEU"
    DOMAINE = "DOMAINE"
    SOURCING = "SOURCING"


class RefusalReason(StrEnum):
    """Why Pôle emploi refuses a fiche: coded, so that it can be counted."""

    CONCURRENCE_PRF = "CONCURRENCE_PRF"
    ENVELOPPE_INSUFFISANTE = "ENVELOPPE_INSUFFISANTE"
    BESOIN_NON_ETABLI = "BESOIN_NON_ETABLI"
    HORS_CADRE_POEC = "HORS_CADRE_POEC"
    DEROGATION_REFUSEE = "DEROGATION_REFUSEE"
    DOSSIER_INCOMPLET = "DOSSIER_INCOMPLET"


class SuspensionReason(StrEnum):
    """Why a session in the catalogue stops recruiting for a time."""

    AVIS_A_RENOUVELER = "AVIS_A_RENOUVELER"
    REPORT = "REPORT"


class RemovalReason(StrEnum):
    """Why a session left the catalogue."""

    SESSION_ANNULEE = "SESSION_ANNULEE"
    FICHE_RETIREE = "FICHE_RETIREE"
    FICHE_REFUSEE = "FICHE_REFUSEE"
