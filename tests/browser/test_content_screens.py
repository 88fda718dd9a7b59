"""The whole content of a fiche on one page, the directory of partners, and how the screens lead to each other."""

import re
from uuid import uuid4

from playwright.async_api import expect

from tests.browser.conftest import People
from tests.browser.desk import PERSON, Desk
from tests.support.screens import whole

SAYS_ERRORS = ("Failed to load resource",)


async def test_a_fiche_is_changed_on_one_page(desk: Desk, people: People, script: bool) -> None:
    made = await desk.put(desk.new("submitted", f"Grutier {uuid4().hex[:4]}", "Caen"))
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await screen.goto(f"/espace/fiches/{made.id}")
        await page.get_by_role("link", name="Modifier la fiche").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Modifier la fiche")
        await page.locator('[name="hours.weekly"]').fill("beaucoup")
        await page.locator('button[name="ajouter"][value="sessions.0.meetings"]').click()
        await expect(page.locator('[name="sessions.0.meetings.1.on"]')).to_have_value("")
        await expect(page.locator('[name="hours.weekly"]')).to_have_value("beaucoup")
        await page.get_by_role("button", name="Enregistrer la modification").last.click()
        await expect(page.locator(".error-summary")).to_contain_text("La fiche n’est pas complète")
        await expect(page.locator('[name="hours.weekly"]')).to_have_attribute("aria-invalid", "true")
        await whole(screen)
        await page.locator('[name="hours.weekly"]').fill("32")
        await page.get_by_role("button", name="Enregistrer la modification").last.click()
        for box in await page.locator('[name="acknowledged"]').all():
            await box.check()
        await page.get_by_role("button", name="Enregistrer la modification").last.click()
        await expect(page).to_have_url(re.compile("fait=modification"))
        await expect(page.locator(".notice")).to_contain_text("La fiche est modifiée")


async def test_what_is_asked_for_is_completed(desk: Desk, people: People) -> None:
    made = await desk.put(desk.new("to_complete", f"Tailleur de pierre {uuid4().hex[:4]}", "Caen"))
    async with people(PERSON, path="/espace/fiches", script=False) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await screen.goto(f"/espace/fiches/{made.id}/contenu?pour=completion")
        await expect(page.locator(".callout strong")).to_have_text("Plan de recherche de candidats")
        await expect(page.locator(".callout")).to_contain_text("Précisez avec quelles entreprises")
        await page.locator('[name="sourcing.plan"]').fill("Deux réunions avec quatre entreprises du territoire.")
        for _ in range(2):
            for box in await page.locator('[name="acknowledged"]').all():
                await box.check()
            await page.get_by_role("button", name="Envoyer le complément").last.click()
            if "fait=" in page.url:
                break
        await expect(page.locator(".notice")).to_contain_text("Le complément est envoyé")


async def test_two_people_change_one_fiche_and_nothing_typed_is_lost(desk: Desk, people: People) -> None:
    made = await desk.put(desk.new("submitted", f"Carreleur {uuid4().hex[:4]}", "Rouen"))
    async with people(PERSON, path="/espace/fiches") as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await screen.goto(f"/espace/fiches/{made.id}/contenu?pour=modification")
        await page.locator("[name=prerequisites]").fill("Savoir compter.")
        await desk.amend(made, 1, prerequisites="Savoir lire un plan.")
        await page.get_by_role("button", name="Enregistrer la modification").last.click()
        await expect(page.locator("#conflit")).to_contain_text("révision 1 → 2")
        await expect(page.locator(".differences ins")).to_have_text("Savoir compter.")
        await expect(page.locator("[name=prerequisites]")).to_have_value("Savoir compter.")
        await whole(screen)


async def test_the_list_leads_to_the_form_and_a_draft_back_into_it(desk: Desk, people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        await page.get_by_role("link", name="Nouvelle fiche").click()
        await page.get_by_label("Votre référence").fill(f"CY-RETOUR-{'A' if script else 'B'}")
        await page.get_by_role("button", name="Commencer la saisie").click()
        await page.get_by_role("link", name="CY-RETOUR").click()
        await page.get_by_role("link", name="Reprendre le brouillon").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Besoin et branche")


async def test_the_directory_says_that_nobody_is_found_and_what_to_do(people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/partenaires", script=script) as screen:
        await whole(screen)
        await screen.goto("/espace/partenaires?recherche=introuvable")
        await expect(screen.page.locator(".empty")).to_be_visible()
        await whole(screen)
        await screen.page.get_by_role("link", name="Effacer les filtres").click()
        await expect(screen.page).to_have_url(re.compile("/espace/partenaires$"))
