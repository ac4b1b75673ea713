"""demur-verify.html in an offline browser: it and demur_verify.py say the same of every file, and each check counts."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from browsing import NARROW, WIDE, audit
from mutating import Case, cases
from playwright.sync_api import Browser, Page
from verifiers import (
    FORGED,
    GOLDEN,
    KEY,
    PAGE,
    TOOL,
    VERIFY,
    by_page,
    by_python,
    golden_cases,
    material,
    opened,
    without,
)

SEED: Final = 16
CHECKS: Final = ("key", "receipt", "checkpoint", "entry", "inclusion", "statement")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """The page, opened once for all tests that only ask its functions."""
    with opened(browser) as page:
        yield page


def test_the_policy_names_the_parts_that_the_page_has() -> None:
    assert PAGE.read_text("utf-8") == TOOL.sealed(PAGE.read_text("utf-8")), "run tools/verifier_page.py"


def test_both_have_the_same_checks_and_sentences(page: Page) -> None:
    assert page.evaluate("() => UNCHECKED") == list(VERIFY.UNCHECKED)
    told = " ".join((VERIFY.__doc__ or "").split())
    for name, what in page.evaluate("() => Object.entries(CHECKS)"):
        assert f"{name} {what}" in told


def test_both_agree_on_every_golden_file(page: Page) -> None:
    named = list(golden_cases())
    for (name, case), told in zip(named, by_page(page, (case for _, case in named)), strict=True):
        assert told == by_python(case), name
        if name in FORGED:
            assert told[0] == FORGED[name]["check"], name  # type: ignore[index]
        else:
            assert isinstance(told, dict), name


@pytest.mark.parametrize("number", [600, pytest.param(10_000, marks=pytest.mark.soak)])
def test_both_agree_on_changed_files(number: int, page: Page) -> None:
    made = list(cases(material(), SEED, number))
    names: Counter[str] = Counter()
    for case, told in zip(made, by_page(page, made), strict=True):
        assert told == by_python(case), case
        names["" if isinstance(told, dict) else told[0]] += 1
    print(names)  # noqa: T201  # figures
    assert set(names) == {"", *CHECKS}, "every check refuses some, and some pass"
    assert min(names.values()) >= number // 100


def _asked(page: Page, *, receipt: str = "receipt.json", key: str = KEY) -> str:
    """Choose a receipt and paste a key; what the page answers."""
    page.set_input_files("#receipt", GOLDEN / receipt)
    page.fill("#key", key)
    page.click("button")
    page.locator("#result h2").wait_for()
    return page.locator("#result").inner_text()


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_says_what_holds_and_what_was_not_checked(width: int, look: Any, browser: Browser) -> None:  # noqa: ANN401  # a literal
    with opened(browser, viewport={"width": width, "height": 800}, color_scheme=look) as page:
        assert page.locator("html").get_attribute("lang") == "en"
        assert not audit(page)
        told = _asked(page)
        assert told.startswith("Verified\n")
        assert page.evaluate("document.activeElement.id") == "result", "a reader of the screen goes on there"
        case = Case((GOLDEN / "receipt.json").read_bytes(), KEY)
        for sentence in VERIFY.sentences(VERIFY.verify(case.raw, VERIFY.Key.read(KEY)), own=False)[2:]:
            assert sentence.removeprefix("- ").rstrip(";.:") in told
        page.click("#result summary")
        assert not audit(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        refused = _asked(page, receipt="forged-01.json")
        assert refused.startswith("Not verified\n")
        assert 'The check "inclusion" fails: ' in refused
        assert not audit(page)


def test_a_receipt_under_its_own_key_is_not_called_verified(browser: Browser) -> None:
    with opened(browser) as page:
        page.check("#own")
        told = _asked(page, key="")
        assert told.startswith("The parts of the receipt fit together")
        assert "Verified" not in told
        assert "whoever made the receipt can have made it, too" in told


def test_it_is_worked_by_keyboard_and_says_what_is_missing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "key.txt"
    file.write_text(f"\ufeff{KEY}\r\n", "utf-8")
    with opened(browser) as page:
        page.focus("#own")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.locator("#receipt-error").inner_text() == "Error: choose the file of your receipt."
        assert page.evaluate("document.activeElement.id") == "receipt"
        page.set_input_files("#receipt", GOLDEN / "receipt.json")
        page.click("button")
        assert page.locator("#receipt-error").inner_text() == ""
        assert page.locator("#key-error").inner_text().startswith("Error: paste the key or choose its file")
        assert page.locator("#key").get_attribute("aria-invalid") == "true"
        page.set_input_files("#key-file", file)
        page.focus("#key")
        page.keyboard.press("Enter")
        page.locator("#result.holds").wait_for()


def test_it_reaches_nobody_and_runs_nothing_of_a_receipt(browser: Browser, tmp_path: Path) -> None:
    """Whatever stands in a receipt is text; and were it not, the policy of the page stops it."""
    receipt = json.loads((GOLDEN / "receipt.json").read_text())
    receipt["key"] = "<img src=x onerror=alert(1)>"
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.goto(PAGE.as_uri())
        page.set_input_files("#receipt", tmp_path / "receipt.json")
        page.check("#own")
        page.click("button")
        page.locator("#result.fails").wait_for()
        assert page.locator("#result img").count() == 0
        stopped = page.evaluate("""async () => {
            const seen = [];
            addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
            const run = document.createElement("script");
            run.textContent = "globalThis.ran = true";
            document.body.append(run);
            try { await fetch("http://127.0.0.1:9/"); } catch { }
            const image = new Image();
            image.src = "http://127.0.0.1:9/x.png";
            document.body.append(image);
            await new Promise((done) => setTimeout(done, 300));
            return [...new Set(seen)].sort().concat(globalThis.ran === true);
        }""")
        assert stopped == ["connect-src", "img-src", "script-src-elem", False]
    finally:
        context.close()


def test_its_signatures_are_those_of_the_browser(page: Page) -> None:
    """Ed25519 is our own: on ordinary signatures it has to say what Web Crypto says, where the browser has it."""
    agreed = page.evaluate("""async () => {
        const told = [];
        for (let round = 0; round < 20; round++) {
            const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
            const key = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
            const message = crypto.getRandomValues(new Uint8Array(round * 9));
            const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, message));
            told.push(await isSigned(key, message, signature));
            signature[(round * 7) % 64] ^= 1;
            told.push(await isSigned(key, message, signature));
        }
        return told;
    }""")
    assert agreed == [True, False] * 20


AS_IT_COMES: Final = """(() => {
    try {
        const found = new Map(Object.entries(JSON.parse(new TextDecoder().decode(raw))));
        return found.set("signed", new Map(Object.entries(found.get("signed"))));
    } catch { throw new Rejected("receipt", "nothing to look at"); }
})()"""
"""A receipt of which nothing was looked at."""
WITHOUT: Final = {
    "key": [("const isSmall = (point) => isOne(times(8n, point), IDENTITY);", "const isSmall = () => false;")],
    "receipt": [("const receipt = checkedReceipt(raw);", f"const receipt = {AS_IT_COMES};")],
    "checkpoint": [("!(await isSigned(key.public, bytesOf(`${text}\\n`), data.slice(4)))", "false")],
    "entry": [
        ('checkedEntry(said.get("entry"), index)', 'new Map(Object.entries(JSON.parse(said.get("entry"))))'),
        ("if (!/^[0-9a-f]{64}$/.test(salt))", "if (false)"),
    ],
    "inclusion": [("checkInclusion(leaf, index, checkpoint, proof) {", "checkInclusion() { return;")],
    "statement": [("!(await isSigned(key.public, bytesOf(STATEMENT + canonical(said)), signature))", "false")],
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_page_without_a_check_accepts_a_forgery(check: str, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "without.html"
    file.write_text(without(check, WITHOUT[check]), "utf-8")
    named = [(name, case) for name, case in golden_cases() if name in FORGED]
    with opened(browser, file) as page:
        told = list(by_page(page, (case for _, case in named)))
    passed = {FORGED[name]["check"] for (name, _), each in zip(named, told, strict=True) if isinstance(each, dict)}
    assert passed == {check}
