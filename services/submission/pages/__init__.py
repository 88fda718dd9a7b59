"""The screens of submission: what they are called, where they are in the navigation, which routes they have.

Each module beside this one has a `router` of its own; it is listed here.
"""

from pathlib import Path
from typing import Final

from shared.web.pages import Pages

PAGES: Final = Pages(
    folder=Path(__file__).parent.parent / "templates",
    title="Dépôt des fiches",
    about="Les OPCO y déposent leurs fiches projet de POEC, en suivent l’avis et la validation, et y programment leurs sessions.",
    nav=(),
    routers=(),
)
