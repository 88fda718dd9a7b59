"""A person signs in by a real browser at the local identity provider, sees who they are, and signs out."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import People
from tests.support.screens import whole


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
async def test_somebody_signs_in_and_out(people: People, script: bool) -> None:
    async with people("p-opco-2i", script=script) as screen:
        await expect(screen.page.get_by_text("Vous êtes connecté")).to_be_visible()
        await expect(screen.page.locator(".visitor")).to_contain_text("OPCO 2i")
        await whole(screen)
        await screen.page.get_by_role("button", name="Se déconnecter").click()
        await expect(screen.page.get_by_role("heading", name="Votre session est fermée")).to_be_visible()
        assert [noise for noise in await screen.quiet() if not noise.startswith("outside")] == []
        await whole(screen)
        await screen.goto("/")
        await expect(screen.page.get_by_role("link", name="Se connecter", exact=True).first).to_be_visible()
        await whole(screen)
