"""demur-verify.html in an offline browser: it and demur_verify.py say the same of every file, and each check counts."""

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from browsing import NARROW, WIDE, audit
from mutating import Case, cases
from playwright.sync_api import Browser, Page
from verifiers import (
    ABSENCE,
    FORGED,
    GOLDEN,
    KEY,
    MAKE,
    PAGE,
    TOOL,
    asked_of_page,
    by_page,
    by_python,
    genuine,
    golden_cases,
    material,
    opened,
)
from verifying import VERIFY

SEED: Final = 16
MANY: Final = 1000
TRY: Final = """async (cases) => {
    const [verify, Rejected] = globalThis.tried;
    const bytes = (text) => text === null ? null : Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const told = [];
    for (const { raw, policy, rotations, ...given } of cases)
        try {
            told.push(await verify(bytes(raw), { ...given, policy: bytes(policy), rotations: bytes(rotations) }));
        } catch (error) {
            told.push(error instanceof Rejected ? error.number ?? error.check : "broken");
        }
    return told;
}"""
RECEIPTS: Final = ("key", "policy", "receipt", "rotation", "checkpoint", "witnesses", "entry", "inclusion", "statement")
PROOFS: Final = ("proof", "subjects", "version", "manifest", "place", "absence", "presence")
CHECKS: Final = (*RECEIPTS, *PROOFS)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """The page, opened once for all tests that only ask its functions."""
    with opened(browser) as page:
        yield page


def test_the_policy_names_the_parts_that_the_page_has() -> None:
    assert PAGE.read_text("utf-8") == TOOL.sealed(PAGE.read_text("utf-8")), "run tools/verifier_page.py"


def test_both_have_the_same_checks_and_say_the_same(page: Page) -> None:
    for name in (
        "UNCHECKED",
        "UNCHECKED_COSIGNED",
        "UNCHECKED_OF_VERSIONS",
        "UNCHECKED_RETIRED",
        "UNCHECKED_SIGNER",
        "UNCHECKED_FOLLOWED",
    ):
        said = getattr(VERIFY, name)
        assert page.evaluate(name) == (said if isinstance(said, str) else list(said))
    told = " ".join((VERIFY.__doc__ or "").split())
    for checks in ("CHECKS", "CHECKS_OF_VERSIONS"):
        for name, what in page.evaluate(f"Object.entries({checks})"):
            assert f"{name} {what}" in told
    assert page.evaluate("[CHECKS, CHECKS_OF_VERSIONS].flatMap(Object.keys)") == [
        *RECEIPTS,
        *("key", "proof", "checkpoint", "entry", "inclusion", *PROOFS[1:]),
    ]


def test_both_say_the_same_of_what_passes(page: Page) -> None:
    for name, case in genuine():
        found = by_python(case)
        assert isinstance(found, dict)
        proof = "absent" in found
        own, more = (VERIFY.sentences_of_versions, "sentencesOfVersions") if proof else (VERIFY.sentences, "sentences")
        lines = [each.removeprefix("- ").rstrip(";.") for each in own(found, own=False)[2:]]
        assert page.evaluate(f"(found) => {more}(found)", found) == lines, name
        left = VERIFY.unchecked_of_versions(found, case.signer) if proof else VERIFY.unchecked(found)
        asked = "([found, signer]) => found.absent ? uncheckedOfVersions(found, signer) : unchecked(found)"
        assert page.evaluate(asked, [found, case.signer]) == left, name


def test_both_agree_on_every_golden_file(page: Page) -> None:
    named = list(golden_cases())
    for (name, case), told in zip(named, by_page(page, (case for _, case in named)), strict=True):
        assert told == by_python(case), name
        if name in FORGED:
            assert told[0] == FORGED[name]["check"], name  # type: ignore[index]
        else:
            assert isinstance(told, dict), name


@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_both_agree_on_odd_files_that_go_with_it(page: Page, *, large: bool) -> None:
    policy, rotations = (GOLDEN / "policy.txt").read_bytes(), (GOLDEN / "rotations.json").read_bytes()
    first, *others = policy.splitlines(keepends=True)
    policies: tuple[bytes, ...] = (
        b"",
        b"quorum none",
        b"quorum none\r\n",
        b"\xef\xbb\xbf" + policy,
        policy.replace(b"\n", b"\t \n"),
        first * 9 + policy,
    )
    policies += (
        policy.replace(b"w1", b"\xff\xc3\xa9\xe2\x82"),
        policy.replace(b"w1", "\u3000".encode()),
        b"quorum n\xedone\n",
    )
    policies += (b"".join(others[:-1]) + b"group none any w1\nquorum most\n", policy.replace(b"most 2", b"most 02"))
    groups = [f"group g{at} any {f'g{at - 1}' if at else 'w1'}" for at in range(1000)]
    policies += ("\n".join([*MAKE.LINES, *groups, "quorum g999"]).encode(), f"{MAKE.LINES[0]}\nquorum none\n".encode())
    lists: tuple[bytes, ...] = (
        b"",
        b"{}",
        b"null",
        b"[",
        b"[]",
        b'[{"signed":1}]',
        b'["x"]',
        b'[1],"all":[]',
        rotations + b',"more":1',
        b"[],1",
        rotations[:-2],
        rotations * 2,
    )
    lists += (rotations.replace(b'"size":6', b'"size":true'),)
    case = Case((GOLDEN / "receipt-cosigned.json").read_bytes(), KEY)
    made = [*(replace(case, policy=each) for each in policies), *(replace(case, rotations=each) for each in lists)]
    proof = json.loads((ABSENCE / "proof.json").read_text())
    proof["subjects"]["own"] = ["1111111111111111"] * 200_000  # more than a call takes arguments
    if large:  # seconds each
        blanks = b" " * (1 << 24)
        made = [replace(case, rotations=blanks + rotations), replace(case, raw=case.raw + blanks)]
        made.append(Case(json.dumps(proof).encode(), (ABSENCE / "key.txt").read_text()))
    for each, told in zip(made, by_page(page, made), strict=True):
        expected = by_python(each)
        if not isinstance(expected, dict):  # half characters of a name do not travel
            assert [part.encode("utf-8", "replace") for part in told] == [
                part.encode("utf-8", "replace") for part in expected
            ]
        else:
            assert told == expected


