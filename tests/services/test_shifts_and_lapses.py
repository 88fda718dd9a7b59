"""From what an OPCO changes to what becomes of its avis: submission measures, validation decides (rule 8, minutes L254-262)."""

import datetime as dt
from typing import Any

import pytest

from services.submission.domain import decisions, hearing, sessions
from services.submission.domain.admissibility import WARNINGS
from services.validation.domain import hearing as dossiers
from services.validation.domain.avis import AskedAvis, give_avis
from services.validation.domain.dossier import Dossier
from services.validation.domain.dossier import Status as DossierStatus
from shared.contracts.references import AvisKind, AvisReason, SessionMotive
from shared.contracts.submission import FicheAmended, FicheSubmitted, SessionPostponed
from shared.contracts.validation import AvisLapsed
from tests.services.submission import filings as f
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE, golden_content

BEFORE = golden_content(sessions=[f.session()])
CALENDRIER, LIEU, DOMAINE = ((reason,) for reason in (AvisReason.CALENDRIER, AvisReason.LIEU, AvisReason.DOMAINE))


def dossier() -> Dossier:
    """Return the dossier of the fiche, with an avis on its first content."""
    decision = decisions.submit_fiche(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, f.filing(BEFORE), f.GIVEN, None)
    (filed,) = decision.events
    assert isinstance(filed, FicheSubmitted)
    opened, _ = dossiers.open_dossier(filed, f.NOON, dossiers.Limits())
    return give_avis(opened, AskedAvis(AvisKind.COMPLEMENTAIRE, (), ""), "region", f.NOON)[0]


def lapse(revision: int, content: Any) -> tuple[AvisReason, ...]:
    after, events = dossiers.take_content(dossier(), revision, content, dossiers.Limits())
    lapsed = [event for event in events if isinstance(event, AvisLapsed)]
    assert (after.status is DossierStatus.AVIS_LAPSED) == bool(lapsed)
    if lapsed:
        told = hearing.avis_lapsed(hearing.avis_given(f.filed(BEFORE), f.GAVE), lapsed[0])
        assert told.status.value == "avis_lapsed"
    return lapsed[0].reasons if lapsed else ()


@pytest.mark.parametrize(("days", "reasons"), [(1, ()), (30, ()), (31, CALENDRIER), (-30, ()), (-31, CALENDRIER)])
def test_a_session_postponed_by_more_than_thirty_days_makes_the_avis_lapse(days: int, reasons: tuple[AvisReason, ...]) -> None:
    plan, move = BEFORE.sessions[0], dt.timedelta(days=days)
    known = ("LEAD_TIME_SHORT",)
    to = sessions.NewDates(plan.start + move, plan.end + move, SessionMotive.AUTRE, known)
    early = f.NOON - dt.timedelta(days=90)
    (event,) = sessions.postpone_session(f.filed(BEFORE), 1, to, f.GIVEN, early).events
    assert isinstance(event, SessionPostponed)
    assert event.shift_days == days
    assert lapse(event.revision, event.content) == reasons


@pytest.mark.parametrize(
    ("changes", "moved", "reasons"),
    [
        ({"title": "POEC - Peintre"}, set(), ()),
        ({"place": {"insee": "50129"}}, {"commune_moved"}, LIEU),
        ({"place": {"zone_emploi": "2805"}}, {"zone_moved"}, LIEU),
        ({"formacodes": ["23042", "22472", "23053"]}, {"main_formacode_moved"}, DOMAINE),
        ({"formacodes": ["22472", "23053", "23042"]}, set(), ()),
    ],
)
def test_another_commune_zone_or_main_formacode_makes_the_avis_lapse(
    changes: dict[str, Any], moved: set[str], reasons: tuple[AvisReason, ...]
) -> None:
    content = golden_content(**{"sessions": [f.session()], **changes})
    filing = f.filing(content, tuple(f.codes(_warnings(content))))
    (event,) = decisions.amend_fiche(f.filed(BEFORE), filing, f.GIVEN).events
    assert isinstance(event, FicheAmended)
    said = event.shift.model_dump()
    assert {name for name, true in said.items() if true is True} == moved
    assert lapse(event.revision, content) == reasons


def _warnings(content: Any) -> Any:
    """Return the warnings of a content, to have read them; another zone than the commune's may be one of them."""
    return tuple(warning for rule in WARNINGS if (warning := rule(f.case(**content.model_dump(mode="json")))))
