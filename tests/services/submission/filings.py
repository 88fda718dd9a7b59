"""Fiches for the tests of submission: filed in time, in every status, and the events that bring them there."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.submission.domain import decisions, hearing, placements, sessions
from services.submission.domain.case import Case, Given, Rule
from services.submission.domain.decisions import Filing
from services.submission.domain.desk import Campaign, Desk
from services.submission.domain.fiche import PREPARED, Fiche, Status
from services.submission.domain.preparation import Held, Preparation
from services.submission.reference import references
from shared.contracts.fiche import FicheContent, Intention, OutsideCampaign, fiche_id
from shared.contracts.placements import Placements
from shared.contracts.references import (
    AvisKind,
    AvisReason,
    PlacementMoment,
    RefusalReason,
    SessionMotive,
    WithdrawalReason,
)
from shared.contracts.validation import (
    Adaptation,
    AdaptationProposed,
    AvisGiven,
    AvisLapsed,
    CompletionAsked,
    CompletionItem,
    DossierOpened,
    FicheRefused,
    FicheValidated,
    ProposedSession,
)
from shared.errors import Objection
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, GOLDEN_WARNINGS, golden_content, golden_json

GIVEN = Given(references())
NOON = dt.datetime(2018, 3, 1, 12, tzinfo=dt.UTC)
TODAY = NOON.date()
FICHE: UUID = fiche_id(GOLDEN_OPCO, GOLDEN_REFERENCE)
ABOUT: Mapping[str, Any] = {"fiche_id": FICHE, "opco": GOLDEN_OPCO, "revision": 1}
EXPIRES = dt.date(2018, 3, 20)

OPENED = DossierOpened(**ABOUT, avis_due_on=dt.date(2018, 3, 16))
ASKED = CompletionAsked(**ABOUT, items=(CompletionItem(field="hours.total", request="Précisez la durée."),))
PROPOSED = AdaptationProposed(
    **ABOUT,
    reasons=(AvisReason.CALENDRIER,),
    adaptation=Adaptation(
        sessions=(ProposedSession(number=1, start=dt.date(2018, 5, 14), end=dt.date(2018, 8, 17)),), place=None
    ),
    comment="Une session du PRF commence le même jour.",
    expires_on=EXPIRES,
)
GAVE = AvisGiven(**ABOUT, avis=AvisKind.COMPLEMENTAIRE, reasons=(), comment="")
LAPSED = AvisLapsed(**ABOUT, avis_revision=1, reasons=(AvisReason.CALENDRIER,), was_validated=False)
VALIDATED = FicheValidated(
    **ABOUT,
    reference="POEC-2018-A1B2C3",
    validated_on=dt.date(2018, 3, 20),
    validated_by="Pôle emploi",
    against_avis=False,
)
REFUSED = FicheRefused(**ABOUT, reasons=(RefusalReason.HORS_CADRE_POEC,), comment="Hors cadre.")


def filing(content: FicheContent | None = None, acknowledged: tuple[str, ...] = GOLDEN_WARNINGS) -> Filing:
    return Filing(content or golden_content(), acknowledged, NOON)


def filed(content: FicheContent | None = None, acknowledged: tuple[str, ...] = GOLDEN_WARNINGS) -> Fiche:
    asked = filing(content, acknowledged)
    return decisions.submit_fiche(FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, asked, GIVEN, None).fiche


def case(opco: str = GOLDEN_OPCO, on: dt.date = TODAY, before: Fiche | None = None, **changes: Any) -> Case:
    return Case(golden_content(**changes), opco, on, GIVEN, before)


def at_desk(desk: Desk, examined: Case, outside: OutsideCampaign | None = None) -> Case:
    """Return the case as it stands with this on the desk, and with what its OPCO says of the deadline."""
    return replace(examined, given=examined.given.beside(desk), outside_campaign=outside)


SPRING = Campaign(2018, 2, dt.date(2018, 2, 28), {"akto": dt.date(2018, 3, 15)})
"""The campaign of the golden fiche's quarter: it ended the day before the golden fiche is filed, later for one other OPCO."""
PARTNER = UUID("5b0c1d52-3a9f-5c1e-9d36-0f3a6b1c7e21")


