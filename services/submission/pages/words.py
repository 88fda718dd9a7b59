"""How a status looks on screens, and what is said once something was done."""

from typing import Final

from services.submission.domain.fiche import SessionState, Status

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
NOTICES: Final[dict[str, tuple[str, str]]] = {
    "adaptation-acceptee": (
        "L’adaptation est acceptée.",
        "La Région rend maintenant son avis sur la nouvelle révision.",
    ),
    "adaptation-refusee": ("L’adaptation est refusée.", "Votre motif est transmis à la Région, qui rend son avis."),
    "contre-proposition": ("La contre-proposition est envoyée.", "La Région l’examine sur la nouvelle révision."),
    "programmation": ("La programmation est confirmée.", "Le Carif-Oref peut inscrire la session à son catalogue."),
    "retrait": ("La fiche est retirée.", ""),
    "engagement": ("La session est engagée.", ""),
    "report": ("La session est reportée.", "Si le décalage dépasse le seuil, l’avis de la Région sera à renouveler."),
    "annulation": ("La session est annulée.", ""),
    "abandon": ("Ce qui était préparé est abandonné.", "Rien n’en reste à faire ; la référence ne se réutilise pas."),
    "bilan": ("Le bilan est rendu.", ""),
    "reconduction": ("Le brouillon est prêt.", "Vérifiez ses dates et complétez-le avant de le déposer."),
    "depot": ("La fiche est déposée.", "La Région ouvre le dossier et rend son avis."),
    "deja-deposee": ("La fiche est déjà déposée.", "Elle est ci-dessous telle qu’elle a été déposée."),
    "complement": ("Le complément est envoyé.", "La Région reprend l’examen de la fiche."),
    "intention": ("L’intention est annoncée.", "La Région la voit ; elle ne compte pas comme un projet ferme."),
    "modification": ("La fiche est modifiée.", ""),
}
"""What was done, by what the address says after a form was taken: a title, and what follows from it."""
