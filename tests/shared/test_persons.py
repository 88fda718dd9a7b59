"""What is held of a person's own account is shown whole and erased once; what was decided stays, under a pseudonym that means nobody."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request

from shared import persons, persons_door
from shared.database import AUDIT_ENTRY
from shared.errors import NotFound, RulesRefused
from shared.identity import Principal, service_principal
from shared.persons import HELD, erase, held_of
from shared.principals import Directory, Registration, registrations
from shared.tokens import registered
from tests.shared.test_principals import REVIEWER, put, trail
from tests.support.heart import Heart, open_tallies
from tests.support.toy_app import caller, toy_app

API = service_principal("validation", "api")
ADMINISTRATOR = Registration("administrator", "machine", "operations", ("administrator",))
START = ("", 0)


async def erased(heart: Heart, identifier: str = "p-1", actor: str = "administrator") -> str:
    async with heart.database.unit(API) as unit:
        outcome = await erase(unit, identifier, actor)
        await unit.flush()
    return outcome


async def decided(heart: Heart, n: int, actor: str = "p-1") -> None:
    """Leave an entry in the trail, as a decision does."""
    async with heart.database.unit(API) as unit:
        await open_tallies(unit, [])
        row = {"aggregate": f"fiche-{n:04}", "n": 1, "at": unit.now, "actor": actor, "action": "give_avis", "facts": "{}"}
        unit.insert(AUDIT_ENTRY, [{**row, "previous_hash": "", "hash": "h"}])
        await unit.flush()


async def test_everything_that_is_held_is_shown(heart: Heart) -> None:
    await put(heart, REVIEWER)
    await decided(heart, 1)
    await decided(heart, 2, actor="somebody-else")
    found = await held_of(heart.database, "p-1", START)
    assert (found["row"]["organisation"], found["row"]["roles"], found["row"]["state"]) == ("region", ["region_reviewer"], "active")
    assert [row["login"] for row in found["held"]["sign_in"]] == ["avis@region.example"]
    entries = [(entry["aggregate"], entry["action"]) for entry in found["trail"]]
    assert entries == [("fiche-0001", "give_avis"), ("principal/p-1", "register_principal")]


async def test_a_long_trail_comes_page_by_page(heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "PAGE", 2)
    await put(heart, REVIEWER)
    for n in range(4):
        await decided(heart, n)
    seen, place = [], START
    while page := (await held_of(heart.database, "p-1", place))["trail"]:
        seen += [entry["aggregate"] for entry in page]
        place = (page[-1]["aggregate"], page[-1]["n"])
    assert seen == ["fiche-0000", "fiche-0001", "fiche-0002", "fiche-0003", "principal/p-1"]


async def test_what_is_erased_is_the_mapping_and_what_was_decided_stays(heart: Heart) -> None:
    await put(heart, REVIEWER)
    await decided(heart, 1)
    assert await erased(heart) == "erased"
    found = await held_of(heart.database, "p-1", START)
    assert (found["row"]["state"], found["held"]) == ("disabled", {"sessions": [], "sign_in": []})
    assert await Directory(heart.database).find("p-1") is None
    assert await trail(heart, "p-1") == [(1, "register_principal", "administrator"), (2, "erase_person", "administrator")]
    assert len(await heart.fetch("SELECT 1 FROM audit_entry WHERE actor = 'p-1'")) == 1
    for table in ("principal", "person", "audit_entry", "outbox"):
        assert await heart.fetch(f"SELECT 1 FROM {table} t WHERE t::text LIKE '%avis@region%'") == []


@pytest.mark.parametrize("change", [{"login": "autre@region.example"}, {"login": None}, {"state": "disabled"}])
async def test_a_pseudonym_that_was_erased_means_nobody_for_good(heart: Heart, change: dict[str, Any]) -> None:
    """Given to somebody else, it would make what the one did the other one's."""
    await put(heart, REVIEWER)
    await erased(heart)
    with pytest.raises(RulesRefused, match="ERASED"):
        await put(heart, dataclasses.replace(REVIEWER, **change))
    assert await put(heart, dataclasses.replace(REVIEWER, state="disabled", login=None)) == {"p-1": "unchanged"}
    assert await put(heart, dataclasses.replace(REVIEWER, id="p-2")) == {"p-2": "added"}


