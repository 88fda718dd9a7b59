"""Every page of submission with something on it: whole, and as its picture in the README shows it. UPDATE_DOCS=1 takes the pictures."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Staff
from tests.browser.desk import OPCO, PERSON, Desk
from tests.browser.gallery import DREETS, REGION, SHOTS, Shot
from tests.browser.hands import BY_STAGE, followed
from tests.browser.story import Story, parts
from tests.support.screens import PICTURES, Screen, picture, whole

RETAKE = "UPDATE_DOCS=1 .venv/bin/pytest tests/browser/test_pictures.py takes the pictures"
CONFLICT = "conflit"


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def story(desk: Desk) -> AsyncIterator[dict[str, str]]:
    """Parts of addresses: everything that pictures show is there."""
    yield parts(await Story(desk).told(), BY_STAGE)


async def _taken(screen: Screen, shot: Shot, where: str) -> None:
    await screen.page.set_viewport_size({"width": shot.width, "height": 900})
    await screen.goto(where)
    await whole(screen)
    assert await picture(screen, PICTURES / f"{shot.name}.png", shot.part), f"{shot.name}: {RETAKE}"


async def test_every_page_with_something_on_it_is_whole_and_has_its_picture(
    desk: Desk, staff: Staff, story: dict[str, str]
) -> None:
    for account in (PERSON, DREETS, REGION):
        async with staff(account, path="/espace/fiches") as screen:
            for shot in (one for one in SHOTS if one.account == account and one.name != CONFLICT):
                await _taken(screen, shot, shot.at.format_map(story))


async def test_a_form_on_an_older_revision_is_whole_and_has_its_picture(desk: Desk, staff: Staff) -> None:
    made = await desk.put(desk.new("confirmed", "Monteur de réseaux"))
    shot = next(one for one in SHOTS if one.name == CONFLICT)
    async with staff(PERSON, path=shot.at.format(conflict=made.id), width=shot.width) as screen:
        page = screen.page
        await page.get_by_label("Nouveau premier jour").fill("2018-06-04")
        await page.get_by_label("Nouveau dernier jour").fill("2018-08-24")
        await page.get_by_label("Raison sanitaire").check()
        report = {"start": "2018-05-28", "end": "2018-08-17", "motive": "SANITAIRE", "acknowledged": ["FOLLOW_UP_GAP"]}
        await desk.write(OPCO, "postpone_session", f"/fiches/{made.id}/sessions/1/postponement", report)
        await followed(page.get_by_role("button", name="Reporter la session"))
        await expect(page.locator("#conflit")).to_be_visible()
        await whole(screen)
        assert await picture(screen, PICTURES / f"{shot.name}.png"), RETAKE
