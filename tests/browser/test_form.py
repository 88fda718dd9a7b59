"""The form of a fiche in a real browser: seven steps, with and without JavaScript; nothing that was typed is lost."""

import re

from playwright.async_api import expect

from services.submission.pages.form_steps import STEPS
from tests.browser.conftest import People
from tests.browser.form import GOLDEN, begin, fill, in_step, next_step
from tests.support.screens import whole

PERSON = "p-opco-2i"
SAYS_ERRORS = ("Failed to load resource",)
"""What Chromium writes of any answer of 400 and more."""


async def test_a_fiche_is_typed_step_by_step_and_filed(people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        await begin(screen, f"FORM-2018-{'A' if script else 'B'}")
        for step in STEPS:
            await expect(page.get_by_role("heading", level=1)).to_have_text(step.title)
            await fill(page, in_step(step))
            if script:
                await whole(screen)
            await next_step(page)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Relire et déposer")
        await whole(screen)
        if not script:  # beside the one that was just filed with JavaScript
            await expect(page.get_by_role("link", name="POEC - Peintre industriel")).to_be_visible()
            await expect(page.locator(".definitions").last).to_contain_text("67\u202f032\u00a0€")
            await expect(page.locator(".definitions").last).not_to_contain_text(GOLDEN["money.teaching_cost"])
            here = page.url.removeprefix(screen.origin)
            for hours in ("900", GOLDEN["hours.total"]):
                await screen.goto(here.replace("relire", "formation"))
                await page.locator('[name="hours.total"]').fill(hours)
                await page.get_by_role("button", name="Enregistrer", exact=True).last.click()
                await screen.goto(here)
                if hours == "900":
                    await expect(page.get_by_role("button", name="Déposer la fiche")).to_have_count(0)
                    await expect(page.locator(".warnings")).to_contain_text("Corrigez d’abord ce qui empêche le dépôt")
                    await expect(page.locator("[name=acknowledged]")).to_have_count(0)
                    await whole(screen)
        await page.get_by_role("button", name="Déposer la fiche").click()
        await expect(page.locator(".warnings")).to_contain_text("font")
        for box in await page.locator('[name="acknowledged"]').all():
            await box.check()
        await page.get_by_role("button", name="Déposer la fiche").click()
        await expect(page).to_have_url(re.compile(r"/espace/fiches/[0-9a-f-]{36}\?fait=depot$"))


async def test_what_is_wrong_leads_to_its_step_and_field_and_nothing_typed_is_lost(people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        await begin(screen, f"FORM-2018-{'C' if script else 'D'}")
        await page.locator("[name=programme_year]").fill("deux mille")
        await next_step(page)
        summary = page.locator(".error-summary")
        await expect(summary).to_contain_text("enregistrée, avec des points à corriger")
        await expect(page.locator("[name=programme_year]")).to_have_value("deux mille")
        await expect(page.locator("[name=programme_year]")).to_have_attribute("aria-invalid", "true")
        await whole(screen)
        await page.get_by_role("link", name="Continuer quand même").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(STEPS[1].title)
        await page.get_by_role("link", name="Relire et déposer").click()
        await expect(summary).to_contain_text("La fiche n’est pas complète")
        await expect(page.get_by_role("button", name="Déposer la fiche")).to_have_count(0)
        await summary.get_by_role("link", name="Heures par semaine").click()
        await expect(page).to_have_url(re.compile(r"/formation\?verifier=oui#f-hours-weekly$"))
        await expect(page.locator("#f-hours-weekly")).to_have_attribute("aria-invalid", "true")
        await whole(screen)


async def test_sessions_and_meetings_come_and_go_by_buttons(people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        steps = await begin(screen, f"FORM-2018-{'E' if script else 'F'}")
        await screen.goto(f"{steps}/sessions")
        await page.locator('[name="sessions.0.seats"]').fill("douze")
        await page.get_by_role("button", name="Ajouter une session").click()
        await page.locator('[name="sessions.1.seats"]').fill("8")
        await page.locator('button[name="ajouter"][value="sessions.1.meetings"]').click()
        await page.locator('[name="sessions.1.meetings.0.place"]').fill("Maison de l’emploi")
        await whole(screen)
        await page.get_by_role("button", name="Retirer la session 1").click()
        await expect(page.locator('[name="sessions.0.seats"]')).to_have_value("8")
        await expect(page.locator('[name="sessions.0.meetings.0.place"]')).to_have_value("Maison de l’emploi")
        await page.locator('button[name="retirer"]').first.click()
        await expect(page.locator('[name="sessions.0.meetings.0.place"]')).to_have_count(0)


async def test_a_draft_keeps_itself_and_outlives_its_tab(people: People) -> None:
    async with people(PERSON, path="/espace/fiches") as screen:
        page = screen.page
        steps = await begin(screen, "FORM-2018-G")
        said = page.locator("[data-autosave-said]")
        await page.locator("[name=companies]").fill("4")
        await expect(said).to_have_text(re.compile("^Enregistré à \\d+.h"))
        await page.locator("[name=companies]").fill("beaucoup")
        await expect(said).to_have_text(re.compile("^Enregistré à"))
        async with page.expect_response("**/enregistrement") as kept:
            await page.locator("[name=hires_announced]").fill("9")
        assert (await kept.value).ok
        await page.close()
        again = await page.context.new_page()
        await again.goto(f"{screen.origin}{steps}/besoin")
        await expect(again.locator("[name=companies]")).to_have_value("beaucoup")
        await expect(again.locator("[name=hires_announced]")).to_have_value("9")
        await again.locator("[name=companies]").fill("12")
        await again.locator("[name=companies]").press("Enter")
        await expect(again.locator(".notice")).to_contain_text("C’est enregistré")
        await expect(again.locator("[name=companies]")).to_have_value("12")


async def test_a_draft_that_is_not_kept_says_so(people: People) -> None:
    async with people(PERSON, path="/espace/fiches") as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        steps = await begin(screen, "FORM-2018-H")
        await screen.goto(f"{steps}/formation")
        said = page.locator("[data-autosave-said]")
        await page.locator("[name=objective]").fill("Appelez le 06 12 34 56 78.")
        await expect(said).to_have_text(re.compile("^Non enregistré. «\u202fObjectif\u202f»\u202f: "))
        await whole(screen)
        await next_step(page)
        await expect(page.locator(".error-summary")).to_be_focused()
        await expect(page.locator("[name=objective]")).to_have_value("Appelez le 06 12 34 56 78.")
        await page.route("**/enregistrement", lambda route: route.abort())
        await page.locator("[name=objective]").fill("Apprendre à peindre.")
        await expect(said).to_contain_text("Non enregistré\u202f: pas de connexion")


async def test_two_people_on_one_draft_see_what_differs_and_keep_what_they_typed(people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/fiches", script=script) as first, people(PERSON, path="/espace/fiches", script=False) as second:
        first.expected = SAYS_ERRORS
        second.expected = SAYS_ERRORS
        steps = await begin(first, f"FORM-2018-{'I' if script else 'J'}")
        await second.goto(f"{steps}/besoin")
        await second.page.locator("[name=companies]").fill("7")
        await second.page.get_by_role("button", name="Enregistrer", exact=True).last.click()
        await first.page.locator("[name=companies]").fill("3")
        await next_step(first.page)
        conflict = first.page.locator("#conflit")
        await expect(conflict).to_contain_text("Une autre personne a enregistré ce brouillon")
        await expect(first.page.locator(".differences ins")).to_have_text("3")
        await expect(first.page.locator(".differences del")).to_have_text("7")
        await expect(first.page.locator("[name=companies]")).to_have_value("3")
        await whole(first)
        await first.page.get_by_role("button", name="Enregistrer ma saisie").click()
        await expect(first.page.locator(".notice")).to_contain_text("C’est enregistré")
        await second.goto(f"{steps}/besoin")
        await expect(second.page.locator("[name=companies]")).to_have_value("3")


async def test_the_form_is_filled_in_with_the_keyboard_alone(people: People) -> None:
    async with people(PERSON, path="/espace/fiches") as screen:
        page = screen.page
        await screen.goto("/espace/fiches/nouvelle")
        await page.get_by_label("Votre référence").focus()
        await page.keyboard.type("FORM-2018-K")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(STEPS[0].title)
        await page.keyboard.press("Tab")
        for _ in range(60):
            if await page.evaluate("document.activeElement.name") == "programme_year":
                break
            await page.keyboard.press("Tab")
        await page.keyboard.type("2018")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.keyboard.press("Enter")
        await expect(page.locator(".notice")).to_be_focused()
        await expect(page.locator("[name=programme_year]")).to_have_value("2018")
        await expect(page.locator('[name=kind]').first).to_be_checked()


async def test_a_reference_that_is_taken_is_said_at_its_field(people: People, script: bool) -> None:
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        screen.expected = SAYS_ERRORS
        reference = f"FORM-2018-{'L' if script else 'M'}"
        await begin(screen, reference)
        await screen.goto("/espace/fiches/nouvelle")
        await whole(screen)
        await screen.page.get_by_label("Votre référence").fill(reference)
        await screen.page.get_by_role("button", name="Commencer la saisie").click()
        await expect(screen.page.locator(".error-summary")).to_contain_text("déjà prise")
        await expect(screen.page.get_by_label("Votre référence")).to_have_value(reference)
        await whole(screen)


async def test_a_fiche_that_comes_after_its_campaign_says_why(people: People, script: bool) -> None:
    year = 2051 if script else 2052
    fiche = {
        **GOLDEN,
        "programme_year": str(year),
        "sessions.0.start": f"{year}-04-29",
        "sessions.0.end": f"{year}-07-19",
        "sessions.0.meetings.0.on": f"{year}-04-10",
    }
    async with people("p-dreets", path="/espace/campagnes/nouvelle", script=script) as screen:
        await screen.page.get_by_label("Année").fill(str(year))
        await screen.page.get_by_label("Trimestre où commencent les sessions").select_option("2")
        await screen.page.get_by_label("Premier jour de dépôt").fill("2018-01-08")
        await screen.page.get_by_label("Dernier jour de dépôt").fill("2018-02-15")
        await screen.page.get_by_role("button", name="Ouvrir la campagne").click()
        await expect(screen.page.locator(".notice")).to_contain_text("La campagne est ouverte")
        await expect(screen.page.locator(".notice")).to_contain_text("Sa date limite est déjà passée")
    async with people(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        screen.expected = SAYS_ERRORS
        await begin(screen, f"FORM-2018-{'N' if script else 'O'}")
        for step in STEPS:
            await expect(page.get_by_role("heading", level=1)).to_have_text(step.title)
            await fill(page, in_step(step, fiche))
            await next_step(page)
        await expect(page.locator(".error-summary")).to_contain_text("a pris fin le 15/02/2018")
        motive, filing = page.get_by_label("Motif"), page.get_by_role("button", name="Déposer la fiche")
        await whole(screen)
        await filing.click()
        await expect(page.locator(".error-summary")).to_contain_text("motif du dépôt hors campagne")
        await motive.select_option("CONJONCTUREL")
        await page.get_by_label("Précisions").fill("Une entreprise ouvre un atelier de peinture.")
        await page.get_by_role("button", name="Vérifier avec ce motif").click()
        await expect(page.get_by_label("Précisions")).to_have_value("Une entreprise ouvre un atelier de peinture.")
        await expect(motive).to_have_value("CONJONCTUREL")
        await expect(page.locator(".error-summary")).to_have_count(0)
        await whole(screen)
        for _ in range(2):
            for box in await page.locator('[name="acknowledged"]').all():
                await box.check()
            await filing.click()
            if "fait=depot" in page.url:
                break
        await expect(page.locator(".notice")).to_contain_text("La fiche est déposée")
        await expect(page.locator("main")).to_contain_text("Hors campagne")
        await expect(page.locator("main")).to_contain_text("Une entreprise ouvre un atelier de peinture.")


async def test_a_fiche_in_its_campaign_is_not_asked_why(people: People) -> None:
    async with people(PERSON, path="/espace/fiches", script=False) as screen:
        steps = await begin(screen, "FORM-2018-P")
        await screen.goto(f"{steps}/relire")
        await expect(screen.page.get_by_label("Motif")).to_have_count(0)