@pytest.mark.parametrize("number", [600, pytest.param(10_000, marks=pytest.mark.soak)])
def test_both_agree_on_changed_files(number: int, page: Page) -> None:
    made = list(cases(material(), SEED, number))
    names: Counter[str] = Counter()
    for case, told in zip(made, by_page(page, made), strict=True):
        assert told == by_python(case), case
        names["" if isinstance(told, dict) else told[0]] += 1
    print(names)  # noqa: T201  # figures
    seldom = {"manifest", "version", "place", "absence", "presence"} if number < MANY else set()
    assert {"", *CHECKS} - seldom <= set(names) <= {"", *CHECKS}, "every check refuses some, and some pass"
    assert min(names.values()) >= number // MANY


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


def test_in_plain_words_it_claims_no_more_than_holds(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "retired.json").write_text(json.dumps(MAKE.rotated(MAKE.PRIVATE, size=5, by=MAKE.PRIVATE)))
    with opened(browser) as page:
        told = _asked(page, receipt=str(tmp_path / "retired.json"))
        assert "\n\nThe objection is in the log, and a key that was retired signed that it applies.\n\n" in told
        proof = ABSENCE / "proof.json"
        told = _asked(page, receipt=str(proof), key=(ABSENCE / "key.txt").read_text())
        assert (
            "The tree of people that was signed for version v2 has none of the keys that the objection names." in told
        )
        page.evaluate("void (globalThis.verify = () => { throw new RangeError(); })")
        told = _asked(page)
        assert told == "Not verified\n\nThe page failed; nothing was verified."


def test_it_is_worked_by_keyboard_and_says_what_is_missing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "key.txt"
    file.write_text(f"\ufeff{KEY}\r\n", "utf-8")
    with opened(browser) as page:
        page.focus("#own")
        for _ in range(2):
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


THROWS: Final = "throw new Rejected("
NUMBERED: Final = "throw ((number, ...said) => Object.assign(new Rejected(...said), { number }))"
EXEMPT: Final = frozenset({"it is too large", "it is no list of rotations"})
"""Refusals that no golden file shows: of one above the limit, and of a file that goes with it."""


def _script(change: Callable[[int], str]) -> str:
    """The page's script with each of its refusals written in another way; what it gives is its verifier."""
    _, _, rest = PAGE.read_text("utf-8").partition("<script>")
    first, *others = rest.partition("</script>")[0].split(THROWS)
    changed = "".join(change(number) + each for number, each in enumerate(others))
    return f"(() => {{ {first}{changed}; globalThis.tried = [verify, Rejected]; }})()"


def _but(left: int, number: int) -> str:
    """A refusal as it is, but for one that refuses nothing."""
    return "void (" if number == left else THROWS


def _tried(page: Page, script: str, cases: Sequence[Case]) -> list[Any]:
    """What a changed verifier says: the number or the check of a refusal, "broken", or what holds."""
    page.evaluate(script)
    return list(page.evaluate(TRY, [asked_of_page(each) for each in cases]))


@pytest.fixture(scope="module")
def workshop(browser: Browser) -> Iterator[Page]:
    """The page without its policy, so that changed scripts run in it."""
    with opened(browser, bypass_csp=True) as page:
        yield page


@pytest.fixture(scope="module")
def refusals(workshop: Page) -> Mapping[int, Sequence[str]]:
    """The forgeries that each refusal of the page is for, by its number in the script."""
    named = {name: case for name, case in golden_cases() if name in FORGED}
    told = _tried(workshop, _script(lambda number: f"{NUMBERED}({number}, "), list(named.values()))
    found: dict[int, list[str]] = {}
    for name, number in zip(named, told, strict=True):
        found.setdefault(number, []).append(name)
    return found


def test_every_refusal_has_a_forgery(refusals: Mapping[int, Sequence[str]]) -> None:
    refused = PAGE.read_text("utf-8").split(THROWS)[1:]
    lacking = [each.partition(";")[0] for number, each in enumerate(refused) if number not in refusals]
    assert not [each for each in lacking if not any(exempt in each for exempt in EXEMPT)]


def test_a_page_without_a_refusal_goes_wrong_and_without_a_check_accepts_a_forgery(
    workshop: Page, refusals: Mapping[int, Sequence[str]]
) -> None:
    cases = dict(golden_cases())
    accepting = set()
    for number, names in refusals.items():
        script = _script(functools.partial(_but, number))
        told = _tried(workshop, script, [cases[name] for name in names])
        for name, each in zip(names, told, strict=True):
            if isinstance(each, dict):
                accepting.add(FORGED[name]["check"])
    small = _script(lambda _: THROWS).replace("isOne(times(8n, point), IDENTITY)", "false", 1)
    of_small_order = [name for name in FORGED if FORGED[name]["check"] == "key"]
    told = _tried(workshop, small, [cases[name] for name in of_small_order])
    accepting |= {"key" for each in told if isinstance(each, dict)}
    assert accepting == set(CHECKS)
