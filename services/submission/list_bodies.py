"""The filters of the list of fiches, as an address gives them: the same for the list, its counts and its screens."""

import datetime as dt
import inspect
from typing import Annotated, Final

from fastapi import Query

from services.submission.domain.fiche import Status
from services.submission.domain.yearbook import opco_is_known
from services.submission.store import Wanted
from shared.contracts.days import Day
from shared.contracts.opco_names import Opco
from shared.contracts.references import DEPARTMENTS, ZONES_EMPLOI
from shared.errors import InvalidInput, Objection

MOST_WORDS = 8
_Year = Annotated[int | None, Query(ge=2018, le=2100)]
_Statuses = Annotated[list[Status] | None, Query(description="Statuts ; plusieurs fois pour plusieurs.")]


def wanted_fiches(
    status: _Statuses = None,
    opco: Opco | None = None,
    programme_year: _Year = None,
    start_year: _Year = None,
    starts_from: Day | None = None,
    starts_until: Day | None = None,
    zone_emploi: str | None = None,
    department: str | None = None,
    rome: Annotated[str | None, Query(pattern=r"^[A-N][0-9]{4}$")] = None,
    formacode: Annotated[str | None, Query(pattern=r"^[0-9]{5}$")] = None,
    q: Annotated[str, Query(max_length=200, description="Mots de l’intitulé ou de la référence.")] = "",
) -> Wanted:
    """Return which fiches an address asks for. Raises `InvalidInput` with every filter that is of no list."""
    lists = (
        (
            "zone_emploi",
            "ZONE_UNKNOWN",
            zone_emploi,
            ZONES_EMPLOI,
            "Indiquez une zone d’emploi de Normandie par son code.",
        ),
        (
            "department",
            "DEPARTMENT_UNKNOWN",
            department,
            DEPARTMENTS,
            "Indiquez un département de Normandie par son numéro.",
        ),
    )
    wrong = [
        Objection(code, text, field=name) for name, code, value, known, text in lists if value and value not in known
    ]
    if unknown := opco_is_known(opco or None):
        wrong.insert(0, unknown)
    if wrong:
        raise InvalidInput(*wrong)
    if start_year is not None:
        first, last = dt.date(start_year, 1, 1), dt.date(start_year, 12, 31)
        starts_from, starts_until = max(starts_from or first, first), min(starts_until or last, last)
    return Wanted(
        statuses=tuple(status or ()),
        opco=opco or None,
        programme_year=programme_year,
        starts_from=starts_from,
        starts_until=starts_until,
        zone_emploi=zone_emploi or None,
        department=department or None,
        rome=rome,
        formacode=formacode,
        words=tuple(q.split()[:MOST_WORDS]),
    )


FILTERS: Final = frozenset(inspect.signature(wanted_fiches).parameters)
"""What an address may name besides a place in the list."""
