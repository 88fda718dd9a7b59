"""Campaigns, conferences, programmes and declarations through their doors, on a real database: what is answered and written."""

import datetime as dt
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.submission.domain.campaigns import Dates
from services.submission.store import Base
from services.submission.yearbook_store import open_yearbook, write_yearbook
from services.submission.yearbook_use_cases import open_campaign
from shared.contracts.campaigns import declaration_id, programme_id
from shared.identity import Principal
from shared.statements import pg_type
from tests.services.submission.room import PEOPLE, Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_json

SUMMER = {"year": 2022, "quarter": 3, "opens_on": "2022-02-01", "deadline": "2022-05-15"}
REASON = "Le choix des organismes s’achève fin mai."


def quarter(year: int, number: int) -> dict[str, Any]:
    return {**SUMMER, "year": year, "quarter": number, "opens_on": f"{year}-01-02", "deadline": f"{year}-01-31"}


async def said(room: Room, key: str) -> list[str]:
    query = "SELECT headers->>'ce_type' AS type FROM outbox WHERE topic = 'poec.submission.campaigns' AND key = $1 ORDER BY id"
    return [row["type"] for row in await room.fetch(query, key)]


async def trail(room: Room, key: str) -> list[tuple[str, str]]:
    query = "SELECT action, actor FROM audit_entry WHERE aggregate = $1 ORDER BY n"
    return [(row["action"], row["actor"]) for row in await room.fetch(query, key)]


@pytest.mark.parametrize("table", ["campaign", "conference", "programme", "delivery", "declaration"])
async def test_the_tables_are_those_the_code_thinks_of(room: Room, table: str) -> None:
    rows = await room.fetch("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1", table)
    assert {row["column_name"]: row["data_type"] for row in rows} == {c.name: pg_type(c) for c in Base.metadata.tables[table].c}


async def test_a_campaign_is_opened_extended_for_one_and_moved_and_its_history_is_read_by_all(room: Room) -> None:
    opened = await room.command("dreets", "/campaigns", SUMMER)
    assert opened.status_code == 201 and opened.headers["etag"] == '"1"', opened.text
    path, identifier = opened.headers["location"], opened.json()["campaign_id"]
    extended = await room.command(
        "dreets", f"{path}/extensions", {"opco": "OPCO 2i", "deadline": "2022-05-30", "reason": REASON}, 1
    )
    assert extended.json()["extensions"] == {"opco-2i": "2022-05-30"}
    moved = await room.command(
        "dreets", f"{path}/dates", {"opens_on": "2022-02-01", "deadline": "2022-05-18", "reason": REASON}, 2
    )
    assert (moved.status_code, moved.json()["deadline"], moved.headers["etag"]) == (200, "2022-05-18", '"3"')
    for who in ("akto", "region", "dreets"):
        read = await room.read(who, path)
        assert read.headers["etag"] == '"3"'
        history = (await room.read(who, f"{path}/history")).json()["history"]
        assert [(one["opco"], one["deadline"]) for one in history] == [
            (None, "2022-05-18"), ("opco-2i", "2022-05-30"), (None, "2022-05-15"),
        ]  # fmt: skip
    assert await said(room, identifier) == [f"fr.poec.campaign.{one}.v1" for one in ("opened", "extended", "moved")]
    assert await trail(room, identifier) == [(one, "dreets") for one in ("open_campaign", "extend_campaign", "move_campaign")]


async def test_what_the_conference_decides_is_decided_by_no_opco(room: Room) -> None:
    path = (await room.command("dreets", "/campaigns", quarter(2023, 1))).headers["location"]
    later = {"deadline": "2023-02-15", "reason": REASON}
    for who in ("akto", "region"):
        assert (await room.command(who, "/campaigns", quarter(2023, 2))).status_code == 403
        assert (await room.command(who, f"{path}/extensions", later)).status_code == 403
        adopted = {"adopted_on": "2022-01-01", "targets": [aimed()]}
        assert (await room.command(who, "/programmes/2023/revisions", adopted)).status_code == 403
        assert (await room.command(who, "/conferences", {"held_on": "2022-01-01", "agenda": ["Bilan"]})).status_code == 403
    assert (await room.command("dreets", "/declarations", declared(3))).status_code == 403


