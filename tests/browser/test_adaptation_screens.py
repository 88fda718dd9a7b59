"""An adaptation answered on screen: accepted, declined, counter-proposed; with JavaScript and without."""

from playwright.async_api import expect

from tests.browser.conftest import Staff
from tests.browser.desk import OPCO, PERSON, Desk
from tests.browser.hands import address, confirmed_warnings, followed, said
from tests.support.screens import whole


async def test_an_adaptation_is_accepted(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("to_adapt"))
    async with staff(PERSON, path=address(made), script=script) as screen:
        page = screen.page
        await followed(page.get_by_role("link", name="Accepter"))
        await expect(page.get_by_role("region", name="Ce que l’adaptation change")).to_contain_text("21 mai 2018".replace(" ", "\u00a0"))
        await followed(page.get_by_role("button", name="Accepter l’adaptation"))
        await said(screen, "L’adaptation est acceptée.")
        await expect(page.locator("#parcours")).to_contain_text("Adaptation acceptée")
        await expect(page.get_by_role("link", name="Accepter")).to_have_count(0)
        await followed(page.get_by_role("link", name="Voir ce qui a changé"))
        await expect(page.get_by_role("region", name="Ce qui diffère")).to_contain_text("Session 1\u202f: Premier jour")
        await whole(screen)


async def test_an_adaptation_is_declined_with_a_reason(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("to_adapt"))
    async with staff(PERSON, path=address(made), script=script) as screen:
        page = screen.page
        await followed(page.get_by_role("link", name="Refuser"))
        await followed(page.get_by_role("button", name="Refuser l’adaptation"))
        await expect(page.locator("#erreurs")).to_be_focused()
        await whole(screen)
        await page.locator("#erreurs a").click()
        await expect(page.get_by_label("Motif du refus")).to_be_focused()
        await page.get_by_label("Motif du refus").fill("Les entreprises recrutent à cette date.")
        await followed(page.get_by_role("button", name="Refuser l’adaptation"))
        await said(screen, "L’adaptation est refusée.")


async def test_a_counter_proposal_keeps_what_was_typed_when_it_is_refused(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("to_adapt"))
    async with staff(PERSON, path=address(made, "/adaptation/contre-proposition"), script=script) as screen:
        page = screen.page
        await page.get_by_label("Dernier jour").fill("2018-05-01")
        await page.get_by_label("Motif de la contre-proposition").fill("Le plateau technique est pris en mai.")
        await followed(page.get_by_role("button", name="Envoyer la contre-proposition"))
        await expect(page.locator("#erreurs")).to_be_focused()
        await expect(page.get_by_label("Dernier jour")).to_have_value("2018-05-01")
        await expect(page.get_by_label("Dernier jour")).to_have_attribute("aria-invalid", "true")
        await whole(screen)
        await page.get_by_label("Premier jour").fill("2018-06-04")
        await page.get_by_label("Dernier jour").fill("2018-08-24")
        await followed(page.get_by_role("button", name="Envoyer la contre-proposition"))
        await confirmed_warnings(screen, "Envoyer la contre-proposition")
        await said(screen, "La contre-proposition est envoyée.")


async def test_who_comes_after_the_state_moved_on_is_told_so_and_keeps_the_text(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("to_adapt"))
    async with staff(PERSON, path=address(made, "/adaptation/refus"), script=script) as screen:
        page = screen.page
        await page.get_by_label("Motif du refus").fill("Nous gardons nos dates.")
        decline = {"reason": "Dates tenues."}
        await desk.write(OPCO, "decline_adaptation", f"/fiches/{made.id}/adaptation/refusal", decline)
        await followed(page.get_by_role("button", name="Refuser l’adaptation"))
        await expect(page.locator("#erreurs")).to_contain_text("La fiche est à l’état «\u202fDéposée\u202f»")
        await expect(page.get_by_text("Nous gardons nos dates.")).to_be_visible()
        await expect(page.get_by_role("button", name="Refuser l’adaptation")).to_have_count(0)
        await whole(screen)
