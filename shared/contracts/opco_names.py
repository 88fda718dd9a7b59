"""Which OPCO a name means: the usual names, those of the agreement orders, and those that went before them.

Files and letters still carry the names of 2019 and before (ESSFIMO, PEPSS, Opco Cohésion sociale); what is kept is the slug.
"""

from functools import cache
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from shared.contracts.references import OPCOS
from shared.contracts.text import CODE, folded

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "afdas": ("Afdas", "culture, communication, médias, loisirs"),
    "akto": ("AKTO", "ESSFIMO", "entreprises et salariés des services à forte intensité de main-d’œuvre"),
    "atlas": ("Atlas", "finance et conseil"),
    "constructys": ("Constructys", "Construction", "OPCO de la construction"),
    "lopcommerce": ("L’Opcommerce", "Opcommerce", "Commerce"),
    "ocapiat": ("Ocapiat", "agriculture, territoire, alimentaire, maritime"),
    "opco-2i": ("OPCO 2i", "2I", "Interindustriel"),
    "opco-ep": ("Opco EP", "PEPSS", "entreprises de proximité"),
    "opco-mobilites": ("Opco Mobilités", "Mobilité"),
    "opco-sante": ("OPCO Santé", "Santé"),
    "uniformation": ("Uniformation", "Cohésion sociale"),
}
"""The names of each OPCO, with or without the word OPCO before them: orders of 29 March 2019, and names used in the year before."""
_OPCO: Final = "opco"


def opco_named(text: str) -> str | None:
    """Return the slug of the OPCO that a text names, whatever its case, accents, spaces and marks; None where it names none."""
    key = _key(text)
    known = _keys()
    return known.get(key) or known.get(key.removeprefix(_OPCO))


def _slug(given: Any) -> Any:
    """Return the slug for a name of an OPCO; what names none as it is, so that who knows the eleven objects to it."""
    return opco_named(given) or given if isinstance(given, str) else given


Opco = Annotated[
    str,
    Field(max_length=100, description="Identifiant de l’OPCO, ou un nom qu’il porte ou a porté."),
    CODE,
    BeforeValidator(_slug),
]
"""An OPCO as people and systems name it at a door; read as its slug."""


def _key(text: str) -> str:
    return folded(text).replace(" ", "")


@cache
def _keys() -> dict[str, str]:
    """Return the slugs by every name, with and without the word OPCO before it."""
    return {key: slug for slug, names in NAMES.items() for name in (slug, OPCOS[slug], *names) for key in _both(name)}


def _both(name: str) -> tuple[str, str]:
    return _key(name), _key(folded(name).removeprefix(f"{_OPCO} "))
