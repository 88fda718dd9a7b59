"""How screens name who is signed in: organisations and roles in the words of the people themselves."""

from typing import Final

from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPCOS, OPERATIONS, REGION
from shared.identity import Principal

ORGANISATIONS: Final = {
    **OPCOS,
    REGION: "Région Normandie",
    FRANCE_TRAVAIL: "Pôle emploi",
    CARIF_OREF: "Carif-Oref",
    DREETS: "DREETS",
    OPERATIONS: "Exploitation",
}
ROLES: Final = {
    "opco": "dépôt des fiches",
    "region_reviewer": "avis",
    "pole_emploi_reviewer": "décision",
    "entries": "saisie des entrées",
    "carif_oref": "catalogue",
    "training_provider": "organisme de formation",
    "agency": "orientation",
    "dreets": "pilotage",
    "operations": "supervision",
    "administrator": "comptes",
}


def organisation_of(slug: str) -> str:
    """Return the usual name of an organisation; a training provider's or an agency's own identifier stays."""
    return ORGANISATIONS.get(slug, slug)


def roles_of(principal: Principal) -> str:
    """Return a principal's roles as one text."""
    return ", ".join(ROLES.get(role, role) for role in sorted(principal.roles))
