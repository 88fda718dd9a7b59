"""The screens of submission: what they are called, where they are in the navigation, which routes they have.

Each module beside this one has a `router` of its own; it is listed here, those with fixed addresses (`/fiches/nouvelle`) before
those with an identifier (`/fiches/{fiche_id}`). Addresses are French words: `/espace/fiches`, `/espace/fiches/{fiche_id}`, and below
it what is done with the fiche (`/retrait`, `/sessions/{number}/report`); forms of a whole content are `/espace/fiches/nouvelle`,
`/completer` and `/modifier` of a fiche, and `/brouillon` of what is prepared.
"""

from pathlib import Path
from typing import Final

from services.submission.pages import (
    campaigns,
    conferences,
    drafts,
    fiche,
    fiches,
    figures,
    filing,
    form_choices,
    form_templates,
    imports,
    intentions,
    partners,
    programme,
    whole_form,
)
from shared.web.pages import Link, Pages

PAGES: Final = Pages(
    folder=Path(__file__).parent.parent / "templates",
    title="Dépôt des fiches",
    about="Les OPCO y déposent leurs fiches projet de POEC, en suivent l’avis et la validation, et y programment leurs sessions.",
    nav=(
        Link("Fiches", "/espace/fiches", "read_fiche", own="Mes fiches"),
        Link("Importer", "/espace/imports", "import_fiches"),
        Link("Programme", "/espace/programmes", "read_yearbook"),
        Link("Campagnes", "/espace/campagnes", "read_yearbook"),
        Link("Conférences", "/espace/conferences", "read_yearbook"),
        Link("Déclarations", "/espace/declarations", "read_yearbook"),
        Link("Partenaires", "/espace/partenaires", "read_references"),
    ),
    routers=(
        filing.router,
        form_templates.router,
        drafts.router,
        form_choices.router,
        whole_form.router,
        intentions.router,
        imports.router,
        campaigns.router,
        conferences.router,
        programme.router,
        figures.router,
        partners.router,
        fiches.router,
        fiche.router,
    ),
)
