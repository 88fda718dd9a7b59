"""A real browser on the pages: what it must never see, and what every page must be, whatever its state."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, Route
from playwright.async_api import Error as PlaywrightError

ROOT: Final = Path(__file__).parent.parent.parent
PICTURES: Final = ROOT / "services" / "submission" / "pictures"
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=fr-FR",
)  # fmt: skip
TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_AXE: Final = {"runOnly": {"type": "tag", "values": list(TAGS)}, "resultTypes": ["violations"]}
MISSING: Final = (
    "The browser tests need Chromium, and none was found: install it (Debian, Ubuntu: apt install chromium; macOS: brew install"
    " chromium), name one by CHROMIUM=/path/to/chromium, or let Playwright bring its own: .venv/bin/playwright install chromium"
)
NO_FRENCH: Final = "Pictures show what a French browser shows, dates too: install its languages (Debian: apt install chromium-l10n)"
_SAID_BY_THE_BROWSER: Final = "() => { const one = document.createElement('input'); one.required = true; return one.validationMessage }"
SAID_OF_ERRORS: Final = ("Failed to load resource: the server responded with a status of",)
"""What Chromium writes of a page that is answered 400 or more: `screen.expected` where that answer is the intention."""
TALLEST: Final = 2200
"""Height of a picture at most, in CSS pixels: what comes below on a long page is more of the same."""
NARROW: Final = 320
"""Width, in CSS pixels, at which no page may scroll sideways: 1280 at 400 % (WCAG 1.4.10)."""


def named_chromium() -> str | None:
    """Return the Chromium of CHROMIUM or of the PATH; None lets Playwright look for its own."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    """Yield a browser; fails saying what to install where there is none."""
    try:
        browser = await playwright.chromium.launch(executable_path=named_chromium(), args=list(FLAGS), env={**os.environ, "LANGUAGE": "fr"})
    except PlaywrightError as wrong:
        raise AssertionError(f"{MISSING}\n{wrong}") from wrong
    try:
        yield browser
    finally:
        await browser.close()


@dataclass
class Screen:
    """One page of one visitor, and everything that it did which it should not."""

    page: Page
    origin: str
    script: bool = True
    noise: list[str] = field(default_factory=list)
    """Console messages, errors of scripts, and requests to somebody else."""
    expected: tuple[str, ...] = ()
    """What the browser itself says of an answer that is an error by intention."""

    def __post_init__(self) -> None:
        """Listen."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.noise.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if not any(words in message.text for words in self.expected):
            self.noise.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.noise.append(f"outside: {parts.scheme}://{parts.netloc}")

    async def goto(self, path: str) -> None:
        """Go to a path of the site and wait until it is loaded."""
        await self.page.goto(f"{self.origin}{path}")

    async def quiet(self) -> list[str]:
        """Return the noise so far, and begin anew."""
        found, self.noise = self.noise, []
        return found


async def violations(screen: Screen) -> list[str]:
    """Return what axe has against a page: rule, and where."""
    if not screen.script:
        return await _violations_of_what_was_sent(screen)
    async with asyncio.timeout(60):
        found = await Axe().run(screen.page, options=_AXE)
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


async def _violations_of_what_was_sent(screen: Screen) -> list[str]:
    """Return the violations of a page as it stands where scripts do not run: axe is one itself, and looks at it elsewhere."""
    html, url = await screen.page.content(), screen.page.url.partition("#")[0]

    async def answered(route: Route) -> None:
        if route.request.url == url:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif route.request.url.endswith(".js"):
            await route.fulfill(body="", content_type="text/javascript")
        else:
            await route.continue_()

    browser = screen.page.context.browser
    assert browser is not None, "launched by us"
    async with visiting(browser, screen.origin) as seen:
        await seen.page.route("**/*", answered)
        await seen.page.goto(url)
        return await violations(seen)


