"""What the comments of the columns of a file of fiches say, and what the columns beside the content are called.

A column of the content is called as its field is everywhere (`shared/contracts/field_labels.py`).
"""

from collections.abc import Mapping
from typing import Final

_LIST: Final = " Plusieurs valeurs\u202f: séparez-les par une barre verticale (|)."
_DAY: Final = " Date au format JJ/MM/AAAA."
_EUROS: Final = " En euros, deux décimales au plus."
_ONCE: Final = " Vide si sans objet."

BESIDE_LABELS: Final[Mapping[str, str]] = {
    "reference": "Référence",
    "acknowledged": "Avertissements lus",
    "outside_campaign.motive": "Hors campagne\u202f: motif",
    "outside_campaign.reason": "Hors campagne\u202f: précision",
}
WHOLE_LABELS: Final[Mapping[str, str]] = {"outside_campaign": "Hors campagne", "content": "Contenu de la fiche"}
"""What is said of several columns at once."""
COMMENTS: Final[Mapping[str, str]] = {
    "reference": "Votre propre référence de la fiche. Une ligne de même référence ajoute une session ou une réunion.",
    "acknowledged": "Codes des avertissements que vous avez lus et maintenez." + _LIST,
    "outside_campaign.motive": "Pourquoi la fiche vient après la date limite de son trimestre." + _ONCE,
    "outside_campaign.reason": "Ce qu’il y a à en dire." + _ONCE,
    "programme_year": "Année du premier jour de la première session.",
    "kind": "STRUCTURANTE (revient chaque année) ou CONJONCTURELLE.",
    "branch_idcc": "Identifiant de la convention collective, 4 chiffres.",
    "need.origin": "ACCORD_DE_BRANCHE ou DECISION_CA_OPCO (article L6326-3).",
    "need.reference": "Accord de branche ou délibération qui identifie le besoin.",
    "need.decided_on": "Jour de l’accord ou de la délibération." + _DAY,
    "title": "Intitulé de la formation, 3 à 240 caractères.",
    "objective": "Ce que les stagiaires sauront faire, 3\u202f000 caractères au plus.",
    "contents": "Programme de la formation, 3\u202f000 caractères au plus.",
    "prerequisites": "Ce qu’il faut savoir à l’entrée." + _ONCE,
    "rome": "Métier visé\u202f: une lettre et 4 chiffres, par exemple H3404.",
    "formacodes": "1 à 5 codes de 5 chiffres, le principal d’abord." + _LIST,
    "nsf": "3 codes de 3 chiffres au plus." + _LIST + _ONCE,
    "certification.rncp": "Fiche du répertoire national, par exemple RNCP34095." + _ONCE,
    "certification.rs": "Fiche du répertoire spécifique, par exemple RS5550." + _ONCE,
    "certification.certifinfo": "Code de la certification dans Certif Info." + _ONCE,
    "hours.total": "Durée totale pour un stagiaire\u202f: 400 heures au plus, sauf dérogation.",
    "hours.centre": "Heures en organisme de formation.",
    "hours.company": "Heures d’immersion\u202f: un tiers de la durée totale au plus.",
    "hours.weekly": "De 1 à 60.",
    "hours.distance": "Part de la formation à distance. Vide vaut 0.",
    "derogation.level": "NATIONALE ou REGIONALE." + _ONCE,
    "derogation.reference": "Décision qui lève le plafond de 400 heures." + _ONCE,
    "derogation.decided_on": "Jour de la décision." + _DAY + _ONCE,
    "derogation.cap": "Nouveau plafond, en heures." + _ONCE,
    "derogation.zones": "Zones d’emploi couvertes par une dérogation régionale." + _LIST + _ONCE,
    "derogation.valid_from": "Premier jour où une session peut commencer\u202f: vide, celui de la décision." + _DAY,
    "derogation.valid_until": "Dernier jour où une session peut commencer, pour une dérogation régionale."
    + _DAY
    + _ONCE,
    "provider.siret": "14 chiffres.",
    "provider.nda": "Numéro de déclaration d’activité, 11 caractères.",
    "provider.name": "Raison sociale de l’organisme de formation.",
    "provider.qualiopi": "Oui ou Non.",
    "provider.address.lines": "1 à 4 lignes de 50 caractères." + _LIST,
    "provider.address.postal_code": "5 chiffres.",
    "provider.address.city": "50 caractères au plus.",
    "provider.qualiopi_until": "Dernier jour du certificat Qualiopi." + _DAY + _ONCE,
    "provider.cfa": "Oui s’il forme comme CFA, pour des moins de 26 ans seulement\u202f; vide vaut Non.",
    "place.insee": "Code INSEE de la commune, 5 caractères\u202f; ce n’est pas le code postal.",
    "place.zone_emploi": "Zone d’emploi 2020 de la commune.",
    "place.address.lines": "1 à 4 lignes de 50 caractères." + _LIST,
    "place.address.postal_code": "5 chiffres.",
    "place.address.city": "50 caractères au plus.",
    "sessions.number": "De 1 à 99\u202f; vide\u202f: le numéro suivant.",
    "sessions.start": "Premier jour." + _DAY,
    "sessions.end": "Dernier jour." + _DAY,
    "sessions.seats": "Nombre de places.",
    "sessions.minimum": "Effectif minimum pour ouvrir la session.",
    "sessions.meetings.on": "Jour de l’information collective." + _DAY + _ONCE,
    "sessions.meetings.starts_at": "Par exemple 09:30." + _ONCE,
    "sessions.meetings.place": "Où elle se tient." + _ONCE,
    "sessions.meetings.audience": "À qui elle s’adresse." + _ONCE,
    "sessions.meetings.seats": "Nombre de places." + _ONCE,
    "audiences": "Codes des publics." + _LIST,
    "target_contracts": "CDI, CDD_12_MOIS, PROFESSIONNALISATION_12_MOIS, APPRENTISSAGE." + _LIST,
    "follow_up.kind": "EMPLOI_DIRECT ou ALTERNANCE.",
    "follow_up.contract_starts_on": "Obligatoire pour ALTERNANCE." + _DAY + _ONCE,
    "companies": "Nombre d’entreprises qui annoncent des embauches.",
    "hires_announced": "Nombre d’embauches annoncées.",
    "sourcing.plan": "Comment les stagiaires sont trouvés.",
    "sourcing.partners": "Organismes partenaires, sans nom de personne." + _LIST + _ONCE,
    "sourcing.partner_ids": "Codes des partenaires choisis dans l’annuaire, par exemple mission-locale-caen, ou leurs identifiants."
    + _LIST
    + _ONCE,
    "sourcing.pilots": "FRANCE_TRAVAIL, MISSION_LOCALE, CAP_EMPLOI." + _LIST + _ONCE,
    "procurement": "AUCUN, EN_PREPARATION, PUBLIE ou ATTRIBUE.",
    "contact": "Boîte fonctionnelle, jamais l’adresse d’une personne.",
    "modalities": "Déroulement, suivi et sanction de la formation." + _ONCE,
    "shortage": "Oui ou Non." + _ONCE,
    "trainer.siret": "14 chiffres, s’il n’est pas l’organisme responsable." + _ONCE,
    "trainer.name": "Sa raison sociale." + _ONCE,
    "tender.published_on": "Jour de la publication." + _DAY + _ONCE,
    "tender.offers_due_on": "Dernier jour pour répondre." + _DAY + _ONCE,
    "tender.awarded_on": "Jour de l’attribution." + _DAY + _ONCE,
    "tender.contract_ends_on": "Fin d’un marché pluriannuel." + _DAY + _ONCE,
    "tender.provider_enters_session": "Oui si l’organisme doit saisir la session au Carif-Oref\u202f; vide vaut Non.",
    "money.teaching_cost": "Coût d’une session." + _EUROS,
    "money.opco": "Ce que paie l’OPCO." + _EUROS,
    "money.state": "Vide vaut 0." + _EUROS,
    "money.france_travail": "Vide vaut 0." + _EUROS,
    "money.company": "Vide vaut 0." + _EUROS,
    "money.other_costs": "Repas, déplacements\u202f: en plus du coût pédagogique. Vide vaut 0." + _EUROS,
}
"""By path; every column has one."""