async def test_a_change_says_on_which_revision_it_was_decided(room: Room) -> None:
    path = (await room.command("dreets", "/campaigns", quarter(2024, 1))).headers["location"]
    later = {"deadline": "2024-02-15", "reason": REASON}
    assert (await room.command("dreets", f"{path}/extensions", later)).status_code == 428
    stale = await room.command("dreets", f"{path}/extensions", later, 2)
    assert (stale.status_code, stale.headers["content-type"]) == (412, "application/problem+json")
    assert (await room.command("dreets", f"/campaigns/{uuid4()}/extensions", later, 1)).status_code == 404


async def test_the_same_key_gives_the_same_answer_and_changes_nothing_again(room: Room) -> None:
    key = uuid4().hex
    first = await room.command("dreets", "/campaigns", quarter(2025, 1), key=key)
    again = await room.command("dreets", "/campaigns", quarter(2025, 1), key=key)
    assert (first.status_code, first.content) == (201, again.content)
    other = await room.command("dreets", "/campaigns", quarter(2025, 1))
    assert (other.status_code, other.json()["objections"][0]["code"]) == (409, "CAMPAIGN_TAKEN")
    assert len(await trail(room, first.json()["campaign_id"])) == 1


async def test_all_objections_come_at_once_in_french(room: Room) -> None:
    wrong = {"year": 2026, "quarter": 1, "opens_on": "2026-06-01", "deadline": "2026-05-01"}
    answer = await room.command("dreets", "/campaigns", wrong)
    assert answer.status_code == 422
    assert [one["code"] for one in answer.json()["objections"]] == ["CAMPAIGN_DATES", "CAMPAIGN_QUARTER"]
    assert "31/03/2026" in answer.json()["objections"][1]["message"]


async def test_pages_of_campaigns_follow_each_other_without_a_gap(room: Room) -> None:
    for number in range(1, 5):
        assert (await room.command("dreets", "/campaigns", quarter(2030, number))).status_code in (201, 409)
    seen, after = [], None
    while True:
        page = await room.read("akto", "/campaigns", {"year": 2030, "limit": 3, **({"after": after} if after else {})})
        seen += [one["quarter"] for one in page.json()["campaigns"]]
        after = page.json()["next"]
        assert bool(after) == ("link" in page.headers)
        if not after:
            break
    assert seen == [4, 3, 2, 1]
    assert (await room.read("akto", "/campaigns", {"after": "never"})).json()["objections"][0]["code"] == "CURSOR_UNFIT"


async def test_an_opco_cannot_write_what_the_conference_decides_whatever_the_code_does(room: Room) -> None:
    """The row rules alone: a unit of work of an OPCO that gets past the policy table writes no campaign."""
    dreets = PEOPLE["dreets"]
    sly = Principal("akto", "akto", "machine", dreets.roles)
    async with room.database.unit(PEOPLE["akto"]) as unit:
        book = await open_yearbook(unit, [])
        open_campaign(book, sly, 2027, 1, Dates(dt.date(2027, 1, 4), dt.date(2027, 1, 5)), unit.now)
        write_yearbook(book, unit)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await unit.flush()
    assert await room.fetch("SELECT 1 FROM campaign WHERE year = 2027") == []


