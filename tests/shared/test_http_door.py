"""The door on a real database: form, identity, idempotency, revisions, waiting, and errors that tell nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from shared.database import Database
from shared.errors import Conflict
from shared.parsing import MAX_BYTES
from tests.support.heart import Heart
from tests.support.toy_app import caller, gate
from tests.support.toy_app import toy_app as made_app


@pytest_asyncio.fixture(loop_scope="session")
async def toy(heart: Heart) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the toy service, as AKTO."""
    gate.clear()
    async with caller(made_app(heart)) as client:
        yield client


def keyed(key: str | None = None, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid4()), **more}


async def counted(toy: httpx.AsyncClient, tally: UUID, body: Any = None, **headers: str) -> httpx.Response:
    return await toy.post(f"/tallies/{tally}", json=body or {}, headers=keyed(**headers))


async def test_a_write_is_answered_with_its_revision_and_its_place(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally = uuid4()
    answer = await counted(toy, tally, {"by": 3})
    assert (answer.status_code, answer.headers["etag"], answer.headers["location"]) == (201, '"3"', f"/tallies/{tally}")
    assert answer.headers["content-type"] == "application/json"
    assert await heart.seen(tally) == 3


async def test_the_same_key_and_body_get_the_same_answer_byte_for_byte(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally, key = uuid4(), str(uuid4())
    first = await counted(toy, tally, {"by": 3}, key=key)
    again = [await counted(toy, tally, {"by": 3}, key=key) for _ in range(3)]
    assert {answer.content for answer in again} == {first.content}
    assert {_kept(answer) for answer in again} == {_kept(first)}
    assert await heart.seen(tally) == 3
    assert len(await heart.fetch("SELECT 1 FROM outbox")) == 1


def _kept(answer: httpx.Response) -> tuple[Any, ...]:
    return (answer.status_code, *sorted(answer.headers.items()))


async def test_the_same_key_with_another_body_is_refused(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally, key = uuid4(), str(uuid4())
    await counted(toy, tally, {"by": 3}, key=key)
    other = await counted(toy, tally, {"by": 4}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = await counted(toy, uuid4(), {"by": 3}, key=key)
    assert elsewhere.json()["code"] == "idempotency_key_reused"
    assert await heart.seen(tally) == 3


async def test_a_key_is_its_callers_own(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally, key = uuid4(), str(uuid4())
    await counted(toy, tally, key=key)
    assert (await counted(toy, tally, key=key, authorization="afdas")).status_code == 201
    assert await heart.seen(tally) == 2


async def test_a_refusal_is_not_kept_and_the_key_may_be_used_again(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally, key = uuid4(), str(uuid4())
    assert (await counted(toy, tally, {"refuse": "wait"}, key=key)).status_code == 409
    gate.set()
    assert (await counted(toy, tally, {"refuse": "wait"}, key=key)).status_code == 201
    assert await heart.seen(tally) == 1


async def test_a_write_without_key_is_refused(toy: httpx.AsyncClient) -> None:
    answer = await toy.post(f"/tallies/{uuid4()}", json={})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 201, "a\tb"])
async def test_a_key_that_is_none_is_refused(toy: httpx.AsyncClient, key: str) -> None:
    answer = await toy.post(f"/tallies/{uuid4()}", json={}, headers=[(b"idempotency-key", key.encode())])
    assert answer.status_code == 422
    assert [o["code"] for o in answer.json()["objections"]] == ["IDEMPOTENCY_KEY"]


async def test_the_same_key_at_the_same_moment_has_one_effect(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally, key = uuid4(), str(uuid4())
    found = await asyncio.gather(*(counted(toy, tally, {"by": 5}, key=key) for _ in range(6)))
    assert {answer.status_code for answer in found} == {201}
    assert len({answer.content for answer in found}) == 1
    assert await heart.seen(tally) == 5
    assert len(await heart.fetch("SELECT 1 FROM outbox")) == 1


async def test_many_at_once_are_all_counted(toy: httpx.AsyncClient, heart: Heart) -> None:
    """Of those that meet, one is first and the others try again; one that lost four times is told to come back."""
    tally = uuid4()
    found = await asyncio.gather(*(counted(toy, tally) for _ in range(4)))
    assert {answer.status_code for answer in found} <= {201, 503}
    assert await heart.seen(tally) == sum(answer.status_code == 201 for answer in found)


async def test_a_write_that_met_another_is_tried_again(
    toy: httpx.AsyncClient, heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    unit = Database.unit

    def sometimes(self: Database, *args: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise Conflict("version")
        return unit(self, *args)

    monkeypatch.setattr(Database, "unit", sometimes)
    tally = uuid4()
    assert (await counted(toy, tally)).status_code == 201
    assert len(tries) == 3


async def test_a_write_that_always_meets_another_is_told_to_come_back(
    toy: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: Database, *args: Any) -> Any:
        raise Conflict("version")

    monkeypatch.setattr(Database, "unit", never)
    answer = await counted(toy, uuid4())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_decision_names_the_revision_it_was_taken_on(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally = uuid4()
    await counted(toy, tally, {"by": 3})
    without = await toy.put(f"/tallies/{tally}", json={"by": 9}, headers=keyed())
    assert (without.status_code, without.json()["code"]) == (428, "revision_required")
    stale = await toy.put(f"/tallies/{tally}", json={"by": 9}, headers=keyed() | {"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["code"], stale.json()["objections"][0]["facts"]) == (
        412,
        "stale_revision",
        {"current": 3},
    )
    read = await toy.get(f"/tallies/{tally}")
    done = await toy.put(f"/tallies/{tally}", json={"by": 9}, headers=keyed() | {"If-Match": read.headers["etag"]})
    assert (done.status_code, done.headers["etag"]) == (200, '"9"')
    assert await heart.seen(tally) == 9


@pytest.mark.parametrize("etag", ["3", "*", 'W/"3"', '"3", "4"', '"x"', '"-3"', '"99999999999"', ""])
async def test_an_if_match_that_is_no_revision_matches_nothing(toy: httpx.AsyncClient, heart: Heart, etag: str) -> None:
    tally = uuid4()
    await counted(toy, tally, {"by": 3})
    answer = await toy.put(f"/tallies/{tally}", json={"by": 9}, headers=keyed() | {"If-Match": etag})
    assert answer.status_code == 412
    assert await heart.seen(tally) == 3


async def test_a_decision_that_was_answered_is_answered_again_although_the_revision_moved(
    toy: httpx.AsyncClient,
) -> None:
    tally, key = uuid4(), str(uuid4())
    await counted(toy, tally, {"by": 3})
    headers = keyed(key) | {"If-Match": '"3"'}
    first = await toy.put(f"/tallies/{tally}", json={"by": 9}, headers=headers)
    again = await toy.put(f"/tallies/{tally}", json={"by": 9}, headers=headers)
    assert (first.status_code, again.content) == (200, first.content)


async def test_who_comes_too_early_may_wait(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally = uuid4()
    waiting = asyncio.create_task(counted(toy, tally, {"refuse": "wait"}, Prefer="respond-async, wait=15"))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    gate.set()
    assert (await waiting).status_code == 201
    assert await heart.seen(tally) == 1


async def test_who_waited_long_enough_is_told_why(toy: httpx.AsyncClient) -> None:
    answer = await counted(toy, uuid4(), {"refuse": "wait"}, Prefer="wait=1")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")


@pytest.mark.parametrize("prefer", ["wait", "wait=", "wait=-1", "wait=x", "await=9", "wait=9999", "handling=strict"])
async def test_a_preference_that_is_none_is_not_waited_for(toy: httpx.AsyncClient, prefer: str) -> None:
    async with asyncio.timeout(5):
        assert (await counted(toy, uuid4(), {"refuse": "wait"}, Prefer=prefer)).status_code == 409


async def test_rules_that_object_are_not_waited_for(toy: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        assert (await counted(toy, uuid4(), {"refuse": "rules"}, Prefer="wait=20")).status_code == 422


async def test_who_is_not_signed_in_learns_nothing(toy: httpx.AsyncClient) -> None:
    for headers in ({"authorization": "nobody"}, {"authorization": ""}):
        answer = await toy.post(f"/tallies/{uuid4()}", content=b"{", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_all_objections_come_with_what_they_rest_on(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally = uuid4()
    answer = await counted(toy, tally, {"refuse": "rules"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:poec:problem:rules_refused",
        "title": "La demande ne respecte pas une ou plusieurs règles",
        "status": 422,
        "code": "rules_refused",
        "objections": [
            {"code": "FIRST", "field": "by", "message": "Un.", "source": "minutes L1", "facts": {"by": 7}},
            {"code": "SECOND", "message": "Deux.", "facts": {}},
        ],
        "warnings": [],
    }
    assert await heart.fetch("SELECT 1 FROM audit_entry") == []


async def test_warnings_are_the_answer(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally = uuid4()
    answer = await counted(toy, tally, {"refuse": "warnings"})
    assert (answer.status_code, [w["code"] for w in answer.json()["warnings"]]) == (409, ["CAREFUL"])
    assert await heart.seen(tally) == 0


@pytest.mark.parametrize(("how", "status"), [("unknown", 404), ("role", 403), ("state", 409), ("away", 503)])
async def test_a_refusal_has_its_status(toy: httpx.AsyncClient, how: str, status: int) -> None:
    assert (await counted(toy, uuid4(), {"refuse": how})).status_code == status


@pytest.mark.parametrize("how", ["defect", "impossible", "beyond"])
async def test_a_defect_tells_nothing(toy: httpx.AsyncClient, how: str) -> None:
    answer = await counted(toy, uuid4(), {"refuse": how})
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert "7qz" not in answer.text


@pytest.mark.parametrize(
    "path", ["/nowhere", "/tallies", "/tallies/secret-7qz", "/tallies/secret-7qz/x", "//", "//x", "/openapi.json/"]
)
async def test_an_address_that_leads_nowhere_is_a_problem_like_others(toy: httpx.AsyncClient, path: str) -> None:
    answer = await toy.get(f"http://toy.invalid{path}")  # whole: the client takes what follows two slashes for a host
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "7qz" not in answer.text


async def test_a_method_that_is_not_there_is_a_problem_too(toy: httpx.AsyncClient) -> None:
    answer = await toy.delete(f"/tallies/{uuid4()}")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.headers["allow"] == "GET, POST, PUT"  # of every route at this address


async def test_a_body_is_counted_while_it_streams_in(toy: httpx.AsyncClient) -> None:
    sent: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"note": "'
        while True:
            sent.append(1)
            yield b"x" * 65_536

    async with asyncio.timeout(10):
        answer = await toy.post(f"/tallies/{uuid4()}", content=endless(), headers=keyed())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert len(sent) <= MAX_BYTES // 65_536 + 2


async def test_a_body_of_256_kib_passes_and_one_byte_more_does_not(toy: httpx.AsyncClient) -> None:
    body = json.dumps({"note": "x" * (MAX_BYTES - len('{"note": ""}'))}).encode()
    assert len(body) == MAX_BYTES
    assert (await toy.post(f"/tallies/{uuid4()}", content=body, headers=keyed())).status_code == 201
    assert (await toy.post(f"/tallies/{uuid4()}", content=body + b" ", headers=keyed())).status_code == 413


async def test_a_body_that_is_not_read_is_not_repeated(toy: httpx.AsyncClient) -> None:
    for content in (
        b'{"by": "secret-7qz"}',
        b'{"secret-7qz": 1}',
        b'"secret-7qz',
        b'{"by": 1, "by": 2, "secret-7qz": 1}',
    ):
        answer = await toy.post(f"/tallies/{uuid4()}", content=content, headers=keyed())
        assert answer.status_code in (400, 422)
        assert "7qz" not in answer.text


async def test_a_full_outbox_closes_the_door_to_writes_and_not_to_reads(toy: httpx.AsyncClient, heart: Heart) -> None:
    tally = uuid4()
    await counted(toy, tally)
    app = made_app(heart)
    app.state.door.load.full = True
    async with caller(app) as client:
        refused = await counted(client, tally)
        assert (refused.status_code, refused.json()["objections"][0]["code"]) == (503, "OUTBOX_FULL")
        assert (await client.get(f"/tallies/{tally}")).status_code == 200


async def test_health_and_metrics_need_no_token(toy: httpx.AsyncClient) -> None:
    assert (await toy.get("/livez", headers={"authorization": ""})).text == "ok"
    assert (await toy.get("/readyz", headers={"authorization": ""})).json() == {
        "ready": True,
        "parts": {"database": True},
    }
    metrics = await toy.get("/metrics", headers={"authorization": ""})
    assert "poec_http_answers_total" in metrics.text


async def test_dead_letters_are_for_operations_alone(toy: httpx.AsyncClient) -> None:
    assert (await toy.get("/dead-letters")).status_code == 403
    assert (await toy.get("/dead-letters", headers={"authorization": "operations"})).json() == {"dead_letters": []}
    for path in (f"/dead-letters/{uuid4()}/replay", f"/dead-letters/{uuid4()}/discard"):
        answer = await toy.post(path, json={"reason": "essai"})
        assert answer.status_code == 403
        assert (
            await toy.post(path, json={"reason": "essai"}, headers={"authorization": "operations"})
        ).status_code == 404


async def test_the_trace_of_the_caller_is_followed(toy: httpx.AsyncClient, heart: Heart) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    await counted(toy, uuid4(), traceparent=trace)
    for invented in ("", "x", "00-" + "g" * 32, f"00-{'a' * 32}-{'b' * 16}-01-{'c' * 5000}"):
        await counted(toy, uuid4(), traceparent=invented)
    traces = [
        row["trace"] for row in await heart.fetch("SELECT headers->>'traceparent' AS trace FROM outbox ORDER BY id")
    ]
    assert traces[0] == trace
    assert len(set(traces)) == 5
