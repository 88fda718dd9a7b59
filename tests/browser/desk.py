"""What lies on an OPCO's desk when its staff opens the list: fiches of an invented spring in every state, filed and decided for real."""

import asyncio
import datetime as dt
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from deploy.audit.shape import OPERATIONS
from deploy.demo.http_door import Ask, HttpDoor, Reply
from deploy.journal import Journal, journal_path
from shared.contracts.fiche import FicheContent, fiche_id
from tests.support.fiches import PAST_WARNINGS, golden_content
from tests.support.stack import Stack

OPCO: Final = "constructys"
"""Nobody else's fiches in the tests: what is counted here was made here."""
PERSON: Final = f"p-{OPCO}"
BRANCH: Final = "1596"
WAIT: Final = 20
ACKNOWLEDGED: Final = (*PAST_WARNINGS, "LEAD_TIME_SHORT", "LEAD_TIME_CRITICAL", "FOLLOW_UP_GAP", "SOURCING_LEAD_SHORT")
_PLACES: Final = {
    "Saint-Lô": ("50502", "2816", "50000"),
    "Caen": ("14118", "2804", "14000"),
    "Rouen": ("76540", "2815", "76000"),
    "Évreux": ("27229", "2808", "27000"),
    "Alençon": ("61001", "0051", "61000"),
}


@dataclass(frozen=True)
class Made:
    """A fiche of the data set, and how far it is brought."""

    reference: str
    title: str
    city: str
    start: str
    end: str
    stage: str
    seats: int = 12
    hours: int = 399
    rome: str = "F1703"

    @property
    def id(self) -> UUID:
        """Return the id under which the product knows it."""
        return fiche_id(OPCO, self.reference)


DESK: Final = (
    Made("CY-2018-011", "Coffreur-bancheur", "Caen", "2018-04-23", "2018-07-13", "to_adapt"),
    Made("CY-2018-012", "Couvreur zingueur", "Saint-Lô", "2018-05-14", "2018-08-03", "to_complete", 10, 385, "F1610"),
    Made("CY-2018-013", "Maçon en voirie et réseaux divers", "Rouen", "2018-05-28", "2018-08-10", "submitted", rome="F1702"),
    Made("CY-2018-014", "Plaquiste", "Évreux", "2018-06-04", "2018-08-31", "avis_given", 8, 350, "F1604"),
    Made("CY-2018-015", "Conducteur d’engins de chantier", "Alençon", "2018-04-30", "2018-07-27", "validated", 10, 399, "F1302"),
    Made("CY-2018-016", "Électricien du bâtiment", "Rouen", "2018-05-07", "2018-07-27", "confirmed", 12, 380, "F1602"),
    Made("CY-2018-017", "Menuisier poseur", "Caen", "2018-06-11", "2018-08-31", "engaged", 12, 370, "F1607"),
    Made("CY-2018-018", "Étancheur", "Saint-Lô", "2018-06-18", "2018-09-07", "withdrawn", 8, 350, "F1613"),
)  # fmt: skip


