"""Bytes spoilt by chance, sent to a service's own process: every answer is documented HTTP, and the process stays as it was."""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.access.entrance import Entrance, KeyServer
from tests.fuzz.effort import SHORT_SEED, Effort, Figures, Found
from tests.fuzz.finds import RAW
from tests.fuzz.raw import Attack, Listening, Unreadable, corpus, fresh, listening, replies, said
from tests.support.documents import ROOT

SENT: Final = 5_000
MOST_MEGABYTES: Final = 300
GROWTH_MEGABYTES: Final = 40


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def served(
    entrances: Mapping[str, Entrance], keys: KeyServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Listening]:
    """Submission in a process of its own."""
    log = tmp_path_factory.mktemp("fuzz") / "submission.log"
    async with listening(entrances["submission"], keys.url, log) as process:
        yield process


def documented(service: str) -> frozenset[str]:
    """Return every status that a service's document names, and 405, which is of every address."""
    paths = json.loads((ROOT / "services" / service / "openapi.json").read_bytes())["paths"]
    return frozenset(
        s for methods in paths.values() for operation in methods.values() for s in operation["responses"]
    ) | {"405"}


async def grown(served: Listening, attack: Attack, effort: Effort, share: float, count: int) -> tuple[int, int, int]:
    """Attack; return MiB after warming up, MiB at the end, and rounds."""
    warm, rounds = 0, 0
    for chance in effort.rounds(share):
        await attack.run(chance, count // 2 if not rounds else count)
        warm = warm or served.megabytes
        if not rounds:
            await attack.run(chance, count // 2)
        rounds += 1
    return warm, served.megabytes, rounds


async def test_every_answer_to_spoilt_bytes_is_documented_and_others_are_answered_meanwhile(
    served: Listening, entrances: Mapping[str, Entrance], figures: Figures
) -> None:
    found, others = figures.part("raw requests"), figures.part("good requests meanwhile")
    good = corpus(entrances["submission"])
    attack = Attack(served.port, good, documented("submission"), found)

    async def meanwhile() -> None:
        asked = good["GET /fiches"]
        while True:
            (answer,) = replies(await said(served.port, fresh(steady, asked)))
            others.saw("GET /fiches", answer.status)
            await asyncio.sleep(0.05)

    steady = next(iter(figures.effort.rounds(0)))
    neighbour = asyncio.create_task(meanwhile())
    try:
        warm, end, rounds = await grown(served, attack, figures.effort, 0.3, SENT)
    finally:
        neighbour.cancel()
        await asyncio.gather(neighbour, return_exceptions=True)
    figures.memory["submission-api"], figures.rounds["raw requests"] = (warm, end), rounds
    assert found.wrong == [] and served.defects() == []
    assert served.process.poll() is None
    assert end < MOST_MEGABYTES and end - warm < GROWTH_MEGABYTES, f"{warm} MiB became {end}"
    assert others.total() > 20 and others.share("200") == 1.0
    assert found.least()[1] >= SENT * 0.9 // len(good), f"tried too little: {found.least()}"
    assert found.share("2") > 0.1, f"fuzz that never gets past the first check: {found.answers}"
    assert len({status for seen in found.answers.values() for status in seen}) >= 12, found.answers


@pytest.mark.parametrize("name", RAW)
async def test_what_was_found_once_is_answered_without_a_defect(
    served: Listening, entrances: Mapping[str, Entrance], name: str
) -> None:
    raw, status = RAW[name]
    token = dict(entrances["submission"].headers("opco"))[b"authorization"]
    for n in range(20):
        (answer,) = replies(await said(served.port, fresh(random.Random(n), raw.replace(b"@AUTH@", token))))
        assert answer.status == status
    assert served.defects() == []


PLANTED: Final = """
import json, os, uvicorn
from fastapi import FastAPI, Request, Response
app, kept = FastAPI(), []
@app.get("/readyz")
async def ready(): return {}
@app.post("/fiches")
async def take(request: Request):
    kept.append(bytes(bytearray(b"x" * 300_000)))
    raw = await request.body()
    if b"999" in raw: raise ZeroDivisionError
    try: json.loads(raw)
    except ValueError: return Response(status_code=418)
    return {}
uvicorn.run(app, port=int(os.environ["POEC_HTTP_PORT"]), log_config=None)
"""


async def test_a_defect_an_undocumented_answer_and_a_leak_are_found(
    entrances: Mapping[str, Entrance], keys: KeyServer, tmp_path: Path
) -> None:
    found = Found()
    good = {"POST /fiches": corpus(entrances["submission"])["POST /fiches"]}
    async with listening(
        entrances["submission"], keys.url, tmp_path / "log", [sys.executable, "-c", PLANTED]
    ) as planted:
        attack = Attack(planted.port, good, documented("submission"), found, patience=1.5)
        warm, end, _ = await grown(planted, attack, Effort(0, SHORT_SEED), 0, 600)
    assert any(": 500 " in sentence for sentence in found.wrong)
    assert any(": 418 " in sentence for sentence in found.wrong)
    assert end - warm > GROWTH_MEGABYTES


@pytest.mark.parametrize(
    "wrong",
    [
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_an_answer_that_is_no_http_is_seen(wrong: bytes) -> None:
    with pytest.raises(Unreadable):
        replies(wrong)
