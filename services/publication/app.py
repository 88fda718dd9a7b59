"""Puts publication together; the only file that knows everybody."""

from pathlib import Path

from services.publication.api import router
from services.publication.consumers import hearing
from services.publication.settings import Settings
from shared.service import Service

SERVICE = Service(
    name="publication",
    settings=Settings,
    hearing=lambda settings: hearing(settings.limits()),
    router=router,
    folder=Path(__file__).parent,
)
