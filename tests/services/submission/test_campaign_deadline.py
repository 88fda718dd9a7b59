"""A fiche is filed by the last day of the campaign of its quarter, or says why it comes after it."""

import datetime as dt
from dataclasses import replace

import pytest

from services.submission.domain import calendar, decisions
from services.submission.domain.desk import Desk
from shared.contracts.fiche import OutsideCampaign
from shared.contracts.references import OutsideMotive
from shared.contracts.submission import FicheSubmitted
from shared.errors import WarningsUnanswered
from tests.services.submission.filings import (
    GIVEN,
    NOON,
    SPRING,
    at_desk,
    case,
    filed,
    filing,
    says,
    session,
)
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE

OUTSIDE = OutsideCampaign(motive=OutsideMotive.MARCHE_PUBLIC, reason="Marché attribué fin mai.")
OPEN_CAMPAIGN = replace(SPRING, deadline=NOON.date())


@pytest.mark.parametrize(
    ("opco", "on", "code"),
    [
        ("opco-2i", dt.date(2018, 2, 28), None),
        ("opco-2i", dt.date(2018, 3, 1), "CAMPAIGN_CLOSED"),
        ("akto", dt.date(2018, 3, 15), None),  # the conference gave this one two weeks more
        ("akto", dt.date(2018, 3, 16), "CAMPAIGN_CLOSED"),
    ],
)
def test_a_fiche_is_filed_by_the_last_day_of_its_campaign(opco: str, on: dt.date, code: str | None) -> None:
    examined = at_desk(Desk((SPRING,)), case(opco, on))
    assert says(calendar.campaign_is_open, examined) == code
    assert says(calendar.campaign_is_open, replace(examined, outside_campaign=OUTSIDE)) is None
    assert says(calendar.campaign_is_open, replace(examined, before=filed())) is None


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("2018-03-31", None),
        ("2018-04-01", "CAMPAIGN_CLOSED"),
        ("2018-06-30", "CAMPAIGN_CLOSED"),
        ("2018-07-01", None),
        ("2019-04-01", None),
    ],
)
def test_the_campaign_is_that_of_the_quarter_of_the_first_start(start: str, code: str | None) -> None:
    examined = case(sessions=[session(start=start, end="2019-12-31"), session(number=2, start="2019-12-01")])
    assert says(calendar.campaign_is_open, at_desk(Desk((SPRING,)), examined)) == code
    assert says(calendar.campaign_is_open, examined) is None


def test_an_extension_that_ends_before_the_deadline_takes_nothing_away() -> None:
    early = Desk((replace(SPRING, extensions={GOLDEN_OPCO: dt.date(2018, 1, 1)}),))
    assert says(calendar.campaign_is_open, at_desk(early, case(on=SPRING.deadline))) is None


@pytest.mark.parametrize(
    ("desk", "kept"), [(Desk((SPRING,)), OUTSIDE), (Desk(), OUTSIDE), (Desk((OPEN_CAMPAIGN,)), None)]
)
def test_why_a_fiche_comes_late_is_kept_and_said_unless_it_is_in_time(
    desk: Desk, kept: OutsideCampaign | None
) -> None:
    late = replace(filing(), outside_campaign=OUTSIDE)
    done = decisions.submit_fiche(filed().id, GOLDEN_OPCO, GOLDEN_REFERENCE, late, GIVEN.beside(desk), None)
    assert done.fiche.outside_campaign == kept
    (event,) = done.events
    assert isinstance(event, FicheSubmitted)
    assert event.outside_campaign == kept


def test_a_person_named_in_the_reason_for_coming_late_is_a_warning() -> None:
    said = OutsideCampaign(motive=OutsideMotive.CONJONCTUREL, reason="Demandé par Mme Exemple.")
    with pytest.raises(WarningsUnanswered) as unanswered:
        decisions.submit_fiche(
            filed().id, GOLDEN_OPCO, GOLDEN_REFERENCE, replace(filing(), outside_campaign=said), GIVEN, None
        )
    assert [one.field for one in unanswered.value.warnings if one.code == "PERSON_NAME_SUSPECTED"] == ["outside_campaign.reason"]
