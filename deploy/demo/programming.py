"""What frames the year: the conference adopts a programme and opens the campaigns, gives two weeks more, OPCOs declare the next year.

Everything but the 178 projects (minutes L209-212), 15 May and the two weeks more (L283-289, L487-490) is invented. A fiche that is filed
after the deadline of its quarter says why, as everybody has to.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.demo.contents import content_of
from deploy.demo.http_door import Ask
from deploy.demo.margins import DECLARED_2022, YEAR
from deploy.demo.year_2021 import Fiche
from shared.contracts.campaigns import campaign_id, declaration_id, programme_id
from shared.contracts.fiche import FicheContent, OutsideCampaign
from shared.contracts.references import FicheKind, OutsideMotive

CLIENT: Final = "dreets"
FIRST_DAY: Final = dt.date(2020, 10, 1)
OPENS_ON: Final = dt.date(2020, 9, 28)
DEADLINES: Final[Mapping[int, dt.date]] = {
    1: dt.date(2020, 12, 4),
    2: dt.date(2021, 3, 5),
    3: dt.date(2021, 5, 15),
    4: dt.date(2021, 8, 27),
}
"""Quarter of the first start to the last day to file; that of the third is the 15 May of the minutes."""
EXTENDED: Final = 3
EXTENDED_ON: Final = dt.date(2021, 5, 12)
EXTENDED_TO: Final = dt.date(2021, 5, 30)
DELIVERED_ON: Final = dt.date(2021, 7, 1)
DECLARED_ON: Final = dt.date(2021, 12, 9)
_DOZEN: Final = range(11, 14)
_WHY: Final = {
    FicheKind.CONJONCTURELLE: OutsideMotive.CONJONCTUREL,
    FicheKind.STRUCTURANTE: OutsideMotive.MARCHE_PUBLIC,
}


@dataclass(frozen=True)
class Deed:
    """Something that is put on record on a day, by a client."""

    on: dt.date
    ask: Ask

    @property
    def key(self) -> str:
        """Return its Idempotency-Key, the same at every play."""
        return self.ask.key or ""


def programming(fiches: Sequence[Fiche]) -> tuple[Deed, ...]:
    """Return what is put on record around these fiches, in its order."""
    contents = [(fiche, content_of(fiche)) for fiche in fiches]
    return (
        _programme(contents),
        *(_opened(quarter) for quarter in DEADLINES),
        _extended(),
        *_delivered(contents),
        *(_declared(opco, number) for opco, number in DECLARED_2022.items()),
    )


def outside_campaign(fiche: Fiche, content: FicheContent) -> OutsideCampaign | None:
    """Return why a fiche is filed after the deadline of its quarter; None for one that is filed in time."""
    start = min(plan.start for plan in content.sessions)
    quarter, filed = (start.month + 2) // 3, fiche.steps[0].on
    last = DEADLINES[quarter]
    if quarter == EXTENDED and filed >= EXTENDED_ON:
        last = EXTENDED_TO
    if start.year != YEAR or filed <= last:
        return None
    return OutsideCampaign(motive=_WHY[content.kind])


def _deed(
    on: dt.date,
    client: str,
    operation: str,
    about: object,
    path: str,
    body: Mapping[str, Any],
    revision: int | None = None,
) -> Deed:
    key = f"demo-2021/{client}/{operation}/{about}"
    return Deed(on, Ask(client, "submission", operation, path, body, key, str(about), revision))


def _programme(contents: Sequence[tuple[Fiche, FicheContent]]) -> Deed:
    """Return the adoption of the programme: a target for each OPCO and métier of the year, « une douzaine » where it is near one."""
    wanted = Counter((fiche.opco, content.rome) for fiche, content in contents)
    targets = [
        {
            "opco": opco,
            "rome": rome,
            **({"number": 12, "words": "une douzaine"} if number in _DOZEN else {"number": number}),
        }
        for (opco, rome), number in sorted(wanted.items())
    ]
    body = {"adopted_on": OPENS_ON.isoformat(), "targets": targets}
    return _deed(FIRST_DAY, CLIENT, "adopt_programme", programme_id(YEAR), f"/programmes/{YEAR}/revisions", body)


def _opened(quarter: int) -> Deed:
    body = {
        "year": YEAR,
        "quarter": quarter,
        "opens_on": OPENS_ON.isoformat(),
        "deadline": DEADLINES[quarter].isoformat(),
    }
    return _deed(FIRST_DAY, CLIENT, "open_campaign", campaign_id(YEAR, quarter), "/campaigns", body)


def _extended() -> Deed:
    campaign = campaign_id(YEAR, EXTENDED)
    reason = "Le choix des organismes de formation s’achève fin mai, début juin."
    body = {"deadline": EXTENDED_TO.isoformat(), "reason": reason}
    return _deed(EXTENDED_ON, CLIENT, "extend_campaign", campaign, f"/campaigns/{campaign}/extensions", body, 1)


def _delivered(contents: Sequence[tuple[Fiche, FicheContent]]) -> list[Deed]:
    """Return what each OPCO expects on the day: the sessions it is going to file, by métier and month of their start."""
    to_come: dict[str, Counter[tuple[str, str]]] = {}
    for fiche, content in contents:
        start = min(plan.start for plan in content.sessions)
        if fiche.steps[0].on > DELIVERED_ON and start.year == YEAR:
            to_come.setdefault(fiche.opco, Counter())[content.rome, f"{start:%Y-%m}"] += 1
    return [
        _deed(
            DELIVERED_ON,
            opco,
            "deliver_estimates",
            f"{YEAR}/{DELIVERED_ON:%Y-%m}",
            f"/programmes/{YEAR}/deliveries",
            {"estimates": [{"rome": r, "month": m, "projects": n} for (r, m), n in sorted(expected.items())]},
        )
        for opco, expected in sorted(to_come.items())
    ]


def _declared(opco: str, number: int) -> Deed:
    body = {"year": YEAR + 1, "as_of": DECLARED_ON.isoformat(), "number": number, "source": "ENQUETE"}
    about = declaration_id(opco, YEAR + 1)
    return _deed(DECLARED_ON, opco, "declare_projects", about, "/declarations", body)
