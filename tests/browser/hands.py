"""What hands do on the screens of a fiche: go where a link leads, send, walk by the keyboard."""

from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.browser.desk import DESK, Made
from tests.support.screens import Screen, whole

BY_STAGE: Final = {made.stage: made for made in DESK}
"""The desk's own fiches by how far they are."""


def address(made: Made, below: str = "") -> str:
    """Return where the page of a fiche is, or one below it."""
    return f"/espace/fiches/{made.id}{below}"


async def followed(target: Locator) -> None:
    """Click what leads to another page, and wait until that is there with its style sheets: nobody looks at half of it."""
    async with target.page.expect_navigation(wait_until="load"):
        await target.click()


async def said(screen: Screen, title: str) -> None:
    """Wait for the notice of what was done: it has the focus."""
    notice = screen.page.locator(".notice")
    await expect(notice).to_contain_text(title)
    await expect(notice).to_be_focused()


async def confirmed_warnings(screen: Screen, send: str) -> None:
    """Tick every warning and send again."""
    page = screen.page
    boxes = page.locator("#avertissements input[type=checkbox]")
    await expect(boxes.first).to_be_visible()
    await whole(screen)
    for n in range(await boxes.count()):
        await boxes.nth(n).check()
    await followed(page.get_by_role("button", name=send))


async def entered(page: Page) -> None:
    """Press Enter on what leads to another page, and wait until that is there."""
    async with page.expect_navigation(wait_until="load"):
        await page.keyboard.press("Enter")


async def tabbed_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if (await page.evaluate("() => document.activeElement.textContent")).strip() == name:
            return
    raise AssertionError(f"no way to {name} by the keyboard")
