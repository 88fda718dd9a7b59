"""A process that kills itself at a named point: before and after each commit, send and acknowledgement of every mechanism.

Each point is proved to be reached: the armed process must have died there, by SIGKILL, and the supervisor must have seen it.
Partners go on meanwhile; then nothing is lost and nothing is doubled.
"""

import asyncio
import json
from collections.abc import Iterable
from typing import Any, Final

import httpx
import pytest

from deploy.local.client import bearer
from shared.contracts import ingress as said
from shared.contracts.flow import FICHES, ingress_topic
from shared.contracts.references import FRANCE_TRAVAIL
from shared.crash import POINTS
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_WARNINGS, golden_json
from tests.support.figures import Figures
from tests.support.load import Fiche, Load, entries
from tests.support.stack import Stack, eventually
from tests.support.topics import make_anew, rebuilt

HTTP: Final = ("unit.before_flush", "unit.before_commit", "unit.after_commit", "http.before_answer")
RELAY: Final = tuple(point for point in POINTS if point.startswith("relay."))
INBOX: Final = tuple(point for point in POINTS if point.startswith("inbox."))
UNIT: Final = tuple(point for point in POINTS if point.startswith("unit."))
REPLAY: Final = tuple(point for point in POINTS if point.startswith("replay."))
RECONCILER: Final = tuple(point for point in POINTS if point.startswith("reconciler."))
UPLOAD: Final = ("upload.while_read", "http.before_answer")
IMPORT: Final = tuple(point for point in POINTS if point.startswith("import."))
ANCHOR: Final = tuple(point for point in POINTS if point.startswith("anchor."))

Crash = tuple[str, str, str]
"""Service, role, point."""


def test_every_point_belongs_to_a_mechanism_that_is_crashed_here() -> None:
    assert {*HTTP, *RELAY, *INBOX, *UNIT, *REPLAY, *RECONCILER, *ANCHOR, *IMPORT, *UPLOAD} == set(POINTS)


async def _crash(stack: Stack, load: Load, crash: Crash, figures: Figures) -> None:
    service, role, point = crash
    armed = await stack.arm(service, role, POEC_CRASH_POINT=point)
    await stack.crashed(service, role, armed)
    figures.hurt(f"crash {point}", f"{service}.{role}")


async def _crash_all(stack: Stack, figures: Figures, name: str, rounds: Iterable[tuple[Crash, ...]]) -> None:
    """Crash round by round, the crashes of one round at the same time, under load; every round must let fiches through."""
    async with Load(stack, name) as load:
        load.begin()
        await load.more(3)
        for round_ in rounds:
            await asyncio.gather(*(_crash(stack, load, crash, figures) for crash in round_))
            await load.more(4)
    assert len(load.done) >= 4
    figures.hurt("crash rounds", name, times=0, fiches=len(load.done))
    figures.audited(await stack.audited())


ONE_SET: Final[tuple[tuple[Crash, ...], ...]] = (
    *(
        (("submission", "api", http), ("validation", "relay", relay), ("publication", "worker", inbox))
        for http, relay, inbox in zip(HTTP, RELAY, INBOX, strict=True)
    ),
    (("submission", "worker", UNIT[0]), ("validation", "worker", UNIT[1]), ("analytics", "worker", UNIT[2])),
    (("submission", "relay", ANCHOR[0]), ("validation", "relay", ANCHOR[1])),
)
"""Every point of the write over HTTP, the relay, the inbox and the anchors, once each."""

EACH_SERVICE: Final[tuple[tuple[Crash, ...], ...]] = (
    *((("validation", "api", p), ("submission", "relay", r)) for p, r in zip(HTTP, RELAY, strict=True)),
    *((("publication", "api", p), ("validation", "worker", i)) for p, i in zip(HTTP, INBOX, strict=True)),
    *((("publication", "relay", r), ("submission", "worker", i)) for r, i in zip(RELAY, INBOX, strict=True)),
    *((("analytics", "worker", i),) for i in INBOX),
    *((("publication", "worker", u), ("submission", "relay", f"{RELAY[1]}:{n}")) for n, u in enumerate(UNIT, 2)),
)
"""The same on every other service, and some at a later pass."""


@pytest.mark.timeout(400)
async def test_a_crash_at_any_point_of_a_write_a_relay_or_an_inbox_loses_and_doubles_nothing(
    stack: Stack, figures: Figures
) -> None:
    await _crash_all(stack, figures, "POINTS", ONE_SET)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
async def test_the_same_holds_on_every_service(stack: Stack, figures: Figures) -> None:
    await _crash_all(stack, figures, "SERVICES", EACH_SERVICE)


@pytest.mark.parametrize("point", REPLAY)
async def test_a_crash_in_a_replay_has_the_effect_once(stack: Stack, figures: Figures, point: str) -> None:
    async with Load(stack, "REPLAY") as load:
        fiche = load.fiche(by_kafka=True)
        letter = await _ais_too_early(load, fiche)
        await load.go_through(fiche)
        armed = await stack.arm("publication", "api", POEC_CRASH_POINT=point)
        settled = await load.operate("publication", f"/dead-letters/{letter}/replay")
        await stack.crashed("publication", "api", armed)
        assert settled.body["state"] == "replayed"
        again = await load.operate("publication", f"/dead-letters/{letter}/replay")
        assert again.body["state"] == "replayed"
    assert await stack.value("publication", "SELECT count(*) FROM inbox WHERE key = $1", str(fiche.session)) == 1
    assert await stack.value("publication", "SELECT ais FROM catalogue_session WHERE id = $1", fiche.session) == 3
    figures.hurt(f"crash {point}", "publication.api", fiches=1)
    figures.audited(await stack.audited())


