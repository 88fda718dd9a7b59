"""What scripts add: results fetched and read out, the address kept, drafts that save themselves, shortcuts that can be switched off."""

from playwright.async_api import Browser, Route, expect

from tests.support.screens import visiting, whole

AKTO = {"authorization": "akto"}


async def test_a_filter_changes_the_list_the_address_and_what_is_read_out(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        await screen.goto("/espace/liste")
        field = screen.page.get_by_label("Rechercher")
        await field.fill("coffreur")
        await field.press("Enter")
        await expect(screen.page.locator("tbody tr [scope=row]").first).to_contain_text("Coffreur")
        await expect(screen.page.locator("#annonce")).to_have_text("1\u00a0fiche dans la liste")
        await expect(field).to_be_focused()
        assert "q=coffreur" in screen.page.url
        await whole(screen)
        await field.fill("nulle part")
        await field.press("Enter")
        await expect(screen.page.get_by_text("Aucune fiche ne correspond")).to_be_visible()
        await whole(screen)
        await screen.page.go_back()
        await expect(screen.page.locator("tbody tr [scope=row]").first).to_contain_text("Coffreur")
        await screen.page.reload()
        await expect(screen.page.get_by_label("Rechercher")).to_have_value("coffreur")


async def test_a_list_that_cannot_be_fetched_gives_way_to_the_reason(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        screen.expected = ("Failed to load resource: the server responded with a status of 400",)
        await screen.goto("/espace/liste")
        await screen.page.evaluate("() => document.querySelector('[type=search]').setAttribute('name', 'fait')")
        await screen.page.evaluate("() => document.querySelector('.filters').insertAdjacentHTML('beforeend', '<input name=fait>')")
        await screen.page.get_by_label("Rechercher").press("Enter")
        await expect(screen.page.get_by_role("heading", level=1)).to_have_text("La demande est illisible")
        await whole(screen)


async def test_a_lost_connection_is_said(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        screen.expected = ("Failed to load resource: net::ERR_FAILED", "Failed to fetch")
        await screen.goto("/espace/liste")
        await screen.page.route("**/espace/liste?*", lambda route: route.abort())
        await screen.page.get_by_label("Rechercher").press("Enter")
        await expect(screen.page.locator("#annonce")).to_contain_text("vérifiez la connexion")


async def test_a_draft_saves_itself_and_says_so(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        screen.expected = ("Failed to load resource",)
        await screen.goto("/espace/formulaire")
        said = screen.page.locator("[data-autosave-said]")
        await screen.page.get_by_label("Intitulé").fill("Un titre")
        await expect(said).to_have_text("Brouillon enregistré à 14\u00a0h\u00a002.")
        bodies: list[str] = []

        async def away(route: Route) -> None:
            bodies.append(route.request.post_data or "")
            await route.fulfill(status=503, body="")

        await screen.page.route("**/espace/brouillon", away)
        await screen.page.get_by_label("Intitulé").fill("Un autre titre")
        await expect(said).to_contain_text("Non enregistré")
        assert "title=Un+autre+titre" in bodies[0] and "csrf_token=" in bodies[0]


async def test_shortcuts_walk_the_list_and_can_be_switched_off(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        await screen.goto("/espace/liste")
        keyboard, links = screen.page.keyboard, screen.page.locator("[data-rows] tbody a")
        await keyboard.press("j")
        await expect(links.nth(0)).to_be_focused()
        await keyboard.press("j")
        await expect(links.nth(1)).to_be_focused()
        await keyboard.press("k")
        await expect(links.nth(0)).to_be_focused()
        await keyboard.press("/")
        search = screen.page.get_by_label("Rechercher")
        await expect(search).to_be_focused()
        await keyboard.type("j?/")
        await expect(search).to_have_value("j?/")
        await search.blur()
        await keyboard.press("?")
        dialog = screen.page.get_by_role("dialog", name="Raccourcis clavier")
        await expect(dialog).to_be_visible()
        await whole(screen)
        await screen.page.get_by_label("Activer les raccourcis").uncheck()
        await dialog.get_by_role("button", name="Fermer").click()
        await screen.page.reload()
        await keyboard.press("?")
        await keyboard.press("j")
        await expect(dialog).to_be_hidden()
        assert await screen.page.evaluate("() => document.activeElement === document.body")
        await screen.page.get_by_role("button", name="Raccourcis clavier").click()
        await expect(screen.page.get_by_label("Activer les raccourcis")).not_to_be_checked()


async def test_the_bar_of_a_selection_is_there_only_with_one(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        await screen.goto("/espace/liste")
        bar = screen.page.locator("#barre")
        await expect(bar).to_be_hidden()
        boxes = screen.page.locator("tbody input[type=checkbox]")
        await boxes.nth(0).check()
        await expect(bar).to_contain_text("1 ligne sélectionnée")
        await boxes.nth(1).check()
        await expect(bar).to_contain_text("2 lignes sélectionnées")
        await whole(screen)
        await boxes.nth(0).uncheck()
        await boxes.nth(1).uncheck()
        await expect(bar).to_be_hidden()