async def test_an_erasure_that_is_repeated_changes_nothing(heart: Heart) -> None:
    await put(heart, REVIEWER)
    assert await erased(heart) == "erased"
    assert await erased(heart) == "unchanged"
    assert len(await trail(heart, "p-1")) == 2


async def test_one_that_dies_before_the_commit_leaves_all_of_it_and_the_next_finishes(heart: Heart) -> None:
    await put(heart, REVIEWER)
    with pytest.raises(asyncio.CancelledError):
        await _killed(heart)
    assert len((await held_of(heart.database, "p-1", START))["held"]["sign_in"]) == 1
    assert (await registrations(heart.database))[0]["state"] == "active"
    assert await erased(heart) == "erased"


async def _killed(heart: Heart) -> None:
    async with heart.database.unit(API) as unit:
        await erase(unit, "p-1", "administrator")
        await unit.flush()
        raise asyncio.CancelledError


async def test_a_person_that_was_only_disabled_is_erased_all_the_same(heart: Heart) -> None:
    await put(heart, REVIEWER)
    gone = Registration("p-1", "person", "region", ("region_reviewer",), "disabled")
    await put(heart, gone)
    assert await erased(heart) == "erased"
    assert (await held_of(heart.database, "p-1", START))["held"] == {"sessions": [], "sign_in": []}


@pytest.mark.parametrize(("identifier", "actor", "code"), [("akto", "administrator", "NOT_A_PERSON"), ("p-1", "p-1", "OWN_ROW")])
async def test_a_machine_and_ones_own_account_are_not_erased(heart: Heart, identifier: str, actor: str, code: str) -> None:
    await put(heart, REVIEWER, Registration("akto", "machine", "akto", ("opco",)))
    with pytest.raises(RulesRefused, match=code):
        await erased(heart, identifier, actor)
    assert {row["state"] for row in await registrations(heart.database)} == {"active"}


async def test_nobody_knows_an_unknown_pseudonym(heart: Heart) -> None:
    with pytest.raises(NotFound):
        await erased(heart, "p-unknown")
    with pytest.raises(NotFound):
        await held_of(heart.database, "p-unknown", START)


async def test_every_table_that_names_a_principal_of_its_own_is_among_what_is_held(heart: Heart) -> None:
    """A table that refers to a person's row holds something about them: it is shown and erased, or this fails."""
    rows = await heart.fetch(
        "SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint WHERE contype = 'f' AND confrelid = 'principal'::regclass"
    )
    assert rows
    assert [row["name"] for row in rows if not any(f"FROM {row['name']} " in held.erase for held in HELD)] == []


@pytest_asyncio.fixture(loop_scope="session")
async def client(heart: Heart) -> AsyncIterator[httpx.AsyncClient]:
    """The toy service; the header names the row of who asks."""
    app: FastAPI = toy_app(heart)
    directory = Directory(heart.database, fresh=0)

    class ByRow:
        async def principal(self, request: Request) -> Principal:
            return registered(await directory.find(request.headers.get("authorization", "")))

        async def again(self, request: Request) -> Principal:
            return await self.principal(request)

    app.state.door.who = ByRow()
    async with caller(app) as made:
        yield made


async def test_the_door_is_for_administrators_alone(heart: Heart, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(heart, ADMINISTRATOR, REVIEWER, Registration("ops", "machine", "operations", ("operations",)), actor="migration")
    for who in ("ops", "p-1"):
        for method in ("GET", "DELETE"):
            assert (await client.request(method, "/principals/p-1/person", headers={"authorization": who})).status_code == 403
    by = {"authorization": "administrator"}
    monkeypatch.setattr(persons_door, "PAGE", 1)
    shown = (await client.get("/principals/p-1/person", headers=by)).json()
    assert (shown["held"]["sign_in"][0]["login"], shown["next_aggregate"], shown["next_n"]) == ("avis@region.example", "principal/p-1", 1)
    following = {"after_aggregate": shown["next_aggregate"], "after_n": shown["next_n"]}
    assert (await client.get("/principals/p-1/person", params=following, headers=by)).json()["trail"] == []
    outcomes = [(await client.delete("/principals/p-1/person", headers=by)).json()["outcome"] for _ in range(2)]
    assert outcomes == ["erased", "unchanged"]
    assert (await client.get("/principals/p-1/person", headers=by)).json()["held"] == {"sessions": [], "sign_in": []}
    assert (await client.get("/principals/p-9/person", headers=by)).status_code == 404
    assert (await client.get("/principals/A%20B/person", headers=by)).status_code == 422
