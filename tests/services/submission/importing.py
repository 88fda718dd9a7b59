"""Files of fiches on their way into a scratch database: sent by the door, carried out by hand, looked at by the door."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from services.submission.import_answers import KINDS
from services.submission.import_job import Imports
from services.submission.settings import WarningSettings
from shared.identity import service_principal
from shared.principals import Registration, register
from tests.services.submission.room import Room
from tests.support.fiches import PAST_WARNINGS, golden_content
from tests.support.servers import Servers

GIVEN = WarningSettings().given()
TYPES = {kind: content_type for content_type, kind in KINDS.items() if content_type != "application/x-ndjson"}


@asynccontextmanager
async def importing_room(servers: Servers) -> AsyncIterator[Room]:
    """Yield a room in which two OPCOs have accounts: whoever sent a file is looked up when it is carried out."""
    made = await Room.make(servers)
    wanted = [Registration(who, "machine", who, ("opco",)) for who in ("opco-2i", "akto")]
    async with made.database.unit(service_principal("submission", "api")) as unit:
        await register(unit, wanted, "test")
        await unit.flush()
    try:
        yield made
    finally:
        await made.close()


def fiches(*references: str, acknowledged: tuple[str, ...] = PAST_WARNINGS, **changes: Any) -> list[dict[str, Any]]:
    """Return what a JSON file says of fiches that differ in their references alone."""
    content = golden_content(**changes).model_dump(mode="json")
    return [{"reference": one, "content": content, "acknowledged": [*acknowledged]} for one in references]


async def send(
    room: Room, raw: bytes, kind: str = "json", who: str = "opco-2i", key: str | None = None, query: str = ""
) -> httpx.Response:
    """Send a file in."""
    headers = {"authorization": who, "content-type": TYPES[kind], "idempotency-key": key or uuid4().hex}
    return await room.client.post(f"/imports{query}", content=raw, headers=headers)


async def ask(room: Room, path: str, who: str = "opco-2i") -> httpx.Response:
    """Ask for something of imports."""
    return await room.client.get(f"/imports{path}", headers={"authorization": who})


async def carried(room: Room, answer: httpx.Response, who: str = "opco-2i") -> dict[str, Any]:
    """Carry a file out to its end; return how it stands."""
    assert answer.status_code == 202, answer.text
    job = Imports(room.database, GIVEN)
    while (found := await ask(room, f"/{answer.json()['import_id']}", who)).json()["state"] == "running":
        await job.pass_once()
    return dict(found.json())


async def sent(room: Room, *filings: Any) -> dict[str, Any]:
    """Send a JSON file and carry it out to its end; return how it stands."""
    return await carried(room, await send(room, json.dumps(filings).encode()))


async def lines(room: Room, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the report of a file, fiche by fiche."""
    return list((await ask(room, f"/{found['import_id']}/lines?limit=200")).json()["lines"])


def counts(found: dict[str, Any]) -> dict[str, int]:
    """Return how many fiches of a file have each outcome, those that none has left out."""
    return {name: number for name, number in found["counts"].items() if number}