async def _ais_too_early(load: Load, fiche: Fiche) -> str:
    """Send the entries of a session that is not in the catalogue yet; return the id of the dead letter that keeps them."""
    command = said.RecordAis(session_id=fiche.session, rows=entries(fiche))
    answer = await load.asked(FRANCE_TRAVAIL, str(fiche.session), command)
    assert answer.value["outcome"] == "kept"
    place = f"{ingress_topic(FRANCE_TRAVAIL)}/{answer.value['partition']}/{answer.value['offset']}"
    letter = await load.letter(place)
    return str(letter.value["id"])


@pytest.mark.parametrize("point", RECONCILER)
async def test_a_crash_of_the_reconciler_delays_the_rebuilding_of_a_topic_and_no_more(
    stack: Stack, figures: Figures, point: str
) -> None:
    async with Load(stack, "REBUILD") as load:
        await load.fiches(4)
        before = await stack.value("submission", "SELECT count(*) FROM outbox WHERE topic = $1", FICHES)
        assert before >= 4
        make_anew(load.access, FICHES)
        armed = await stack.arm("submission", "relay", POEC_CRASH_POINT=point)
        await stack.crashed("submission", "relay", armed)
        load.progress.begin_again()
        await load.fiches(2)
        await rebuilt(stack, load.access, "submission", FICHES)
    figures.hurt(f"crash {point}", "submission.relay", fiches=len(load.done), note=f"{before} records rebuilt")
    figures.audited(await stack.audited())


@pytest.mark.parametrize("point", IMPORT)
async def test_a_file_whose_process_is_killed_is_gone_on_with_and_nothing_is_done_twice(
    stack: Stack, figures: Figures, point: str
) -> None:
    name = point.removeprefix("import.").upper()
    async with Load(stack, f"FILE-{name}") as load:
        await load.fiches(1)
        armed = await stack.arm("submission", "worker", POEC_CRASH_POINT=f"{point}:2")
        found = await _imported(stack, f"FILE-{name}", 130, armed)
    assert (found["state"], found["counts"]["accepted"]) == ("done", 130)
    said = "SELECT count(*) AS events, count(DISTINCT key) AS fiches FROM outbox WHERE value LIKE $1 AND topic = $2"
    (row,) = await stack.rows("submission", said, f'%"reference":"FILE-{name}/%', FICHES)
    assert (row["events"], row["fiches"]) == (130, 130)
    figures.hurt(f"crash {point}", "submission.worker", fiches=130)
    figures.audited(await stack.audited())


@pytest.mark.parametrize("point", UPLOAD)
async def test_an_upload_whose_process_is_killed_is_sent_again_and_taken_in_once(
    stack: Stack, figures: Figures, point: str
) -> None:
    """Killed after 200 of its fiches were written, or after all was committed: the same key takes it in, or gets its answer."""
    name = f"SENT-{UPLOAD.index(point)}"
    file = json.dumps(_file(name, 210)).encode()
    async with Load(stack, name) as load:
        await load.fiches(1)
    armed = await stack.arm("submission", "api", POEC_CRASH_POINT=f"{point}:205" if point == UPLOAD[0] else point)
    await stack.ready()
    async with _sender(stack, name) as client:
        with pytest.raises(httpx.TransportError):
            await client.post("/imports", content=file)
        await stack.crashed("submission", "api", armed)
    taken = await stack.value("submission", "SELECT count(*) FROM fiche_import_line WHERE reference LIKE $1", f"{name}/%")
    assert taken == (0 if point == UPLOAD[0] else 210)
    await stack.ready()
    async with _sender(stack, name) as client:
        answer = await client.post("/imports", content=file)
        assert answer.status_code == 202, answer.text
        found = await _ended(client, answer.headers["location"])
    assert (found["state"], found["counts"]["accepted"]) == ("done", 210)
    taken = await stack.value("submission", "SELECT count(*) FROM fiche_import_line WHERE reference LIKE $1", f"{name}/%")
    said = "SELECT count(*) FROM outbox WHERE value LIKE $1 AND topic = $2"
    assert (taken, await stack.value("submission", said, f'%"reference":"{name}/%', FICHES)) == (210, 210)
    figures.hurt(f"crash {point}", "submission.api", fiches=210)
    figures.audited(await stack.audited())


async def _imported(stack: Stack, name: str, fiches: int, armed: int) -> dict[str, Any]:
    """Send a file in, wait until the armed worker has died over it and the file was carried out to its end."""
    async with _sender(stack, name) as client:
        answer = await client.post("/imports", content=json.dumps(_file(name, fiches)).encode())
        assert answer.status_code == 202, answer.text
        await stack.crashed("submission", "worker", armed)
        return await _ended(client, answer.headers["location"])


def _file(name: str, fiches: int) -> list[dict[str, Any]]:
    content = golden_json()
    return [{"reference": f"{name}/{n}", "content": content, "acknowledged": GOLDEN_WARNINGS} for n in range(fiches)]


def _sender(stack: Stack, key: str) -> httpx.AsyncClient:
    headers = {**bearer(stack.run, GOLDEN_OPCO), "idempotency-key": key, "content-type": "application/json"}
    return httpx.AsyncClient(base_url=stack.run.services["submission"].url, headers=headers, timeout=60)


async def _ended(client: httpx.AsyncClient, location: str) -> dict[str, Any]:
    """Wait until a file was carried out; return how it stands then."""
    found: dict[str, Any] = {}

    async def done() -> bool:
        found.update((await client.get(location)).json())
        return bool(found["state"] != "running")

    await eventually(done, 60, "the file is carried out")
    return found