def session(**changes: Any) -> dict[str, Any]:
    """Return the golden session with changes, as JSON; without its meeting unless one is given."""
    return {**golden_json()["sessions"][0], "meetings": [], **changes}


def two_sessions() -> FicheContent:
    return golden_content(
        sessions=[session(), session(number=2, start="2018-06-04", end="2018-09-07")], hires_announced=20
    )


def validated() -> Fiche:
    return validated_with(golden_content())


def validated_with(content: FicheContent) -> Fiche:
    return hearing.fiche_validated(hearing.avis_given(filed(content), GAVE), VALIDATED)


def confirmed(fiche: Fiche | None = None) -> Fiche:
    return decisions.confirm_programmation(fiche or validated()).fiche


def engaged(fiche: Fiche | None = None, number: int = 1) -> Fiche:
    return sessions.engage_session(fiche or confirmed(), number, 8, None).fiche


def told(moment: PlacementMoment = PlacementMoment.FIN, **changes: Any) -> Placements:
    return Placements.model_validate({"moment": moment, "finishing": 9, **changes})


AFTERWARDS = dt.datetime(2019, 1, 15, 12, tzinfo=dt.UTC)
"""Both moments of the golden session have come."""


def reviewed() -> Fiche:
    fiche = engaged()
    for moment in PlacementMoment:
        fiche = placements.return_placements(fiche, 1, told(moment), AFTERWARDS).fiche
    return fiche


AT: dict[Status, Callable[[], Fiche]] = {
    Status.SUBMITTED: filed,
    Status.TO_COMPLETE: lambda: hearing.completion_asked(filed(), ASKED),
    Status.TO_ADAPT: lambda: hearing.adaptation_proposed(filed(), PROPOSED),
    Status.AVIS_LAPSED: lambda: hearing.avis_lapsed(hearing.avis_given(filed(), GAVE), LAPSED),
    Status.VALIDATED: validated,
    Status.CONFIRMED: confirmed,
    Status.REVIEWED: reviewed,
    Status.REFUSED: lambda: hearing.fiche_refused(filed(), REFUSED),
    Status.WITHDRAWN: lambda: decisions.withdraw_fiche(filed(), WithdrawalReason.AUTRE).fiche,
    Status.CANCELLED: lambda: sessions.cancel_session(filed(), 1, SessionMotive.BESOIN_DISPARU).fiche,
}
"""How a fiche comes to each status."""


INTENTION = Intention(
    programme_year=2018,
    title="POEC - Peintre industriel",
    rome="H3404",
    zone_emploi="2816",
    starts_from=dt.date(2018, 4, 1),
    starts_until=dt.date(2018, 6, 30),
    seats=12,
)


def prepared(status: Status = Status.DRAFT) -> Preparation:
    fields = {"title": "POEC - Peintre industriel"} if status is Status.DRAFT else {}
    meant = INTENTION if status is Status.PREPROGRAMMED else None
    return Preparation(FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, status, 1, NOON, fields, meant)


def held(status: Status) -> Held:
    return prepared(status) if status in PREPARED else AT[status]()


def codes(objections: tuple[Objection, ...]) -> list[str]:
    return [objection.code for objection in objections]


NATIONAL = {"level": "NATIONALE", "reference": "2021-44", "decided_on": "2021-06-08", "cap": 434}
IN_FORCE = dt.date(2021, 6, 8)
REGIONAL = {
    "level": "REGIONALE",
    "reference": "DR-2018-7",
    "decided_on": "2018-03-01",
    "cap": 420,
    "zones": ["2816", "2805"],
    "valid_until": "2018-12-31",
}


def lasting(total: int, **changes: Any) -> Case:
    return case(hours={"total": total, "centre": total - 70, "company": 70}, **changes)


def says(rule: Rule, examined: Case) -> str | None:
    objection = rule(examined)
    return objection.code if objection else None
