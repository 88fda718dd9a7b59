"""Forms that come back: who only corrects what they typed does not write over what somebody else kept meanwhile."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from services.submission.domain.partners import partner_id
from tests.services.submission import filings as f
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO

WHY = {"reason": "Le calendrier a changé."}
REVISION = re.compile(r'name="revision" value="(\d+)"')


@dataclass(frozen=True)
class Made:
    """Something at revision 1: its form, what is typed wrong there and right, and how somebody else moves it on."""

    who: str
    form: str
    wrong: dict[str, str]
    right: dict[str, str]
    moved: Callable[[], Any]


async def campaign(room: Room) -> Made:
    days = {"opens_on": "2061-01-02", "deadline": "2061-01-31"}
    made = (await room.command("dreets", "/campaigns", {"year": 2061, "quarter": 1, **days})).json()["campaign_id"]
    later = {"deadline": "2061-02-15", **WHY}
    return Made(
        "dreets", f"/espace/campagnes/{made}/dates", {**days, **WHY, "deadline": "bientôt"}, {**days, **WHY, "deadline": "2061-02-01"},
        lambda: room.command("dreets", f"/campaigns/{made}/extensions", later, 1),
    )  # fmt: skip


async def conference(room: Room) -> Made:
    made = (await room.command("dreets", "/conferences", {"held_on": "2018-02-13", "agenda": ["Bilan"]})).json()["conference_id"]
    return Made(
        "dreets", f"/espace/conferences/{made}/correction", {"agenda": "Bilan"}, {"agenda": "Bilan", **WHY},
        lambda: room.command("dreets", f"/conferences/{made}/corrections", {"agenda": ["Bilan", "Calendrier"], **WHY}, 1),
    )  # fmt: skip


async def programme(room: Room) -> Made:
    line = {"opco": "akto", "rome": "G1602", "number": 3}
    adopted = {"adopted_on": "2018-02-13", "targets": [line]}
    assert (await room.command("dreets", "/programmes/2062/revisions", adopted)).status_code == 200
    typed = {"adopted_on": "2018-02-13", **{f"targets.0.{name}": str(value) for name, value in line.items()}}
    return Made(
        "dreets", "/espace/programmes/2062/adoption", {**typed, "targets.0.number": "douze"}, {**typed, "targets.0.number": "12"},
        lambda: room.command("dreets", "/programmes/2062/revisions", {**adopted, "targets": [{**line, "number": 4}]}, 1),
    )  # fmt: skip


async def partner(room: Room) -> Made:
    sheet = {"name": "Organisme inventé", "kind": "AUTRE", "zones": ["2804"]}
    assert (await room.command("region", "/partners", {"code": "form-revisions", **sheet})).status_code == 201
    made = partner_id("form-revisions")
    typed = {"name": "Organisme inventé", "kind": "AUTRE", "zones": "2804"}
    return Made(
        "region", f"/espace/partenaires/{made}", {**typed, "kind": ""}, {**typed, "name": "Autre organisme inventé"},
        lambda: room.command("region", f"/partners/{made}/sheet", {**sheet, "zones": ["2804", "2805"]}, 1),
    )  # fmt: skip


async def intention(room: Room) -> Made:
    meant = f.INTENTION.model_dump(mode="json")
    made = (await room.post(GOLDEN_OPCO, "/intentions", {"reference": "FORM-I", "intention": meant})).json()["fiche_id"]
    typed = {name: str(value) for name, value in meant.items() if value is not None}
    again = {"reference": "FORM-I", "intention": {**meant, "seats": 21}}
    return Made(
        GOLDEN_OPCO, f"/espace/intentions/{made}", {**typed, "seats": "vingt"}, {**typed, "seats": "20"},
        lambda: room.post(GOLDEN_OPCO, "/intentions", again, 1),
    )  # fmt: skip


@pytest.mark.parametrize("make", [campaign, conference, programme, partner, intention])
async def test_a_correction_of_what_was_typed_stays_on_the_revision_that_was_read(room: Room, make: Callable[[Room], Any]) -> None:
    made: Made = await make(room)
    assert (await made.moved()).status_code in (200, 201)
    typo = await room.form(made.who, made.form, {**made.wrong, "revision": "1"})
    assert (typo.status_code, REVISION.findall(typo.text)) == (422, ["1"]), typo.text
    late = await room.form(made.who, made.form, {**made.right, "revision": "1"})
    assert (late.status_code, REVISION.findall(late.text)) == (412, ["2"]), "now it is shown what is there"
    done = await room.form(made.who, made.form, {**made.right, "revision": "2"})
    assert done.status_code == 303, done.text


async def test_an_intention_that_somebody_announced_anew_is_shown_to_who_comes_late(room: Room) -> None:
    meant = f.INTENTION.model_dump(mode="json")
    made = (await room.post(GOLDEN_OPCO, "/intentions", {"reference": "FORM-J", "intention": meant})).json()["fiche_id"]
    anew = {"reference": "FORM-J", "intention": {**meant, "title": "Chaudronnier"}}
    assert (await room.post(GOLDEN_OPCO, "/intentions", anew, 1)).status_code == 201
    typed = {name: str(value) for name, value in meant.items() if value is not None}
    late = await room.form(GOLDEN_OPCO, f"/espace/intentions/{made}", {**typed, "seats": "20", "revision": "1"})
    assert late.status_code == 412
    assert "Ce qui est annoncé maintenant, révision 2" in late.text and "Chaudronnier" in late.text
    assert 'value="20"' in late.text, "what was typed stays"
