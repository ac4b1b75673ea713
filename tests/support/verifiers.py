"""The two verifiers that we hand out, and what they are tried on.

The Python one is loaded as a module; the page is opened from disk in a browser without a network, and its own functions
are called there.
"""

import base64
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from mutating import Case, Document, Material
from playwright.sync_api import Browser, Page

from demur.canonical import canonical_json

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "clients" / "verify" / "demur-verify.html"
GOLDEN: Final = ROOT / "tests" / "clients" / "golden"

Verdict = dict[str, Any] | tuple[str, str]
"""What holds, or the check that fails and why."""

_AT_ONCE: Final = 250
_JUDGE: Final = """async (cases) => {
    const told = [];
    for (const [raw, key] of cases)
        try {
            told.push(await verify(Uint8Array.from(atob(raw), (each) => each.charCodeAt(0)), key));
        } catch (error) {
            if (!(error instanceof Rejected)) throw error;
            told.push([error.check, error.why]);
        }
    return told;
}"""


def load(name: str, path: Path) -> ModuleType:
    """A file that is in no package, as a module."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


VERIFY: Final = load("demur_verify", ROOT / "clients" / "verify" / "demur_verify.py")
MAKE: Final = load("golden_receipts", GOLDEN / "make.py")
TOOL: Final = load("verifier_page", ROOT / "tools" / "verifier_page.py")
KEY: Final = (GOLDEN / "key.txt").read_text()
FORGED: Final[dict[str, dict[str, str]]] = json.loads((GOLDEN / "forgeries.json").read_text())


def golden_cases() -> Iterator[tuple[str, Case]]:
    """Every golden file by its name, with the key that it is to be checked with."""
    yield "receipt.json", Case((GOLDEN / "receipt.json").read_bytes(), KEY)
    yield "receipt.json, its own key", Case((GOLDEN / "receipt.json").read_bytes(), None)
    for name, forged in FORGED.items():
        own = forged["check"] == "key"
        yield name, Case((GOLDEN / name).read_bytes(), None if own else KEY)


def material() -> Material:
    """What changed files are made of."""
    kept = [(GOLDEN / name).read_bytes() for name in ("receipt.json", *FORGED)]
    receipts = [MAKE.receipt(seq) for seq in range(1, MAKE.SIZE + 1)]
    other = MAKE.NoteKey.of(MAKE.ORIGIN, MAKE.OTHER)
    keys = (KEY, KEY, KEY, other.text, MAKE.SMALL.text, "", "demur/", "+", "++", "a+b+c", KEY.replace("/1+", "/2+"))
    return Material(kept, receipts, keys, _signed, _lone, MAKE.entry(1))


def _signed(document: Document) -> Document:
    """A receipt whose statement is signed again, whatever it says; its checkpoint, too, where it says something new."""
    said = dict(document["signed"])
    head, gap, note = said["proof"].partition("\n\n")
    text, _, _ = note.rpartition("\n\n")
    if gap and text and f"{text}\n" != MAKE.checkpoint().text:
        said["proof"] = head + gap + MAKE.sign_note(text + "\n", MAKE.KEY, MAKE.PRIVATE)
    signature = MAKE.PRIVATE.sign(MAKE.STATEMENT + _spelt(said))
    return document | {"signed": said, "signature": base64.b64encode(signature).decode()}


def _spelt(said: Document) -> bytes:
    try:
        return canonical_json(said)
    except (TypeError, ValueError):  # what has no canonical form is refused before anybody looks at the signature
        return b""


def _lone(entry: str) -> Document:
    """A receipt of a log of one entry."""
    salt = MAKE.salt(1)
    leaf = MAKE.leaf_hash(MAKE.hashlib.sha256(salt + entry.encode()).digest())
    note = MAKE.Checkpoint(MAKE.ORIGIN, 1, leaf).sign(MAKE.PRIVATE)
    made: Document = MAKE.receipt(1, entry=entry, salt=salt.hex(), proof=MAKE.InclusionProof(0, (), note).text)
    return made


def by_python(case: Case) -> Verdict:
    """What demur_verify.py says."""
    try:
        key = None if case.key is None else VERIFY.Key.read(case.key)
        found: dict[str, Any] = VERIFY.verify(case.raw, key)
    except VERIFY.Rejected as rejected:
        return rejected.check, rejected.why
    return found | {"size": str(found["size"])}


def by_page(page: Page, cases: Iterable[Case]) -> Iterator[Verdict]:
    """What the page says of each."""
    waiting = iter(cases)
    while some := list(islice(waiting, _AT_ONCE)):
        asked = [[base64.b64encode(each.raw).decode(), each.key] for each in some]
        for told in page.evaluate(_JUDGE, asked):
            yield told if isinstance(told, dict) else (told[0], told[1])


@contextmanager
def opened(browser: Browser, file: Path = PAGE, **options: Any) -> Iterator[Page]:  # noqa: ANN401  # of a context
    """The page, from disk, in a browser that is offline; what it asks for or complains of fails the test."""
    context = browser.new_context(offline=True, **options)
    flaws: list[str] = []
    try:
        page = context.new_page()
        page.on("console", lambda message: flaws.append(message.text))
        page.on("pageerror", lambda error: flaws.append(str(error)))
        page.on("request", lambda request: flaws.append(request.url) if not _is_own(request.url, file) else None)
        page.goto(file.as_uri())
        yield page
        assert not flaws, flaws
    finally:
        context.close()


def _is_own(url: str, file: Path) -> bool:
    return url == file.as_uri() or url.startswith("data:")


def without(check: str, changes: Sequence[tuple[str, str]]) -> str:
    """The page without a check: its text with parts exchanged, each of which has to be there once."""
    text = PAGE.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, (check, old)
        text = text.replace(old, new)
    sealed: str = TOOL.sealed(text)
    return sealed
