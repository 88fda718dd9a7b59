"""What the year also shows, one French line each, read when it is over: from the topics, and from submission by its doors."""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.demo.contents import ANNOUNCER
from deploy.demo.http_door import HttpDoor
from deploy.demo.margins import FILED_TOGETHER, RENEWED, YEAR
from deploy.demo.watch import Watch
from shared.contracts import campaigns, submission
from shared.contracts.fiche import fiche_id
from shared.contracts.labels import label
from shared.contracts.references import OPCOS, PlacementMoment, SourcingCause

NBSP: Final = "\u202f"
_OUTCOMES: Final = {
    "accepted": "déposée",
    "warned": "avertie",
    "unchanged": "déjà déposée",
    "refused": "refusée",
}


@dataclass(frozen=True)
class Told:
    """One thing that the year shows: its kind, a French line, the figures behind it."""

    kind: str
    line: str
    facts: dict[str, Any] = field(default_factory=dict)


async def told(http: HttpDoor, watch: Watch) -> list[Told]:
    """Return what a play has shown, by what it saw on the topics and what submission answers."""
    heard = (_campaigns(watch), _intentions(watch), _causes(watch), _placements(watch))
    asked = [one async for one in _asked(http)]
    return [*(one for one in heard if one), *asked]


def day(text: str) -> str:
    """Return an ISO date as people write it."""
    return dt.date.fromisoformat(text).strftime("%d/%m/%Y")


def _values(watch: Watch, event: type[Any]) -> list[dict[str, Any]]:
    return [seen.value for seen in watch.of_type(event.wire_type)]


def _campaigns(watch: Watch) -> Told | None:
    opened, extended = _values(watch, campaigns.CampaignOpened), _values(watch, campaigns.CampaignExtended)
    late = [said for said in _values(watch, submission.FicheSubmitted) if said.get("outside_campaign")]
    if not opened:
        return None
    longer = "".join(f", T{said['quarter']} prolongée au {day(said['deadline'])}" for said in extended)
    line = (
        f"Campagnes{NBSP}: {len(opened)} ouvertes{longer}{NBSP}; {len(late)} fiches déposées hors délai disent pourquoi"
    )
    return Told("campaigns", line, {"opened": len(opened), "extended": len(extended), "late": len(late)})


def _intentions(watch: Watch) -> Told | None:
    meant = {said["fiche_id"] for said in _values(watch, submission.FichePreprogrammed)}
    if not meant:
        return None
    filed = meant & {said["fiche_id"] for said in _values(watch, submission.FicheSubmitted)}
    line = (
        f"Intentions{NBSP}: {OPCOS[ANNOUNCER]} en annonce {len(meant)}, dont {len(filed)} devenues des fiches{NBSP};"
        f" {len(meant) - len(filed)} pour {YEAR + 1}, hors de tout autre compte"
    )
    return Told("intentions", line, {"announced": len(meant), "filed": len(filed)})


def _causes(watch: Watch) -> Told | None:
    causes = Counter(said["cause"] for said in _values(watch, submission.SessionCancelled) if said.get("cause"))
    if not causes:
        return None
    named = {label(SourcingCause(cause)).lower(): times for cause, times in causes.items()}
    first = sorted(named.items(), key=lambda one: (-one[1], one[0]))[:2]
    parts = " et ".join(f"{name} ({times})" for name, times in first)
    line = f"Sourcing{NBSP}: {causes.total()} annulations disent leur cause, d’abord {parts}"
    return Told("causes", line, dict(causes))


def _placements(watch: Watch) -> Told | None:
    returned = [said["placements"] for said in _values(watch, submission.PlacementsReturned)]
    if not returned:
        return None
    people = {moment: _people(said for said in returned if said["moment"] == moment) for moment in PlacementMoment}
    (finishing, at_end), (asked, later) = people[PlacementMoment.FIN], people[PlacementMoment.TROIS_MOIS]
    line = (
        f"Bilans{NBSP}: {len(returned)} rendus, {at_end} personnes sur {finishing} en emploi à la fin,"
        f" {later} sur {asked} trois mois après"
    )
    return Told("placements", line, {"returned": len(returned), "placed": {m.value: p for m, (_, p) in people.items()}})


def _people(returned: Iterable[dict[str, Any]]) -> tuple[int, int]:
    """Return people who finished, and those of them in a job."""
    told = list(returned)
    return sum(said["finishing"] for said in told), sum(one["count"] for said in told for one in said.get("placed", ()))


async def _asked(http: HttpDoor) -> AsyncIterator[Told]:
    """Yield what no topic says: files that came in, and a draft that only its OPCO sees."""
    opco = FILED_TOGETHER[0]
    files = (await http.read(opco, "submission", "/imports")).body["imports"]
    for number, one in enumerate(reversed(files), 1):
        counts = one["counts"]
        parts = ", ".join(
            f"{counts[name]} {word}{'s' if counts[name] > 1 else ''}"
            for name, word in _OUTCOMES.items()
            if counts[name]
        )
        again = " renvoyé, avertissements lus" if number > 1 else ""
        yield Told("import", f"Fichier{NBSP}: {one['fiches']} fiches d’{OPCOS[opco]}{again}{NBSP}: {parts}", counts)
    draft = await http.read(ANNOUNCER, "submission", f"/fiches/{fiche_id(ANNOUNCER, RENEWED[1])}")
    if draft.body.get("renews") == str(fiche_id(ANNOUNCER, RENEWED[0])):
        fields, status = len(draft.body["fields"]), draft.body["status_label"].lower()
        line = (
            f"Reconduction{NBSP}: {RENEWED[1]} reprend {RENEWED[0]}, {fields} champs, {status}{NBSP}: dans aucun compte"
        )
        yield Told("renewal", line, {"reference": RENEWED[1], "fields": fields, "status": draft.body["status"]})
