"""demur_verify.py on proofs of absence: each forgery is refused by the check that has to, and each refusal counts."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verifying import FILE, VERIFY, changed, load

GOLDEN: Final = Path(__file__).parent / "golden_absence"
FORGED: Final = json.loads((GOLDEN / "forgeries.json").read_text())
MAKE: Final = load("golden_absence", GOLDEN / "make.py")
KEY: Final = VERIFY.Key.read((GOLDEN / "key.txt").read_text())
SIGNER: Final = (GOLDEN / "manifest-key.txt").read_text().strip()
GENUINE: Final = (GOLDEN / "proof.json").read_bytes()
SECTION: Final = (
    "verify_absence",
    "checked_proof",
    "checked_subjects",
    "checked_version",
    "checked_manifest",
    "in_bucket",
)
"""The functions of which every refusal is tried."""
CHECKS: Final = {"proof", "checkpoint", "subjects", "version", "manifest", "place", "absence", "presence"}


def refused(raw: bytes, key: object = KEY, verifier: ModuleType = VERIFY) -> str | None:
    """The check that refuses a proof; None where it passes."""
    try:
        verifier.verify_absence(raw, key, SIGNER)
    except verifier.Rejected as rejected:
        return str(rejected.check)
    return None


def key_of(name: str, verifier: ModuleType = VERIFY) -> object:
    """Forgeries of the key have to bring it."""
    return None if FORGED[name]["check"] == "key" else verifier.Key.read(MAKE.KEY.text)


def test_the_golden_files_are_those_that_are_made() -> None:
    made = MAKE.files()
    assert {path.name: path.read_text() for path in GOLDEN.iterdir() if path.suffix in {".json", ".txt"}} == made


def test_genuine_proofs_pass() -> None:
    found = VERIFY.verify_absence(GENUINE, KEY, SIGNER)
    assert (found["entry"], found["size"], found["absent"]["name"]) == (3, 8, "v2")
    assert found["present"]["present"] == ["1111111111111111"]
    alone = VERIFY.verify_absence((GOLDEN / "absent.json").read_bytes(), KEY)
    assert alone["present"] is None


@pytest.mark.parametrize("name", FORGED)
def test_every_forgery_is_refused_by_its_check(name: str) -> None:
    assert refused((GOLDEN / name).read_bytes(), key_of(name)) == FORGED[name]["check"], FORGED[name]["name"]


# Every refusal counts: without it, some forgery passes


class _Without(ast.NodeTransformer):
    """Takes one `raise` of a section out."""

    def __init__(self, line: int) -> None:
        self._line = line

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        return ast.Pass() if node.lineno == self._line else node


def refusals() -> Iterator[tuple[int, str]]:
    """Line and check of every refusal in the section."""
    tree = ast.parse(FILE.read_text())
    for function in tree.body:
        if not (isinstance(function, ast.FunctionDef) and function.name in SECTION):
            continue
        named = {
            target.id: node.value.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Raise):
                assert isinstance(node.exc, ast.Call)
                check = node.exc.args[0]
                name = named[check.id] if isinstance(check, ast.Name) else ast.literal_eval(check)
                yield node.lineno, str(name)


REFUSALS: Final = list(refusals())


def without(line: int) -> ModuleType:
    """The verifier without the refusal in a line."""
    module = ModuleType(f"mutant_{line}")
    sys.modules[module.__name__] = module
    tree = ast.fix_missing_locations(_Without(line).visit(ast.parse(FILE.read_text())))
    exec(compile(tree, str(FILE), "exec"), module.__dict__)  # our own file, with a line less
    return module


def let_through(verifier: ModuleType, check: str) -> tuple[list[str], list[str]]:
    """The forgeries for a check that a verifier accepts, and those on which it breaks or that another check refuses."""
    passed, broken = [], []
    for name in [each for each, said in FORGED.items() if said["check"] == check]:
        try:
            found = refused((GOLDEN / name).read_bytes(), key_of(name, verifier), verifier)
        except Exception:  # noqa: BLE001  # whatever a verifier without a check runs into
            found = "broken"
        if found is None:
            passed.append(name)
        elif found != check:
            broken.append(name)
    return passed, broken


@pytest.mark.parametrize(("line", "check"), REFUSALS)
def test_a_verifier_without_a_refusal_goes_wrong(line: int, check: str) -> None:
    passed, broken = let_through(without(line), check)
    assert passed or broken


def test_for_each_check_a_verifier_without_it_accepts_a_forgery() -> None:
    accepting = {check for line, check in REFUSALS if let_through(without(line), check)[0]}
    assert {check for _, check in REFUSALS} == CHECKS
    assert accepting == CHECKS


@given(st.data())
def test_no_changed_byte_passes(data: st.DataObject) -> None:
    """But one that changes the key in it, which is not looked at, or no meaning, such as a space of the layout."""
    raw = changed(data, GENUINE)
    if refused(raw) is None:
        assert json.loads(raw) | {"key": ""} == json.loads(GENUINE) | {"key": ""}


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(json.loads(GENUINE))), inner, min_size=5)
    ),
    max_leaves=9,
)


@given(st.binary(max_size=200) | VALUES.map(json.dumps).map(str.encode))
def test_whatever_is_no_proof_is_refused(raw: bytes) -> None:
    assert refused(raw) == "proof"


@given(st.data())
def test_values_of_any_kind_are_refused_and_break_nothing(data: st.DataObject) -> None:
    """One value of a genuine proof is exchanged, at any depth."""
    document = json.loads(GENUINE)
    inner: Any = document
    while isinstance(inner, dict | list) and inner:
        at = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        if data.draw(st.booleans()) or not isinstance(inner[at], dict | list):
            before = inner[at]
            inner[at] = data.draw(VALUES | st.text(alphabet="0123456789abcdef", min_size=14, max_size=18))
            changed = inner[at] != before or type(inner[at]) is not type(before)
            break
        inner = inner[at]
    if changed and at != "key" and not (at == "present" and inner[at] is None):
        assert refused(json.dumps(document).encode()) is not None


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", str(FILE), *arguments], capture_output=True, text=True, check=False
    )


def test_the_command_says_what_it_checked_and_what_not() -> None:
    proof, key = str(GOLDEN / "proof.json"), (GOLDEN / "key.txt").read_text().strip()
    done = command(proof, key, "--manifest-key", SIGNER)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED.\nUnder the key demur/")
    assert (
        "NONE of them is in the tree signed for version v2, of the 28 subjects that its manifest counts;" in done.stdout
    )
    assert "1111111111111111 WERE in the tree signed for version v1, of the 29 subjects that its" in done.stdout
    assert "Not checked:\n- whose accounts the keys are of" in done.stdout
    bare = command(proof, key)
    assert "Not checked:\n- whose key signed the manifests" in bare.stdout
    own = command(proof, "--key-in-receipt")
    assert own.returncode == 0
    assert "VERIFIED" not in own.stdout
    assert "whoever made the proof can have made it, too" in own.stdout
    shown = next(name for name, said in FORGED.items() if said["check"] == "absence")
    forged = command(str(GOLDEN / shown), key)
    assert forged.returncode == 1
    assert forged.stdout.startswith("NOT VERIFIED. The check 'absence' fails: a key is in the version.")
    other = command(proof, key, "--manifest-key", MAKE.OTHER.public_key().public_bytes_raw().hex(), "--json")
    assert (other.returncode, json.loads(other.stdout)["check"]) == (1, "manifest")
