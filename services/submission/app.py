"""Puts submission together: its settings, its lists, its ears, its routes."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter

from services.submission import (
    api,
    check_api,
    import_api,
    partners_api,
    preparation_api,
    references_api,
    template_api,
    versions_api,
    yearbook_api,
    yearbook_history_api,
)
from services.submission.consumers import hearing
from services.submission.import_job import KEEPING, Imports
from services.submission.pages import PAGES
from services.submission.partners_store import open_partners, write_partners
from services.submission.settings import Settings
from services.submission.template_store import open_templates, write_templates
from services.submission.yearbook_store import open_yearbook, write_yearbook
from shared.service import Service

ROUTES: Final = APIRouter()
for _part in (
    check_api,
    preparation_api,
    api,
    import_api,
    partners_api,
    references_api,
    template_api,
    yearbook_api,
    yearbook_history_api,
    versions_api,
):
    ROUTES.include_router(_part.router)

SERVICE: Final = Service(
    name="submission",
    settings=Settings,
    hearing=lambda settings: hearing(settings.given()),
    router=ROUTES,
    folder=Path(__file__).parent,
    pages=PAGES,
    work=lambda database, settings: {
        "imports": Imports(database, settings.given(), high_water=settings.outbox_high_water).run()
    },
    keepings=(KEEPING,),
    doors={
        "yearbook": (open_yearbook, write_yearbook),
        "templates": (open_templates, write_templates),
        partners_api.DOOR: (open_partners, write_partners),
    },
)
