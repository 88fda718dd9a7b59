"""The screens on which an OPCO's staff follows its fiches, in a real browser on the real product, with JavaScript and without."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.desk import DESK, OPCO, PERSON, Desk, Made
from tests.support.screens import ROOT, Screen, picture, sign_in, visiting, whole
from tests.support.stack import Stack

PICTURES: Path = ROOT / "services" / "submission" / "pictures"
SAYS_ERRORS = ("Failed to load resource",)  # what Chromium writes of any answer of 400 and more
Staff = Callable[..., AbstractAsyncContextManager[Screen]]
BY_STAGE = {made.stage: made for made in DESK}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def staff(browser: Browser, stack: Stack) -> Staff:
    """Return who comes with the session of an account: it signs in once, as often as it then comes."""
    url, sessions = stack.run.services["submission"].url, {}

    @asynccontextmanager
    async def coming(account: str, path: str, **more: Any) -> AsyncIterator[Screen]:
        if account not in sessions:
            async with visiting(browser, url) as first:
                await sign_in(first, account)
                sessions[account] = await first.page.context.storage_state()
        async with visiting(browser, url, storage_state=sessions[account], **more) as screen:
            screen.expected = SAYS_ERRORS
            await screen.goto(path)
            yield screen

    return coming


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def address(made: Made, below: str = "") -> str:
    return f"/espace/fiches/{made.id}{below}"



async def followed(target: Locator) -> None:
    """Click what leads to another page, and wait until that is there with its style sheets: nobody looks at half of it."""
    async with target.page.expect_navigation(wait_until="load"):
        await target.click()


async def said(screen: Screen, title: str) -> None:
    """Wait for the notice of what was done: it has the focus."""
    notice = screen.page.locator(".notice")
    await expect(notice).to_contain_text(title)
    await expect(notice).to_be_focused()


PAGES = [
    ("/espace/fiches", "mes-fiches"),
    ("/espace/fiches?vue=reponse", ""),
    ("/espace/fiches?recherche=zzz", ""),
    (address(BY_STAGE["to_adapt"]), "fiche"),
    (address(BY_STAGE["to_complete"]), ""),
    (address(BY_STAGE["submitted"]), ""),
    (address(BY_STAGE["avis_given"]), ""),
    (address(BY_STAGE["validated"]), ""),
    (address(BY_STAGE["engaged"]), ""),
    (address(BY_STAGE["withdrawn"]), ""),
    (address(BY_STAGE["to_adapt"], "/versions"), ""),
    (address(BY_STAGE["to_adapt"], "/adaptation/acceptation"), "adaptation"),
    (address(BY_STAGE["to_adapt"], "/adaptation/refus"), ""),
    (address(BY_STAGE["to_adapt"], "/adaptation/contre-proposition"), "contre-proposition"),
    (address(BY_STAGE["validated"], "/programmation"), ""),
    (address(BY_STAGE["validated"], "/retrait"), ""),
    (address(BY_STAGE["confirmed"], "/sessions/1/engagement"), "engagement"),
    (address(BY_STAGE["confirmed"], "/sessions/1/report"), "report"),
    (address(BY_STAGE["confirmed"], "/sessions/1/annulation"), "annulation"),
    (address(BY_STAGE["submitted"], "/programmation"), ""),
    (address(BY_STAGE["submitted"], "/sessions/9/report"), ""),
]


async def test_every_page_is_whole(desk: Desk, staff: Staff) -> None:
    async with staff(PERSON, path="/espace/fiches", width=1200) as screen:
        for path, name in PAGES:
            await screen.goto(path)
            await whole(screen)
            if name:
                assert await picture(screen, PICTURES / f"{name}.png"), "UPDATE_DOCS=1 takes the pictures"


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


async def confirmed_warnings(screen: Screen, send: str) -> None:
    """Tick every warning and send again."""
    page = screen.page
    boxes = page.locator("#avertissements input[type=checkbox]")
    await expect(boxes.first).to_be_visible()
    await whole(screen)
    for n in range(await boxes.count()):
        await boxes.nth(n).check()
    await followed(page.get_by_role("button", name=send))


async def test_a_programmation_is_confirmed_and_its_session_engaged_below_the_minimum(
    desk: Desk, staff: Staff, script: bool
) -> None:
    made = await desk.put(desk.new("validated"))
    async with staff(PERSON, path=address(made), script=script) as screen:
        page = screen.page
        await followed(page.get_by_role("link", name="Confirmer la programmation"))
        await followed(page.get_by_role("button", name="Confirmer la programmation"))
        await said(screen, "La programmation est confirmée.")
        await followed(page.get_by_role("link", name="Engager la session 1"))
        await page.get_by_label("Personnes inscrites").fill("5")
        await followed(page.get_by_role("button", name="Engager la session"))
        await expect(page.locator("#erreurs")).to_contain_text("5 inscrits pour un minimum de 6")
        await expect(page.get_by_label("Personnes inscrites")).to_have_value("5")
        await whole(screen)
        await page.get_by_label("Pourquoi la session a lieu").fill("Deux inscriptions sont attendues cette semaine.")
        await followed(page.get_by_role("button", name="Engager la session"))
        await said(screen, "La session est engagée.")
        await expect(page.locator("#sessions")).to_contain_text("Engagée")
        await expect(page.get_by_role("link", name="Engager la session 1")).to_have_count(0)


async def test_a_session_is_postponed_and_then_cancelled_with_its_cause(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("confirmed"))
    async with staff(PERSON, path=address(made), script=script) as screen:
        page = screen.page
        await followed(page.get_by_role("link", name="Reporter la session 1"))
        await page.get_by_label("Nouveau premier jour").fill("2018-05-28")
        await page.get_by_label("Nouveau dernier jour").fill("2018-08-17")
        await page.get_by_label("Besoin disparu").check()
        await followed(page.get_by_role("button", name="Reporter la session"))
        await said(screen, "La session est reportée.")
        await expect(page.locator("#versions")).to_contain_text("Révision 2")
        await followed(page.get_by_role("link", name="Annuler la session 1"))
        await expect(page.get_by_text("C’est la dernière session")).to_be_visible()
        await page.get_by_label("Pas assez de candidats").check()
        await followed(page.get_by_role("button", name="Annuler définitivement la session"))
        await expect(page.locator("#erreurs")).to_contain_text("indiquez la cause")
        await expect(page.get_by_label("Pas assez de candidats")).to_be_checked()
        await page.get_by_label("Mobilité").check()
        await followed(page.get_by_role("button", name="Annuler définitivement la session"))
        await said(screen, "La session est annulée.")
        await expect(page.locator(".heading")).to_contain_text("Annulée")
        await whole(screen)


async def test_a_fiche_shows_what_is_late_before_its_first_day(desk: Desk, staff: Staff) -> None:
    async with staff(PERSON, path=address(BY_STAGE["submitted"])) as screen:
        planning = screen.page.locator("#retro-planning")
        await expect(planning.locator("tbody tr").filter(has_text="Fiche déposée")).to_contain_text("Fait")
        await expect(planning.locator("tbody tr").filter(has_text="Premier jour de formation")).to_contain_text("28\u00a0mai\u00a02018")


async def test_a_fiche_is_withdrawn(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("submitted"))
    async with staff(PERSON, path=address(made), script=script) as screen:
        page = screen.page
        await followed(page.get_by_role("link", name="Retirer la fiche"))
        await page.get_by_label("Fiche remplacée par une autre").check()
        await followed(page.get_by_role("button", name="Retirer définitivement la fiche"))
        await said(screen, "La fiche est retirée.")
        await expect(page.locator(".heading")).to_contain_text("Retirée")


async def test_placements_are_returned_once_the_session_has_ended(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("engaged", "Solier", "Rouen", "2018-01-08", "2018-02-23"))
    async with staff(PERSON, path=address(made), script=script) as screen:
        page = screen.page
        await expect(page.locator("#attendu")).to_contain_text("Rendez le bilan de la session 1, à la fin de la session")
        await followed(page.get_by_role("link", name="Rendre le bilan la session 1"))
        await whole(screen)
        await expect(page.get_by_label("À la fin de la session")).to_be_checked()
        await page.get_by_label("Personnes qui ont fini").fill("10")
        await page.get_by_label("CDI").fill("12")
        await followed(page.get_by_role("button", name="Rendre le bilan"))
        await expect(page.locator("#erreurs")).to_contain_text("12 personnes en emploi pour 10")
        await whole(screen)
        await page.get_by_label("CDI").fill("7")
        await page.get_by_label("Intérim").fill("1")
        await followed(page.get_by_role("button", name="Rendre le bilan"))
        await said(screen, "Le bilan est rendu.")
        await expect(page.locator("#sessions")).to_contain_text("8 en emploi sur 10")


async def test_a_fiche_is_renewed_with_its_results_beside_the_draft(desk: Desk, staff: Staff, script: bool) -> None:
    made = await desk.put(desk.new("withdrawn"))
    async with staff(PERSON, path=address(made), script=script) as screen:
        page = screen.page
        await followed(page.get_by_role("link", name="Reconduire"))
        await whole(screen)
        await followed(page.get_by_role("button", name="Préparer le brouillon"))
        await expect(page.locator("#erreurs a")).to_have_count(1)
        await page.get_by_label("Référence du nouveau dossier").fill(f"{made.reference}-{2019 + script}")
        await followed(page.get_by_role("button", name="Préparer le brouillon"))
        await said(screen, "Le brouillon est prêt.")
        await expect(page.locator("#resultats-precedents")).to_contain_text(made.reference)
        await expect(page.locator("#retro-planning")).to_contain_text("Rien n’est en retard")
        await whole(screen)
        await followed(page.get_by_role("link", name="Reprendre le brouillon"))
        await expect(page.get_by_label("Année du programme")).to_have_value("2019")


async def test_two_people_on_one_fiche_the_second_sees_what_changed_and_goes_on(
    desk: Desk, staff: Staff, script: bool
) -> None:
    made = await desk.put(desk.new("confirmed"))
    report = address(made, "/sessions/1/report")
    async with staff(PERSON, path=report, script=script) as first, staff(PERSON, path=report, script=script, width=1200) as second:
        for screen, day in ((first, "2018-05-28"), (second, "2018-06-04")):
            await screen.page.get_by_label("Nouveau premier jour").fill(day)
            await screen.page.get_by_label("Nouveau dernier jour").fill("2018-08-24")
            await screen.page.get_by_label("Raison sanitaire").check()
        await followed(first.page.get_by_role("button", name="Reporter la session"))
        await said(first, "La session est reportée.")
        page = second.page
        await followed(page.get_by_role("button", name="Reporter la session"))
        await expect(page.locator("#conflit")).to_contain_text("La fiche a changé pendant votre lecture (révision 1 → 2")
        await expect(page.locator("#conflit")).to_be_focused()
        await expect(page.get_by_role("region", name="Ce qui a changé")).to_contain_text("28\u00a0mai\u00a02018")
        await expect(page.get_by_label("Nouveau premier jour")).to_have_value("2018-06-04")
        await expect(page.get_by_label("Raison sanitaire")).to_be_checked()
        await whole(second)
        if script:
            assert await picture(second, PICTURES / "conflit.png"), "UPDATE_DOCS=1 takes the pictures"
        await followed(page.get_by_role("button", name="Reporter la session sur la révision 2"))
        await said(second, "La session est reportée.")
        await expect(page.locator("#versions")).to_contain_text("Révision 3")


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


async def entered(page: Page) -> None:
    """Press Enter on what leads to another page, and wait until that is there."""
    async with page.expect_navigation(wait_until="load"):
        await page.keyboard.press("Enter")


async def tabbed_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if (await page.evaluate("() => document.activeElement.textContent")).strip() == name:
            return
    raise AssertionError(f"no way to {name} by the keyboard")


@pytest.mark.parametrize("account", ["p-region-1", "p-dreets"])
async def test_who_may_only_read_sees_the_list_and_the_fiche_without_actions(desk: Desk, staff: Staff, account: str) -> None:
    async with staff(account, path="/espace/fiches?opco=constructys") as screen:
        page = screen.page
        await expect(page.get_by_role("heading", level=1)).to_have_text("Fiches des OPCO")
        await followed(page.get_by_role("link", name="Coffreur-bancheur"))
        await expect(page.get_by_role("heading", name="Ce qui est attendu de l’OPCO")).to_be_visible()
        await expect(page.locator("main .btn, main form[method=post]")).to_have_count(0)
        await whole(screen)
        await screen.goto(address(BY_STAGE["to_adapt"], "/adaptation/acceptation"))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Vous n’avez pas accès à cette page")


async def test_another_opco_sees_nothing_of_it(desk: Desk, staff: Staff) -> None:
    async with staff("p-afdas", path="/espace/fiches") as screen:
        await expect(screen.page.get_by_text("Aucune fiche pour le moment")).to_be_visible()
        await expect(screen.page.get_by_role("link", name="Nouvelle fiche")).to_have_attribute("href", "/espace/fiches/nouvelle")
        await whole(screen)
        await screen.goto(address(BY_STAGE["to_adapt"]))
        await expect(screen.page.get_by_role("heading", level=1)).to_have_text("Page introuvable")
