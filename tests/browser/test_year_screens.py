"""Campaigns, conferences, the programme, declarations and intentions in a real browser, with JavaScript and without."""

import re

from playwright.async_api import expect

from tests.browser.conftest import People
from tests.support.screens import whole

OPCO, DREETS = "p-akto", "p-dreets"
SAYS_ERRORS = ("Failed to load resource",)


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
        held = page.locator(".panel", has_text="20 février 2018".replace(" ", "\u00a0"))
        await expect(held.get_by_text("Calendrier des dépôts")).to_be_visible()
        await whole(screen)


async def test_a_conference_is_corrected_with_a_reason_and_what_stood_there_is_still_read(people: People, script: bool) -> None:
    day = "2018-01-16" if script else "2018-01-17"
    async with people(DREETS, path="/espace/conferences/nouvelle", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await page.get_by_label("Jour de la conférence").fill(day)
        await page.get_by_label("Ordre du jour").fill("Programme de l’année")
        await page.get_by_role("button", name="Inscrire la conférence").click()
        await expect(page.locator(".notice")).to_contain_text("La conférence est inscrite")
        there = page.locator(".panel", has_text="16 janvier" if script else "17 janvier")
        await there.get_by_role("link", name="Corriger").click()
        await expect(page.get_by_label("Ordre du jour")).to_have_value("Programme de l’année")
        await page.get_by_label("Décisions").fill("Une douzaine de projets pour le bâtiment.")
        await page.get_by_role("button", name="Inscrire la correction").click()
        await expect(page.locator(".error-summary a")).to_have_attribute("href", "#f-reason")
        await whole(screen)
        other = await page.context.new_page()
        await other.goto(page.url)
        await other.get_by_label("Ordre du jour").fill("Programme de l’année\nCalendrier")
        await other.get_by_label("Motif de la correction").fill("Un point manquait.")
        await other.get_by_role("button", name="Inscrire la correction").click()
        await expect(other.locator(".notice")).to_contain_text("La conférence est corrigée")
        await page.get_by_label("Motif de la correction").fill("La décision manquait.")
        await page.get_by_role("button", name="Inscrire la correction").click()
        await expect(page.locator(".panel")).to_contain_text("Calendrier")
        await expect(page.get_by_label("Décisions")).to_have_value("Une douzaine de projets pour le bâtiment.")
        await whole(screen)
        await page.get_by_role("button", name="Inscrire la correction").click()
        await expect(page.locator(".notice")).to_contain_text("La conférence est corrigée")
        await there.get_by_role("link", name="Versions précédentes").click()
        second = page.locator(".panel", has_text="Version 2")
        await expect(second).to_contain_text("Un point manquait.")
        await whole(screen)
    async with people(OPCO, path="/espace/conferences", script=script) as screen:
        await expect(screen.page.get_by_role("link", name="Corriger")).to_have_count(0)
        await whole(screen)


async def test_the_programme_is_adopted_revised_and_read_with_what_each_revision_changed(people: People, script: bool) -> None:
    year = 2043 if script else 2044
    async with people(DREETS, path=f"/espace/programmes/{year}", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await page.get_by_role("link", name="Adopter le programme").click()
        await page.locator('[name="targets.0.opco"]').select_option("akto")
        await page.locator('[name="targets.0.rome"]').fill("Z9999")
        await page.get_by_role("button", name="Inscrire le programme").click()
        await expect(page.locator('[name="targets.0.rome"]')).to_have_attribute("aria-invalid", "true")
        await whole(screen)
        await page.locator('[name="targets.0.rome"]').fill("G1602")
        await page.locator('[name="targets.0.number"]').fill("12")
        await page.locator('[name="targets.0.words"]').fill("une douzaine")
        await page.locator('[name="targets.2.opco"]').select_option("afdas")
        await page.locator('[name="targets.2.rome"]').fill("L1203")
        await page.locator('[name="targets.2.number"]').fill("2")
        await page.get_by_role("button", name="Inscrire le programme").click()
        await expect(page.locator(".notice")).to_contain_text("Le programme est adopté")
        await expect(page.get_by_role("row", name="G1602")).to_contain_text("une douzaine")
        await whole(screen)
        await page.get_by_role("link", name="Réviser le programme").click()
        await page.locator('[name="targets.1.number"]').fill("3")
        lines = await page.locator('[name$=".rome"]').count()
        await page.get_by_role("button", name="Ajouter des lignes").click()
        await expect(page.locator('[name$=".rome"]')).to_have_count(lines + 5)
        await expect(page.locator('[name="targets.1.number"]')).to_have_value("3")
        assert await page.locator('[name="targets.0.words"]').input_value() + await page.locator('[name="targets.1.words"]').input_value()
        await whole(screen)
        await page.get_by_role("button", name="Inscrire la révision").click()
        await expect(page.locator(".notice")).to_contain_text("Le programme est adopté")
        await page.get_by_role("link", name="Révisions du programme").click()
        last = page.locator(".panel").first
        await expect(last.get_by_role("row")).to_have_count(2)
        await expect(last.get_by_role("row", name="L1203")).to_contain_text("23")
        await whole(screen)
    async with people(OPCO, path=f"/espace/programmes/{year}", script=script) as screen:
        await expect(screen.page.get_by_role("link", name="Réviser le programme")).to_have_count(0)
        await screen.page.get_by_role("link", name="Révisions du programme").click()
        await expect(screen.page.locator("main")).to_contain_text("une douzaine (12)")
        await expect(screen.page.locator("main")).not_to_contain_text("L1203")
        await expect(screen.page.locator("main")).to_contain_text("Rien n’y change pour votre OPCO")
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


async def test_of_nothing_there_is_one(people: People) -> None:
    async with people(DREETS, path="/espace/declarations/2046", script=False) as screen:
        await expect(screen.page.locator("main")).to_contain_text("0\u00a0projet déclaré, 0\u00a0fiche reçue.")
        await screen.goto("/espace/rien")
        await expect(screen.page.get_by_role("link", name="Se connecter")).to_have_count(0)


async def test_an_intention_is_announced_and_becomes_a_draft(people: People, script: bool) -> None:
    async with people(OPCO, path="/espace/fiches", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await screen.goto("/espace/intentions/nouvelle")
        await page.get_by_label("Votre référence").fill(f"INT-2018-{'A' if script else 'B'}")
        await page.get_by_role("button", name="Annoncer").click()
        missing = "Ce champ est obligatoire\u202f: renseignez-le."
        needed = ["Intitulé", "Métier visé (ROME)", "Zone d’emploi", "Début au plus tôt", "Début au plus tard", "Places par session"]
        said = await page.locator(".error-summary a").all_inner_texts()
        assert sorted(said) == sorted(f"{name}\u202f: {missing}" for name in needed)
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
