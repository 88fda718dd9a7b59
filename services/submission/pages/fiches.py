"""The list of fiches: what waits for an answer first, filters in the address, true counts."""

import base64
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Request, Response

from services.submission.domain.dates import civil_date
from services.submission.domain.fiche import CLOSED, LABELS, Status
from services.submission.list_cases import read_counts, read_page
from services.submission.list_store import Count, Spot
from services.submission.pages.words import BADGES
from services.submission.store import Wanted
from shared.contracts.days import iso_day
from shared.contracts.references import DEPARTMENTS, OPCOS, ZONES_EMPLOI
from shared.http import database, signed_in
from shared.policy import limited_to
from shared.web.entry import Entry
from shared.web.french import by_label
from shared.web.pages import page_router, render

router = page_router()
PATH: Final = "/espace/fiches"
PAGE: Final = 25
_S = Status
GROUPS: Final[dict[str, tuple[str, tuple[Status, ...]]]] = {
    "preparation": ("Brouillons et intentions", (_S.DRAFT, _S.PREPROGRAMMED)),
    "reponse": ("Attendent votre réponse", (_S.TO_COMPLETE, _S.TO_ADAPT)),
    "examen": ("En cours d’examen", (_S.SUBMITTED, _S.AVIS_LAPSED)),
    "validees": ("Validées, à programmer", (_S.VALIDATED,)),
    "programmees": ("Programmées", (_S.CONFIRMED,)),
    "closes": ("Closes", tuple(one for one in _S if one in CLOSED)),
}
"""The tabs, by their names in the address: each status is in one of them."""


@dataclass(frozen=True)
class Chosen:
    """The state of the list as its address says it; what is no value there does not choose."""

    vue: str = ""
    recherche: str = ""
    statut: str = ""
    opco: str = ""
    annee: str = ""
    zone: str = ""
    departement: str = ""
    metier: str = ""
    debut_du: str = ""
    debut_au: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Chosen":
        """Return what an address chooses."""
        return cls(**{one.name: query[one.name].strip()[:100] for one in fields(cls) if one.name in query})

    def address(self, **changes: str) -> str:
        """Return the address of the list with some of it changed; what does not choose is left out."""
        values = {**self.__dict__, **changes}
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{PATH}?{query}" if query else PATH

    @property
    def filtered(self) -> bool:
        """Return whether anything but the tab was chosen."""
        return any(value for name, value in self.__dict__.items() if name != "vue")

    @property
    def reset(self) -> str:
        """Return the address of the same tab without filters."""
        return f"{PATH}?{urlencode({'vue': self.vue})}" if self.vue else PATH

    @property
    def wanted(self) -> Wanted:
        """Return what to look for."""
        year = self.annee
        return Wanted(
            statuses=(Status(self.statut),) if self.statut in set(Status) else GROUPS.get(self.vue, ("", ()))[1],
            words=tuple(self.recherche.split()),
            opco=self.opco if self.opco in OPCOS else None,
            programme_year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
            zone_emploi=self.zone if self.zone in ZONES_EMPLOI else None,
            department=self.departement if self.departement in DEPARTMENTS else None,
            rome=self.metier.upper() or None,
            starts_from=iso_day(self.debut_du),
            starts_until=iso_day(self.debut_au),
        )


@router.get("/fiches")
async def fiches_page(request: Request, suite: str = "") -> Response:
    """Show the fiches that one may see."""
    principal = await signed_in(request)
    chosen = Chosen.of(request.query_params)
    today = civil_date(await database(request).now())
    wanted = chosen.wanted
    counts = await read_counts(database(request), principal, wanted, today)
    found = await read_page(database(request), principal, wanted, _spot(suite), PAGE + 1)
    rows = found[:PAGE]
    following = chosen.address(suite=_written(rows[-1].spot)) if len(found) > PAGE else None
    return render(
        request,
        "fiches.html",
        rows=rows,
        today=today,
        chosen=chosen,
        entry=Entry.of(chosen.__dict__),
        tabs=_tabs(chosen, counts),
        waiting=sum(_of(counts, GROUPS["reponse"][1], "held")),
        late=sum(_of(counts, GROUPS["reponse"][1], "late")),
        found=sum(_of(counts, wanted.statuses or tuple(Status), "found")),
        following=following,
        first=chosen.address() if suite else None,
        choices=_choices(limited_to(principal, "read_fiche") is None),
        carry=carried(chosen.address().partition("?")[2]),
        own=limited_to(principal, "read_fiche") is not None,
        labels=LABELS,
        badges=BADGES,
        opcos=OPCOS,
    )


def back_to(request: Request) -> str:
    """Return the address of the list that one came from, with its tab and filters, as `retour` of an address says it."""
    return Chosen.of(dict(parse_qsl(request.query_params.get("retour", "")[:1000]))).address()


def ways(request: Request) -> dict[str, Any]:
    """Return what the pages of a fiche say of the list that one came from: `back`, and `carry` for their own links."""
    return {"back": back_to(request), "carry": carried(back_to(request).partition("?")[2])}


def carried(query: str) -> str:
    """Return what an address of a fiche ends with, so that the way back leads to the same list."""
    return f"?{urlencode({'retour': query})}" if query else ""


def _choices(of_all: bool) -> dict[str, Any]:
    return {
        "statut": [(status.value, LABELS[status]) for status in Status],
        "zone": by_label(ZONES_EMPLOI.items()),
        "departement": list(DEPARTMENTS.items()),
        "opco": list(OPCOS.items()) if of_all else [],
    }


def _tabs(chosen: Chosen, counts: Mapping[Status, Count]) -> list[tuple[str, int, str, bool]]:
    """Return the tabs with what the filters leave in each; all of them first."""
    everything = ("Toutes", sum(_of(counts, tuple(Status), "found")), chosen.address(vue="", statut=""), not chosen.vue)
    return [
        everything,
        *(
            (label, sum(_of(counts, statuses, "found")), chosen.address(vue=name, statut=""), chosen.vue == name)
            for name, (label, statuses) in GROUPS.items()
        ),
    ]


def _of(counts: Mapping[Status, Count], statuses: tuple[Status, ...], what: str) -> list[int]:
    return [getattr(counts[status], what) for status in statuses if status in counts]


def _written(spot: Spot) -> str:
    return base64.urlsafe_b64encode(f"{spot.due_on} {spot.submitted_at.isoformat()} {spot.fiche_id}".encode()).decode()


def _spot(text: str) -> Spot | None:
    """Return the spot that an address names; one that was not made here is the beginning."""
    try:
        due, at, identifier = base64.b64decode(text, altchars=b"-_", validate=True).decode("ascii").split(" ")
        moment = dt.datetime.fromisoformat(at)
        day = iso_day(due)
        return Spot(day, moment.astimezone(dt.UTC), UUID(identifier)) if day and moment.tzinfo else None
    except (ValueError, OverflowError):  # a moment at the end of the calendar may have none in UTC
        return None
