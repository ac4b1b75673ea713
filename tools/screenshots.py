"""Takes pictures of the pages (`make screenshots`): the few that the documentation shows, and all others for the eye.

The portal of an invented town runs on loopback for it. `docs/screens/` gets what is committed; `.screens/` everything.
"""
# ruff: noqa: INP001  # a script, no package

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support")]

from browsing import NARROW, WIDE, Walk, Way, browser_of, walking  # noqa: E402  # found by the line above
from passkeys_in_browser import give_passkeys  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402
from routes import BUTTON, by_link, in_session  # noqa: E402
from running import Person, Site, invited, running  # noqa: E402

ALL: Final = ROOT / ".screens"
CHOSEN: Final = ROOT / "docs" / "screens"
KEPT: Final = {
    "link-en-1280": "link",
    "receipt-en-1280": "receipt",
    "start-en-1280": "start",
    "start-mt-320": "start-mt-narrow",
    "receipt-de-320-dark": "receipt-de-narrow-dark",
    "typed-en-1280": "typed",
    "person-en-1280": "person",
    "mine-en-1280": "mine",
}
"""What is committed: the picture, and its name there."""

WAYS: Final = (
    ("en", Way(WIDE, scripts=False)),
    ("en", Way(NARROW, scripts=False)),
    ("en", Way(WIDE, scripts=False, dark=True)),
    ("mt", Way(NARROW, scripts=False)),
    ("de", Way(WIDE, scripts=False)),
    ("de", Way(NARROW, scripts=False, dark=True)),
)
STAFF_WAYS: Final = (("en", Way(WIDE)), ("en", Way(NARROW)), ("en", Way(WIDE, dark=True)))


def main() -> None:
    """Take them all."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed: `apt-get install chromium` brings it.")
    shutil.rmtree(ALL, ignore_errors=True)
    ALL.mkdir()
    CHOSEN.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="demur-") as folder,
        running(Path(folder) / "town") as site,
        sync_playwright() as playwright,
        browser_of(playwright, Path(chromium)) as browser,
    ):
        for language, way in WAYS:
            _portal(browser, site, language, way)
        for language, way in STAFF_WAYS:
            _staff(browser, site, language, way)
    for name, kept in KEPT.items():
        shutil.copyfile(ALL / f"{name}.png", CHOSEN / f"{kept}.png")
    size = sum(each.stat().st_size for each in CHOSEN.glob("*.png"))
    sys.stdout.write(f"{len(list(ALL.iterdir()))} pictures in {ALL}, {len(KEPT)} in {CHOSEN}: {size // 1024} KB\n")


def _portal(browser: Browser, site: Site, language: str, way: Way) -> None:
    with walking(browser, site.url, language, way) as walk:
        who = site.person(language)
        for name, path in _open_pages(site, who):
            walk.open(path, same=True)
            _take(walk, name)
        walk.open(f"/{language}/object")
        walk.press(BUTTON, same=True)
        _take(walk, "typed-error")
        walk.page.fill("#account", who.handle)
        walk.press(BUTTON)
        _take(walk, "typed-receipt")
        walk.open(site.mail(who.mail, "confirm").link("confirm"))
        _take(walk, "confirm")
        by_link(walk, site)
        _take(walk, "receipt")
        walk.page.emulate_media(media="print")
        _take(walk, "receipt-printed")
        walk.page.emulate_media(media="screen")
        walk.follow("a[href$='/withdraw']")
        _take(walk, "withdraw")
        in_session(walk, site, site.person(language))
        _take(walk, "mine")
        walk.follow("a[href$='/mine/delete']")
        _take(walk, "delete")
        walk.open(f"/{language}/object")
        walk.page.click(".languages summary")
        _take(walk, "languages")


def _open_pages(site: Site, who: Person) -> Iterator[tuple[str, str]]:
    yield "start", f"/{who.language}/"
    yield "link", site.mail(who.mail, "o").link("o")
    yield "signed-in", f"/{who.language}/in?token={site.token(who)}"
    yield "typed", f"/{who.language}/object"
    for name in ("person", "child", "other", "link", "letter"):
        yield f"{name}-form" if name == "link" else name, f"/{who.language}/object/{name}"
    for name in ("notice", "policy", "contact", "accessibility", "status"):
        yield name, f"/{who.language}/{name}"
    yield "prove", f"/{who.language}/mine"
    yield "outbox", "/outbox"
    yield "outbox-mail", f"/outbox/{next(site.workspace.outbox_path.glob('*.eml')).name}"


def _staff(browser: Browser, site: Site, language: str, way: Way) -> None:
    with walking(browser, site.url, language, way) as walk:
        give_passkeys(walk.page)
        walk.open(invited(site, f"Olga Officer {way}", "officer"))
        _take(walk, "staff-join")
        walk.press("#answer-button")
        for name in ("objections", "letters", "coverage", "status"):
            walk.open(f"/staff/{name}")
            _take(walk, f"staff-{name}")
        walk.open("/staff/objections?all=yes&sort=newest")
        _take(walk, "staff-filter")
        walk.press("text=Confirm those chosen")
        _take(walk, "staff-chosen")
        walk.open("/staff/objections")
        walk.follow("table a")
        _take(walk, "staff-objection")


def _take(walk: Walk, name: str) -> None:
    suffix = f"{walk.way.width}{'-dark' if walk.way.dark else ''}"
    walk.page.screenshot(path=ALL / f"{name}-{walk.language}-{suffix}.png", full_page=True)


if __name__ == "__main__":
    main()
