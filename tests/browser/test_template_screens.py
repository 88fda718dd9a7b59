"""Templates kept, used and deleted on screen, and what was prepared dropped, with JavaScript and without."""

import re
from uuid import uuid4

from playwright.async_api import expect

from tests.browser.conftest import People
from tests.browser.desk import PERSON, Desk
from tests.browser.form import begin
from tests.support.screens import SAID_OF_ERRORS, whole

STAFF, OTHER = "p-ocapiat", "p-akto"


async def test_a_fiche_is_kept_as_a_template_from_which_a_draft_begins(desk: Desk, people: People, script: bool) -> None:
    made, name = await desk.put(desk.new("submitted", "Enduiseur")), f"Façades {uuid4().hex[:4]}"
    async with people(PERSON, path=f"/espace/fiches/{made.id}", script=script) as screen:
        page = screen.page
        screen.expected = SAID_OF_ERRORS
        await page.get_by_role("link", name="Enregistrer comme modèle").click()
        await expect(page.get_by_label("Nom du modèle")).to_have_value("POEC - Enduiseur")
        await page.get_by_label("Nom du modèle").fill("")
        await page.get_by_role("button", name="Enregistrer le modèle").click()
        await expect(page.locator(".error-summary")).to_be_visible()
        await whole(screen)
        await page.get_by_label("Nom du modèle").fill(name)
        await page.get_by_role("button", name="Enregistrer le modèle").click()
        await expect(page.locator(".notice")).to_contain_text("Le modèle est enregistré")
        await whole(screen)
        await page.get_by_role("link", name=name, exact=True).click()
        await whole(screen)
        await page.get_by_label("Votre référence").fill(made.reference)
        await page.get_by_role("button", name="Commencer la saisie").click()
        await expect(page.locator(".error-summary")).to_contain_text("déjà prise")
        await page.get_by_label("Votre référence").fill(f"CY-MODELE-{uuid4().hex[:6]}")
        await page.get_by_role("button", name="Commencer la saisie").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Besoin et branche")
        await expect(page.locator("[name=companies]")).not_to_have_value("")
        await expect(page.locator("[name=programme_year]")).to_have_value("")
        steps = page.url.rpartition("/")[0].removeprefix(screen.origin)
        await screen.goto(f"{steps}/sessions")
        await expect(page.locator('[name="sessions.0.seats"]')).to_have_value("12")
        await expect(page.locator('[name="sessions.0.start"]')).to_have_value("")


async def test_a_template_is_replaced_where_that_is_said_and_deleted_after_a_question(people: People, script: bool) -> None:
    name = f"Modèle {uuid4().hex[:6]}"
    async with people(STAFF, path="/espace/fiches", script=script) as screen:
        page = screen.page
        screen.expected = SAID_OF_ERRORS
        steps = await begin(screen, f"CY-ORIGINE-{uuid4().hex[:6]}")
        await page.locator("[name=companies]").fill("6")
        await page.get_by_role("button", name="Enregistrer", exact=True).last.click()
        await expect(page.locator(".notice")).to_be_visible()
        draft = steps.rpartition("/")[2]
        for taken in (False, True):
            await screen.goto(f"/espace/fiches/{draft}")
            await page.get_by_role("link", name="Enregistrer comme modèle").click()
            await page.get_by_label("Nom du modèle").fill(name)
            await page.get_by_role("button", name="Enregistrer le modèle").click()
            if taken:
                await expect(page.locator(".error-summary")).to_contain_text("Un modèle porte déjà ce nom")
                await whole(screen)
                await page.get_by_label("Remplacer le modèle").check()
                await page.get_by_role("button", name="Enregistrer le modèle").click()
            await expect(page.locator(".notice")).to_contain_text("Le modèle est enregistré")
        await page.get_by_role("link", name=f"Supprimer le modèle {name}").click()
        await whole(screen)
        await page.get_by_role("button", name="Supprimer définitivement").click()
        await expect(page.locator(".notice")).to_contain_text("Le modèle est supprimé")
        await expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)


async def test_another_opco_sees_no_template_of_it(people: People) -> None:
    async with people(OTHER, path="/espace/modeles", script=False) as screen:
        await expect(screen.page.locator(".empty")).to_contain_text("Aucun modèle pour le moment")
        await whole(screen)


async def test_a_draft_is_dropped_with_a_reason_by_who_has_read_it_last(people: People, script: bool) -> None:
    async with people(STAFF, path="/espace/fiches", script=script) as screen:
        page = screen.page
        screen.expected = SAID_OF_ERRORS
        steps = await begin(screen, f"CY-ABANDON-{uuid4().hex[:6]}")
        await screen.goto(f"/espace/fiches/{steps.rpartition('/')[2]}")
        await page.get_by_role("link", name="Abandonner le brouillon").click()
        await page.get_by_role("button", name="définitivement").click()
        await expect(page.locator(".error-summary a")).to_have_attribute("href", "#f-reason")
        await whole(screen)
        other = await page.context.new_page()
        await other.goto(f"{screen.origin}{steps}/besoin")
        await other.locator("[name=companies]").fill("3")
        await other.get_by_role("button", name="Enregistrer", exact=True).last.click()
        await expect(other.locator(".notice")).to_be_visible()
        await page.get_by_label("Besoin disparu").check()
        await page.get_by_role("button", name="définitivement").click()
        await expect(page.locator(".error-summary")).to_contain_text("relisez")
        await expect(page.get_by_label("Besoin disparu")).to_be_checked()
        await page.get_by_role("button", name="définitivement").click()
        await expect(page).to_have_url(re.compile("fait=abandon"))
        await expect(page.locator(".notice")).to_contain_text("abandonné")
        await expect(page.get_by_role("link", name="Reprendre le brouillon")).to_have_count(0)
        await whole(screen)
        await screen.goto(f"{steps}/besoin")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.locator("[name=companies]")).to_have_count(0)
        await whole(screen)


async def test_an_intention_is_taken_back_from_its_page(people: People) -> None:
    async with people(STAFF, path="/espace/intentions/nouvelle", script=False) as screen:
        page = screen.page
        typed = {"reference": f"CY-INT-{uuid4().hex[:6]}", "title": "Façadier", "rome": "F1611", "programme_year": "2018",
                 "starts_from": "2018-09-03", "starts_until": "2018-10-15", "seats": "12"}  # fmt: skip
        for name, text in typed.items():
            await page.locator(f"[name={name}]").fill(text)
        await page.locator("[name=zone_emploi]").select_option("2816")
        await page.get_by_role("button", name="Annoncer").click()
        await page.get_by_role("link", name="Retirer l’intention").click()
        await whole(screen)
        await page.get_by_label("Marché infructueux").check()
        await page.get_by_role("button", name="Retirer l’intention définitivement").click()
        await expect(page.locator(".notice")).to_contain_text("abandonné")
        await whole(screen)
