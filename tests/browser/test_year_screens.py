"""Campaigns, conferences, the programme, declarations and intentions in a real browser, with JavaScript and without."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import People
from tests.support.screens import ROOT, picture, whole

PICTURES: Path = ROOT / "services" / "submission" / "pictures"
OPCO, DREETS = "p-akto", "p-dreets"
SAYS_ERRORS = ("Failed to load resource",)


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_a_campaign_is_opened_extended_and_read_by_the_opco(people: People, script: bool) -> None:
    year = 2031 if script else 2032
    async with people(DREETS, path="/espace/campagnes", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await page.get_by_role("link", name="Ouvrir une campagne").click()
        await page.get_by_role("button", name="Ouvrir la campagne").click()
        await expect(page.locator(".error-summary a")).to_have_count(4)
        await whole(screen)
        await page.get_by_label("Année").fill(str(year))
        await page.get_by_label("Trimestre où commencent les sessions").select_option("3")
        await page.get_by_label("Premier jour de dépôt").fill(f"{year}-01-15")
        await page.get_by_label("Dernier jour de dépôt").fill(f"{year}-05-15")
        await page.get_by_role("button", name="Ouvrir la campagne").click()
        await expect(page.locator(".notice")).to_contain_text("La campagne est ouverte")
        await page.get_by_role("link", name=f"3e trimestre {year}").click()
        await page.get_by_role("link", name="Prolonger").click()
        await page.get_by_label("Pour", exact=True).select_option("akto")
        await page.get_by_label("Dernier jour de dépôt").fill(f"{year}-05-30")
        await page.get_by_label("Motif").fill("Quinze jours de plus.")
        await page.get_by_role("button", name="Prolonger").click()
        await expect(page.locator(".notice")).to_contain_text("La prolongation est accordée")
        await expect(page.get_by_text("AKTO\u202f: jusqu’au 30 mai")).to_be_visible()
        await whole(screen)
    async with people(OPCO, path="/espace/campagnes", script=script) as screen:
        await expect(screen.page.get_by_role("row", name=f"3e trimestre {year}")).to_contain_text("prolongée pour vous")
        await expect(screen.page.get_by_role("link", name="Ouvrir une campagne")).to_have_count(0)
        await whole(screen)


async def test_a_conference_is_put_on_record(people: People) -> None:
    async with people(DREETS, path="/espace/conferences", script=False) as screen:
        page = screen.page
        await page.get_by_role("link", name="Inscrire une conférence").click()
        await page.get_by_label("Jour de la conférence").fill("2018-02-20")
        await page.get_by_label("Ordre du jour").fill("Bilan de 2017\nCalendrier des dépôts")
        await page.get_by_label("Décisions").fill("Deux semaines de plus au printemps.")
        await page.get_by_role("button", name="Inscrire la conférence").click()
        await expect(page.locator(".notice")).to_contain_text("La conférence est inscrite")
        await expect(page.get_by_text("Calendrier des dépôts")).to_be_visible()
        await whole(screen)


async def test_projects_are_declared_and_compared_with_what_was_received(people: People, script: bool) -> None:
    year = 2041 if script else 2042
    async with people(OPCO, path=f"/espace/declarations/{year}", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await whole(screen)
        await page.get_by_label("Nombre de projets").fill("beaucoup")
        await page.get_by_label("D’où vient ce nombre").select_option("ENQUETE")
        await page.get_by_role("button", name="Déclarer").click()
        await expect(page.get_by_label("Nombre de projets")).to_have_value("beaucoup")
        await whole(screen)
        await page.get_by_label("Nombre de projets").fill("16")
        await page.get_by_role("button", name="Déclarer").click()
        await expect(page.locator(".notice")).to_contain_text("Votre déclaration est enregistrée")
        await expect(page.locator("main table").first).to_contain_text("16 manquantes")
        await whole(screen)
        await picture(screen, PICTURES / "declarations.png")


async def test_what_is_expected_is_delivered_and_stands_apart_in_the_programme(people: People, script: bool) -> None:
    year = 2018
    async with people(OPCO, path=f"/espace/programmes/{year}", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await page.get_by_role("link", name="Dire ce qui est attendu").click()
        await page.locator('[name="estimates.0.rome"]').fill("Z9999")
        await page.locator('[name="estimates.0.month"]').fill("2018-09")
        await page.locator('[name="estimates.0.projects"]').fill("3")
        await page.get_by_role("button", name="Livrer").click()
        await expect(page.locator('[name="estimates.0.rome"]')).to_have_attribute("aria-invalid", "true")
        await whole(screen)
        await page.locator('[name="estimates.0.rome"]').fill("G1602" if script else "G1603")
        await page.get_by_role("button", name="Livrer").click()
        await expect(page.locator(".notice")).to_contain_text("Votre livraison est enregistrée")
        await expect(page.locator("main table")).to_contain_text("connu au")
        await whole(screen)


async def test_an_intention_is_announced_and_becomes_a_draft(people: People, script: bool) -> None:
    async with people(OPCO, path="/espace/fiches", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await screen.goto("/espace/intentions/nouvelle")
        await page.get_by_label("Votre référence").fill(f"INT-2018-{'A' if script else 'B'}")
        await page.get_by_role("button", name="Annoncer").click()
        await expect(page.locator(".error-summary a").first).to_be_visible()
        await whole(screen)
        for name, text in {
            "title": "Agent de restauration",
            "rome": "G1603",
            "starts_from": "2018-09-03",
            "starts_until": "2018-10-15",
            "seats": "12",
            "programme_year": "2018",
        }.items():
            await page.locator(f"[name={name}]").fill(text)
        await page.locator("[name=zone_emploi]").select_option("2816")
        await page.get_by_role("button", name="Annoncer").click()
        await expect(page).to_have_url(re.compile("fait=intention"))
        identifier = page.url.split("/")[-1].split("?")[0]
        await screen.goto(f"/espace/intentions/{identifier}")
        await whole(screen)
        await screen.goto(f"/espace/brouillons/{identifier}/formation")
        await expect(page.locator("[name=title]")).to_have_value("Agent de restauration")
        await page.get_by_role("button", name="Enregistrer et continuer").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Organisme et lieu")
