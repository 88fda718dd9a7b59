"""Reads the lists beside this file into the `References` that the rules are given; origin and licences in `README.md`."""

import csv
from functools import cache
from pathlib import Path
from typing import Final

from stdnum.fr import siret

from services.submission.domain.case import References

_FOLDER: Final = Path(__file__).parent


@cache
def references() -> References:
    """Return the lists: communes of Normandie by INSEE code, ROME codes, the check of a SIRET (La Poste's rule included)."""
    return References(
        communes=_codes("communes_normandie.csv", "code_insee"),
        rome=_codes("rome_532_v3.csv", "code"),
        siret_valid=lambda number: bool(siret.is_valid(number)),
    )


def _codes(file: str, column: str) -> frozenset[str]:
    with (_FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return frozenset(row[column] for row in csv.DictReader(lines, delimiter=";"))
