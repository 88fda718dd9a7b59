"""The table of principals: rows come by registration alone, each with its entry in the trail; rights that are taken away are gone."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request

from shared.database import RightsChanged, retried
from shared.errors import Forbidden, RulesRefused
from shared.identity import Principal, service_principal
from shared.principals import Directory, Outcome, Registration, State, register, registrations
from shared.tokens import registered
from tests.support.heart import WORKER, Heart, open_tallies, record
from tests.support.toy_app import caller, toy_app

API = service_principal("validation", "api")
AKTO = Registration("akto", "machine", "akto", ("opco",))
REVIEWER = Registration("p-1", "person", "region", ("region_reviewer",), login="avis@region.example")


async def put(heart: Heart, *wanted: Registration, actor: str = "administrator") -> dict[str, Outcome]:
    async def once() -> dict[str, Outcome]:
        async with heart.database.unit(API) as unit:
            outcomes = await register(unit, wanted, actor)
            await unit.flush()
        return outcomes

    return await retried(once)


async def trail(heart: Heart, identifier: str) -> list[tuple[int, str, str]]:
    query = "SELECT n, action, actor FROM audit_entry WHERE aggregate = $1 ORDER BY n"
    return [tuple(row) for row in await heart.fetch(query, f"principal/{identifier}")]


async def test_a_row_is_made_changed_and_left_alone_each_with_its_entry(heart: Heart) -> None:
    assert await put(heart, AKTO, REVIEWER) == {"akto": "added", "p-1": "added"}
    assert await put(heart, AKTO) == {"akto": "unchanged"}
    gone = Registration("akto", "machine", "akto", ("opco",), "disabled")
    assert await put(heart, gone) == {"akto": "changed"}
    assert await put(heart, gone) == {"akto": "unchanged"}
    assert await trail(heart, "akto") == [(1, "register_principal", "administrator"), (2, "disable_principal", "administrator")]
    rows = {row["id"]: row for row in await registrations(heart.database)}
    assert (rows["akto"]["state"], rows["akto"]["signs_in"], rows["p-1"]["signs_in"]) == ("disabled", False, True)


async def test_ten_at_once_make_one_row_and_one_entry(heart: Heart) -> None:
    outcomes = await asyncio.gather(*(put(heart, AKTO) for _ in range(10)))
    assert sorted(outcome["akto"] for outcome in outcomes) == ["added"] + ["unchanged"] * 9
    assert len(await trail(heart, "akto")) == 1


REFUSED = {
    "a role of another organisation": (Registration("x", "machine", "akto", ("region_reviewer",)), "ROLE_UNFIT"),
    "both sides of one fiche": (Registration("x", "machine", "region", ("region_reviewer", "pole_emploi_reviewer")), "ROLE_UNFIT"),
    "a role that is none": (Registration("x", "machine", "akto", ("root",)), "ROLE_UNFIT"),
    "a service's role": (Registration("x", "machine", "operations", ("worker",)), "ROLE_UNFIT"),
    "a provider without a SIRET": (Registration("x", "machine", "centre", ("training_provider",)), "ROLE_UNFIT"),
    "a provider with a wrong SIRET": (Registration("x", "machine", "73282932000075", ("training_provider",)), "ROLE_UNFIT"),
    "no role": (Registration("x", "machine", "akto", ()), "ROLE_MISSING"),
    "a person nobody can sign in as": (Registration("x", "person", "region", ("region_reviewer",)), "LOGIN_KIND"),
    "a person nobody ever could": (Registration("x", "person", "region", ("region_reviewer",), "disabled"), "LOGIN_KIND"),
    "a machine with a mailbox": (Registration("x", "machine", "akto", ("opco",), login="a@b.example"), "LOGIN_KIND"),
    "a process's name": (Registration("validation:x", "machine", "akto", ("opco",)), "ID_RESERVED"),
    "a topic's name": (Registration("topic:akto", "machine", "akto", ("opco",)), "ID_RESERVED"),
    "a migration's name": (Registration("migration", "machine", "akto", ("opco",)), "ID_RESERVED"),
    "one's own row": (Registration("administrator", "machine", "operations", ("administrator", "operations")), "OWN_ROW"),
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused(heart: Heart, wanted: Registration, code: str) -> None:
    with pytest.raises(RulesRefused) as refused:
        await put(heart, wanted)
    assert [one.code for one in refused.value.objections] == [code]
    assert await registrations(heart.database) == []


async def test_all_or_none_and_all_objections_at_once(heart: Heart) -> None:
    with pytest.raises(RulesRefused) as refused:
        await put(heart, AKTO, *(wanted for wanted, _ in REFUSED.values()))
    assert {one.code for one in refused.value.objections} == {code for _, code in REFUSED.values()} | {"TWICE"}
    assert await registrations(heart.database) == []


async def test_a_person_has_one_account(heart: Heart) -> None:
    await put(heart, REVIEWER)
    again = Registration("p-2", "person", "france-travail", ("pole_emploi_reviewer",), login="avis@region.example")
    with pytest.raises(RulesRefused, match="LOGIN_TAKEN") as refused:
        await put(heart, again)
    assert [one.facts for one in refused.value.objections] == [{"account": "p-1"}]
    with pytest.raises(RulesRefused, match="KIND_FIXED"):
        await put(heart, Registration("p-1", "machine", "region", ("region_reviewer",), "disabled"))


@pytest.mark.parametrize("row", [AKTO, Registration("p-1", "person", "akto", ("opco",), login="depot@akto.example")])
async def test_nobody_comes_to_judge_what_he_submitted_by_changing_sides(heart: Heart, row: Registration) -> None:
    await put(heart, row)
    for state in ("active", "disabled"):
        with pytest.raises(RulesRefused, match="ORGANISATION_FIXED"):
            await put(heart, dataclasses.replace(row, organisation="france-travail", roles=("pole_emploi_reviewer",), state=state))
    assert [row["organisation"] for row in await registrations(heart.database)] == ["akto"]


async def test_who_is_behind_a_pseudonym_is_seen_by_the_service_alone(heart: Heart) -> None:
    await put(heart, REVIEWER, AKTO)
    reviewer = Principal("p-1", "region", "person", frozenset({"region_reviewer"}))
    akto = Principal("akto", "akto", "machine", frozenset({"opco"}))
    assert len(await heart.database.query(WORKER, "SELECT login FROM person")) == 1
    for who in (reviewer, akto):
        assert await heart.database.query(who, "SELECT login FROM person") == []
    assert [row["id"] for row in await heart.database.query(akto, "SELECT id FROM principal")] == ["akto"]


@pytest.mark.parametrize("who", [Principal("p-1", "region", "person"), Principal("akto", "akto", "machine")])
async def test_nobody_gives_himself_a_role_by_sql(heart: Heart, who: Principal) -> None:
    await put(heart, REVIEWER, AKTO)
    async with heart.database.connection() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL poec.principal = '{who.id}'; SET LOCAL poec.tenant = '*'")
        assert await connection.execute("UPDATE principal SET roles = '[\"administrator\"]'") == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("INSERT INTO principal SELECT 'x', kind, organisation, roles, state, 1, 'h', now() FROM principal")


async def test_the_directory_knows_the_active_ones_and_reads_again_when_told_to(heart: Heart) -> None:
    directory = Directory(heart.database, fresh=3600)
    assert await directory.find("akto") is None
    await put(heart, AKTO, REVIEWER)
    assert await directory.find("akto") is None
    directory.forget()
    assert await directory.find("akto") == Principal("akto", "akto", "machine", frozenset({"opco"}))
    await put(heart, Registration("akto", "machine", "akto", ("opco",), "disabled"))
    directory.forget()
    assert await directory.find("akto") is None
    assert await directory.find("p-1")


async def test_a_row_that_nobody_registered_is_left_out(heart: Heart) -> None:
    """Written by hand past the rules: an OPCO that would also be a reviewer."""
    await put(heart, AKTO)
    async with heart.database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL poec.principal = 'validation:api'; SET LOCAL poec.tenant = '*'")
        await connection.execute("UPDATE principal SET roles = '[\"opco\", \"region_reviewer\"]'")
    assert await Directory(heart.database).find("akto") is None


async def test_a_write_by_rights_that_were_taken_away_meanwhile_does_not_happen(heart: Heart) -> None:
    await put(heart, AKTO)
    directory = Directory(heart.database, fresh=3600)
    before = registered(await directory.find("akto"))
    async with heart.database.unit(before) as unit:
        await open_tallies(unit, [])
    await put(heart, Registration("akto", "machine", "akto", ("opco",), "disabled"))
    with pytest.raises(RightsChanged):
        await _write(heart, before)


async def _write(heart: Heart, who: Principal) -> None:
    async with heart.database.unit(who) as unit:
        await open_tallies(unit, [])


@pytest_asyncio.fixture(loop_scope="session")
async def app(heart: Heart) -> AsyncIterator[FastAPI]:
    """The toy service with the real table of principals behind it: the header names the row."""
    made, directory = toy_app(heart), Directory(heart.database, fresh=3600)

    class ByRow:
        async def principal(self, request: Request) -> Principal:
            return registered(await directory.find(request.headers.get("authorization", "")))

        async def again(self, request: Request) -> Principal:
            directory.forget()
            return await self.principal(request)

    made.state.door.who = ByRow()
    yield made


async def test_who_was_disabled_is_refused_at_the_next_write_however_fresh_the_directory(heart: Heart, app: FastAPI) -> None:
    await put(heart, AKTO)
    async with caller(app) as client:
        first = await _count(client)
        await put(heart, Registration("akto", "machine", "akto", ("opco",), "disabled"))
        second = await _count(client)
    assert (first.status_code, second.status_code, second.json()["code"]) == (201, 403, "forbidden")
    assert [one["code"] for one in second.json()["objections"]] == ["NOT_REGISTERED"]


async def test_who_was_given_another_role_goes_on_with_it(heart: Heart, app: FastAPI) -> None:
    await put(heart, Registration("operations", "machine", "operations", ("operations",)))
    async with caller(app) as client:
        first = await _count(client, "operations")
        await put(heart, Registration("operations", "machine", "operations", ("operations", "administrator")))
        second = await _count(client, "operations")
    assert (first.status_code, second.status_code) == (201, 201)


ADMINISTRATOR = Registration("administrator", "machine", "operations", ("administrator",))
OPERATOR = Registration("ops", "machine", "operations", ("operations",))
ASKED = {
    "a row": ("PUT", "/principals", ADMINISTRATOR),
    "an erasure": ("DELETE", "/principals/p-1/person", ADMINISTRATOR),
    "a replay": ("POST", "/dead-letters/{}/replay", OPERATOR),
    "a discard": ("POST", "/dead-letters/{}/discard", OPERATOR),
}


@pytest.mark.parametrize("now", [("disabled", ("administrator",)), ("active", ("operations", "administrator")), ("active", None)])
@pytest.mark.parametrize("what", ASKED)
async def test_nobody_administers_by_rights_that_were_taken_away(
    heart: Heart, app: FastAPI, what: str, now: tuple[State, tuple[str, ...] | None]
) -> None:
    """The service acts itself there, or as the partner whose record it is: it is who asked for it that must still be allowed to."""
    method, path, who = ASKED[what]
    state, roles = now
    other = tuple({"administrator", "operations"} - set(who.roles))
    await put(heart, who, REVIEWER, actor="migration")
    await heart.apply(dataclasses.replace(record(uuid4(), 1), value=b"{"))
    (letter,) = await heart.fetch("SELECT id FROM dead_letter")
    bodies = {"a row": {"principals": [BODY]}, "a discard": {"reason": "essai"}}
    async with caller(app) as client:
        assert (await client.get("/me", headers={"authorization": who.id})).status_code in (200, 403)  # remembered from here on
        await put(heart, dataclasses.replace(who, state=state, roles=roles or other), actor="migration")
        answer = await client.request(method, path.format(letter["id"]), json=bodies.get(what), headers={"authorization": who.id})
    may = state == "active" and set(who.roles) <= set(roles or other)
    assert answer.status_code == (200 if may else 403)
    entries = await heart.fetch("SELECT 1 FROM audit_entry WHERE actor = $1", who.id)
    assert len(entries) == may


async def _count(client: httpx.AsyncClient, who: str = "akto") -> httpx.Response:
    headers = {"Idempotency-Key": str(uuid4()), "authorization": who}
    return await client.post(f"/tallies/{uuid4()}", json={}, headers=headers)


BODY = {"id": "afdas", "kind": "machine", "organisation": "afdas", "roles": ["opco"]}


async def test_the_door_is_for_administrators_alone(heart: Heart, app: FastAPI) -> None:
    administrator = Registration("administrator", "machine", "operations", ("administrator",))
    await put(heart, administrator, AKTO, Registration("ops", "machine", "operations", ("operations",)), actor="migration")
    body = {"principals": [BODY]}
    async with caller(app) as client:
        for who, read, write in (("akto", 403, 403), ("ops", 200, 403), ("administrator", 200, 200)):
            headers = {"authorization": who}
            assert (await client.get("/principals", headers=headers)).status_code == read
            assert (await client.put("/principals", json=body, headers=headers)).status_code == write
        again = await client.put("/principals", json=body, headers=headers)
        listed = (await client.get("/principals", headers=headers)).json()["principals"]
    assert again.json() == {"outcomes": {"afdas": "unchanged"}}
    assert [one["id"] for one in listed] == ["administrator", "afdas", "akto", "ops"]
    assert await trail(heart, "afdas") == [(1, "register_principal", "administrator")]


@pytest.mark.parametrize("change", [{"id": "A B"}, {"kind": "service"}, {"roles": "opco"}, {"version": 3}, {"login": "Nobody"}])
async def test_what_has_not_the_form_is_refused(heart: Heart, app: FastAPI, change: dict[str, object]) -> None:
    await put(heart, Registration("administrator", "machine", "operations", ("administrator",)), actor="migration")
    async with caller(app) as client:
        answer = await client.put("/principals", json={"principals": [BODY | change]}, headers={"authorization": "administrator"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_who_is_not_registered_may_do_nothing() -> None:
    with pytest.raises(Forbidden, match="NOT_REGISTERED"):
        registered(None)
