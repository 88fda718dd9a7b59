"""What OPCOs do with their fiches before filing and after the session: intentions, what became of the groups, a renewal.

All of it is invented; `margins.py` says how much of it there is, and the counts are held against that.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from deploy.demo.contents import ANNOUNCED_ON, ANNOUNCER, SESSION, content_at, content_of, fiche_id_of, is_announced
from deploy.demo.days import plus
from deploy.demo.http_door import Ask
from deploy.demo.margins import INTENDED_2022, RENEWED, RETURNED, YEAR
from deploy.demo.moves import WAIT_SECONDS
from deploy.demo.programming import Deed
from deploy.demo.year_2021 import Fiche
from shared.contracts.fiche import FicheContent
from shared.contracts.references import PlacementContract, PlacementMoment

RENEWED_ON: Final = dt.date(2021, 12, 1)
_AT_LAST: Final = dt.date(2021, 12, 6)
_ZONE: Final = "2813"
"""The employment zone of what is meant for 2022 (Le Havre)."""
_AFTER: Final = {PlacementMoment.FIN: 7, PlacementMoment.TROIS_MOIS: 100}
"""Moment to the days after the end on which its return is made."""
_COMPANIES: Final = (5, 4, 3)
"""Companies asked about a group, that answered, and that were satisfied."""


def meanwhile(fiches: Sequence[Fiche]) -> tuple[Deed, ...]:
    """Return what is done around the filing of these fiches, in the order of its days."""
    named = {fiche.reference: fiche for fiche in fiches}
    deeds = [
        *(_announced(fiche) for fiche in fiches if is_announced(fiche)),
        *(_returned(named[reference], moment) for reference in RETURNED if reference in named for moment in _AFTER),
        *(_renewed(named[reference]) for reference in RENEWED[:1] if reference in named),
        *(_meant(n) for n in range(len(INTENDED_2022)) if RENEWED[0] in named),
    ]
    return tuple(sorted(deeds, key=lambda deed: deed.on))


def last_content(fiche: Fiche) -> FicheContent:
    """Return the content a fiche ends with."""
    return content_at(fiche, fiche.steps[-1])


def _announced(fiche: Fiche) -> Deed:
    """Return the intention from which a fiche is made later: its job, zone and month, before provider and content are known."""
    content = content_of(fiche)
    start = content.sessions[0].start
    intention = _intention(content.title, content.rome, content.place.zone_emploi, content.sessions[0].seats, start)
    return _intended(ANNOUNCED_ON, fiche.reference, intention)


def _meant(n: int) -> Deed:
    rome, title, seats = INTENDED_2022[n]
    intention = _intention(title, rome, _ZONE, seats, dt.date(YEAR + 1, 3, 1))
    return _intended(_AT_LAST, f"{ANNOUNCER.upper()}-{YEAR + 1}-{n + 2:03}", intention)


def _intention(title: str, rome: str, zone: str, seats: int, start: dt.date) -> dict[str, Any]:
    """Return an intention to start within the month of a day."""
    first = start.replace(day=1)
    until = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    period = {"starts_from": first.isoformat(), "starts_until": until.isoformat()}
    return {"programme_year": start.year, "title": title, "rome": rome, "zone_emploi": zone, "seats": seats, **period}


def _intended(on: dt.date, reference: str, intention: dict[str, Any]) -> Deed:
    body = {"reference": reference, "intention": intention}
    return _deed(on, ANNOUNCER, "preprogramme_fiche", "/fiches/intentions", body, reference)


def _returned(fiche: Fiche, moment: PlacementMoment) -> Deed:
    """Return what became of the group of a fiche's session, as its OPCO says it."""
    finishing, *jobs = RETURNED[fiche.reference]
    placed = jobs[list(_AFTER).index(moment)]
    asked, answered, satisfied = _COMPANIES
    placements = {
        "moment": moment,
        "finishing": finishing,
        "placed": [
            {"contract": PlacementContract.CDI, "count": placed - 1},
            {"contract": PlacementContract.CDD_COURT, "count": 1},
        ],
        "companies_asked": asked,
        "companies_answered": answered,
        "companies_satisfied": satisfied,
    }
    on = plus(last_content(fiche).sessions[0].end, _AFTER[moment])
    path = f"/fiches/{fiche_id_of(fiche)}/sessions/{SESSION}/placements"
    about = f"{fiche.reference}/{moment}"
    return _deed(on, fiche.opco, "return_placements", path, {"placements": placements}, fiche.reference, about)


def _renewed(fiche: Fiche) -> Deed:
    body = {"reference": RENEWED[1], "programme_year": YEAR + 1}
    return _deed(RENEWED_ON, fiche.opco, "renew_fiche", f"/fiches/{fiche_id_of(fiche)}/renewal", body, RENEWED[1])


def _deed(
    on: dt.date, opco: str, operation: str, path: str, body: dict[str, Any], reference: str, about: str = ""
) -> Deed:
    key = f"demo-{YEAR}/{opco}/{operation}/{about or reference}"
    return Deed(on, Ask(opco, "submission", operation, path, body, key, reference, wait=WAIT_SECONDS))
