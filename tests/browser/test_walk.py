"""Every page that links lead to, for every role: none is dead or forbidden, none is wider than a phone, every stop of Tab is seen."""

import re
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Staff
from tests.browser.desk import PERSON, Desk
from tests.support.screens import NARROW, Screen, sideways, strange_headings

ROLES: Final = (PERSON, "p-region-1", "p-pole-emploi-1", "p-dreets", "p-carif-oref", "p-organisme", "p-agence")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LINKS: Final = "(links) => links.map((one) => one.getAttribute('href'))"
_STOPS: Final = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true}))
    .filter((one) => one.type !== "radio" || one === document.querySelector(`[name="${one.name}"]`)).length"""
_HERE: Final = """() => { const one = document.activeElement; const at = one.getBoundingClientRect();
    if (one !== document.body) one.dataset.walked = "yes";
    return [one === document.body, at.width > 0 && at.bottom > 0 && at.top < innerHeight] }"""


def kind_of(href: str) -> str:
    """Return a link without what tells one of its kind from another: identifiers, years, values of a query."""
    path, _, query = href.partition("#")[0].partition("?")
    names = ",".join(sorted({part.partition("=")[0] for part in query.split("&")}))
    return f"{re.sub(r'[0-9]+', 'n', _UUID.sub('*', path))}?{names}"


async def walked(screen: Screen) -> AsyncIterator[str]:
    """Go to one page of each kind that links lead to, from the first page on; yield what is wrong with each, empty where nothing is."""
    seen, coming = {kind_of("/")}, ["/"]
    while coming:
        path = coming.pop()
        page = path == "/" or path.startswith("/espace/")
        answer: Any = await (screen.page.goto(screen.origin + path) if page else screen.page.request.get(screen.origin + path))
        if not page or answer.status >= 400:
            yield f"{path}: {answer.status}" if answer.status >= 400 else ""
            continue
        wrong = [*await sideways(screen.page), *await strange_headings(screen.page), *await screen.quiet()]
        yield f"{path}: {'; '.join(wrong)}" if wrong else ""
        for href in await screen.page.eval_on_selector_all("a[href]", _LINKS):
            if href.startswith("/") and kind_of(href) not in seen:
                seen.add(kind_of(href))
                coming.append(href)


@pytest.mark.parametrize("account", ROLES)
async def test_no_link_is_dead_or_leads_where_one_may_not_go(desk: Desk, staff: Staff, account: str) -> None:
    async with staff(account, path="/", width=NARROW) as screen:
        screen.expected = ()
        found = [wrong async for wrong in walked(screen)]
        assert len(found) > 3, "the first page leads somewhere"
        assert [wrong for wrong in found if wrong] == []


async def test_without_javascript_every_link_leads_somewhere_too(desk: Desk, staff: Staff) -> None:
    async with staff(PERSON, path="/", script=False) as screen:
        assert [wrong async for wrong in walked(screen) if wrong] == []


async def test_a_dead_link_is_found(desk: Desk, staff: Staff) -> None:
    async with staff("p-agence", path="/", width=NARROW) as screen:
        html = '<html lang="fr"><title>Essai — POEC Normandie</title><h1>Essai</h1><a href="/espace/rien">Rien</a>'
        await screen.page.route(f"{screen.origin}/", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        assert [wrong async for wrong in walked(screen) if wrong] == ["/espace/rien: 404"]


async def stops(page: Page) -> tuple[int, int, bool]:
    """Return how many things of a page want the focus, how many of them Tab gives it to, and whether each was seen then.

    A field of a day is one thing, with a stop for each of its parts.
    """
    wanted, seen = await page.evaluate(_STOPS), True
    for _ in range(4 * wanted):
        await page.keyboard.press("Tab")
        outside, in_sight = await page.evaluate(_HERE)
        if outside:
            break
        seen = seen and in_sight
    return wanted, await page.locator("[data-walked]").count(), seen


@pytest.mark.parametrize("width", [NARROW, 640], ids=["320 px", "200 %"])
async def test_tab_reaches_everything_and_what_has_the_focus_is_seen(desk: Desk, staff: Staff, width: int) -> None:
    async with staff(PERSON, path="/", width=width) as screen:
        for path in ("/espace/fiches", "/espace/fiches/nouvelle", "/espace/modeles", "/espace/programmes", "/espace/partenaires"):
            await screen.goto(path)
            wanted, given, seen = await stops(screen.page)
            assert (given, seen) == (wanted, True), path
            assert wanted > 5
