"""What is done with the sessions of a fiche on screen, and with the fiche once it is validated; two people on one fiche."""


from playwright.async_api import expect

from tests.browser.conftest import Staff
from tests.browser.desk import PERSON, Desk
from tests.browser.hands import BY_STAGE, address, followed, said
from tests.support.screens import whole


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
        await followed(page.get_by_role("button", name="Reporter la session sur la révision 2"))
        await said(second, "La session est reportée.")
        await expect(page.locator("#versions")).to_contain_text("Révision 3")
