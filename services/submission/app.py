"""Puts submission together: its settings, its lists, its ears, its routes."""

from pathlib import Path
from typing import Final

from services.submission.api import router
from services.submission.consumers import hearing
from services.submission.pages import PAGES
from services.submission.settings import Settings
from shared.service import Service

SERVICE: Final = Service(
    name="submission",
    settings=Settings,
    hearing=lambda settings: hearing(settings.given()),
    router=router,
    folder=Path(__file__).parent,
    pages=PAGES,
)
