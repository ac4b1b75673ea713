"""What one sees and feels of the pages: by keyboard, in the dark, on paper, in one's own language, and how soon."""

import re
from collections.abc import Callable, Mapping
from statistics import median
from typing import Final

import pytest
from browsing import NARROW, Walk, Way, walking
from playwright.sync_api import Browser, Page
from routes import BUTTON, by_link, in_session, reference
from running import LANGUAGES, Site

FOCUS: Final = """() => {
    const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
    const drawn = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    const inside = box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight;
    return {name: element.outerHTML.slice(0, 120), drawn, inside, visible: element.matches(":focus-visible"),
            href: element.getAttribute("href"), id: element.id, tag: element.tagName};
}"""
WORDS: Final = "h1, h2, h3, label, .button, .hint, summary, caption, th, footer a, main p, main li"
OPEN_PAGES: Final = ("/", "/object", "/object/person", "/status", "/mine", "/notice", "/policy", "/contact")
ALIKE: Final = frozenset({"Name", "Kontakt", "English", "Details"})
"""Words that two languages may share."""


def tab_to(page: Page, wanted: str, most: int = 60) -> None:
    """Press Tab until an element has the focus; whatever has it on the way is seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUS)
        assert found["drawn"], f"no visible focus: {found}"
        assert found["inside"], f"focus outside the window: {found}"
        assert found["visible"], found
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"Tab never comes to {wanted} on {page.url}")


def enter(walk: Walk, key: str = "Enter") -> None:
    with walk.page.expect_navigation():
        walk.page.keyboard.press(key)


def test_a_whole_objection_by_keyboard_alone(walk: Callable[..., Walk], site: Site) -> None:
    visitor, who = walk("de", reduced_motion="reduce"), site.person("de")  # else it is still scrolling
    page = visitor.page
    visitor.open("/de/")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS)["href"] == "#main", "the way past the frame comes first"
    page.keyboard.press("Enter")
    tab_to(page, ".button.start")
    enter(visitor)
    visitor.look()
    tab_to(page, "#account")
    page.keyboard.type("/ /")
    enter(visitor)
    visitor.look(same=True)
    tab_to(page, ".error-summary a")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "account", "an error leads to its field"
    page.keyboard.press("Control+A")
    page.keyboard.type(who.handle)
    tab_to(page, BUTTON)
    enter(visitor, "Space")
    visitor.look()
    assert reference(page)
    tab_to(page, "a[href$='/withdraw']")
    enter(visitor)
    visitor.look()
    tab_to(page, ".button.danger")
    enter(visitor, "Space")
    visitor.look()
    assert page.locator(BUTTON).count() == 0
    tab_to(page, "footer li:last-child a")


def test_the_languages_open_by_keyboard_and_close_again(walk: Callable[..., Walk]) -> None:
    visitor = walk("mt", Way(NARROW), reduced_motion="reduce")
    visitor.open("/mt/object")
    tab_to(visitor.page, ".languages summary")
    visitor.page.keyboard.press("Enter")
    assert visitor.page.locator(".languages li button").count() == 26
    visitor.look(same=True)
    tab_to(visitor.page, ".languages button[lang=pl]")
    enter(visitor)
    visitor.look(language="pl")
    assert visitor.page.url.endswith("/pl/object?turn")


@pytest.mark.parametrize("scripts", [True, False])
def test_another_language_keeps_what_was_filled_in_and_enter_still_objects(
    walk: Callable[..., Walk], site: Site, *, scripts: bool
) -> None:
    visitor, who = walk("en", Way(NARROW, scripts=scripts)), site.person("en")
    page = visitor.page
    visitor.open("/en/object")
    page.fill("#account", "/ /")
    visitor.press(BUTTON, same=True)
    page.fill("#account", who.handle)
    page.click(".languages summary")
    with page.expect_navigation():
        page.click(".languages button[lang=de]")
    visitor.look(language="de")
    assert page.input_value("#account") == who.handle
    assert who.handle not in page.url
    with page.expect_navigation():
        page.press("#account", "Enter")
    visitor.look(language="de")
    assert "/de/receipt/" in page.url, "Enter presses the form's own button, and no language"
    assert page.locator(".panel bdi").inner_text() == who.handle


@pytest.mark.parametrize("width", [320, pytest.param(1280, marks=pytest.mark.soak)])
def test_in_the_dark_everything_can_be_read(walk: Callable[..., Walk], site: Site, width: int) -> None:
    visitor = walk("en", Way(width, dark=True))
    by_link(visitor, site)
    red, green, blue = map(
        int, re.findall(r"\d+", visitor.page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    )
    assert max(red, green, blue) < 64
    visitor.press(BUTTON, same=True)
    in_session(visitor, site, site.person("en"))
    for path in OPEN_PAGES:
        visitor.open(f"/en{path}")


def test_the_description_of_the_api_fits_a_telephone(walk: Callable[..., Walk]) -> None:
    walk("en", Way(NARROW)).open("/api/docs")  # which sees whether it scrolls sideways


def test_a_printed_receipt_has_what_counts_and_no_buttons(walk: Callable[..., Walk], site: Site) -> None:
    visitor = walk("en")
    by_link(visitor, site)
    visitor.page.emulate_media(media="print")
    assert visitor.page.locator(".reference").is_visible()
    assert visitor.page.locator("main li").first.is_visible()
    for hidden in (".button", "form", ".languages", "footer nav", ".unprinted"):
        assert not visitor.page.locator(hidden).first.is_visible(), hidden
    band = visitor.page.evaluate("getComputedStyle(document.querySelector('.masthead')).backgroundColor")
    assert band == "rgba(0, 0, 0, 0)", "no ink is spent on it"
    visitor.page.emulate_media(media="print", color_scheme="dark")
    paper = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)", "nor in the dark"
    assert visitor.page.pdf().startswith(b"%PDF")


def test_forced_colours_keep_buttons_recognisable(walk: Callable[..., Walk], site: Site) -> None:
    visitor = walk("en", forced_colors="active")
    visitor.open(site.mail(site.person("en").mail, "o").link("o"))
    assert visitor.page.evaluate("getComputedStyle(document.querySelector('main .button')).borderTopStyle") == "solid"


@pytest.fixture(scope="module")
def in_english(browser: Browser, site: Site) -> Mapping[str, set[str]]:
    """The words of each page in English, by its path; those of a receipt by ``receipt``."""
    with walking(browser, site.url, "en", Way(scripts=False)) as english:
        return _words_of_pages(english, site)


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_a_page_in_another_language_is_not_the_english_one(
    walk: Callable[..., Walk], site: Site, in_english: Mapping[str, set[str]], language: str
) -> None:
    for path, words in _words_of_pages(walk(language, Way(scripts=False)), site).items():
        assert not (words & in_english[path]) - ALIKE, path


def _words_of_pages(visitor: Walk, site: Site) -> dict[str, set[str]]:
    found = {}
    for path in OPEN_PAGES:
        visitor.open(f"/{visitor.language}{path}")
        found[path] = _words(visitor.page)
    by_link(visitor, site)
    return found | {"receipt": _words(visitor.page)}


def _words(page: Page) -> set[str]:
    return {text.strip() for text in page.locator(WORDS).all_inner_texts()} - {""}


@pytest.mark.parametrize("language", ["en", *(pytest.param(each, marks=pytest.mark.soak) for each in LANGUAGES[1:])])
def test_the_receipt_is_on_screen_within_a_second_and_in_the_mail_within_five(
    walk: Callable[..., Walk], site: Site, language: str
) -> None:
    """The middle one of three; a loaded machine is slow, not wrong."""
    visitor = walk(language, Way(scripts=False))
    for _ in range(3):
        by_link(visitor, site)
    shown, mailed = median(visitor.seconds), median(visitor.handed_over)
    print(f"{language}: on screen after {shown:.3f} s, mail handed over after {mailed:.3f} s")  # noqa: T201  # figures
    assert shown < 1
    assert 0 < mailed < 5
