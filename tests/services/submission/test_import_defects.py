"""A fiche that trips the service up, or that the database will not have: it is refused as a defect, the others of its file go through."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import structlog

from services.submission import import_cases, import_job, store
from services.submission.domain.preparation import Held
from services.submission.import_job import Imports
from services.submission.import_store import running_imports
from tests.services.submission.importing import GIVEN, ask, carried, counts, fiches, importing_room, lines, send, sent
from tests.services.submission.room import Room
from tests.support.servers import Servers

BAD = "Intitulé que rien ne supporte"
PLANTED = (
    (import_job, "filing_of", lambda line, *_: line.reference == "BAD"),
    (import_cases, "submit_fiche", lambda *asked: asked[2] == "BAD"),
)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    async with importing_room(servers) as made:
        yield made


@asynccontextmanager
async def refused_by_the_table(room: Room, servers: Servers, error: str) -> AsyncIterator[None]:
    """Let the database fail with an error of its own over one title."""
    name = (await room.fetch("SELECT current_database() AS name"))[0]["name"]
    admin = await asyncpg.connect(servers.postgres.admin_url, database=name)
    try:
        await admin.execute(
            f"CREATE FUNCTION trips() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.title = '{BAD}' THEN"
            f" RAISE EXCEPTION 'planted %', NEW.title USING ERRCODE = '{error}'; END IF; RETURN NEW; END $$;"
            " CREATE TRIGGER trips BEFORE INSERT ON fiche FOR EACH ROW EXECUTE FUNCTION trips()"
        )
        yield
    finally:
        await admin.execute("DROP TRIGGER trips ON fiche; DROP FUNCTION trips")
        await admin.close()


def tripping(real: Callable[..., Any], bad: Callable[..., bool]) -> Callable[..., Any]:
    def trips(*args: Any) -> Any:
        if bad(*args):
            raise ZeroDivisionError(BAD)
        return real(*args)

    return trips


async def only_the_bad_one_is_refused(room: Room, name: str) -> None:
    good = [f"{name}-{n}" for n in range(3)]
    # a log that was used is kept as it was configured then: `capture_logs` would not see it after other tests
    capture = structlog.testing.LogCapture()
    plain = structlog.make_filtering_bound_logger(0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(import_job, "_LOG", structlog.wrap_logger(None, processors=[capture], wrapper_class=plain))
        found = await sent(room, *fiches(*good[:2]), *fiches("BAD", title=BAD), *fiches(good[2]))
    assert (found["state"], counts(found)) == ("done", {"accepted": 3, "refused": 1})
    said = {line["reference"]: line["said"] for line in await lines(room, found) if line["outcome"] == "refused"}
    assert [(reference, [one["code"] for one in told]) for reference, told in said.items()] == [("BAD", ["DEFECT"])]
    assert BAD not in json.dumps(said)
    (defect,) = [line for line in capture.entries if line["event"] == "import_defect"]
    assert (defect["log_level"], defect["import_id"], defect["n"]) == ("error", found["import_id"], 3)
    assert isinstance(defect["exc_info"], Exception) and BAD not in json.dumps({**defect, "exc_info": None})
    rows = await room.fetch("SELECT reference FROM fiche WHERE reference = ANY($1) ORDER BY 1", [*good, "BAD"])
    assert [row["reference"] for row in rows] == good


@pytest.mark.parametrize(("where", "what", "bad"), PLANTED, ids=[what for _, what, _ in PLANTED])
async def test_a_fiche_that_trips_the_service_up_is_refused_and_the_others_go_through(
    room: Room, monkeypatch: pytest.MonkeyPatch, where: Any, what: str, bad: Callable[..., bool]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(where, what, tripping(getattr(where, what), bad))
        await only_the_bad_one_is_refused(room, what)


async def test_a_fiche_that_cannot_be_sent_to_the_database_is_refused_and_the_others_go_through(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = store._columns

    def beyond(held: Held) -> Mapping[str, Any]:
        return {**columns(held), **({"programme_year": 10**12} if held.reference == "BAD" else {})}

    with monkeypatch.context() as patched:
        patched.setattr(store, "_columns", beyond)
        await only_the_bad_one_is_refused(room, "beyond")


@pytest.mark.parametrize("error", ["22003", "23514", "23505", "54000"])
async def test_a_fiche_that_the_database_will_not_have_is_refused_and_the_others_go_through(
    room: Room, servers: Servers, error: str
) -> None:
    async with refused_by_the_table(room, servers, error):
        await only_the_bad_one_is_refused(room, f"E{error}")


@pytest.mark.parametrize("error", ["25006", "53100", "57014", "58030"])
async def test_what_says_nothing_about_a_fiche_is_tried_again_and_refuses_nothing(
    room: Room, servers: Servers, error: str
) -> None:
    answer = await send(room, json.dumps([*fiches(f"M{error}"), *fiches(f"T{error}", title=BAD)]).encode())
    async with refused_by_the_table(room, servers, error):
        with pytest.raises(import_job._OF_THE_MOMENT):
            await Imports(room.database, GIVEN).pass_once()
    assert counts((await ask(room, f"/{answer.json()['import_id']}")).json()) == {"waiting": 2}
    assert counts(await carried(room, answer)) == {"accepted": 2}


async def test_a_defect_of_the_job_itself_does_not_end_its_process(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await send(room, json.dumps(fiches("JOB-1")).encode())
    failures = iter([ZeroDivisionError(), ConnectionResetError()])

    async def fails_twice(*args: Any) -> Any:
        if failure := next(failures, None):
            raise failure
        return await running_imports(*args)

    monkeypatch.setattr("services.submission.import_job.running_imports", fails_twice)
    running = asyncio.create_task(Imports(room.database, GIVEN, poll=0.01).run())
    try:
        async with asyncio.timeout(30):
            while (await ask(room, f"/{answer.json()['import_id']}")).json()[
                "state"
            ] == "running" and not running.done():
                await asyncio.sleep(0.02)
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_whoever_fails_again_and_again_waits_longer_and_never_too_long() -> None:
    assert import_job._patience(0.5, 0) == 0.5
    assert 0.5 <= import_job._patience(0.5, 1) <= 1.0 and 1.0 <= import_job._patience(0.5, 2) <= 2.0
    assert 15 <= import_job._patience(0.5, 50_000) <= 30
