"""The list of fiches in a real browser: true counts, filters in the address, who sees what; pages below it in every other state."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Staff
from tests.browser.desk import PERSON, Desk
from tests.browser.hands import BY_STAGE, address, entered, followed, said, tabbed_to
from tests.support.screens import whole

PAGES = [
    "/espace/fiches?vue=reponse",
    "/espace/fiches?recherche=zzz",
    address(BY_STAGE["to_complete"]),
    address(BY_STAGE["submitted"]),
    address(BY_STAGE["validated"]),
    address(BY_STAGE["engaged"]),
    address(BY_STAGE["withdrawn"]),
    address(BY_STAGE["to_adapt"], "/versions"),
    address(BY_STAGE["submitted"], "/programmation"),
    address(BY_STAGE["submitted"], "/sessions/9/report"),
]


async def test_pages_of_which_there_is_no_picture_are_whole_too(desk: Desk, staff: Staff) -> None:
    async with staff(PERSON, path="/espace/fiches", width=1200) as screen:
        for path in PAGES:
            await screen.goto(path)
            await whole(screen)


async def test_the_pages_are_whole_as_they_are_sent(desk: Desk, staff: Staff) -> None:
    async with staff(PERSON, path="/espace/fiches", script=False) as screen:
        for path in ("/espace/fiches", address(BY_STAGE["to_adapt"]), address(BY_STAGE["confirmed"], "/sessions/1/report")):
            await screen.goto(path)
            await whole(screen)


async def test_each_tab_shows_as_many_fiches_as_it_says(desk: Desk, staff: Staff, script: bool) -> None:
    async with staff(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        await expect(page.locator(".heading")).to_contain_text("attendent une réponse de votre part")
        tabs = page.locator(".tabs a")
        labels = [await tabs.nth(n).inner_text() for n in range(await tabs.count())]
        assert len(labels) == 7
        counted = 0
        for n, label in enumerate(labels):
            await followed(page.locator(".tabs a").nth(n))
            await expect(page.locator(".tabs a[aria-current]")).to_have_text(label)
            shown = await page.locator("[data-rows] tbody tr").count()
            while await (following := page.get_by_role("link", name="Page suivante")).count():
                await followed(following)
                shown += await page.locator("[data-rows] tbody tr").count()
            assert label.split()[-1] == str(shown), label
            counted += shown if n else 0
        assert counted == int(labels[0].split()[-1]), "every fiche is in one tab"


async def test_filters_live_in_the_address_and_outlast_a_look_at_a_fiche(desk: Desk, staff: Staff, script: bool) -> None:
    async with staff(PERSON, path="/espace/fiches", script=script) as screen:
        page = screen.page
        await page.get_by_label("Département").focus()
        await page.get_by_label("Département").select_option("61")
        if script:
            await expect(page.locator("#annonce")).to_have_text("1\u00a0fiche trouvée")
            await expect(page.get_by_label("Département")).to_be_focused()
        else:
            await followed(page.get_by_role("button", name="Filtrer"))
        await expect(page.locator("[data-rows] tbody tr")).to_have_count(1)
        assert "departement=61" in page.url
        await followed(page.get_by_role("link", name="Conducteur d’engins de chantier"))
        await followed(page.get_by_role("navigation", name="Fil d’Ariane").get_by_role("link", name="Mes fiches"))
        await expect(page.locator("[data-rows] tbody tr")).to_have_count(1)
        assert "departement=61" in page.url
        await followed(page.get_by_role("link", name="Effacer les filtres"))
        await expect(page.locator("[data-rows] tbody tr").nth(5)).to_be_visible()
        await whole(screen)


async def test_one_whole_flow_needs_nothing_but_the_keyboard(desk: Desk, staff: Staff) -> None:
    made = await desk.put(desk.new("validated", "Peintre en bâtiment", "Rouen"))
    async with staff(PERSON, path="/espace/fiches") as screen:
        page, keys = screen.page, screen.page.keyboard
        await page.keyboard.press("/")
        await expect(page.get_by_label("Rechercher (intitulé, référence)")).to_be_focused()
        await keys.type(made.reference)
        await keys.press("Enter")
        await expect(page.locator("[data-rows] tbody tr")).to_have_count(1)
        await page.get_by_label("Rechercher (intitulé, référence)").blur()
        await keys.press("j")
        await entered(page)
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Peintre en bâtiment")
        await tabbed_to(page, "Confirmer la programmation")
        await entered(page)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Confirmer la programmation")
        await tabbed_to(page, "Confirmer la programmation")
        await entered(page)
        await said(screen, "La programmation est confirmée.")


@pytest.mark.parametrize("account", ["p-region-1", "p-dreets"])
async def test_who_may_only_read_sees_the_list_and_the_fiche_without_actions(desk: Desk, staff: Staff, account: str) -> None:
    async with staff(account, path="/espace/fiches?opco=constructys") as screen:
        page = screen.page
        await expect(page.get_by_role("heading", level=1)).to_have_text("Fiches des OPCO")
        await expect(page.locator(".nav-wide a[aria-current=page]")).to_have_text("Fiches")
        await followed(page.get_by_role("link", name="Coffreur-bancheur"))
        await expect(page.get_by_role("heading", name="Ce qui est attendu de l’OPCO")).to_be_visible()
        await expect(page.locator("main .btn, main form[method=post]")).to_have_count(0)
        await whole(screen)
        await screen.goto(address(BY_STAGE["to_adapt"], "/adaptation/acceptation"))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Vous n’avez pas accès à cette page")


async def test_another_opco_sees_nothing_of_it(desk: Desk, staff: Staff) -> None:
    async with staff("p-afdas", path="/espace/fiches") as screen:
        await expect(screen.page.get_by_text("Aucune fiche pour le moment")).to_be_visible()
        await expect(screen.page.locator(".nav-wide a[aria-current=page]")).to_have_text("Mes fiches")
        await expect(screen.page.get_by_role("link", name="Nouvelle fiche")).to_have_attribute("href", "/espace/fiches/nouvelle")
        await whole(screen)
        await screen.goto(address(BY_STAGE["to_adapt"]))
        await expect(screen.page.get_by_role("heading", level=1)).to_have_text("Page introuvable")
