"""Puts analytics together; the only file that knows everybody."""

from pathlib import Path

from services.analytics.api import router
from services.analytics.consumers import hearing
from services.analytics.settings import Settings
from shared.service import Service

SERVICE = Service(
    name="analytics",
    settings=Settings,
    hearing=lambda settings: hearing(),
    router=router,
    folder=Path(__file__).parent,
    linger_always=True,
)
