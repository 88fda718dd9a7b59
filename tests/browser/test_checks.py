"""Each check that every page goes through is shown a page that is bad in just that."""

import shutil
from collections.abc import Mapping

import pytest
from playwright.async_api import Browser, async_playwright

from tests.support import screens
from tests.support.screens import visiting, whole

HEAD = '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
GOOD = {"lang": "fr", "title": "Essai — POEC Normandie", "head": "", "body": "<main><h1>Essai</h1><p>Rien.</p></main>"}


async def judged(browser: Browser, bad: Mapping[str, str], script: bool = True) -> str:
    """Return what `whole` has against a page that is good but for something."""
    page = {**GOOD, **bad}
    html = HEAD.format(**page) + f"<body>{page['body']}</body></html>"
    async with visiting(browser, "http://here.test", script=script) as screen:
        await screen.page.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        await screen.goto("/")
        try:
            await whole(screen)
        except AssertionError as found:
            return str(found)
        return ""


@pytest.mark.parametrize("script", [True, False])
async def test_a_good_page_passes(browser: Browser, script: bool) -> None:
    assert await judged(browser, {}, script) == ""


def _main(inside: str) -> str:
    return f"<main><h1>Essai</h1>{inside}</main>"


PLANTED: dict[str, tuple[dict[str, str], str]] = {
    "a picture without words": ({"body": _main('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')}, "image-alt"),
    "a field without a label": ({"body": _main("<input>")}, "label"),
    "pale text": ({"body": _main('<p style="color:#bbb;background:#fff">Pâle</p>')}, "color-contrast"),
    "a div inside a dl": ({"body": _main("<dl><div><div><dt>a</dt><dd>b</dd></div></div></dl>")}, "dlitem"),
    "text outside the landmarks": ({"body": "<p>Dehors</p>" + GOOD["body"]}, "region"),
    "too wide": ({"body": _main('<div style="width:400px">Large</div>')}, "wider than 320 px"),
    "too wide by what escapes a frame that scrolls": (
        {
            "body": _main(
                '<div style="overflow-x:auto" class="table-frame" tabindex="0" role="region" aria-label="Table">'
                '<div style="width:900px;text-align:right">Fin<span style="position:absolute;width:1px;height:1px">x</span></div></div>'
            )
        },
        "wider than 320 px: 9",
    ),
    "another language": ({"lang": "en"}, "lang: 'en'"),
    "a title that says nothing": ({"title": "POEC Normandie"}, "title:"),
    "two first headings": ({"body": _main("<h1>Encore</h1>")}, "h1:"),
    "a message": ({"head": "<script>console.log('x')</script>"}, "console: x"),
    "a script that fails": ({"head": "<script>nobody()</script>"}, "script: "),
    "another host": ({"head": '<link rel="stylesheet" href="http://elsewhere.test/a.css">'}, "outside: http://elsewhere.test"),
}


@pytest.mark.parametrize(("bad", "says"), PLANTED.values(), ids=PLANTED)
async def test_a_bad_page_is_found_out(browser: Browser, bad: dict[str, str], says: str) -> None:
    assert says in await judged(browser, bad)


@pytest.mark.parametrize("name", ["a field without a label", "too wide", "another host"])
async def test_a_bad_page_is_found_out_without_javascript_too(browser: Browser, name: str) -> None:
    bad, says = PLANTED[name]
    assert says in await judged(browser, bad, False)


async def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    async with async_playwright() as playwright:
        with pytest.raises(AssertionError, match="apt install chromium"):
            async with screens.chromium(playwright):
                pass


def test_the_browser_is_the_one_that_is_named_else_that_of_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"google-chrome": "/usr/bin/google-chrome"}
    monkeypatch.setattr(shutil, "which", found.get)
    monkeypatch.setenv("CHROMIUM", "/opt/chromium")
    assert screens.named_chromium() == "/opt/chromium"
    monkeypatch.delenv("CHROMIUM")
    assert screens.named_chromium() == "/usr/bin/google-chrome"
    found.clear()
    assert screens.named_chromium() is None, "Playwright looks for its own"
