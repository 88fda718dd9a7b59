"""Every macro of the frame in a real browser, with JavaScript and without: accessible, quiet, narrow, in every state."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.support.screens import SAID_OF_ERRORS, Screen, visiting, whole

AKTO = {"authorization": "akto"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accessibilite",
        "/mentions-legales",
        "/espace/formulaire",
        "/espace/liste",
        "/espace/liste?q=zzz",
        "/espace/liste?fait=x",
    ],
)
async def test_a_page_is_whole(browser: Browser, toy: str, script: bool, path: str) -> None:
    async with visiting(browser, toy, script=script, headers=AKTO) as screen:
        await screen.goto(path)
        await whole(screen)


@pytest.mark.parametrize("path", ["/espace/panne", "/espace/comptes", "/espace/rien"])
async def test_a_refusal_is_whole(browser: Browser, toy: str, path: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        screen.expected = SAID_OF_ERRORS
        await screen.goto(path)
        await whole(screen)


async def filled(screen: Screen, refuse: str) -> None:
    """Fill the form in, and send it."""
    await screen.goto("/espace/formulaire")
    await screen.page.get_by_label("Combien").fill("7")
    await screen.page.get_by_label("Refus à essayer").fill(refuse)
    await screen.page.get_by_label("Précisions").fill("Gardé.")
    await screen.page.get_by_role("button", name="Déposer").click()


async def test_a_form_that_is_refused_is_whole_and_leads_to_its_fields(
    browser: Browser, toy: str, script: bool
) -> None:
    async with visiting(browser, toy, script=script, headers=AKTO) as screen:
        screen.expected = SAID_OF_ERRORS
        await filled(screen, "rules")
        summary = screen.page.locator("#erreurs")
        await expect(summary).to_be_focused()
        first = "Combien\u202f: Indiquez au plus 400 h\u202f: la durée dépasse le plafond. (minutes L1)"
        said = [first, "Genre\u202f: Choisissez un genre.", "Rien d’autre."]
        await expect(summary.get_by_role("listitem")).to_have_text(said)
        await expect(screen.page.get_by_label("Précisions")).to_have_value("Gardé.")
        await whole(screen)
        await summary.get_by_role("link", name="Indiquez au plus 400").click()
        field = screen.page.get_by_label("Combien")
        await expect(field).to_be_focused()
        await expect(field).to_have_accessible_description(re.compile("dépasse le plafond.*Entre 1 et"))


async def test_warnings_are_whole_and_answered(browser: Browser, toy: str, script: bool) -> None:
    async with visiting(browser, toy, script=script, headers=AKTO) as screen:
        screen.expected = SAID_OF_ERRORS
        await filled(screen, "warnings")
        await expect(screen.page.locator("#avertissements")).to_be_focused()
        await expect(screen.page.locator("#avertissements label")).to_contain_text("Premier jour\u202f: Le délai est court")
        await whole(screen)
        await screen.page.get_by_label("Le délai est court").check()
        await screen.page.get_by_role("button", name="Déposer").click()
        await expect(screen.page.get_by_label("Le délai est court")).to_be_checked()


async def test_a_form_is_sent_by_the_keyboard_alone(browser: Browser, toy: str, script: bool) -> None:
    async with visiting(browser, toy, script=script, headers=AKTO) as screen:
        await screen.goto("/espace/formulaire")
        keyboard = screen.page.keyboard
        await keyboard.press("Tab")
        await expect(screen.page.get_by_role("link", name="Aller au contenu")).to_be_focused()
        await keyboard.press("Enter")
        await keyboard.press("Tab")
        await expect(screen.page.get_by_label("Combien")).to_be_focused()
        await keyboard.type("4")
        await keyboard.press("Enter")
        await expect(screen.page.get_by_role("heading", name="C’est compté.")).to_be_visible()
        await expect(screen.page.locator(".notice")).to_be_focused()


async def test_focus_is_three_pixels_and_seen(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        await screen.goto("/espace/formulaire")
        for _ in range(12):
            await screen.page.keyboard.press("Tab")
            style = (
                "() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth] }"
            )
            assert await screen.page.evaluate(style) == ["solid", "3px"]


async def test_at_twice_its_size_nothing_is_lost(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO, width=640, device_scale_factor=2) as screen:
        for path in ("/espace/liste", "/espace/formulaire"):
            await screen.goto(path)
            assert await screen.page.evaluate("() => document.documentElement.scrollWidth") <= 640
            await whole(screen)


async def test_a_phone_opens_the_menu(browser: Browser, toy: str, script: bool) -> None:
    async with visiting(browser, toy, script=script, headers=AKTO, width=360) as screen:
        await screen.goto("/espace/liste")
        link = screen.page.get_by_role("link", name="Formulaire", exact=True)
        await expect(link).to_be_hidden()
        await screen.page.get_by_text("Menu").click()
        await whole(screen)
        await link.click()
        await expect(screen.page).to_have_url(f"{toy}/espace/formulaire")


async def test_on_paper_what_is_folded_is_open_and_nothing_is_to_be_clicked(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        await screen.goto("/espace/liste")
        await screen.page.emulate_media(media="print")
        await expect(screen.page.get_by_text("Deux lignes.")).to_be_visible()
        await expect(screen.page.get_by_role("navigation", name="Navigation principale")).to_be_hidden()
        await expect(screen.page.get_by_role("button", name="Filtrer")).to_be_hidden()


async def test_a_page_that_is_laid_out_before_its_theme_is_there_asks_for_nothing_that_is_forbidden(browser: Browser, toy: str) -> None:
    async with visiting(browser, toy, headers=AKTO) as screen:
        await screen.page.route("**/poec.*.css", lambda route: route.fulfill(body="", content_type="text/css"))
        await screen.goto("/espace/formulaire")
        for box in await screen.page.locator("main input[type=checkbox], main input[type=radio]").all():
            await box.check()
        await expect(screen.page.locator("main select").first).to_be_visible()
        await screen.page.screenshot()
        assert await screen.quiet() == []


BELOW_ITS_BOX = """() => [...document.querySelectorAll(".form-check")].filter((one) => {
    const [box, label] = [one.querySelector("input"), one.querySelector("label")].map((part) => part.getClientRects()[0]);
    return box && label && (label.top >= box.bottom || label.left < box.right);
}).map((one) => one.textContent.trim())"""


@pytest.mark.parametrize("width", [320, 1200])
async def test_a_label_as_long_as_its_line_stands_beside_its_box(browser: Browser, toy: str, width: int) -> None:
    async with visiting(browser, toy, headers=AKTO, width=width) as screen:
        screen.expected = SAID_OF_ERRORS
        await filled(screen, "warnings")
        label = screen.page.locator("#avertissements label").first
        await label.evaluate("(one) => { one.textContent = 'Le délai est court. '.repeat(20) }")
        assert await screen.page.evaluate(BELOW_ITS_BOX) == []
        await label.evaluate("(one) => { one.textContent = 'Planté'; one.closest('.form-check').classList.add('d-flex', 'flex-column') }")
        assert await screen.page.evaluate(BELOW_ITS_BOX) == ["Planté"]
