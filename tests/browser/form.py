"""Hands that fill in the form of a fiche as people do: field by field, step by step."""

from collections.abc import Mapping

from playwright.async_api import Page, expect

from services.submission.form_fields import fields_of
from services.submission.pages.form_parts import Step
from services.submission.pages.form_steps import STEPS, is_several
from tests.support.fiches import golden_content
from tests.support.screens import Screen

GOLDEN: Mapping[str, str] = {
    path: text for path, text in fields_of(golden_content()).items() if path not in ("derogation", "certification", "trainer", "tender")
}
"""The golden fiche as it stands in the form."""


def in_step(step: Step, fields: Mapping[str, str] = GOLDEN) -> dict[str, str]:
    """Return the fields of a step."""
    return {path: text for path, text in fields.items() if step.owns(path) and not path.endswith(".number")}


async def begin(screen: Screen, reference: str) -> str:
    """Begin a draft from the list; return where its steps are."""
    await screen.goto("/espace/fiches/nouvelle")
    await screen.page.get_by_label("Votre référence").fill(reference)
    await screen.page.get_by_role("button", name="Commencer la saisie").click()
    await expect(screen.page.get_by_role("heading", level=1)).to_have_text(STEPS[0].title)
    return screen.page.url.rpartition("/")[0].removeprefix(screen.origin)


async def fill(page: Page, fields: Mapping[str, str]) -> None:
    """Fill in the fields of the step that is shown; a row that is not there is asked for by its button."""
    for path, text in fields.items():
        name = path.rpartition(".")[0]
        if is_several(name):
            await page.locator(f'input[name="{name}"][value="{text}"]').check()
            continue
        if not await page.locator(f'[name="{path}"]').count():
            of = path.split(".")[0] if path.count(".") == 2 else ".".join(path.split(".")[:3])
            button = page.locator(f'button[name="ajouter"][value="{of}"]')
            await (button if await button.count() else page.locator('button[value="ici"]').last).click()
            await page.locator(f'[name="{path}"]').first.wait_for()
        at = page.locator(f'[name="{path}"]').first
        kind = await at.evaluate("(one) => one.type")
        if kind == "radio":
            await page.locator(f'[name="{path}"][value="{text}"]').check()
        elif kind == "select-one":
            await at.select_option(text)
        elif kind == "checkbox":
            await at.set_checked(text == "oui")
        else:
            await at.fill(text)


async def next_step(page: Page) -> None:
    """Keep the step and go on."""
    await page.get_by_role("button", name="Enregistrer et continuer").click()
