"""What the invented sessions teach: ROME, Formacodes and NSF of the usual POEC, by OPCO and branch.

Codes with verified labels only; titles, objectives and contents are written for this year.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Training:
    """A training: key, title, ROME, Formacodes (main first), NSF, objective, contents."""

    key: str
    title: str
    rome: str
    formacodes: tuple[str, ...]
    nsf: str
    objective: str
    contents: str


TRAININGS: Final = (
    Training(
        "cariste",
        "Cariste d’entrepôt",
        "N1101",
        ("31768", "31734"),
        "311",
        "Conduire en sécurité les chariots élévateurs et tenir un poste en entrepôt.",
        "Conduite des chariots\u202f; réception et expédition\u202f; inventaire\u202f; gestes et postures\u202f; période en entreprise.",
    ),
    Training(
        "preparation",
        "Préparation de commandes",
        "N1103",
        ("31734", "31845"),
        "311",
        "Préparer et expédier des commandes dans le respect des délais.",
        "Outils de préparation\u202f; emballage\u202f; gestion des stocks\u202f; travail en équipe\u202f; période en entreprise.",
    ),
    Training(
        "proprete",
        "Agent de propreté et d’hygiène",
        "K2204",
        ("42093",),
        "343",
        "Entretenir des locaux professionnels en autonomie.",
        "Techniques de nettoyage\u202f; produits et dosage\u202f; mécanisation\u202f; relation client\u202f; période en entreprise.",
    ),
    Training(
        "securite",
        "Agent de prévention et de sécurité",
        "K2503",
        ("42822",),
        "344",
        "Prévenir les risques et accueillir le public sur un site.",
        "Cadre légal\u202f; surveillance\u202f; gestion des conflits\u202f; secours aux personnes\u202f; période en entreprise.",
    ),
    Training(
        "cuisine",
        "Commis de cuisine",
        "G1602",
        ("42752",),
        "221",
        "Tenir un poste de commis dans une cuisine de restaurant.",
        "Préparations de base\u202f; cuissons\u202f; hygiène alimentaire\u202f; dressage\u202f; période en entreprise.",
    ),
    Training(
        "restauration",
        "Employé polyvalent de restauration",
        "G1603",
        ("42746", "42752"),
        "334",
        "Servir et entretenir un restaurant collectif ou rapide.",
        "Accueil\u202f; service\u202f; préparations simples\u202f; plonge et hygiène\u202f; période en entreprise.",
    ),
    Training(
        "salle",
        "Serveur en restauration",
        "G1803",
        ("42757",),
        "334",
        "Assurer le service en salle de la mise en place à l’encaissement.",
        "Mise en place\u202f; prise de commande\u202f; service\u202f; anglais de la salle\u202f; période en entreprise.",
    ),
    Training(
        "maintenance",
        "Agent de maintenance industrielle",
        "I1304",
        ("31624",),
        "200",
        "Entretenir une installation de production et remettre en marche après une panne simple.",
        "Mécanique\u202f; électricité\u202f; diagnostic\u202f; maintenance préventive\u202f; période en entreprise.",
    ),
    Training(
        "chaudronnerie",
        "Chaudronnier",
        "H2902",
        ("23083", "23026"),
        "254",
        "Tracer, former et assembler des ouvrages en métal.",
        "Lecture de plans\u202f; traçage\u202f; formage\u202f; assemblage et soudage\u202f; période en entreprise.",
    ),
    Training(
        "peinture_industrielle",
        "Peintre industriel",
        "H3404",
        ("23053",),
        "220",
        "Préparer et peindre des pièces et des ouvrages industriels.",
        "Préparation des surfaces\u202f; application\u202f; contrôle\u202f; sécurité\u202f; période en entreprise.",
    ),
    Training(
        "maconnerie",
        "Maçon du bâti",
        "F1703",
        ("22334",),
        "232",
        "Réaliser des ouvrages simples de maçonnerie.",
        "Implantation\u202f; coffrage\u202f; élévation\u202f; enduits\u202f; sécurité du chantier\u202f; période en entreprise.",
    ),
    Training(
        "peinture_batiment",
        "Peintre en bâtiment",
        "F1606",
        ("22472",),
        "233",
        "Préparer les supports et peindre des bâtiments.",
        "Préparation des supports\u202f; peintures\u202f; revêtements\u202f; sécurité du chantier\u202f; période en entreprise.",
    ),
    Training(
        "conducteur",
        "Titre professionnel conducteur du transport routier de marchandises sur porteur",
        "N4101",
        ("31816",),
        "311",
        "Conduire un porteur et livrer dans le respect des règles du transport.",
        "Conduite\u202f; réglementation\u202f; chargement et arrimage\u202f; sécurité\u202f; période en entreprise.",
    ),
    Training(
        "livraison",
        "Conducteur livreur",
        "N4105",
        ("31816", "31845"),
        "311",
        "Organiser une tournée et livrer des clients.",
        "Préparation de tournée\u202f; conduite\u202f; documents de transport\u202f; relation client\u202f; période en entreprise.",
    ),
    Training(
        "rayon",
        "Employé de rayon",
        "D1507",
        ("34566",),
        "312",
        "Tenir un rayon et conseiller la clientèle.",
        "Réassort\u202f; étiquetage\u202f; conseil\u202f; hygiène\u202f; encaissement\u202f; période en entreprise.",
    ),
    Training(
        "vente",
        "Conseiller de vente",
        "D1403",
        ("34566",),
        "312",
        "Accueillir, conseiller et fidéliser une clientèle de particuliers.",
        "Techniques de vente\u202f; relation client\u202f; outils numériques\u202f; encaissement\u202f; période en entreprise.",
    ),
    Training(
        "boucherie",
        "Préparateur en boucherie",
        "D1101",
        ("21599",),
        "221",
        "Préparer et conditionner les viandes.",
        "Désossage\u202f; découpe\u202f; conditionnement\u202f; hygiène et traçabilité\u202f; période en entreprise.",
    ),
    Training(
        "transaction",
        "Négociateur immobilier",
        "C1504",
        ("42154",),
        "313",
        "Conduire une transaction immobilière de l’estimation à la signature.",
        "Droit de la vente\u202f; estimation\u202f; prospection\u202f; négociation\u202f; période en entreprise.",
    ),
    Training(
        "gestion_locative",
        "Gestionnaire locatif",
        "C1502",
        ("42154",),
        "313",
        "Gérer un portefeuille de logements loués.",
        "Droit du bail\u202f; comptes locatifs\u202f; états des lieux\u202f; relation avec les locataires\u202f; période en entreprise.",
    ),
    Training(
        "banque",
        "Conseiller de clientèle bancaire",
        "C1206",
        ("41062",),
        "313",
        "Accueillir et conseiller une clientèle de particuliers.",
        "Produits bancaires\u202f; conformité\u202f; entretien de vente\u202f; relation à distance\u202f; période en entreprise.",
    ),
    Training(
        "aide_domicile",
        "Assistant de vie à domicile",
        "K1304",
        ("44028",),
        "332",
        "Accompagner des personnes à leur domicile dans la vie quotidienne.",
        "Entretien du logement\u202f; repas\u202f; aide à la mobilité\u202f; relation d’aide\u202f; période en entreprise.",
    ),
    Training(
        "auxiliaire",
        "Auxiliaire de vie",
        "K1302",
        ("44028", "43436"),
        "332",
        "Aider des adultes fragiles dans les actes essentiels.",
        "Aide à la toilette\u202f; alimentation\u202f; prévention\u202f; communication\u202f; période en entreprise.",
    ),
    Training(
        "soins",
        "Faisant fonction d’aide-soignant",
        "J1501",
        ("43436",),
        "331",
        "Participer aux soins d’hygiène et de confort sous la responsabilité de l’équipe soignante.",
        "Hygiène\u202f; confort du patient\u202f; transmissions\u202f; manutention\u202f; période en établissement.",
    ),
    Training(
        "equipements",
        "Agent de maintenance d’équipements sportifs et de loisirs",
        "I1203",
        ("31624",),
        "200",
        "Entretenir des équipements qui reçoivent du public.",
        "Second œuvre\u202f; électricité de base\u202f; contrôles de sécurité\u202f; accueil du public\u202f; période en entreprise.",
    ),
)

CHOICES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "akto": (
        ("2378", "cariste"),
        ("1413", "preparation"),
        ("0573", "preparation"),
        ("3043", "proprete"),
        ("1351", "securite"),
        ("1979", "cuisine"),
        ("1501", "restauration"),
        ("1979", "salle"),
        ("2378", "maintenance"),
        ("1266", "restauration"),
    ),
    "opco-2i": (
        ("0044", "maintenance"),
        ("0292", "maintenance"),
        ("1388", "chaudronnerie"),
        ("0045", "peinture_industrielle"),
    ),
    "constructys": (("1597", "maconnerie"), ("1596", "peinture_batiment"), ("1702", "maconnerie")),
    "opco-mobilites": (("0016", "livraison"), ("0016", "preparation")),
    "lopcommerce": (("2216", "rayon"), ("1505", "rayon"), ("2216", "boucherie"), ("1517", "vente")),
    "ocapiat": (("1534", "boucherie"), ("0112", "maintenance"), ("7002", "cariste"), ("7001", "preparation")),
    "opco-ep": (
        ("1527", "transaction"),
        ("1527", "gestion_locative"),
        ("3127", "aide_domicile"),
        ("1043", "proprete"),
        ("2098", "vente"),
    ),
    "atlas": (("2120", "banque"), ("1672", "banque")),
    "uniformation": (("2941", "aide_domicile"), ("2941", "auxiliaire"), ("3016", "proprete"), ("1261", "restauration")),
    "opco-sante": (("0413", "soins"), ("0029", "soins"), ("2264", "soins"), ("0413", "auxiliaire")),
    "afdas": (("1285", "securite"), ("2511", "equipements"), ("2148", "vente")),
}
"""Branch (IDCC) and training that fit each OPCO."""

DRIVER: Final = ("0016", "conducteur")
"""The title that national derogations let run to 434 hours (deliberation 2021-44)."""

TEMPORARY_WORK: Final = ("2378", "1413")
"""The branches whose envelope ran out."""

PROVIDERS: Final = (
    "Ateliers du Bocage (organisme inventé)",
    "Cap Estuaire Formation (organisme inventé)",
    "Centre des Deux Rives (organisme inventé)",
    "Compétences Littoral (organisme inventé)",
    "École du Plateau (organisme inventé)",
    "Formation Val de Seine (organisme inventé)",
    "Institut des Falaises (organisme inventé)",
    "La Fabrique des Métiers (organisme inventé)",
    "Maison du Geste (organisme inventé)",
    "Perche Apprentissages (organisme inventé)",
    "Pôle Métiers Cotentin (organisme inventé)",
    "Pont de Vire Formation (organisme inventé)",
)
"""Names of providers that do not exist."""