@dataclass
class Desk:
    """Systems of the OPCO, the Région and Pôle emploi at work over HTTP."""

    http: HttpDoor
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))

    def new(
        self, stage: str, title: str = "Carreleur", city: str = "Caen", start: str = "2018-04-30", end: str = "2018-07-20"
    ) -> Made:
        """Return a fiche under a reference of its own, beside those of the data set."""
        return Made(f"CY-2018-{next(self.numbers)}", title, city, start, end, stage)

    async def put(self, made: Made) -> Made:
        """File a fiche and bring it where it is to be."""
        await self.write(OPCO, "submit_fiche", "/fiches", self.filed(made), None)
        for who, operation, path, body in _WAY[made.stage](made):
            await self.write(who, operation, path, body)
        return made

    def filed(self, made: Made, **changes: Any) -> dict[str, Any]:
        """Return what files a fiche."""
        body = self.content(made, **changes).model_dump(mode="json")
        return {"reference": made.reference, "content": body, "acknowledged": ACKNOWLEDGED}

    def content(self, made: Made, **changes: Any) -> FicheContent:
        """Return what stands in a fiche: everything in it is of its job and its place."""
        insee, zone, postal = _PLACES[made.city]
        address = {"lines": ["1 rue de l’Exemple"], "postal_code": postal, "city": made.city}
        session = {"number": 1, "start": made.start, "end": made.end, "seats": made.seats, "minimum": 6}
        described: dict[str, Any] = {
            "title": f"POEC - {made.title}",
            "branch_idcc": BRANCH,
            "rome": made.rome,
            "hours": {"total": made.hours, "centre": made.hours, "company": 70},
            "objective": f"Préparer des demandeurs d’emploi au métier visé ({made.title.lower()}) avant leur embauche.",
            "contents": "Lecture de plans, gestes du métier au plateau technique, sécurité des chantiers, immersion en entreprise.",
            "formacodes": [f"22{made.rome[2:]}"],
            "nsf": ["232"],
            "certification": None,
            "provider": {"name": "Les Compas du Bâtiment, formation"},
            "sourcing": {
                "plan": f"Deux informations collectives à {made.city}, orientation par les conseillers.",
                "partners": [f"Mission locale de l’exemple, {made.city}"],
            },
            "place": {"insee": insee, "zone_emploi": zone, "address": address},
            "sessions": [{**session, "meetings": [_meeting(made)]}],
            "contact": "poec.normandie@constructys.example",
        }
        return golden_content(**{**described, **changes})

    async def amend(self, made: Made, revision: int, **changes: Any) -> None:
        """Change a fiche by the OPCO's system, as a colleague does meanwhile."""
        body = self.filed(made, **changes)
        del body["reference"]
        await self.write(OPCO, "amend_fiche", f"/fiches/{made.id}/amendment", body, revision)

    async def write(
        self, who: str, operation: str, path: str, body: Mapping[str, Any], revision: int | None = 1
    ) -> Reply:
        """Send a write until it is answered; fails where it is not accepted.

        The journal keeps the command's name: `poec audit` looks for what was accepted where that command is carried out.
        """
        ask = Ask(who, OPERATIONS[operation], operation, path, body, str(uuid4()), None, revision, WAIT)
        reply = await self.http.write(ask)
        assert reply.outcome == "accepted", f"{path}: {reply.status} {reply.outcome} {reply.codes}"
        return reply


def _meeting(made: Made) -> dict[str, Any]:
    day = dt.date.fromisoformat(made.start) - dt.timedelta(days=19)
    place = f"Maison de l’emploi, {made.city}"
    return {"on": day.isoformat(), "starts_at": "09:30", "place": place, "audience": "Tout public", "seats": 30}


def _dossier(made: Made, path: str) -> str:
    return f"/dossiers/{made.id}/{path}"


def _avis(made: Made) -> list[Any]:
    return [("region", "give_avis", _dossier(made, "avis"), {"avis": "COMPLEMENTAIRE"})]


def _validated(made: Made) -> list[Any]:
    return [*_avis(made), ("pole-emploi", "validate_fiche", _dossier(made, "validation"), {})]


def _confirmed(made: Made) -> list[Any]:
    return [*_validated(made), (OPCO, "confirm_programmation", f"/fiches/{made.id}/programmation", {})]


def _adaptation(made: Made) -> list[Any]:
    body = {
        "reasons": ["CALENDRIER"],
        "adaptation": {"sessions": [{"number": 1, "start": "2018-05-21", "end": "2018-08-10"}]},
        "comment": "Une session du PRF commence le même jour à Caen\u202f: décalez la vôtre de quatre semaines.",
        "expires_on": "2018-03-15",
    }
    return [("region", "propose_adaptation", _dossier(made, "adaptation"), body)]


def _completion(made: Made) -> list[Any]:
    items = [{"field": "sourcing.plan", "request": "Précisez avec quelles entreprises la réunion est organisée."}]
    return [("region", "ask_completion", _dossier(made, "completion-request"), {"items": items})]


_WAY: Final[Mapping[str, Any]] = {
    "submitted": lambda made: [],
    "avis_given": _avis,
    "to_complete": _completion,
    "to_adapt": _adaptation,
    "validated": _validated,
    "confirmed": _confirmed,
    "engaged": lambda made: [
        *_confirmed(made),
        (OPCO, "engage_session", f"/fiches/{made.id}/sessions/1/engagement", {"enrolled": 11}),
    ],
    "withdrawn": lambda made: [(OPCO, "withdraw_fiche", f"/fiches/{made.id}/withdrawal", {"reason": "BESOIN_DISPARU"})],
}
"""Who does what, one after the other, until a fiche is where it is to be."""


@asynccontextmanager
async def at_work(stack: Stack) -> AsyncIterator[Desk]:
    """Yield the desk with its data set on it."""
    journal = Journal(journal_path(stack.home, f"screens-{uuid4().hex[:6]}"))
    async with HttpDoor(stack.home, stack.run, journal) as http:
        desk = Desk(http)
        await asyncio.gather(*(desk.put(made) for made in DESK))
        try:
            yield desk
        finally:
            journal.close()
