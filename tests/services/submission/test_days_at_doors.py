"""Seconds since 1970 are no day at any door of submission: HTTP, the check, the address, Kafka, files of each kind."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.submission.files.template import rows_of
from services.submission.form_fields import fields_of
from shared.contracts.ingress import SubmitFiche
from tests.services.submission.importing import carried, importing_room, lines, send, sent
from tests.services.submission.room import Room
from tests.services.submission.test_fiche_files import TITLES, as_csv, as_xlsx
from tests.support.fiches import PAST_WARNINGS, golden_content, golden_json
from tests.support.servers import Servers

SECONDS = "1525046400"
TOLD = {("FORM_DATE_PARSING", "content.sessions.0.start"), ("FORM_DATE_PARSING", "content.need.decided_on")}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    async with importing_room(servers) as made:
        yield made


def misdated() -> dict[str, Any]:
    """Return a content two of whose days are said as seconds since 1970."""
    content = golden_json()
    first, *others = content["sessions"]
    return {**content, "need": {**content["need"], "decided_on": SECONDS}, "sessions": [{**first, "start": SECONDS}, *others]}


def told(objections: Any) -> set[tuple[str, str | None]]:
    assert SECONDS not in json.dumps(objections)
    return {(one["code"], one["field"]) for one in objections}


@pytest.mark.parametrize("path", ["", "/check"])
async def test_over_http(room: Room, path: str) -> None:
    body = {"reference": "DAY-1", "content": misdated()} | ({} if path else {"acknowledged": [*PAST_WARNINGS]})
    answer = await room.post("opco-2i", path, body)
    assert (answer.status_code, told(answer.json()["objections"])) == (422, TOLD)


@pytest.mark.parametrize("text", ["20180430", "2018-W18-1", "2018-02-30", "demain"])
async def test_a_page_of_conferences_begins_after_a_day_in_the_one_form(room: Room, text: str) -> None:
    asked = {"authorization": "opco-2i"}
    assert (await room.client.get("/conferences?after=2018-04-30", headers=asked)).status_code == 200
    answer = await room.client.get(f"/conferences?after={text}", headers=asked)
    assert (answer.status_code, [one["code"] for one in answer.json()["objections"]]) == (422, ["CURSOR_UNFIT"])


@pytest.mark.parametrize("name", ["starts_from", "starts_until"])
async def test_in_an_address(room: Room, name: str) -> None:
    assert (await room.get("opco-2i", "", {name: "2018-04-30"})).status_code == 200
    answer = await room.get("opco-2i", "", {name: SECONDS})
    assert (answer.status_code, [one["code"] for one in answer.json()["objections"]]) == (422, ["FORM_DATE_PARSING"])


async def test_over_kafka(room: Room) -> None:
    command = SubmitFiche(content=golden_content(), acknowledged=PAST_WARNINGS)
    (answer,) = await room.tell("opco-2i", "DAY-2", command, more={"content": misdated()})
    assert (answer.outcome, told([one.model_dump() for one in answer.objections])) == ("refused", TOLD)


async def test_in_files(room: Room) -> None:
    row = [*rows_of("DAY-3", fields_of(golden_content()), PAST_WARNINGS)[0]]
    row[TITLES.index("Premier jour")] = row[TITLES.index("Date de l’accord ou de la décision")] = SECONDS
    found = [
        await sent(room, {"reference": "DAY-3", "content": misdated(), "acknowledged": [*PAST_WARNINGS]}),
        await carried(room, await send(room, as_csv(TITLES, row), "csv")),
        await carried(room, await send(room, as_xlsx(TITLES, row), "xlsx")),
    ]
    for one in found:
        (line,) = await lines(room, one)
        assert line["outcome"] == "refused"
        assert {(code, (field or "").removeprefix("content.")) for code, field in told(line["said"])} == {
            (code, (field or "").removeprefix("content.")) for code, field in TOLD
        }
