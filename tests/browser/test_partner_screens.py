"""The directory of partners kept on screen by the Région, and the form of a fiche that chooses from it; communes by their names."""

import asyncio
from uuid import uuid4

import pytest_asyncio
from playwright.async_api import expect

from services.submission.domain.partners import partner_id
from tests.browser.conftest import People
from tests.browser.desk import Desk
from tests.browser.form import begin
from tests.support.screens import SAID_OF_ERRORS, whole

REGION, PERSON = "p-region-1", "p-ocapiat"
CAEN, ROUEN = "2804", "2815"
"""The employment zones of a fiche in Caen and of another one."""
NEAR, FAR = 8, 60


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def directory(desk: Desk) -> str:
    """A directory as full as Normandy's: some partners of Caen, many of elsewhere; return the mark in their names."""
    mark = uuid4().hex[:6]
    sheets = [
        {
            "code": f"mission-{mark}-{n}",
            "name": f"Mission locale {mark} n° {n}",
            "kind": "MISSION_LOCALE",
            "zones": [CAEN if n < NEAR else ROUEN],
        }
        for n in range(NEAR + FAR)
    ]
    await asyncio.gather(*(desk.write("region", "record_partner", "/partners", sheet) for sheet in sheets))
    return mark


async def test_the_region_puts_a_partner_in_changes_it_and_takes_it_out(people: People, script: bool) -> None:
    code, name = f"cap-emploi-{uuid4().hex[:6]}", f"Cap emploi {uuid4().hex[:6]}"
    async with people(REGION, path="/espace/partenaires", script=script) as screen:
        page = screen.page
        screen.expected = SAID_OF_ERRORS
        await page.get_by_role("link", name="Inscrire un partenaire").first.click()
        await page.get_by_label("Code", exact=False).first.fill("Cap Emploi !")
        await page.get_by_role("button", name="Inscrire").click()
        await expect(page.locator(".error-summary a").first).to_be_visible()
        await whole(screen)
        await page.locator("[name=code]").fill(code)
        await page.locator("[name=name]").fill(name)
        await page.get_by_label("Réseau").select_option("CAP_EMPLOI")
        await page.locator(f'[name=zones][value="{CAEN}"]').check()
        await page.locator("[name=mailbox]").fill("prenom.nom@cap.example")
        await page.get_by_role("button", name="Inscrire").click()
        await expect(page.locator(".warnings")).to_be_visible()
        await whole(screen)
        await page.locator("[name=mailbox]").fill("accueil@cap.example")
        await page.get_by_role("button", name="Inscrire").click()
        await expect(page.locator(".notice")).to_contain_text("Le partenaire est inscrit")
        where = f"/espace/partenaires/{partner_id(code)}"
        other = await page.context.new_page()
        await screen.goto(where)
        await other.goto(f"{screen.origin}{where}")
        await other.locator("[name=web]").fill("https://cap.example")
        await other.get_by_role("button", name="Enregistrer").click()
        await expect(other.locator(".notice")).to_contain_text("modifiée")
        await page.locator("[name=mailbox]").fill("orientation@cap.example")
        await page.get_by_role("button", name="Enregistrer").click()
        await expect(page.locator(".panel")).to_contain_text("https://cap.example")
        await expect(page.locator("[name=mailbox]")).to_have_value("orientation@cap.example")
        await whole(screen)
        await page.get_by_role("button", name="Enregistrer").click()
        await expect(page.locator(".notice")).to_contain_text("modifiée")
        await screen.goto(f"/espace/partenaires?recherche={name.replace(' ', '+')}")
        await whole(screen)
        await page.get_by_role("link", name=f"Retirer {name}").click()
        await whole(screen)
        await page.get_by_role("button", name="Retirer de l’annuaire").click()
        await expect(page.locator(".notice")).to_contain_text("Le partenaire est retiré")
        await screen.goto(f"/espace/partenaires?recherche={name.replace(' ', '+')}&retires=oui")
        await page.get_by_role("link", name=f"Reprendre {name}").click()
        await page.get_by_role("button", name="Reprendre").click()
        await expect(page.locator(".notice")).to_contain_text("modifiée")


