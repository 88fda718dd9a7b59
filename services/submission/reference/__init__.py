"""The reference lists: for the rules as sets (`references`), for people and systems as lists to choose from (`lists.py`)."""

from functools import cache

from stdnum.fr import siret

from services.submission.domain.case import References
from services.submission.reference import tables


@cache
def references() -> References:
    """Return what the rules compare with: communes with their zones, ROME codes, national derogations, the check of a SIRET.

    The check knows La Poste's own rule too.
    """
    return References(
        communes=frozenset(tables.communes()),
        rome=frozenset(tables.rome()),
        nsf=frozenset(tables.nsf()),
        siret_valid=lambda number: bool(siret.is_valid(number)),
        zones={insee: commune.zone_emploi for insee, commune in tables.communes().items()},
        postal_codes={insee: commune.postal_codes for insee, commune in tables.communes().items()},
        derogations=tables.derogations(),
    )