async def test_a_conference_links_what_it_decided_and_is_corrected_with_its_history(room: Room) -> None:
    campaign = (await room.command("dreets", "/campaigns", quarter(2028, 1))).json()["campaign_id"]
    decided = {"text": "Campagne du premier trimestre ouverte.", "decides": campaign, "revision": 1}
    body = {"held_on": "2022-04-12", "agenda": ["Bilan 2021", "Calendrier"], "decisions": [decided]}
    recorded = await room.command("dreets", "/conferences", body)
    assert recorded.status_code == 201, recorded.text
    path = recorded.headers["location"]
    shorter = {"agenda": ["Bilan 2021"], "decisions": [decided], "reason": "Point retiré."}
    corrected = await room.command("dreets", f"{path}/corrections", shorter, 1)
    assert corrected.json()["agenda"] == ["Bilan 2021"]
    history = (await room.read("akto", f"{path}/history")).json()["history"]
    assert [one["agenda"] for one in history] == [["Bilan 2021"], ["Bilan 2021", "Calendrier"]]
    unknown = {**body, "held_on": "2022-04-13", "decisions": [{**decided, "revision": 2}]}
    assert (await room.command("dreets", "/conferences", unknown)).json()["objections"][0]["code"] == "LINK_UNKNOWN"
    listed = (await room.read("akto", "/conferences", {"limit": 1})).json()["conferences"]
    assert [one["held_on"] for one in listed] == ["2022-04-12"]
    assert (await room.read("akto", path)).json()["revision"] == 2


def aimed(opco: str = GOLDEN_OPCO, number: int = 12, words: str | None = "une douzaine", rome: str = "H3404") -> dict[str, Any]:
    return {"opco": opco, "rome": rome, "number": number, "words": words}


