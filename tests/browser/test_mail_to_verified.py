"""From the notice's mail to "verified": one click, the receipt, its file, and the page that checks it, offline.

The key does not come with the receipt: it is what `demur log key` prints to the platform, for others to hand out.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import NARROW, Walk, Way
from calling import Demur
from playwright.sync_api import Browser
from routes import BUTTON, reference
from running import Site
from verifiers import PAGE, opened


@pytest.mark.parametrize("language", ["en", "el"])
def test_from_the_mail_to_verified(
    language: str, walk: Callable[..., Walk], site: Site, demur: Demur, browser: Browser, tmp_path: Path
) -> None:
    visitor, who = walk(language, Way(NARROW)), site.person(language)
    visitor.open(site.mail(who.mail, "o").link("o"))
    visitor.press(BUTTON)
    assert (visitor.steps.pages, visitor.steps.buttons) == (2, 1), "the mail's page with one button, and the receipt"
    written = reference(visitor.page)
    with visitor.page.expect_download() as download:
        visitor.page.click("a[href$='/proof']")
    assert download.value.suggested_filename == "receipt.json"
    saved = tmp_path / "receipt.json"
    download.value.save_as(saved)
    text = saved.read_text("utf-8")
    assert not any(each in text for each in (written, who.handle, who.mail, who.account)), "it can be handed on"

    visitor.follow("a[href$='/paper#proof']", same=True)
    visitor.page.emulate_media(media="print")
    assert visitor.page.locator("pre").count() == 7
    for part in ("pre >> nth=0", "main > details >> nth=-1 >> li >> nth=0"):
        assert visitor.page.locator(part).is_visible(), "the entry, and what an objection can't undo, are printed"
    assert not visitor.page.locator("main form, .languages").first.is_visible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= NARROW

    key = demur("log", "key", "-w", site.workspace.root).out.strip()
    verifier = shutil.copy(PAGE, tmp_path)
    with opened(browser, Path(verifier), locale=language) as page:
        page.set_input_files("#receipt", saved)
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.locator("#result h2").wait_for()
        told = page.locator("#result").inner_text()
        assert told.startswith("Verified\n\nThe objection is in the log, and the platform signed that it applies."), (
            told
        )
        assert f"Under the key {'+'.join(key.split('+')[:2])}:" in told

        changed = json.loads(text)
        changed["signed"]["phase"] = "withdrawn"
        saved.write_text(json.dumps(changed), "utf-8")
        page.set_input_files("#receipt", saved)
        page.click("button")
        page.locator("#result.fails h2").wait_for()
        assert 'The check "statement" fails' in page.locator("#result").inner_text()
