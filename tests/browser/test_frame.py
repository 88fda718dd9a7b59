"""Every macro of the frame in a real browser, with JavaScript and without: accessible, quiet, narrow, in every state."""

import pytest
from playwright.async_api import Browser

from tests.support.screens import visiting, whole

AKTO = {"authorization": "akto"}
SAYS_ERRORS = ("Failed to load resource", "the server responded with a status")
"""What Chromium writes of any answer of 400 and more."""


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("path", ["/espace/liste", "/espace/liste?q=zzz", "/espace/liste?fait=compte", "/espace/formulaire", "/",
                                  "/accessibilite", "/mentions-legales"])  # fmt: skip
async def test_a_page_is_whole(browser: Browser, toy: str, script: bool, path: str) -> None:
    async with visiting(browser, toy, script=script, headers=AKTO) as screen:
        await screen.goto(path)
        await whole(screen)
