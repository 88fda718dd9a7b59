"""The list of fiches on a real database: what is due first, true counts whatever the page, filters, whose fiches one sees."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.submission.domain.fiche import Status
from services.submission.list_cases import read_counts, read_page
from services.submission.list_store import Spot
from services.submission.store import Wanted
from shared.contracts.fiche import fiche_id
from shared.errors import Forbidden
from shared.identity import Principal
from tests.services.submission.filings import ASKED, OPENED, PROPOSED, session
from tests.services.submission.room import PEOPLE, Room
from tests.support.fiches import golden_content
from tests.support.servers import Servers

OPCO, REGION = PEOPLE["opco-2i"], PEOPLE["region"]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    """Four fiches of one OPCO, one of another: two wait for an answer, one of them longer than it was given."""
    made = await Room.make(servers)
    await filed(made, "A", title="POEC - Soudeur_1")
    await filed(made, "B", title="POEC - Peintre 100 %", place={"insee": "14118", "zone_emploi": "2804"})
    second = session(number=2, start="2018-09-03", end="2018-11-30")
    await filed(made, "C", sessions=[session(start="2018-06-04", end="2018-08-31"), second])
    await filed(made, "D")
    await filed(made, "E", "akto", branch_idcc="1413")
    about_b, about_c = {"fiche_id": fiche_id("opco-2i", "B")}, {"fiche_id": fiche_id("opco-2i", "C")}
    late = PROPOSED.model_copy(update={**about_c, "expires_on": dt.date(2018, 3, 10)})
    await made.hear((OPENED.model_copy(update=about_b), 1), (ASKED.model_copy(update=about_b), 2), (late, 1))
    try:
        yield made
    finally:
        await made.close()


async def filed(room: Room, reference: str, who: str = "opco-2i", **changes: Any) -> None:
    content = golden_content(**changes).model_dump(mode="json")
    body = {"reference": reference, "content": content}
    warned = await room.post(who, "", body)
    acknowledged = [warning["code"] for warning in warned.json()["warnings"]]
    answer = await room.post(who, "", {**body, "acknowledged": acknowledged})
    assert answer.status_code == 201, answer.text


async def references(room: Room, wanted: Wanted | None = None, who: Principal = OPCO) -> list[str]:
    return [row.reference for row in await read_page(room.database, who, wanted or Wanted(), None, 50)]


async def test_what_is_due_first_comes_first_then_the_newest(room: Room) -> None:
    assert await references(room) == ["C", "B", "D", "A"]


async def test_a_page_goes_on_where_the_last_one_ended(room: Room) -> None:
    found: list[str] = []
    spot: Spot | None = None
    while page := await read_page(room.database, OPCO, Wanted(), spot, 1):
        found, spot = [*found, page[0].reference], page[0].spot
    assert found == ["C", "B", "D", "A"]


async def test_counts_are_of_everything_and_of_what_the_filters_leave(room: Room) -> None:
    counts = await read_counts(room.database, OPCO, Wanted(department="14"), dt.date(2018, 3, 11))
    assert {status: (one.held, one.late, one.found) for status, one in counts.items()} == {
        Status.SUBMITTED: (2, 0, 0),
        Status.TO_COMPLETE: (1, 0, 1),
        Status.TO_ADAPT: (1, 1, 0),
    }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(words=("soudeur_1",)), ["A"]),
        (Wanted(words=("soudeur%1",)), []),
        (Wanted((Status.SUBMITTED,)), ["D", "A"]),
        (Wanted(words=("100", "%")), ["B"]),
        (Wanted(words=("c",)), ["C", "B", "D", "A"]),
        (Wanted(zone_emploi="2804"), ["B"]),
        (Wanted(department="50"), ["C", "D", "A"]),
        (Wanted(rome="H3404"), ["C", "B", "D", "A"]),
        (Wanted(rome="H3405"), []),
        (Wanted(programme_year=2019), []),
        (Wanted(starts_from=dt.date(2018, 6, 4)), ["C"]),
        (Wanted(starts_until=dt.date(2018, 6, 3)), ["B", "D", "A"]),
    ],
    ids=lambda one: ",".join(map(str, one)) if isinstance(one, list) else "that",
)
async def test_a_filter_leaves_what_it_names(room: Room, wanted: Wanted, found: list[str]) -> None:
    assert await references(room, wanted) == found


async def test_a_row_says_from_the_first_day_to_the_last_and_the_seats_of_all_sessions(room: Room) -> None:
    row = (await read_page(room.database, OPCO, Wanted((Status.TO_ADAPT,), words=("C",)), None, 1))[0]
    assert (row.first_start, row.last_end, row.sessions, row.seats) == (dt.date(2018, 6, 4), dt.date(2018, 11, 30), 2, 24)
    assert (row.hours, row.city, row.due_on) == (399, "Saint-Lô", dt.date(2018, 3, 10))


async def test_an_opco_sees_its_own_and_the_region_all_of_them(room: Room) -> None:
    assert await references(room, who=PEOPLE["akto"]) == ["E"]
    assert sorted(await references(room, who=REGION)) == ["A", "B", "C", "D", "E"]
    assert await references(room, Wanted(opco="akto"), who=REGION) == ["E"]
    assert await references(room, Wanted(opco="akto")) == []


async def test_who_has_no_business_with_fiches_is_refused(room: Room) -> None:
    stranger = Principal("carif-oref", "carif-oref", "machine", frozenset({"carif_oref"}))
    with pytest.raises(Forbidden):
        await read_page(room.database, stranger, Wanted(), None, 1)
    with pytest.raises(Forbidden):
        await read_counts(room.database, stranger, Wanted(), dt.date(2018, 3, 11))
