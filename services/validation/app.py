"""Puts validation together: its settings, its ears, its routes."""

from pathlib import Path
from typing import Final

from services.validation.api import router
from services.validation.consumers import hearing
from services.validation.settings import Settings
from shared.service import Service

SERVICE: Final = Service(
    name="validation",
    settings=Settings,
    hearing=lambda settings: hearing(settings.limits()),
    router=router,
    folder=Path(__file__).parent,
)