async def test_a_programme_is_compared_with_what_is_known_intended_and_estimated_and_nothing_is_added(room: Room) -> None:
    year = 2018
    programme = {"adopted_on": "2018-01-08", "targets": [aimed(), aimed("akto", 4, None, "N1101")]}
    adopted = await room.command("dreets", f"/programmes/{year}/revisions", programme)
    assert adopted.status_code == 200, adopted.text
    fiche = {"reference": uuid4().hex, "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    filed = await room.post(GOLDEN_OPCO, "", fiche)
    assert filed.status_code == 201, filed.text
    lines = {(one["opco"], one["rome"]): one for one in (await room.read("dreets", f"/programmes/{year}")).json()["lines"]}
    own = lines[GOLDEN_OPCO, "H3404"]
    assert own["target"] == {**aimed(), "approximate": True}
    assert own["known"] == {"filed": 1, "validated": 0, "confirmed": 0, "not_pursued": 0}
    assert own["estimated"] is None, "who told nothing is not said to expect nothing"
    other = lines["akto", "N1101"]
    assert (other["target"]["approximate"], other["known"]["filed"], other["estimated"]) == (False, 0, None)
    seen = (await room.read("akto", f"/programmes/{year}")).json()
    assert {one["opco"] for one in seen["lines"]} == {"akto"}
    assert seen["known_on"].startswith("connu au ")


async def test_a_revised_programme_needs_the_revision_that_was_read_and_keeps_all(room: Room) -> None:
    body = {"adopted_on": "2022-01-10", "targets": [aimed()]}
    assert (await room.command("dreets", "/programmes/2022/revisions", body)).headers["etag"] == '"1"'
    revised = {"adopted_on": "2022-04-12", "targets": [aimed(number=10, words=None)]}
    assert (await room.command("dreets", "/programmes/2022/revisions", revised)).status_code == 428
    assert (await room.command("dreets", "/programmes/2022/revisions", revised, 1)).headers["etag"] == '"2"'
    read = (await room.read("dreets", "/programmes/2022/revisions")).json()
    assert [(one["revision"], one["adopted_on"]) for one in read["revisions"]] == [(2, "2022-04-12"), (1, "2022-01-10")]
    numbers = [(await room.read("dreets", f"/programmes/2022/revisions/{n}")).json()["targets"][0]["number"] for n in (1, 2)]
    assert numbers == [12, 10]
    assert (await room.read("dreets", "/programmes/2022/revisions/3")).status_code == 404
    assert await said(room, str(programme_id(2022))) == ["fr.poec.programme.adopted.v1"] * 2
    assert (await room.read("akto", "/programmes/2099/revisions")).status_code == 404


async def test_a_delivery_says_a_zero_with_the_day_it_was_told_on(room: Room) -> None:
    year = (await room.database.now()).year
    told = await room.command(
        "akto", f"/programmes/{year}/deliveries", {"estimates": [{"rome": "N1101", "month": f"{year}-12", "projects": 0}]}
    )
    assert told.status_code == 200, told.text
    (line,) = (await room.read("akto", f"/programmes/{year}")).json()["lines"]
    assert line["estimated"]["number"] == 0
    assert line["estimated"]["words"] == f"connu au {'/'.join(reversed(line['estimated']['told_on'].split('-')))}"
    assert (line["target"], line["intended"]) == (None, 0)
    assert [one["opco"] for one in (await room.read("akto", f"/programmes/{year}/deliveries")).json()["deliveries"]] == ["akto"]
    assert (await room.read("opco-2i", f"/programmes/{year}/deliveries")).json()["deliveries"] == []


def declared(number: int, year: int = 2018) -> dict[str, Any]:
    return {"year": year, "as_of": "2018-03-01", "number": number, "source": "ENQUETE"}


async def test_declared_and_received_stand_side_by_side_and_the_gap_is_said(room: Room) -> None:
    before = (await room.read("dreets", "/declarations/2018")).json()
    received = before["received"]
    first = await room.command(GOLDEN_OPCO, "/declarations", declared(8))
    second = await room.command(GOLDEN_OPCO, "/declarations", declared(10))
    assert (first.status_code, second.status_code, second.headers["etag"]) == (201, 201, '"2"')
    both = (await room.read("dreets", "/declarations/2018")).json()
    assert (both["declared"], both["received"], both["gap"]) == (10, received, 10 - received)
    assert len(both["lines"]) == 11
    own = next(one for one in both["lines"] if one["opco"] == GOLDEN_OPCO)
    assert own["declaration"]["number"] == 10
    history = (await room.read("dreets", "/declarations/2018/history")).json()["history"]
    assert [one["number"] for one in history if one["opco"] == GOLDEN_OPCO] == [10, 8]
    assert (await room.read("akto", "/declarations/2018/history")).json()["history"] == []
    assert next(one for one in both["lines"] if one["opco"] == "akto")["gap"] is None
    assert [one["opco"] for one in (await room.read("akto", "/declarations/2018")).json()["lines"]] == ["akto"]
    assert await said(room, str(declaration_id(GOLDEN_OPCO, 2018))) == ["fr.poec.projects.declared.v1"] * 2


async def test_rows_of_one_opco_are_not_read_as_another(room: Room) -> None:
    await room.command(GOLDEN_OPCO, "/declarations", declared(5, 2019))
    for table in ("declaration", "delivery"):
        rows = await room.database.query(PEOPLE["akto"], f"SELECT DISTINCT opco FROM {table}")
        assert {row["opco"] for row in rows} <= {"akto"}
    assert await room.database.query(PEOPLE["akto"], "SELECT id FROM campaign")


async def test_a_fiche_after_the_deadline_of_its_quarter_says_why_it_comes(room: Room) -> None:
    spring = {"year": 2018, "quarter": 2, "opens_on": "2018-01-08", "deadline": "2018-02-15"}
    assert (await room.command("dreets", "/campaigns", spring)).status_code == 201
    fiche = {"reference": uuid4().hex, "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    late = await room.post(GOLDEN_OPCO, "", fiche)
    assert (late.status_code, [one["code"] for one in late.json()["objections"]]) == (422, ["CAMPAIGN_CLOSED"])
    excused = await room.post(GOLDEN_OPCO, "", {**fiche, "outside_campaign": {"motive": "MARCHE_PUBLIC"}})
    assert excused.status_code == 201, excused.text


@pytest.mark.parametrize("after", ["2018", "2018-T5", "\u00b2\u2070\u00b9\u2078-T1", "\u0662\u0660\u0661\u0668-T1", "-T1"])
async def test_a_place_in_the_list_of_campaigns_that_was_not_given_is_objected_to(room: Room, after: str) -> None:
    answer = await room.read("akto", "/campaigns", {"after": after})
    assert (answer.status_code, answer.json()["objections"][0]["code"]) == (422, "CURSOR_UNFIT")
