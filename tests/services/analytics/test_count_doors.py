"""Counts on a real database: the year through the real inbox, doubled and shuffled, and what everybody reads of it."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.demo import margins
from services.analytics.consumers import hearing
from services.analytics.store import Base
from shared.contracts.events import Event
from shared.contracts.references import PlacementMoment
from shared.errors import Conflict
from shared.messaging.inbox import Inbox
from tests.services.analytics.played import year_said
from tests.services.analytics.room import PEOPLE, WORKER, Room
from tests.services.analytics.said import Speaker
from tests.support.servers import Servers

RUNNING = "SELECT measure, opco, month, value FROM running_count WHERE value <> 0 ORDER BY 1, 2, 3"
FACTS = "SELECT id, opco, document::text FROM fiche_fact ORDER BY id"


def shuffled(said: list[tuple[Event, int]], seed: int) -> list[tuple[Event, int]]:
    """Read the topics in another order, every key's own order kept, and one event in five twice."""
    draw = random.Random(seed)
    streams: dict[tuple[str, str], list[tuple[Event, int]]] = {}
    for event, sequence in said:
        streams.setdefault((event.topic, event.key), []).append((event, sequence))
    slots = [stream for stream in streams.values() for _ in stream]
    draw.shuffle(slots)
    mixed = [slot.pop(0) for slot in slots]
    return [word for one in mixed for word in ([one, one] if draw.random() < 0.2 else [one])]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    """The year, heard in its order."""
    made = await Room.make(servers)
    try:
        await made.hear(year_said())
        yield made
    finally:
        await made.close()


