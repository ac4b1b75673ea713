"""The two verifiers that we hand out, and what they are tried on.

The Python one is loaded as a module; the page is opened from disk in a browser without a network, and its own functions
are called there.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from mutating import Case, Document, Material
from playwright.sync_api import Browser, Page
from verifying import VERIFY, load

from demur.canonical import canonical_json

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "clients" / "verify" / "demur-verify.html"
GOLDEN: Final = ROOT / "tests" / "clients" / "golden"
ABSENCE: Final = ROOT / "tests" / "clients" / "golden_absence"

Verdict = dict[str, Any] | tuple[str, str]
"""What holds, or the check that fails and why."""

NOW: Final = 1_796_040_060
"""A minute after the witnesses of the golden files signed; seconds since 1970-01-01."""
_AT_ONCE: Final = 250
_JUDGE: Final = """async (cases) => {
    const bytes = (text) => text === null ? null : Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const told = [];
    for (const { raw, policy, rotations, ...given } of cases)
        try {
            told.push(await verify(bytes(raw), { ...given, policy: bytes(policy), rotations: bytes(rotations) }));
        } catch (error) {
            if (!(error instanceof Rejected)) throw error;
            told.push([error.check, error.why]);
        }
    return told;
}"""


MAKE: Final = load("golden_receipts", GOLDEN / "make.py")
PROOFS: Final = load("golden_absence", ABSENCE / "make.py")
TOOL: Final = load("verifier_page", ROOT / "tools" / "verifier_page.py")
KEY: Final = (GOLDEN / "key.txt").read_text()
SIGNER: Final = (ABSENCE / "manifest-key.txt").read_text().strip()
FORGED: Final[dict[str, dict[str, str]]] = {
    f"{folder.name}/{name}": said
    for folder in (GOLDEN, ABSENCE)
    for name, said in json.loads((folder / "forgeries.json").read_text()).items()
}
"""What each forgery is, the check that has to refuse it, and the files that go with it."""


def golden_cases() -> Iterator[tuple[str, Case]]:
    """Every golden file by its name, with what it is to be verified with."""
    for name, case in genuine():
        yield f"{name}", case
    for name, forged in FORGED.items():
        folder = (ROOT / "tests" / "clients" / name).parent
        key = None if forged["check"] == "key" else (folder / forged.get("key", "key.txt")).read_text()
        policy = (folder / forged["policy"]).read_bytes() if "policy" in forged else None
        yield name, Case((folder / Path(name).name).read_bytes(), key, policy, signer=SIGNER)


def genuine() -> Iterator[tuple[str, Case]]:
    """Those that pass."""
    first, policy = (GOLDEN / "receipt.json").read_bytes(), (GOLDEN / "policy.txt").read_bytes()
    proof, following = (ABSENCE / "key.txt").read_text(), (GOLDEN / "key-next.txt").read_text()
    rotations = (GOLDEN / "rotations.json").read_bytes()
    cosigned = (GOLDEN / "receipt-cosigned.json").read_bytes()
    yield "a receipt", Case(first, KEY)
    yield "a receipt under its own key", Case(first, None)
    yield "a receipt, where no witness is asked for", Case(first, KEY, b"# nobody\nquorum none\n")
    yield "a cosigned one", Case(cosigned, KEY)
    yield "a cosigned one by its policy", Case(cosigned, KEY, policy)
    for number in ("receipt-rotated.json", "receipt-both-keys.json"):
        for key in (KEY, following):
            yield f"{number} by either key", Case((GOLDEN / number).read_bytes(), key)
    retired = {
        name: each for name, each in MAKE.rotated(MAKE.PRIVATE, size=5, by=MAKE.PRIVATE).items() if name != "rotations"
    }
    for key in (KEY, following):
        yield "one of a retired key", Case(json.dumps(retired).encode(), key, rotations=rotations)
    for name in ("proof.json", "absent.json"):
        raw = (ABSENCE / name).read_bytes()
        yield name, Case(raw, proof, signer=SIGNER)
        yield f"{name}, whatever key signed the manifests", Case(raw, proof)
    yield "a proof under its own key", Case((ABSENCE / "proof.json").read_bytes(), None, rotations=b"[]")


def material() -> Material:
    """What changed files are made of; two proofs are of what does not hold."""
    documents = [(json.loads(case.raw), case) for _, case in genuine()]
    made = (MAKE.receipt(seq) for seq in range(1, MAKE.SIZE + 1))
    documents += [(each, Case(json.dumps(each).encode(), KEY)) for each in made]
    documents += [(each, _by_policy(each)) for each in _cosigned()]
    key, strangers = (ABSENCE / "key.txt").read_text(), PROOFS.Version("v1", PROOFS.STRANGERS, 0)
    for each in (
        PROOFS.proof(PROOFS.V3),
        PROOFS.proof(before=strangers),
    ):  # the one has them still, the other never had
        documents.append((each, Case(json.dumps(each).encode(), key, signer=SIGNER)))
    other = MAKE.NoteKey.of(MAKE.ORIGIN, MAKE.OTHER)
    keys = (KEY, other.text, MAKE.SMALL.text, MAKE.NEXT_KEY.text, "", "demur/", "+", "a+b+c", KEY.replace("/1+", "/2+"))
    return Material([case for _, case in golden_cases()], documents, keys, _signed, _lone, MAKE.entry(1))


def _cosigned() -> Iterator[Document]:
    """Receipts with other cosignatures: all three, one twice, a later time, and one of three."""
    one, two, three = map(MAKE.cosignature, range(3))
    yield MAKE.witnessed_by(one, two, three)
    yield MAKE.witnessed_by(one, one, three)
    yield MAKE.witnessed_by(two, MAKE.cosignature(0, time=MAKE.SEEN + 60))
    yield MAKE.witnessed_by(three)


def _by_policy(document: Document) -> Case:
    return Case(json.dumps(document).encode(), KEY, (GOLDEN / "policy.txt").read_bytes())


def _signed(document: Document) -> Document:
    """A document that is signed again, whatever it says: its statement, and its checkpoint where it says something new.

    A proof is as signed as its checkpoint: its manifests are signed again, and the log has them and the entries.
    """
    if "absent" in document:
        return _proof_signed(document)
    said = dict(document["signed"])
    head, gap, note = said["proof"].partition("\n\n")
    text, _, _ = note.rpartition("\n\n")
    if gap and text and f"{text}\n" != MAKE.checkpoint().text:
        said["proof"] = head + gap + MAKE.sign_note(text + "\n", MAKE.KEY, MAKE.PRIVATE)
    signature = MAKE.PRIVATE.sign(MAKE.STATEMENT + _spelt(said))
    return document | {"signed": said, "signature": base64.b64encode(signature).decode()}


def _proof_signed(document: Document) -> Document:
    """A proof that its own log bears out: of two or three entries, at places of their numbers."""
    made: Document = json.loads(json.dumps(document))
    versions = [each for each in (made["absent"], made["present"]) if each is not None]
    for each in versions:
        manifest, entry = json.loads(each["manifest"]), json.loads(each["entry"])
        manifest["signature"] = PROOFS.MANIFESTS.sign(canonical_json(manifest["signed"])).hex()
        each["manifest"] = canonical_json(manifest).decode()
        entry["payload"]["manifest"] = PROOFS.sha(each["manifest"].encode()).hex()
        each["entry"] = canonical_json(entry).decode()
    opened = {json.loads(each["entry"])["seq"]: each for each in (made["objection"], *versions)}
    log = PROOFS.log(**{f"e{seq}": each["entry"] for seq, each in opened.items()})
    for seq, each in opened.items():
        log.salts[seq] = bytes.fromhex(each["salt"])
    for seq, each in opened.items():
        each.update(log.opened(seq))
    return made


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
    """What demur_verify.py says, as its command goes about it."""
    try:
        key = None if case.key is None else VERIFY.Key.read(case.key)
        policy = None if case.policy is None else VERIFY.Policy.read(case.policy)
        if VERIFY.is_proof(case.raw):
            found: dict[str, Any] = VERIFY.verify_absence(case.raw, key, case.signer, policy, case.rotations, NOW)
        else:
            found = VERIFY.verify(case.raw, key, policy, case.rotations, NOW)
    except VERIFY.Rejected as rejected:
        return rejected.check, rejected.why
    return found | {"size": str(found["size"])}


def by_page(page: Page, cases: Iterable[Case]) -> Iterator[Verdict]:
    """What the page says of each."""
    waiting = iter(cases)
    while some := list(islice(waiting, _AT_ONCE)):
        for told in page.evaluate(_JUDGE, [asked_of_page(each) for each in some]):
            yield told if isinstance(told, dict) else (told[0], told[1])


def asked_of_page(case: Case) -> dict[str, Any]:
    """A case as the page is asked of it: bytes as base64."""
    files = {"raw": case.raw, "policy": case.policy, "rotations": case.rotations}
    told = {name: None if each is None else base64.b64encode(each).decode() for name, each in files.items()}
    return {**told, "key": case.key, "signer": case.signer, "now": NOW}


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
