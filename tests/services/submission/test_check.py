"""A fiche is looked at before it is filed: what filing would say, and which fiches of the same OPCO are alike; nothing is written."""

import datetime as dt
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.submission.check_store import ALIKE, are_alike
from shared.contracts.fiche import OutsideCampaign
from shared.contracts.ingress import SubmitFiche
from tests.services.submission import filings as f
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_content


async def check(room: Room, who: str = GOLDEN_OPCO, more: dict[str, Any] | None = None, **changes: Any) -> httpx.Response:
    """Ask without an Idempotency-Key: there is no effect that a second asking could repeat."""
    body = {"content": golden_content(**changes).model_dump(mode="json"), **(more or {})}
    return await room.client.post("/fiches/check", content=json.dumps(body), headers={"authorization": who})


async def filed(room: Room, **changes: Any) -> dict[str, Any]:
    content = golden_content(**changes).model_dump(mode="json")
    body = {"reference": uuid4().hex, "content": content, "acknowledged": list(PAST_WARNINGS)}
    answer = await room.post(GOLDEN_OPCO, "", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def at(insee: str) -> dict[str, Any]:
    """Return a place in a commune, with its zone and its postal code."""
    known = f.GIVEN.references
    return {"insee": insee, "zone_emploi": known.zones[insee], "address": {"postal_code": known.postal_codes[insee][0]}}


def codes(said: list[dict[str, Any]]) -> list[str]:
    return [one["code"] for one in said]


async def written(room: Room) -> list[int]:
    tables = ("fiche", "fiche_version", "audit_entry", "outbox", "idempotency")
    return [(await room.fetch(f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables]


async def test_a_check_says_what_filing_would_say_and_writes_nothing(room: Room) -> None:
    before = await written(room)
    seen = (await check(room)).json()
    assert (seen["admissible"], seen["objections"], codes(seen["warnings"])) == (True, [], list(PAST_WARNINGS))
    wrong = (await check(room, hours={"total": 401}, rome="H3499", companies=1)).json()
    assert (wrong["admissible"], codes(wrong["objections"])) == (False, ["HOURS_CAP", "ROME_UNKNOWN"])
    assert codes(wrong["warnings"]) == ["HOURS_PARTS", "SESSION_ALREADY_STARTED", "POEI_LIKELY"]
    assert all(one["source"] for one in wrong["objections"])
    assert await written(room) == before


async def test_advice_is_given_before_filing_only(room: Room) -> None:
    seen = (await check(room)).json()
    assert codes(seen["advice"]) == ["PEAK_MONTH"]
    assert "PEAK_MONTH" not in codes((await filed(room, place=at("14118")))["warnings"])


async def test_a_reference_is_looked_at_where_one_is_given(room: Room) -> None:
    made = await filed(room, place=at("76540"))
    taken = (await check(room, more={"reference": made["reference"]}, place=at("76540"))).json()
    assert codes(taken["objections"]) == ["REFERENCE_TAKEN"]
    assert taken["alike"] == []
    assert codes((await check(room, more={"reference": "a\u200bb"})).json()["objections"]) == ["REFERENCE_FORM"]
    assert (await check(room, more={"reference": uuid4().hex})).json()["admissible"]


async def test_a_change_of_a_fiche_is_looked_at_beside_what_the_fiche_has(room: Room) -> None:
    made = await filed(room, place=at("27229"))
    more = {"fiche_id": made["fiche_id"]}
    seen = (await check(room, more=more, place=at("27229"), title="Un autre titre")).json()
    assert codes(seen["warnings"]) == ["HOURS_PARTS"], "dates that stay are not warned about again"
    assert seen["alike"] == []


async def test_another_opcos_fiche_is_not_looked_at(room: Room) -> None:
    made = await filed(room, place=at("61001"))
    foreign = await check(room, "akto", more={"fiche_id": made["fiche_id"]}, branch_idcc="1979")
    absent = await check(room, "akto", more={"fiche_id": str(uuid4())}, branch_idcc="1979")
    assert foreign.status_code == 404
    assert foreign.content == absent.content
    assert (await check(room, "dreets")).status_code == 403


async def test_a_content_that_is_no_fiche_is_refused_in_form(room: Room) -> None:
    answer = await room.client.post("/fiches/check", content="{}", headers={"authorization": GOLDEN_OPCO})
    assert answer.status_code == 422
    assert codes(answer.json()["objections"]) == ["FORM_MISSING"]


AT = at("50129")


async def test_fiches_for_the_same_training_at_the_same_place_and_time_are_shown(room: Room) -> None:
    near = await filed(room, place=AT)
    seen = (await check(room, place=AT)).json()["alike"]
    assert seen == [
        {
            "fiche_id": near["fiche_id"],
            "reference": near["reference"],
            "title": "POEC - Peintre industriel",
            "status": "submitted",
            "status_label": "Déposée",
            "first_start": "2018-04-30",
            "last_end": "2018-08-03",
        }
    ]
    assert (await check(room, "akto", place=AT, branch_idcc="1979")).json()["alike"] == []


@pytest.mark.parametrize(
    ("changes", "alike"),
    [
        ({"sessions": [f.session(start="2018-05-30", end="2018-08-03")]}, True),
        ({"sessions": [f.session(start="2018-05-31", end="2018-08-03")]}, False),
        ({"sessions": [f.session(start="2018-03-31", end="2018-08-03")]}, True),
        ({"sessions": [f.session(start="2018-03-30", end="2018-08-03")]}, False),
        ({"rome": "H2902"}, True),
        ({"formacodes": ["23083"]}, True),
        ({"formacodes": ["23083"], "rome": "H2902"}, False),
        ({"place": at("50218")}, False),
    ],
)
async def test_fiches_are_alike_up_to_30_days_in_one_commune_by_job_or_main_formacode(
    room: Room, changes: dict[str, Any], alike: bool
) -> None:
    insee = "50147"
    if not (await check(room, place=at(insee))).json()["alike"]:
        await filed(room, place=at(insee))
    seen = (await check(room, **{"place": at(insee), **changes})).json()["alike"]
    assert bool(seen) == alike
    one, other = golden_content(place=at(insee)), golden_content(**{"place": at(insee), **changes})
    assert are_alike(one, other) == are_alike(other, one) == alike, "two fiches of one file are compared by the same rule"


async def test_a_fiche_that_ended_is_not_shown_and_of_many_the_five_nearest_are(room: Room) -> None:
    place = at("50025")
    gone = await filed(room, place=place)
    await room.post(GOLDEN_OPCO, f"/{gone['fiche_id']}/withdrawal", {"reason": "AUTRE"})
    assert (await check(room, place=place)).json()["alike"] == []
    starts = [f"2018-05-{day:02}" for day in (7, 4, 6, 2, 3, 5)]
    for start in starts:
        await filed(room, place=place, sessions=[f.session(start=start)])
    seen = (await check(room, place=place)).json()["alike"]
    assert [one["first_start"] for one in seen] == [f"2018-05-{day:02}" for day in (2, 3, 4, 5, 6)]


MANY = """
INSERT INTO fiche SELECT (jsonb_populate_record(f, jsonb_build_object('id', gen_random_uuid(), 'reference', 'copy ' || n,
  'insee', 'n' || n % 100, 'first_start', f.first_start + n % 300))).* FROM fiche f, generate_series(1, 3000) AS n WHERE f.id = $1
"""


async def test_looking_for_what_is_alike_reads_its_own_index_only(room: Room) -> None:
    """Other indexes begin with the OPCO too: among 3,000 fiches of one OPCO theirs would be read whole."""
    one = await filed(room, place=at("50502"))
    async with room.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT set_config('poec.tenant', '*', true)")
        await connection.execute(MANY, UUID(one["fiche_id"]))
        asked = (GOLDEN_OPCO, "n7", dt.date(2018, 5, 1), 30, "22054", "F1703", ["withdrawn"], uuid4(), 5)
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {ALIKE}", *asked))
        await transaction.rollback()
    assert "fiche_alike" in plan and "fiche_by_" not in plan and "Seq Scan on fiche" not in plan, plan


OUTSIDE = {"motive": "MARCHE_PUBLIC", "reason": "Marché attribué fin mai."}


async def test_every_door_sees_the_deadline_on_the_desk_and_says_why_a_fiche_came_after_it(room: Room) -> None:
    """2019 is a year of its own here: a campaign once opened holds for every test of this room."""
    changes: dict[str, Any] = {"programme_year": 2019, "sessions": [f.session(start="2019-05-06", end="2019-08-09")]}
    spring = {"year": 2019, "quarter": 2, "opens_on": "2019-01-07", "deadline": "2019-02-15"}
    assert (await check(room, **changes)).json()["admissible"]
    assert (await room.command("dreets", "/campaigns", spring)).status_code == 201
    assert codes((await check(room, **changes)).json()["objections"]) == ["CAMPAIGN_CLOSED"]
    assert (await check(room, more={"outside_campaign": OUTSIDE}, **changes)).json()["admissible"]

    content = golden_content(**changes)
    silent, late = (
        SubmitFiche(content=content, acknowledged=PAST_WARNINGS, outside_campaign=why)
        for why in (None, OutsideCampaign.model_validate(OUTSIDE))
    )
    reference = uuid4().hex
    (refused,) = await room.tell(GOLDEN_OPCO, reference, silent)
    assert [one.code for one in refused.objections] == ["CAMPAIGN_CLOSED"]
    (accepted,) = await room.tell(GOLDEN_OPCO, reference, late)
    assert accepted.outcome == "accepted"
    read = (await room.get(GOLDEN_OPCO, f"/{accepted.fiche_id}")).json()
    assert read["outside_campaign"] == OUTSIDE
    (said,) = await room.fetch("SELECT value FROM outbox WHERE key = $1", str(accepted.fiche_id))
    assert json.loads(said["value"])["outside_campaign"] == OUTSIDE

    later = await room.post(
        GOLDEN_OPCO,
        f"/{accepted.fiche_id}/amendment",
        {"content": golden_content(**changes, title="Un autre titre").model_dump(mode="json"), "acknowledged": list(PAST_WARNINGS)},
        1,
    )
    assert later.status_code == 200, "only a filing is asked for a motive"
