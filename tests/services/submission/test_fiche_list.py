"""The list of fiches: every filter alone and together, true counts per status by the same filters, page after page."""

import base64
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from services.submission.domain.fiche import Fiche, Status
from services.submission.store import Version, open_fiches, write_fiches
from shared.audit_trail import Change
from shared.contracts.fiche import fiche_id
from shared.identity import service_principal
from tests.services.submission import filings
from tests.services.submission.room import Room
from tests.support.fiches import golden_content
from tests.support.servers import Servers

FICHES: Mapping[str, tuple[str, Status, Mapping[str, Any]]] = {
    "A": ("opco-2i", Status.SUBMITTED, {}),
    "B": ("opco-2i", Status.VALIDATED, {"title": "Soudeur 100 % acier", "rome": "H2913", "formacodes": ["23026"]}),
    "C": ("opco-2i", Status.SUBMITTED, {"place": {"insee": "14118", "zone_emploi": "2804"}}),
    "D": ("akto", Status.WITHDRAWN, {}),
}
"""Reference to OPCO, status, and what differs from the golden content."""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    made = await Room.make(servers)
    async with made.database.unit(service_principal("submission", "worker")) as unit:
        fiches = await open_fiches(unit, [])
        for n, (reference, (opco, status, changes)) in enumerate(FICHES.items()):
            held = filings.held(status)
            assert isinstance(held, Fiche)
            at = filings.NOON + dt.timedelta(minutes=n)
            content = golden_content(**changes)
            one = replace(held, id=fiche_id(opco, reference), opco=opco, reference=reference, content=content, submitted_at=at)
            fiches.put(one.id, one, Change("made", "test", None, status.value, facts={"revision": one.revision}))
            fiches.keep(Version(one, "made", "test"))
        write_fiches(fiches, unit)
        await unit.flush()
    try:
        yield made
    finally:
        await made.close()


async def listed(room: Room, who: str = "region", **query: Any) -> str:
    answer = await room.client.get("/fiches", params=query, headers={"authorization": who})
    assert answer.status_code == 200, answer.text
    return "".join(fiche["reference"] for fiche in answer.json()["fiches"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "DCBA"),
        ({"status": ["submitted", "withdrawn"]}, "DCA"),
        ({"opco": "akto"}, "D"),
        ({"opco": "ESSFIMO"}, "D"),
        ({"opco": ""}, "DCBA"),
        ({"programme_year": 2018}, "DCBA"),
        ({"programme_year": 2019}, ""),
        ({"start_year": 2018}, "DCBA"),
        ({"starts_from": "2018-04-30", "starts_until": "2018-04-30"}, "DCBA"),
        ({"starts_from": "2018-05-01"}, ""),
        ({"starts_until": "2018-04-29"}, ""),
        ({"zone_emploi": "2804"}, "C"),
        ({"department": "14"}, "C"),
        ({"department": "50"}, "DBA"),
        ({"rome": "H2913"}, "B"),
        ({"formacode": "23026"}, "B"),
        ({"q": "SOUDEUR acier"}, "B"),
        ({"q": "100 %"}, "B"),
        ({"q": "_"}, ""),
        ({"q": "soudeur peintre"}, ""),
        ({"q": "peintre", "department": "50", "status": ["submitted"]}, "A"),
    ],
)
async def test_a_filter_chooses_and_several_choose_together(room: Room, query: dict[str, Any], found: str) -> None:
    assert await listed(room, **query) == found


async def test_an_opco_lists_and_counts_its_own_alone(room: Room) -> None:
    assert await listed(room, "opco-2i") == "CBA"
    assert await listed(room, "akto", opco="opco-2i") == ""
    for query, filed in (({}, 1), ({"opco": "opco-2i"}, 0)):
        answer = await room.client.get("/fiches/counts", params=query, headers={"authorization": "akto"})
        assert answer.json()["filed"] == filed


async def test_the_counts_are_those_of_the_list_whatever_the_status_chosen(room: Room) -> None:
    query = {"department": "50", "status": "withdrawn"}
    answer = await room.client.get("/fiches/counts", params=query, headers={"authorization": "region"})
    counts = {one["status"]: one["count"] for one in answer.json()["counts"]}
    assert set(counts) == {status.value for status in Status}
    assert {status: count for status, count in counts.items() if count} == {"submitted": 1, "validated": 1, "withdrawn": 1}
    for status, count in counts.items():
        assert len(await listed(room, department="50", status=status)) == count
    assert answer.json()["filed"] == 3


async def test_the_next_page_keeps_the_filters(room: Room) -> None:
    path, seen = "/fiches?status=submitted&status=validated&q=e&limit=1", ""
    while path:
        page = await room.client.get(path, headers={"authorization": "region"})
        seen += "".join(fiche["reference"] for fiche in page.json()["fiches"])
        path = page.headers.get("link", "").partition(">")[0].removeprefix("<")
    assert seen == "CBA"


async def test_the_next_page_repeats_no_name_that_is_no_filter(room: Room) -> None:
    page = await room.client.get("/fiches?limit=1&secret=1&q=e", headers={"authorization": "region"})
    assert page.headers["link"].startswith("</fiches?q=e&limit=1&after=") and "secret" not in page.headers["link"]


async def test_what_is_of_no_list_is_refused_all_at_once(room: Room) -> None:
    query = {"opco": "opca", "zone_emploi": "9999", "department": "75"}
    answer = await room.client.get("/fiches", params=query, headers={"authorization": "region"})
    codes = [one["code"] for one in answer.json()["objections"]]
    assert (answer.status_code, codes) == (422, ["OPCO_UNKNOWN", "ZONE_UNKNOWN", "DEPARTMENT_UNKNOWN"])


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2018-03-01T12:00:00", "yesterday"])
async def test_a_place_that_no_list_gave_is_objected_to_and_on_screen_is_the_beginning(room: Room, at: str) -> None:
    identifier = fiche_id("opco-2i", "A")
    given, shown = (base64.urlsafe_b64encode(one.encode()).decode() for one in (f"{at} {identifier}", f"2018-03-01 {at} {identifier}"))
    answer = await room.client.get("/fiches", params={"after": given}, headers={"authorization": "region"})
    assert (answer.status_code, answer.json()["objections"][0]["code"]) == (422, "CURSOR_UNFIT")
    page = await room.client.get("/espace/fiches", params={"suite": shown}, headers={"authorization": "region"})
    assert page.status_code == 200 and "POEC - Peintre industriel" in page.text
