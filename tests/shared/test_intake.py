"""A body on its way in: of one type, plain, counted before it is read where it says its length, and within one room for all."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from shared.errors import Refused
from shared.intake import Intake
from shared.problems import problem
from tests.support.documents import ROOT

UPLOADS = {
    "submission": {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/csv",
        "application/x-ndjson",
    }
}
"""What else the one door for files takes."""
SERVICES = ("submission", "validation", "publication", "analytics")


def app_of(intake: Intake, gate: asyncio.Event) -> FastAPI:
    app = FastAPI()

    @app.post("/")
    async def take(request: Request) -> dict[str, int]:
        async with intake.body(request, 1000) as raw:
            await gate.wait()
            return {"size": len(raw), "held": intake.held}

    async def refused(_: Request, failure: Exception) -> object:
        assert isinstance(failure, Refused)
        return problem(failure)

    app.add_exception_handler(Refused, refused)  # type: ignore[arg-type]  # as the product registers it
    return app


def caller(intake: Intake, gate: asyncio.Event | None = None) -> httpx.AsyncClient:
    if gate is None:
        gate = asyncio.Event()
        gate.set()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app_of(intake, gate)), base_url="http://toy.invalid")


GOOD = ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"']
BAD = [
    "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=secret-7qz", "application/jsonp",
    "application/json, text/plain", "application/json; charset=utf-16", "application/vnd.api+json", "application/xml", "text/json",
]  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
async def test_json_is_taken(kind: str) -> None:
    async with caller(Intake()) as client:
        assert (await client.post("/", content=b"{}", headers={"content-type": kind})).json() == {"size": 2, "held": 2}


@pytest.mark.parametrize("kind", BAD)
async def test_nothing_else_is(kind: str) -> None:
    async with caller(Intake()) as client:
        answer = await client.post("/", content=b"{}", headers={"content-type": kind})
        assert (answer.status_code, answer.json()["objections"][0]["code"]) == (415, "CONTENT_TYPE")
        assert "7qz" not in answer.text


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", "x"])
async def test_a_compressed_body_is_not_unpacked(encoding: str) -> None:
    async with caller(Intake()) as client:
        headers = {"content-type": "application/json", "content-encoding": encoding}
        answer = await client.post("/", content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()["objections"][0]["code"]) == (415, "CONTENT_ENCODING")


async def test_no_body_needs_no_type() -> None:
    async with caller(Intake()) as client:
        assert (await client.post("/")).json() == {"size": 0, "held": 0}


async def test_a_length_that_is_too_large_is_refused_before_anything_is_read() -> None:
    read: list[int] = []

    async def parts() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x" * 1001

    intake = Intake()
    async with caller(intake) as client:
        headers = {"content-type": "application/json", "content-length": "1001"}
        answer = await client.post("/", content=parts(), headers=headers)
        assert (answer.status_code, answer.json()["objections"][0]["code"], read) == (413, "TOO_LARGE", [])
        del headers["content-length"]
        assert (await client.post("/", content=parts(), headers=headers)).status_code == 413
    assert intake.held == 0


async def test_all_bodies_together_have_one_room() -> None:
    intake, gate = Intake(1500), asyncio.Event()
    async with caller(intake, gate) as client:
        first = asyncio.create_task(client.post("/", content=b"x" * 900, headers={"content-type": "application/json"}))
        while intake.held < 900:
            await asyncio.sleep(0)
        second = await client.post("/", content=b"x" * 900, headers={"content-type": "application/json"})
        assert (second.status_code, second.headers["retry-after"]) == (503, "2")
        gate.set()
        assert (await first).json() == {"size": 900, "held": 900}
        assert intake.held == 0
        again = await client.post("/", content=b"x" * 900, headers={"content-type": "application/json"})
        assert again.status_code == 200


async def test_a_file_is_written_to_the_disk_as_it_comes_and_its_door_names_its_types_and_its_limit() -> None:
    app, intake = FastAPI(), Intake()

    @app.post("/")
    async def take(request: Request) -> dict[str, Any]:
        async with intake.spooled(request, 3_000_000, ("text/csv", "application/json")) as spooled:
            whole = spooled.file.read()
            return {"size": spooled.size, "digest": spooled.digest, "read": len(whole), "held": [intake.held, intake.on_disk]}

    async def refused(_: Request, failure: Exception) -> object:
        assert isinstance(failure, Refused)
        return problem(failure)

    app.add_exception_handler(Refused, refused)  # type: ignore[arg-type]  # as the product registers it

    async def parts(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 500_000

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy.invalid") as client:
        taken = await client.post("/", content=parts(4), headers={"content-type": "text/csv; charset=utf-8"})
        digest = hashlib.sha256(b"x" * 2_000_000).hexdigest()
        assert taken.json() == {"size": 2_000_000, "digest": digest, "read": 2_000_000, "held": [0, 2_000_000]}
        assert (await client.post("/", content=parts(7), headers={"content-type": "text/csv"})).status_code == 413
        assert (await client.post("/", content=b"x", headers={"content-type": "text/plain"})).status_code == 415
    assert intake.on_disk == 0


@pytest.mark.parametrize("service", SERVICES)
def test_no_door_takes_an_upload_or_a_form(service: str) -> None:
    """The published documents name one kind of body, and no code asks the framework to read another."""
    document = json.loads((ROOT / "services" / service / "openapi.json").read_text("utf-8"))
    bodies = [op["requestBody"] for path in document["paths"].values() for op in path.values() if "requestBody" in op]
    assert bodies
    kinds = {kind for body in bodies for kind in body["content"]}
    assert kinds - UPLOADS.get(service, set()) == {"application/json"}
    source = "".join(path.read_text("utf-8") for path in (ROOT / "services" / service).rglob("*.py"))
    words = ("UploadFile", "Form(", ".form(", "File(", ".stream(", ".body()")
    assert [word for word in words if re.search(rf"(?<!\w){re.escape(word)}", source)] == []
