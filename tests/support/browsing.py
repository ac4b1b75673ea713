"""Somebody at a real browser, who counts their steps and looks at every page as a strict reader would.

What is seen of each page that is loaded: its language, one h1, a title, both unlike the last page's, a title that says
"Error" exactly where there is an error summary, no sideways scrolling, no word from the console, no request but to this
portal (the page and its stylesheet), and, where scripts run, nothing that axe-core finds (WCAG 2.2 AA and its best
practices); a page that differs from one seen before in nothing but its words is not put to axe again.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Playwright, Request

from demur.notices.languages import translations

CHROMIUM_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
]

NARROW, WIDE = 320, 1280
"""Widths of a window in CSS pixels: WCAG 2.2, 1.4.10 asks for the first."""

_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
_RUN_AXE: Final = """async (tags) => (await axe.run(document, {
    runOnly: {type: "tag", values: tags}, resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
})).violations.map(found => `${found.id}: ` + found.nodes.map(node => node.html).join(" | "))"""
_SEEN: Final = """() => ({
    title: document.title,
    headings: [...document.querySelectorAll("h1")].map(each => each.innerText),
    language: document.documentElement.lang,
    summary: document.querySelector(".error-summary") !== null,
    width: document.documentElement.scrollWidth,
    main: document.querySelector("main").innerText,
    shape: [...document.querySelectorAll("*")].map(element =>
        element.tagName + element.className + (element.open ? "+" : "") + (element.type || "")).join(" "),
})"""
"""What there is to see of a page, asked at once: each question takes a browser several milliseconds."""
_TOKEN: Final = re.compile("/[A-Za-z0-9_-]{24,}|/[0-9]+")
_AUDITED: Final[set[tuple[str, ...]]] = set()
"""Kinds of pages that axe found nothing on, in this process."""
_NO_ANSWER: Final = re.compile("Failed to load resource: the server responded with a status of 4[0-9][0-9]")
_ALLOWED: Final = frozenset({"document", "stylesheet"})
_PATIENCE_MS: Final = 30_000


@dataclass(frozen=True)
class Way:
    """How somebody looks at the portal."""

    width: int = WIDE
    scripts: bool = True
    dark: bool = False

    def __str__(self) -> str:
        return f"{self.width}{'' if self.scripts else '-plain'}{'-dark' if self.dark else ''}"


@dataclass
class Steps:
    """What it took, until the page that said that it was done."""

    pages: int = 0
    buttons: int = 0
    mails: int = 0


@dataclass
class Walk:
    """A way through the portal."""

    url: str
    language: str
    way: Way
    page: Page = field(repr=False)
    steps: Steps = field(default_factory=Steps)
    seconds: list[float] = field(default_factory=list)
    """From each press of a button to the page on screen."""
    handed_over: list[float] = field(default_factory=list)
    """From the press of a button to the mail that it caused, in seconds."""
    texts: list[str] = field(default_factory=list)
    """The main part of each page."""
    pressed: float = 0.0
    """When a button was last pressed, in seconds since 1970."""
    _last: tuple[str, str, str] = ("", "", "")
    _flaws: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Note what pages should not do."""
        self.page.set_default_timeout(_PATIENCE_MS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._flaws.append(f"a script failed: {error}"))
        self.page.on("request", self._asked)

    def open(self, path: str, *, status: int = 200, same: bool = False) -> None:
        """Go to an address of the portal; ``same``: its heading may be that of the page before."""
        target = path if urlsplit(path).scheme else self.url + path
        answer = self.page.goto(target)
        assert answer is not None
        assert answer.status == status, f"{path} answered {answer.status}"
        self.steps.pages += 1
        self.look(same=same)

    def press(self, where: str | Locator, *, same: bool = False) -> None:
        """Press a button, and look at the page that it leads to.

        Args:
            where: the button.
            same: whether the same page comes back, with an error or something added.
        """
        button = self.page.locator(where) if isinstance(where, str) else where
        self.pressed, began = time.time(), time.perf_counter()
        with self.page.expect_navigation():
            button.click()
        self.page.locator("h1").wait_for()
        self.seconds.append(time.perf_counter() - began)
        self.steps.buttons += 1
        self.steps.pages += 1
        self.look(same=same)

    def follow(self, where: str, *, same: bool = False) -> None:
        """Follow a link of the page's main part."""
        link = self.page.locator(f"main {where}").first
        with self.page.expect_navigation():
            link.click()
        self.steps.pages += 1
        self.look(same=same)

    def look(self, *, same: bool = False, language: str | None = None) -> None:
        """See whether the page is as it should be."""
        page = self.page
        page.wait_for_load_state("load")
        shown = language or (self.language if f"/{self.language}/" in page.url + "/" else "en")
        seen = page.evaluate(_SEEN)
        title, (heading,) = seen["title"], seen["headings"]
        assert seen["language"] == shown, page.url
        assert title.strip()
        assert title.startswith((heading, translations(shown).gettext("Error"))), (title, heading)
        self._changed(title, heading, same=same)
        assert seen["summary"] == title.startswith(f"{translations(shown).gettext('Error')}: "), title
        assert seen["width"] <= self.way.width, f"{page.url} is {seen['width']} px wide"
        if self.way.scripts:
            self._audit(title, seen["shape"])
        assert not self._flaws, (page.url, self._flaws)
        self.texts.append(seen["main"])

    def _audit(self, title: str, shape: str) -> None:
        """Have axe look at a page of a kind, language and look that it has not seen yet."""
        page = self.page
        kind = (self.url, _TOKEN.sub("/*", urlsplit(page.url).path), title, str(self.way), shape)
        if kind in _AUDITED:
            return
        found = audit(page)
        assert not found, f"{page.url}: {found}"
        _AUDITED.add(kind)

    def _changed(self, title: str, heading: str, *, same: bool) -> None:
        place = urlsplit(self.page.url).path
        before, self._last = self._last, (place, title, heading)
        if before[0] and not same and before[0] != place:
            assert title != before[1], f"{place} has the title of {before[0]}"
            assert heading != before[2], f"{place} has the heading of {before[0]}"

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _NO_ANSWER.match(message.text):
            self._flaws.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if request.url.startswith("data:"):
            return
        script = urlsplit(request.url).path == "/static/passkey.js"
        if not request.url.startswith(self.url + "/") or not (script or request.resource_type in _ALLOWED):
            self._flaws.append(f"{request.resource_type} {request.url}")


def audit(page: Page) -> list[str]:
    """What axe-core finds on a page as it is now."""
    page.evaluate(f"{AXE_SCRIPT};0")
    found: list[str] = page.evaluate(_RUN_AXE, _TAGS)
    return found


@contextmanager
def walking(browser: Browser, url: str, language: str, way: Way, **options: Any) -> Iterator[Walk]:  # noqa: ANN401  # of a context
    """A visitor with a clean browser."""
    context: BrowserContext = browser.new_context(
        viewport={"width": way.width, "height": 800},
        java_script_enabled=way.scripts,
        color_scheme="dark" if way.dark else "light",
        locale=language,
        **options,
    )
    try:
        walk = Walk(url, language, way, context.new_page())
        walk.listen()
        yield walk
    finally:
        context.close()


@contextmanager
def browser_of(playwright: Playwright, chromium: Path) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()