async def sideways(page: Page) -> list[str]:
    """Return what makes a page scroll sideways at 320 pixels; its size is as before afterwards."""
    before: Any = page.viewport_size
    await page.set_viewport_size({"width": NARROW, "height": 640})
    try:
        script = """(width) => {
            const whole = document.scrollingElement.scrollWidth;
            if (whole <= innerWidth && innerWidth <= width) return [];
            const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1);
            const outside = wide.filter((one) => !one.closest(".table-frame"));
            return [`${whole} px in all`, ...[...outside, ...wide].slice(0, 5).map((one) => one.outerHTML.slice(0, 120))];
        }"""
        found: list[str] = await page.evaluate(script, NARROW)
        return [f"wider than {NARROW} px: {one}" for one in found]
    finally:
        await page.set_viewport_size(before)


async def strange_headings(page: Page) -> list[str]:
    """Return what is wrong with a page's language, title and first heading."""
    title, language, headings = await page.evaluate(
        "() => [document.title, document.documentElement.lang, [...document.querySelectorAll('h1')].map((h) => h.textContent)]"
    )
    wrong = [] if title.endswith(" — POEC Normandie") and len(title) > len(" — POEC Normandie") else [f"title: {title!r}"]
    return [*wrong, *([] if language == "fr" else [f"lang: {language!r}"]), *([] if len(headings) == 1 else [f"h1: {headings}"])]


async def whole(screen: Screen) -> None:
    """Fail unless a page is as every page must be: no violation, no message, nobody else asked, no sideways scroll, its own title."""
    wrong = [
        *await violations(screen),
        *await sideways(screen.page),
        *await strange_headings(screen.page),
        *await screen.quiet(),
    ]
    assert wrong == [], f"{screen.page.url}:\n" + "\n".join(wrong)


@asynccontextmanager
async def visiting(
    browser: Browser, origin: str, *, script: bool = True, width: int = 1280, headers: dict[str, str] | None = None, **more: Any
) -> AsyncIterator[Screen]:
    """Yield a visitor who was never here, with JavaScript or without."""
    context: BrowserContext = await browser.new_context(
        java_script_enabled=script,
        viewport={"width": width, "height": 900},
        locale="fr-FR",
        timezone_id="Europe/Paris",
        extra_http_headers=headers or {},
        reduced_motion="reduce",
        **more,
    )
    try:
        context.set_default_timeout(15_000)
        yield Screen(await context.new_page(), origin, script)
    finally:
        await context.close()


async def picture(screen: Screen, path: Path, part: str = "") -> bool:
    """Take a picture of a page, or of a part of it, for the documents, where UPDATE_DOCS says so; return whether it is there."""
    if os.environ.get("UPDATE_DOCS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        await screen.page.evaluate("() => { document.activeElement?.blur(); document.fonts.ready }")
        assert "champ" in await screen.page.evaluate(_SAID_BY_THE_BROWSER), NO_FRENCH
        box: Any = await screen.page.locator(part or "body").first.bounding_box()
        around = 12 if part else 0
        corner = {"x": box["x"] - around, "y": box["y"] - around}
        clip: Any = {**corner, "width": box["width"] + 2 * around, "height": min(box["height"] + 2 * around, TALLEST)}
        await screen.page.screenshot(path=path, full_page=True, animations="disabled", caret="hide", clip=clip)
        await asyncio.to_thread(_with_few_colours, path)
    return await asyncio.to_thread(path.is_file)


def _with_few_colours(path: Path) -> None:
    """Write a picture again with 128 colours at most: a screen has few, and the file is a third of the size."""
    with Image.open(path) as taken:
        few = taken.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


async def sign_in(screen: Screen, account: str, path: str = "/") -> None:
    """Sign in as an account of the local identity provider, and come back to a path; what others were asked meanwhile is forgotten.

    One address may begin so often a minute; on a fast machine all these people of one address are told to come back, and do.
    """
    while (answer := await screen.page.goto(f"{screen.origin}/sign-in?next={path}")) is not None and answer.status == 429:
        await asyncio.sleep(float(answer.headers["retry-after"]))
    await screen.page.locator(f'button[value="{account}"]').click()
    await screen.page.wait_for_url(f"{screen.origin}{path}")
    await screen.quiet()
