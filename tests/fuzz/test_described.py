"""Every service by its document, asked by everybody: no 5xx, no answer, header or content that the document does not name."""

import dataclasses
import json
import random
from collections.abc import Mapping
from typing import Final

import pytest
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.submission.import_answers import KINDS
from shared.contracts.flow import SERVICES
from shared.http import answers
from shared.web_app import new_app
from tests.access.entrance import CALLERS, Entrance
from tests.access.objects import at_its_time
from tests.fuzz.described import IMPORT, Described
from tests.fuzz.effort import Figures, Found
from tests.fuzz.files import known_to_schemathesis
from tests.support.documents import ROOT
from tests.support.operations import OPEN, routes

SHARE: Final = 0.06
"""Least share of 2xx among everything asked by everybody, most of whom may not."""


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_is_answered_that_the_document_does_not_say(
    entrances: Mapping[str, Entrance], figures: Figures, service: str
) -> None:
    known_to_schemathesis()
    found, long = figures.part(f"{service} by its document"), figures.effort.long
    document = json.loads((ROOT / "services" / service / "openapi.json").read_bytes())
    entrance = entrances[service]
    await at_its_time(entrance)
    described = Described(entrance, found, document)
    for chance in figures.effort.rounds(0.1):
        first = not figures.rounds[f"{service} by its document"]
        await described.sown(chance, 2)
        if IMPORT in described.operations:
            await described.filed(chance, 2)
        if first:
            await described.ask_all(list(described.covering(10_000 if long else 10)), chance)
        await described.ask_all(list(described.drawn(3, chance.getrandbits(32), large=long and not first)), chance)
        figures.rounds[f"{service} by its document"] += 1
    assert found.wrong == []
    assert set(found.answers) >= set(routes(service)) | OPEN
    assert found.least()[1] >= 6, found.least()
    assert found.share("2") >= SHARE, f"fuzz that never gets past the first check: {found.answers}"
    silent = [name for name in routes(service) if not described.good.get(name)]
    assert silent == [], "never once done"
    if IMPORT in described.operations:
        assert {kind for name, kind in described.taken if name == IMPORT} >= set(KINDS), "a type of file that never was taken"
    asked = {(name, who) for name, who in described.asked}
    assert {who for _, who in asked} == set(CALLERS)


class Planted(BaseModel):
    """What the planted routes answer."""

    number: int


async def test_a_defect_an_undocumented_status_and_a_wrong_content_are_found(entrances: Mapping[str, Entrance]) -> None:
    router, found = APIRouter(), Found()

    @router.get("/planted/breaks", responses=answers(Planted))
    async def breaks(request: Request, limit: int = 0) -> Response:
        """Break on a certain input."""
        return Response(json.dumps({"number": 1 // (abs(limit) < 100)}), media_type="application/json")

    @router.get("/planted/other", responses=answers(Planted))
    async def other() -> Response:
        """Answer what no document names."""
        return Response(status_code=418, media_type="application/problem+json")

    @router.get("/planted/wrong", responses=answers(Planted))
    async def wrong() -> Response:
        """Answer another content than promised."""
        return Response('{"number": "one"}', media_type="application/json")

    @router.get("/planted/text", responses=answers(Planted))
    async def text() -> Response:
        """Answer another type of content."""
        return Response("{}", media_type="text/plain")

    async def ready() -> dict[str, bool]:
        return {}

    app = new_app("planted", "0", ready, router)
    planted = dataclasses.replace(entrances["analytics"], app=app, name="planted")
    app.state.door = entrances["analytics"].app.state.door
    described = Described(planted, found, app.openapi(), callers=("opco",), under="/planted")
    await described.ask_all([*described.covering(50), *described.drawn(30, 1, large=False)], random.Random(1))
    for name, says in (
        ("breaks", "ServerError"), ("other", "UndefinedStatusCode"), ("wrong", "JsonSchemaError"), ("text", "UndefinedContentType"),
    ):  # fmt: skip
        assert any(one.startswith(f"GET /planted/{name} ") and says in one for one in found.wrong), name
