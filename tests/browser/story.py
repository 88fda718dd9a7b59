"""What is put on the desk of an OPCO, and on record for its year, so that every page has something to show: a spring that is told whole."""

import asyncio
import csv
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import services.submission
from deploy.demo.http_door import Ask
from services.submission.domain.conferences import conference_id
from services.submission.domain.partners import partner_id
from services.submission.form_fields import fields_of
from services.submission.template_cases import template_id
from shared.contracts.campaigns import campaign_id
from shared.contracts.fiche import fiche_id
from shared.contracts.references import DREETS
from tests.browser.desk import OPCO, Desk, Made
from tests.support.fiches import golden_content
from tests.support.stack import eventually

YEAR: Final = 2018
PARTNERS: Final = Path(services.submission.__file__).parent / "reference" / "partners_example.csv"
TEMPLATES: Final = (
    "Maçon, session de printemps",
    "Couvreur zingueur, deux sessions",
    "Électricien, contrat de professionnalisation",
)
_OF_THE_FILE: Final = (
    ("Maçon", "F1703"),
    ("Serrurier métallier", "H2913"),
    ("Carreleur mosaïste", "F1608"),
    ("Grutier", "N1104"),
    ("Peintre en bâtiment", "F1606"),
    ("Terrassier", "F1702"),
)
CONFERENCE: Final = dt.date(2018, 2, 8)
_DECLARED: Final = {
    "afdas": 4,
    "atlas": 9,
    "constructys": 14,
    "lopcommerce": 12,
    "opco-ep": 7,
    "opco-mobilites": 11,
    "uniformation": 6,
}
_TARGETS: Final = (
    ("constructys", "F1703", 12, "une douzaine"),
    ("constructys", "F1610", 3, None),
    ("constructys", "F1602", 4, None),
    ("opco-mobilites", "N4101", 8, None),
    ("lopcommerce", "D1106", 6, "cinq à sept"),
)