async def test_an_opco_reads_the_directory_and_keeps_none_of_it(people: People, directory: str) -> None:
    async with people(PERSON, path="/espace/partenaires", script=False) as screen:
        screen.expected = SAID_OF_ERRORS
        await screen.goto(f"/espace/partenaires?recherche={directory}&zone={CAEN}")
        await expect(screen.page.locator("main tbody tr")).to_have_count(NEAR)
        await expect(screen.page.locator("main .btn")).to_have_count(1)
        await whole(screen)
        await screen.goto(f"/espace/partenaires?recherche={directory}")
        await screen.page.get_by_role("link", name="Page suivante").click()
        await expect(screen.page.locator("main tbody tr")).to_have_count(NEAR + FAR - 50)
        await screen.goto("/espace/partenaires/nouveau")
        await expect(screen.page.get_by_role("heading", level=1)).to_have_text("Vous n’avez pas accès à cette page")
        await whole(screen)


async def test_a_fiche_chooses_those_of_its_zone_first_and_keeps_who_left_the_directory(
    desk: Desk, people: People, directory: str, script: bool
) -> None:
    code = f"leaves-{uuid4().hex[:6]}"
    sheet = {"code": code, "name": f"Relais {code}", "kind": "MISSION_LOCALE", "zones": [ROUEN]}
    await desk.write("region", "record_partner", "/partners", sheet)
    left = partner_id(code)
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        steps = await begin(screen, f"CY-PARTENAIRES-{uuid4().hex[:6]}")
        await screen.goto(f"{steps}/public")
        near = page.locator(f'fieldset#f-sourcing-partner-ids > .form-check:has-text("{directory}")')
        folded = page.locator(f'fieldset#f-sourcing-partner-ids details .form-check:has-text("{directory}")')
        await expect(near).to_have_count(NEAR + FAR)
        await screen.goto(f"{steps}/organisme")
        await page.locator('[name="place.insee"]').fill("Caen")
        await page.get_by_role("button", name="Enregistrer", exact=True).last.click()
        await expect(page.locator('[name="place.insee"]')).to_have_value("14118")
        await expect(page.locator('[name="place.zone_emploi"]')).to_have_value(CAEN)
        await screen.goto(f"{steps}/public")
        await expect(near).to_have_count(NEAR)
        await expect(folded).to_have_count(FAR)
        await expect(folded.first).to_be_hidden()
        await near.first.locator("input").check()
        await page.get_by_text("Partenaires des autres zones d’emploi").press("Enter")
        await page.locator(f'[value="{left}"]').focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name="Enregistrer", exact=True).last.click()
        await expect(page.locator(".notice")).to_be_visible()
        await expect(folded.first).to_be_visible()
        await expect(near.first.locator("input")).to_be_checked()
        await whole(screen)
        await desk.write("region", "retire_partner", f"/partners/{left}/retirement", {})
        await screen.goto(f"{steps}/public")
        await expect(page.locator(f'[value="{left}"]')).to_be_checked()
        await expect(page.locator(f'.form-check:has([value="{left}"])')).to_contain_text("retiré de l’annuaire")
        await screen.goto(f"{steps}/relire")
        await expect(page.locator("main")).to_contain_text(f"Mission locale {directory}")
        await expect(page.locator("main")).not_to_contain_text(str(left))


async def test_a_commune_is_suggested_while_one_types_and_chosen_by_the_keyboard(people: People) -> None:
    async with people(PERSON, path="/espace/fiches") as screen:
        page = screen.page
        steps = await begin(screen, f"CY-COMMUNE-{uuid4().hex[:6]}")
        await screen.goto(f"{steps}/organisme")
        commune = page.locator('[name="place.insee"]')
        await commune.focus()
        async with page.expect_response("**/espace/listes/communes**") as asked:
            await page.keyboard.type("Hérouv", delay=20)
        assert (await asked.value).status == 200
        offered = page.locator("#l-place-insee option")
        await expect(offered.first).to_have_attribute("value", "14327")
        await expect(commune).to_be_focused()
        await whole(screen)
        await commune.fill("Hérouville-Saint-Clair (Calvados)")
        await page.keyboard.press("Enter")
        await expect(commune).to_have_value("14327")


async def test_a_commune_whose_name_comes_twice_is_said_and_its_code_or_department_settles_it(people: People) -> None:
    async with people(PERSON, path="/espace/fiches", script=False) as screen:
        page = screen.page
        screen.expected = SAID_OF_ERRORS
        steps = await begin(screen, f"CY-COMMUNE-{uuid4().hex[:6]}")
        for typed, kept in (("Nulle-Part-sur-Orne", "Nulle-Part-sur-Orne"), ("14327", "14327"), ("saint lo (manche)", "50502")):
            await screen.goto(f"{steps}/organisme")
            await page.locator('[name="place.insee"]').fill(typed)
            await page.get_by_role("button", name="Enregistrer", exact=True).last.click()
            await expect(page.locator('[name="place.insee"]')).to_have_value(kept)
