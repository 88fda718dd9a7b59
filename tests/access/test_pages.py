"""Every page asked by everybody: who may sees it or what is wrong with their form, who may not sees neither page nor effect."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from shared.contracts.flow import SERVICES
from shared.policy import POLICY
from tests.access.entrance import CALLERS, NOBODY, ORGANISATIONS, Answered, Entrance
from tests.support import operations as o

FORM = "application/x-www-form-urlencoded"
UNKNOWN_PLACES = {"number": "1", "year": "2018", "version": "1"}


def filled(path: str) -> str:
    """Return an address whose places name nothing that is there."""
    parts = path.split("/")
    return "/".join(UNKNOWN_PLACES.get(part[1:-1], str(uuid4())) if part.startswith("{") else part for part in parts)


async def asked(entrance: Entrance, who: str, door: str) -> Answered:
    """Ask a page as somebody does with an empty form."""
    method, _, path = door.partition(" ")
    body = urlencode({"idempotency_key": uuid4().hex}).encode() if method == "POST" else b""
    headers = [one for one in entrance.headers(who) if one[0] != b"content-type"]
    return await entrance.ask(method, filled(path), [*headers, (b"content-type", FORM.encode())] if body else headers, body)


def deviation(door: str, who: str, may: bool, status: int) -> str:
    """Return what is wrong with an answer; empty where nothing is."""
    if status >= 500:
        wrong = "fails"
    elif who == NOBODY:
        wrong = "" if status == 401 else "is open to nobody"
    elif may:
        wrong = "keeps out who may" if status in (401, 403) else ""
    else:
        kept_out = status in ((403,) if door.startswith("GET ") else (400, 403, 404, 409, 415, 422, 428))
        wrong = "" if kept_out else "lets in who may not"
    return f"{door} by {who}: {status} {wrong}" if wrong else ""


async def deviations(entrance: Entrance, pages: Mapping[str, str]) -> list[str]:
    """Return every answer that is not as the policy table says."""
    found = []
    for door, operation in pages.items():
        for who in CALLERS:
            may = who in ORGANISATIONS and who in POLICY[operation]
            found.append(deviation(door, who, may, (await asked(entrance, who, door)).status))
    return [one for one in found if one]


@pytest.mark.parametrize("name", SERVICES)
async def test_every_page_is_shown_to_whom_the_table_says(entrances: Mapping[str, Entrance], name: str) -> None:
    assert await deviations(entrances[name], o.PAGES[name]) == []


@pytest.mark.parametrize("name", SERVICES)
async def test_the_start_page_is_for_everybody_and_tells_each_only_of_themselves(
    entrances: Mapping[str, Entrance], name: str
) -> None:
    for who in CALLERS:
        answer = await asked(entrances[name], who, "GET /")
        assert answer.status == (200 if who in ORGANISATIONS or who == NOBODY else answer.status), who
        assert answer.status in (200, 403)
        assert ("Vous êtes connecté".encode() in answer.body) is (who in ORGANISATIONS), who


@pytest.mark.parametrize(
    ("door", "who", "may", "status"),
    [("GET /a", "opco", False, 200), ("POST /a", "opco", False, 303), ("GET /a", "opco", True, 403), ("GET /a", NOBODY, False, 200),
     ("GET /a", "opco", True, 500), ("GET /a", "opco", False, 404)],
)  # fmt: skip
def test_a_page_that_answers_otherwise_is_found(door: str, who: str, may: bool, status: int) -> None:
    assert deviation(door, who, may, status)