class Story:
    """Where the pages of it are: `at` gives the parts of their addresses by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.at: dict[str, str] = {}

    async def told(self) -> "Story":
        """Write everything down through the doors of the API; what rests on something else comes after it."""
        await asyncio.gather(self._partners(), self._year(), self._ended(), self._prepared(), self._templates())
        await self._file()
        return self

    async def _partners(self) -> None:
        """Put the directory's example in."""
        for row in csv.DictReader(io.StringIO(PARTNERS.read_text("utf-8")), delimiter=";"):
            sheet = {"code": row["code"], "name": row["nom"], "kind": row["reseau"], "zones": row["zones"].split()}
            more = {"mailbox": row["boite"] or None, "web": row["site"] or None}
            await self._desk.write("region", "record_partner", "/partners", {**sheet, **more}, None)
        self.at["partner"] = str(partner_id("exemple-avenir-caen"))

    async def _year(self) -> None:
        """Open campaigns, hold a conference, adopt a programme and revise it; OPCOs declare and deliver."""
        desk = self._desk
        for quarter, first, last in (
            (2, "2018-01-08", "2018-03-15"),
            (3, "2018-01-08", "2018-05-15"),
            (4, "2018-03-01", "2018-08-31"),
        ):
            campaign = {"year": YEAR, "quarter": quarter, "opens_on": first, "deadline": last}
            await desk.write(DREETS, "open_campaign", "/campaigns", campaign)
        summer = campaign_id(YEAR, 3)
        more = {
            "opco": OPCO,
            "deadline": "2018-05-30",
            "reason": "Quinze jours de plus\u202f: les marchés du bâtiment sont en cours.",
        }
        await desk.write(DREETS, "extend_campaign", f"/campaigns/{summer}/extensions", more, 1)
        agenda = ["Bilan des sessions de 2017", "Programme de 2018 par OPCO et par métier", "Calendrier des dépôts"]
        decisions = [
            "Le programme de 2018 est adopté\u202f: une douzaine de projets pour la maçonnerie.",
            "Les fiches du troisième trimestre sont attendues le 15 mai\u202f; Constructys a quinze jours de plus.",
        ]
        record: dict[str, Any] = {
            "held_on": str(CONFERENCE),
            "agenda": agenda,
            "decisions": [{"text": text} for text in decisions],
        }
        await desk.write(DREETS, "record_conference", "/conferences", record)
        record["decisions"] = [*record["decisions"], {"text": "La prochaine conférence se tient en juin."}]
        correction = {
            "agenda": agenda,
            "decisions": record["decisions"],
            "reason": "La date de la conférence suivante manquait.",
        }
        where = f"/conferences/{conference_id(CONFERENCE)}/corrections"
        await desk.write(DREETS, "correct_conference", where, correction, 1)
        targets = [dict(zip(("opco", "rome", "number", "words"), one, strict=True)) for one in _TARGETS]
        path = f"/programmes/{YEAR}/revisions"
        await desk.write(DREETS, "adopt_programme", path, {"adopted_on": "2018-02-08", "targets": targets[:4]}, None)
        targets[1]["number"] = 5
        await desk.write(DREETS, "adopt_programme", path, {"adopted_on": "2018-02-22", "targets": targets}, 1)
        months = (("F1703", "2018-09", 3), ("F1610", "2018-10", 2), ("F1602", "2018-11", 1))
        estimates = [{"rome": rome, "month": month, "projects": n} for rome, month, n in months]
        await desk.write(OPCO, "deliver_estimates", f"/programmes/{YEAR}/deliveries", {"estimates": estimates})
        for opco, number in _DECLARED.items():
            said = {
                "year": YEAR,
                "as_of": "2018-02-15",
                "number": number,
                "source": "ENQUETE" if number % 2 else "OUTIL_DE_GESTION",
            }
            await desk.write(opco, "declare_projects", "/declarations", said)
        self.at |= {"campaign": str(summer), "conference": str(conference_id(CONFERENCE)), "year": str(YEAR)}

    async def _ended(self) -> None:
        """Bring a session to its end: what became of its people is told, and the fiche taken up again for another year."""
        desk = self._desk
        ended = Made(
            "CY-2018-051", "Solier moquettiste", "Rouen", "2018-01-08", "2018-02-23", "engaged", 12, 399, "F1609"
        )
        told = Made(
            "CY-2018-052", "Poseur de menuiseries", "Caen", "2018-01-15", "2018-02-23", "engaged", 12, 399, "F1607"
        )
        adapted = Made(
            "CY-2018-053", "Charpentier bois", "Rouen", "2018-05-07", "2018-07-27", "to_adapt", 12, 399, "F1503"
        )
        await asyncio.gather(*(desk.put(one) for one in (ended, told, adapted)))
        placed = [
            {"contract": "CDI", "count": 5},
            {"contract": "CDD_12_MOIS", "count": 2},
            {"contract": "INTERIM", "count": 1},
        ]
        satisfied = {"companies_asked": 6, "companies_answered": 5, "companies_satisfied": 4}
        placements = {"moment": "FIN", "finishing": 10, "placed": placed, **satisfied}
        where = f"/fiches/{told.id}"
        await desk.write(OPCO, "return_placements", f"{where}/sessions/1/placements", {"placements": placements})
        again = {"reference": "CY-2019-017", "programme_year": 2019}
        await desk.write(OPCO, "renew_fiche", f"{where}/renewal", again, None)
        await desk.write(
            OPCO,
            "accept_adaptation",
            f"/fiches/{adapted.id}/adaptation/acceptance",
            {"acknowledged": ["FOLLOW_UP_GAP"]},
        )
        self.at |= {
            "ended": str(ended.id),
            "told": str(told.id),
            "renewed": str(fiche_id(OPCO, "CY-2019-017")),
            "adapted": str(adapted.id),
        }

    async def _prepared(self) -> None:
        """Announce what is meant, and type a fiche that is like one that was filed."""
        desk = self._desk
        meant = {
            "programme_year": YEAR,
            "title": "Façadier",
            "rome": "F1611",
            "zone_emploi": "2804",
            "starts_from": "2018-09-03",
            "starts_until": "2018-10-15",
            "seats": 12,
            "sessions": 2,
        }
        await desk.write(
            OPCO, "preprogramme_fiche", "/fiches/intentions", {"reference": "CY-2018-041", "intention": meant}, None
        )
        filed = Made("CY-2018-040", "Maçon", "Caen", "2018-05-14", "2018-08-03", "submitted")
        await desk.put(filed)
        typed = self._typed(Made("CY-2018-042", "Maçon", "Caen", "2018-05-28", "2018-08-10", "draft"))
        await desk.write(OPCO, "draft_fiche", "/fiches/drafts", {"reference": "CY-2018-042", "fields": typed}, None)
        self.at |= {"intention": str(fiche_id(OPCO, "CY-2018-041")), "draft": str(fiche_id(OPCO, "CY-2018-042"))}

    def _typed(self, made: Made) -> dict[str, str]:
        chosen = [str(partner_id("exemple-avenir-caen"))]
        sourcing = {"plan": f"Deux informations collectives à {made.city}.", "partners": [], "partner_ids": chosen}
        tender: dict[str, Any] = {"published_on": "2018-01-15", "offers_due_on": "2018-02-12", "awarded_on": "2018-02-26"}
        tender |= {"contract_ends_on": "2020-12-31", "provider_enters_session": True}
        return fields_of(self._desk.content(made, sourcing=sourcing, tender=tender))

    async def _templates(self) -> None:
        """Keep three templates."""
        for name in TEMPLATES:
            fields = fields_of(golden_content(title=f"POEC - {name.partition(',')[0]}"))
            body = {"template": name, "fields": fields}
            await self._desk.write(OPCO, "save_template", "/templates", body, None)
        self.at["template"] = str(template_id(OPCO, TEMPLATES[0]))

    async def _file(self) -> None:
        """Send a file of fiches: some are filed, one of them alike, one is warned about, one refused for four reasons."""
        rows = [
            self._desk.filed(
                Made(f"CY-2018-06{n}", title, "Caen", f"2018-06-{4 + n:02}", "2018-08-31", "submitted", 10, 350, rome),
                hours={"total": 350, "centre": 280, "company": 70},
            )
            for n, (title, rome) in enumerate(_OF_THE_FILE)
        ]
        rows[1]["acknowledged"] = []
        rows[1]["content"]["hours"]["centre"] = 350
        wrong = rows[3]["content"]
        wrong["hours"]["total"] = 900
        wrong["branch_idcc"] = "1413"
        wrong["sessions"][0]["end"] = "2018-05-31"
        http = self._desk.http
        reply = await http.write(Ask(OPCO, "submission", "import_fiches", "/imports", {}, str(uuid4()), rows=rows))
        assert reply.outcome == "accepted", f"{reply.status} {reply.codes}"
        self.at["import"] = reply.body["import_id"]

        async def is_done() -> bool:
            read = await http.read(OPCO, "submission", f"/imports/{self.at['import']}")
            return bool(read.body["state"] == "done")

        await eventually(is_done, 60, "the file is carried out")


def parts(story: Story, made: Mapping[str, Made]) -> dict[str, str]:
    """Return the parts of addresses: of the story, and of the desk's own fiches by how far they are."""
    return {**story.at, **{stage: str(one.id) for stage, one in made.items()}}