async def body(room: Room, path: str, query: dict[str, Any] | None = None, who: str = "akto") -> Any:
    answer = await room.get(who, path, query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_is_heard_is_what_the_flow_table_sends_here() -> None:
    hearing().check()


async def test_the_tables_are_those_the_code_thinks_of(room: Room) -> None:
    for name, table in Base.metadata.tables.items():
        query = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{name}'"
        assert {row["column_name"] for row in await room.rows(WORKER, query)} == set(table.c.keys())


async def test_the_year_shuffled_and_doubled_gives_the_same_counts_and_facts(room: Room, servers: Servers) -> None:
    other = await Room.make(servers)
    try:
        await other.hear(shuffled(year_said(), 7), batch=137)
        assert await other.rows(WORKER, RUNNING) == await room.rows(WORKER, RUNNING)
        assert await other.rows(WORKER, FACTS) == await room.rows(WORKER, FACTS)
    finally:
        await other.close()


async def test_hearing_everything_again_changes_nothing(room: Room) -> None:
    before = await room.rows(WORKER, RUNNING)
    await room.hear(year_said())
    assert await room.rows(WORKER, RUNNING) == before


async def test_two_workers_on_two_topics_of_the_same_fiches_count_right(servers: Servers) -> None:
    made = await Room.make(servers)
    try:
        said = year_said()[:1500]
        lots: dict[str, list[tuple[Event, int]]] = {}
        for word in said:
            lots.setdefault(word[0].topic, []).append(word)
        await asyncio.gather(*(_worker(made, topic, lot) for topic, lot in lots.items()))
        again = await Room.make(servers)
        await again.hear(said)
        assert await made.rows(WORKER, RUNNING) == await again.rows(WORKER, RUNNING)
        await again.close()
    finally:
        await made.close()


async def _worker(made: Room, topic: str, lot: list[tuple[Event, int]]) -> None:
    inbox = Inbox(made.database, hearing())
    for n in range(0, len(lot), 25):
        records = [made.received(*word) for word in lot[n : n + 25]]
        while True:
            try:
                await inbox.apply(topic, records)
                break
            except Conflict:
                continue


async def test_the_bilan_is_that_of_the_minutes(room: Room) -> None:
    bilan = await body(room, "/bilan/2021", who="dreets")
    values = {indicator["code"]: indicator["value"] for indicator in bilan["indicators"]}
    wanted = ("validated", "engaged", "ais", "mean_hours", "committed")
    assert [values[code] for code in wanted] == [209, 187, 1679, 339, 8_976_000]
    assert {line["key"]: line["engaged"] for line in bilan["by_opco"]} == margins.ENGAGED
    assert bilan["as_of"]["at"]
    assert all(indicator["as_of"] == bilan["as_of"]["at"] for indicator in bilan["indicators"])
    assert set(bilan["as_of"]["consumed"]) == {
        "poec.submission.fiches",
        "poec.validation.fiches",
        "poec.publication.sessions",
    }


async def test_counts_by_opco_month_quarter_and_year_have_one_total(room: Room) -> None:
    totals = []
    for by in ("opco", "month", "quarter", "year"):
        counts = await body(room, "/counts", {"year": 2021, "by": by, "measure": ["engaged", "ais"]})
        totals.append(
            {m: sum(row["value"] for row in counts["counts"] if row["measure"] == m) for m in ("engaged", "ais")}
        )
    assert totals == [{"engaged": 187, "ais": 1679}] * 4


async def test_an_opco_sees_the_same_figures_as_everybody(room: Room) -> None:
    query = {"year": 2021, "by": "opco"}
    assert await body(room, "/counts", query) == await body(room, "/counts", query, who="dreets")


async def test_the_counts_of_one_opco(room: Room) -> None:
    counts = await body(room, "/counts", {"year": 2021, "by": "month", "measure": "engaged", "opco": "constructys"})
    assert [row["value"] for row in counts["counts"]] == [1] * 12


async def test_a_year_nobody_filed_for_is_empty(room: Room) -> None:
    assert (await body(room, "/counts", {"year": 2030}))["counts"] == []


@pytest.mark.parametrize(
    "query",
    [{"year": 1999}, {"year": 2021, "by": "week"}, {"year": 2021, "measure": "joy"}, {"year": 2021, "opco": "x"}, {}],
)
async def test_a_question_that_makes_no_sense_is_refused(room: Room, query: dict[str, Any]) -> None:
    answer = await room.get("akto", "/counts", query)
    assert answer.status_code == 422
    assert answer.json()["objections"]


async def test_nobody_reads_without_a_token_or_a_role(room: Room) -> None:
    assert [(await room.get(who, "/bilan/2021")).status_code for who in (None, "nobody")] == [401, 403]


async def test_an_opco_sees_only_its_own_facts_in_the_database(room: Room) -> None:
    rows = await room.rows(PEOPLE["akto"], "SELECT DISTINCT opco FROM fiche_fact")
    assert [row["opco"] for row in rows] == ["akto"]


async def test_the_recount_is_equal_and_a_planted_difference_is_named(room: Room) -> None:
    assert (await room.get("akto", "/recount")).status_code == 403
    clean = await body(room, "/recount", who="operations")
    assert (clean["equal"], clean["fiches"]) == (True, 225)
    plant = "UPDATE running_count SET value = value + 1 WHERE (measure, opco, month) = ('engaged', 'akto', '2021-04')"
    await _execute(room, plant)
    found = await body(room, "/recount", who="operations")
    await _execute(room, plant.replace("+ 1", "- 1"))
    assert not found["equal"]
    assert [(d["measure"], d["opco"], d["month"], d["running"] - d["recounted"]) for d in found["differences"]] == [
        ("engaged", "akto", "2021-04", 1)
    ]


async def _execute(room: Room, statement: str) -> None:
    async with room.database.connection() as connection:
        await connection.execute(statement)


async def test_ais_before_their_fiche_are_kept_and_joined(servers: Servers) -> None:
    made = await Room.make(servers)
    fiche = Speaker("afdas", "late")
    try:
        await made.hear([(fiche.published(), 1), (fiche.ais(1), 2), (fiche.ais(2), 3)])
        assert await made.rows(WORKER, RUNNING) == []
        await made.hear([(fiche.submitted("2021-03-15"), 1)])
        counts = {(row["measure"], row["month"]): row["value"] for row in await made.rows(WORKER, RUNNING)}
        assert counts["ais", "2021-03"] == 2
    finally:
        await made.close()


async def test_what_became_of_people_is_counted_by_opco_and_year_as_the_bilan_shows_it(servers: Servers) -> None:
    made = await Room.make(servers)
    groups = {"atlas": 5, "akto": 12, "afdas": 30, "ocapiat": 44}
    try:
        for opco, finishing in groups.items():
            fiche = Speaker(opco)
            said = (fiche.submitted("2021-03-01"), fiche.engaged("2021-03-01"), fiche.returned(PlacementMoment.FIN, finishing, 1))
            await made.hear([(event, n) for n, event in enumerate(said, 1)])
        query = {"year": 2021, "measure": "finished_fin"}
        by_opco = (await body(made, "/counts", {**query, "by": "opco"}))["counts"]
        assert [(row["key"], row["value"]) for row in by_opco] == [("ocapiat", 44)]
        assert [row["value"] for row in (await body(made, "/counts", query))["counts"]] == [91]
        for more in ({"by": "month"}, {"by": "quarter"}, {"by": "month", "opco": "ocapiat"}, {"opco": "atlas"}, {"opco": "afdas"}):
            assert (await body(made, "/counts", {**query, **more}))["counts"] == [], more
        bilan = await body(made, "/bilan/2021")
        shown = {one["key"]: one["finishing"] for one in bilan["placements"] if one["moment"] == "FIN" and one["finishing"]}
        assert shown == {"ocapiat": 44, "total": 91} and "soustraction" in bilan["placements_rule"]
    finally:
        await made.close()
