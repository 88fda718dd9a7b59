"""A service has doors to several kinds of things and one load: what is full, is full for all of them."""

from collections.abc import Mapping

import pytest

from tests.access.entrance import Entrance

BESIDES = (
    ("opco", "/templates", b'{"template": "Peintres", "fields": {}}'),
    ("dreets", "/conferences", b'{"held_on": "2012-02-13", "agenda": ["Bilan"]}'),
    ("region_reviewer", "/partners", b'{"code": "one-load", "name": "Organisme", "kind": "AUTRE", "zones": ["2804"]}'),
)


@pytest.mark.parametrize(("who", "path", "body"), BESIDES, ids=[path for _, path, _ in BESIDES])
async def test_while_too_much_waits_for_the_relay_no_door_takes_more(
    entrances: Mapping[str, Entrance], who: str, path: str, body: bytes
) -> None:
    entrance = entrances["submission"]
    headers = entrance.headers(who)
    entrance.app.state.door.load.full = True
    try:
        refused = await entrance.ask("POST", path, headers, body)
    finally:
        entrance.app.state.door.load.full = False
    assert (refused.status, refused.code) == (503, "OUTBOX_FULL")
    assert (await entrance.ask("POST", path, headers, body)).status == 201
