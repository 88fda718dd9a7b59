"""A file of fiches sent by a form, its progress and its report, in a real browser with JavaScript and without."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import People
from tests.support.fiches import GOLDEN_WARNINGS, golden_json
from tests.support.screens import whole

PERSON = "p-opco-2i"


def fiches(name: str, count: int) -> bytes:
    """Return a file of fiches: good ones, one that is warned about, one that is refused."""
    rows: list[dict[str, Any]] = [
        {"reference": f"{name}-{n}", "content": golden_json(), "acknowledged": list(GOLDEN_WARNINGS)} for n in range(count)
    ]
    rows[1]["acknowledged"] = []
    rows[2]["content"]["hours"]["total"] = 900
    return json.dumps(rows).encode()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
async def test_a_file_is_sent_followed_and_reported_on(people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/imports", script=script) as screen:
        page = screen.page
        screen.expected = ("Failed to load resource",)
        await whole(screen)
        await page.get_by_role("button", name="Importer").click()
        await expect(page.locator(".error-summary")).to_contain_text("Choisissez le fichier")
        await whole(screen)
        content = fiches(f"FICHIER-{'A' if script else 'B'}", 4)
        await page.get_by_label("Fichier de fiches").set_input_files(
            {"name": "fiches.json", "mimeType": "application/json", "buffer": content}
        )
        await page.get_by_role("button", name="Importer").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Import JSON")
        await whole(screen)
        done = page.locator("#avancement .status").first
        while not script and await done.inner_text() != "Terminé":
            await page.reload()
        await expect(done).to_have_text("Terminé", timeout=20_000)
        lines = page.locator("#resultats tbody .status")
        await expect(lines).to_have_text(["Déposée", "Avertie, non déposée", "Refusée", "Déposée"])
        await screen.goto(page.url.removeprefix(screen.origin))
        await expect(page.locator("main tbody tr")).to_have_count(4)
        await expect(page.locator("#avancement")).to_contain_text("4 sur 4")
        await whole(screen)
        await page.get_by_label("Refusée").check()
        if not script:
            await page.get_by_role("button", name="Filtrer").click()
        await expect(page.locator("main tbody tr")).to_have_count(1)
        await expect(page.locator("main tbody tr")).to_contain_text("900")
        async with page.expect_download() as report:
            await page.get_by_role("link", name="CSV").click()
        saved = await (await report.value).path()
        assert b"FICHIER-" in await asyncio.to_thread(saved.read_bytes)
        await screen.goto("/espace/imports")
        await expect(page.get_by_role("row", name="JSON du").first).to_contain_text("Terminé")
        await whole(screen)
