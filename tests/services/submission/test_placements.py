"""What became of a group: when it may be said, which figures fit together, when the fiche is reviewed, and through the doors."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from services.submission.domain import placements
from services.submission.domain.fiche import Status
from services.submission.domain.placements import due_on, return_placements
from services.submission.domain.sessions import cancel_session
from shared.contracts.fiche import SessionPlan
from shared.contracts.ingress import ReturnPlacements
from shared.contracts.placements import Placements
from shared.contracts.references import PlacementMoment, SessionMotive
from shared.contracts.submission import PlacementsReturned
from shared.contracts.validation import AvisGiven, FicheValidated
from shared.errors import NotAllowedNow, RulesRefused
from tests.services.submission import filings as f
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_json
from tests.support.servers import Servers

FIN, LATER = PlacementMoment.FIN, PlacementMoment.TROIS_MOIS
END = dt.date(2018, 8, 3)


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def plan(end: str) -> SessionPlan:
    return SessionPlan(number=1, start=dt.date(2018, 1, 8), end=dt.date.fromisoformat(end), seats=12, minimum=6)


def refused(told: Placements, at: dt.datetime = f.AFTERWARDS) -> list[str]:
    with pytest.raises(RulesRefused) as wrong:
        return_placements(f.engaged(), 1, told, at)
    return f.codes(wrong.value.objections)


@pytest.mark.parametrize(("moment", "end", "due"), [
    (FIN, "2018-08-03", "2018-08-04"), (LATER, "2018-08-03", "2018-11-04"), (LATER, "2018-11-30", "2019-03-01"),
    (LATER, "2019-11-30", "2020-03-01"), (LATER, "2018-10-31", "2019-02-01"), (LATER, "2018-12-31", "2019-04-01"),
    (FIN, "9999-12-31", "9999-12-31"), (LATER, "9999-11-30", "9999-12-31"),
])  # fmt: skip
def test_a_moment_has_come_the_day_after_it(moment: PlacementMoment, end: str, due: str) -> None:
    assert due_on(plan(end), moment) == dt.date.fromisoformat(due)


@pytest.mark.parametrize("moment", PlacementMoment)
def test_what_became_of_a_group_is_not_known_before_its_moment(moment: PlacementMoment) -> None:
    due = due_on(plan(END.isoformat()), moment)
    assert refused(f.told(moment), noon(due - dt.timedelta(days=1))) == ["PLACEMENTS_EARLY"]
    assert return_placements(f.engaged(), 1, f.told(moment), noon(due)).events


@pytest.mark.parametrize(("changes", "codes"), [
    ({"finishing": 13}, ["PLACEMENTS_FINISHING"]),
    ({"placed": [{"contract": "CDI", "count": 6}, {"contract": "INTERIM", "count": 4}]}, ["PLACEMENTS_PLACED"]),
    ({"placed": [{"contract": "CDI", "count": 1}, {"contract": "CDI", "count": 1}]}, ["PLACEMENTS_TWICE"]),
    ({"companies_asked": 2, "companies_answered": 3}, ["PLACEMENTS_ANSWERS"]),
    ({"companies_asked": 3, "companies_answered": 2, "companies_satisfied": 3}, ["PLACEMENTS_ANSWERS"]),
    ({"finishing": 13, "placed": [{"contract": "CDI", "count": 14}], "companies_satisfied": 1},
     ["PLACEMENTS_FINISHING", "PLACEMENTS_PLACED", "PLACEMENTS_ANSWERS"]),
])  # fmt: skip
def test_figures_fit_together_and_all_that_do_not_are_named(changes: dict[str, Any], codes: list[str]) -> None:
    assert refused(f.told(**changes)) == codes


def test_figures_at_their_limits_pass() -> None:
    asked = {"companies_asked": 3, "companies_answered": 3, "companies_satisfied": 3}
    full = f.told(FIN, finishing=12, placed=[{"contract": "CDI", "count": 12}], **asked)
    assert return_placements(f.engaged(), 1, full, f.AFTERWARDS).events


def test_a_fiche_is_reviewed_once_every_session_that_is_left_has_both_returns() -> None:
    fiche = f.engaged(f.engaged(f.confirmed(f.validated_with(f.two_sessions()))), 2)
    told = [(1, FIN), (2, FIN), (2, LATER), (1, FIN), (1, LATER)]
    statuses = []
    for number, moment in told:
        decision = placements.return_placements(fiche, number, f.told(moment), f.AFTERWARDS)
        fiche = decision.fiche
        (event,) = decision.events
        assert isinstance(event, PlacementsReturned)
        assert event.fiche_reviewed == (fiche.status is Status.REVIEWED)
        statuses.append(fiche.status)
    assert statuses == [Status.CONFIRMED] * 4 + [Status.REVIEWED]
    corrected = return_placements(fiche, 1, f.told(FIN, finishing=11), f.AFTERWARDS).fiche
    assert (corrected.status, corrected.sessions[1].returned[FIN].finishing) == (Status.REVIEWED, 11)


def test_a_session_that_was_cancelled_has_nothing_to_return_and_does_not_hold_the_review_up() -> None:
    fiche = f.engaged(f.confirmed(f.validated_with(f.two_sessions())))
    fiche = cancel_session(fiche, 2, SessionMotive.BESOIN_DISPARU).fiche
    for moment, status in ((FIN, Status.CONFIRMED), (LATER, Status.REVIEWED)):
        fiche = return_placements(fiche, 1, f.told(moment), f.AFTERWARDS).fiche
        assert fiche.status is status


def test_a_session_that_was_not_engaged_has_nothing_to_return() -> None:
    with pytest.raises(NotAllowedNow) as refused_:
        return_placements(f.confirmed(), 1, f.told(), f.AFTERWARDS)
    assert f.codes(refused_.value.objections) == ["SESSION_STATE"]


@pytest.fixture
async def room(servers: Servers) -> AsyncIterator[Room]:
    made = await Room.make(servers)
    yield made
    await made.close()


async def test_a_fiche_is_reviewed_by_http_and_by_topic(room: Room) -> None:
    body = {"reference": "P-1", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    fiche = UUID((await room.post(GOLDEN_OPCO, "", body)).json()["fiche_id"])
    about = {"fiche_id": fiche}
    await room.hear(
        (AvisGiven.model_validate(f.GAVE.model_dump() | about), 1),
        (FicheValidated.model_validate(f.VALIDATED.model_dump() | about), 2),
    )
    assert (await room.post(GOLDEN_OPCO, f"/{fiche}/programmation", {})).status_code == 200
    assert (await room.post(GOLDEN_OPCO, f"/{fiche}/sessions/1/engagement", {"enrolled": 9})).status_code == 200
    told = {"placements": f.told(placed=[{"contract": "CDI", "count": 7}]).model_dump(mode="json")}
    first = await room.post(GOLDEN_OPCO, f"/{fiche}/sessions/1/placements", told)
    assert (first.status_code, first.json()["status"]) == (200, "confirmed")
    (answer,) = await room.tell(GOLDEN_OPCO, "P-1", ReturnPlacements(number=1, placements=f.told(LATER)))
    assert answer.outcome == "accepted"
    shown = (await room.get("region", f"/{fiche}")).json()
    assert shown["status_label"] == "Bilan rendu"
    assert [one["moment"] for one in shown["sessions"][0]["returned"]] == ["FIN", "TROIS_MOIS"]
    assert (await room.said(fiche))[-2:] == ["fr.poec.placements.returned.v1"] * 2
    assert (await room.post("akto", f"/{fiche}/sessions/1/placements", told)).status_code == 404
    plan_of = (await room.get(GOLDEN_OPCO, f"/{fiche}/retroplanning")).json()
    assert [one["standing"] for one in plan_of["milestones"] if one["step"] == "confirmed"] == ["done"]
