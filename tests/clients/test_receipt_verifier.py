"""demur_verify.py: what demur makes passes, each forgery is refused by the check that has to, and each check counts."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from verifying import FILE, VERIFY, changed, load

from demur.cli import run

GOLDEN: Final = Path(__file__).parent / "golden"
FORGED: Final = json.loads((GOLDEN / "forgeries.json").read_text())
CHECKS: Final = (
    "key",
    "policy",
    "receipt",
    "rotation",
    "checkpoint",
    "witnesses",
    "entry",
    "inclusion",
    "statement",
)
NOW: Final = 1_796_040_060
"""A minute after the witnesses of the golden files signed."""
# RFC 8032, section 7.1: secret key, public key, message, signature
RFC_8032: Final = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


MAKE: Final = load("golden_receipts", GOLDEN / "make.py")
KEY: Final = VERIFY.Key.read((GOLDEN / "key.txt").read_text())
GENUINE: Final = (GOLDEN / "receipt.json").read_bytes()


def refused(raw: bytes, key: object = KEY, policy: str = "") -> str | None:
    """The check that refuses a receipt; None where it passes."""
    try:
        rules = VERIFY.Policy.read((GOLDEN / policy).read_bytes()) if policy else None
        VERIFY.verify(raw, key, rules, now=NOW)
    except VERIFY.Rejected as rejected:
        return str(rejected.check)
    return None


def key_of(name: str) -> object:
    """Forgeries of the key have to bring it."""
    if FORGED[name]["check"] == "key":
        return None
    return VERIFY.Key.read((GOLDEN / FORGED[name].get("key", "key.txt")).read_text())


def forgery(name: str) -> str | None:
    """The check that refuses a forgery; None where it passes."""
    return refused((GOLDEN / name).read_bytes(), key_of(name), FORGED[name].get("policy", ""))


def test_the_golden_files_are_those_that_are_made() -> None:
    made = MAKE.files()
    assert {path.name: path.read_bytes() for path in GOLDEN.iterdir() if path.suffix in {".json", ".txt"}} == {
        name: text.encode() for name, text in made.items()
    }


def test_the_genuine_receipt_passes() -> None:
    found = VERIFY.verify(GENUINE, KEY)
    assert (found["entry"], found["size"], found["phase"]) == (5, 7, "lodged")


@pytest.mark.parametrize("name", FORGED)
def test_every_forgery_is_refused_by_its_check(name: str) -> None:
    assert forgery(name) == FORGED[name]["check"], FORGED[name]["name"]


def test_the_genuine_ones_of_a_rotated_key_pass() -> None:
    old, new = (VERIFY.Key.read((GOLDEN / name).read_text()) for name in ("key.txt", "key-next.txt"))
    after, both = ((GOLDEN / f"receipt-{name}.json").read_bytes() for name in ("rotated", "both-keys"))
    rotations = (GOLDEN / "rotations.json").read_bytes()
    number = f"{new.name}+{new.number.hex()}"
    for key in (old, new):
        for raw in (after, both):
            found = VERIFY.verify(raw, key)
            assert (found["key"], "retired" in found) == (number, False)
    assert refused(GENUINE, new) == "checkpoint", "of the old key, and nothing says how the new one followed"
    before = MAKE.rotated(MAKE.PRIVATE, size=5, by=MAKE.PRIVATE)
    del before["rotations"]
    raw = json.dumps(before).encode()
    assert refused(raw, new) == "checkpoint"
    for key in (old, new):
        found = VERIFY.verify(raw, key, rotations=rotations)
        assert (found["key"], found["retired"]) == (f"{old.name}+{old.number.hex()}", 6)
        followed = [] if key == old else [VERIFY.UNCHECKED_FOLLOWED]
        assert VERIFY.unchecked(found) == [*VERIFY.UNCHECKED, *followed, VERIFY.UNCHECKED_RETIRED]
    assert "retired" not in VERIFY.verify(raw, old), "who knows of no rotation"
    for wrong in (b"{}", b"[", b'[{"signed":1}]', b'["x"]', b"null", rotations + b',"more":1'):
        with pytest.raises(VERIFY.Rejected, match=r"^rotation: "):
            VERIFY.verify(raw, new, rotations=wrong)


def test_a_rotation_by_whoever_has_the_old_key_passes_and_both_keys_are_named() -> None:
    """Nobody can tell it offline from the log's own: so the result says which key was given, and which one signed."""
    theirs = MAKE.Rotation.make(MAKE.ORIGIN, 3, MAKE.PRIVATE, MAKE.THIRD).json
    raw = json.dumps(MAKE.rotated(MAKE.THIRD, by=MAKE.THIRD, rotations=[theirs])).encode()
    found = VERIFY.verify(raw, KEY)
    given, signer = VERIFY.told_key(KEY), VERIFY.told_key(VERIFY.Key.read(theirs["signed"]["to"]))
    assert (found["given"], found["key"]) == (given, signer)
    assert f"- you gave the key {given}, and {signer} signed: " in "\n".join(VERIFY.sentences(found, own=False))
    assert VERIFY.unchecked(found) == [*VERIFY.UNCHECKED, VERIFY.UNCHECKED_FOLLOWED]
    assert refused(raw, VERIFY.Key.read((GOLDEN / "key-next.txt").read_text())) == "rotation", "by the newest key"
    own = json.dumps(json.loads(raw) | {"key": theirs["signed"]["from"]}).encode()
    assert "given" not in VERIFY.verify(own), "where none was given"
    assert "given" not in VERIFY.verify(GENUINE, KEY)


def test_the_genuine_one_that_is_cosigned_passes_with_and_without_a_policy() -> None:
    raw = (GOLDEN / "receipt-cosigned.json").read_bytes()
    policy = VERIFY.Policy.read((GOLDEN / "policy.txt").read_bytes())
    when = "2026-11-30T12:00:00+00:00"
    found = VERIFY.verify(raw, KEY, policy, now=NOW)
    assert found.pop("witnesses") == [{"name": "w1", "time": when}, {"name": "w2", "time": when}]
    assert VERIFY.unchecked(found) == list(VERIFY.UNCHECKED_COSIGNED)
    assert found.pop("quorum")
    assert found == VERIFY.verify(raw, KEY)
    assert VERIFY.verify(GENUINE, KEY, VERIFY.Policy.read(b"quorum none"))["witnesses"] == []
    nobody = VERIFY.verify(raw, KEY, VERIFY.Policy.read(MAKE.LINES[0].encode() + b"\nquorum none"), now=NOW)
    assert VERIFY.vouched(nobody) == [f"- the policy asks for no witness, and it is cosigned by w1 at {when};"]
    assert VERIFY.unchecked(nobody) == list(VERIFY.UNCHECKED), "no quorum vouches for it"
    assert VERIFY.verify(raw, KEY, policy, now=NOW - 60 - 300)
    with pytest.raises(VERIFY.Rejected, match="dated ahead"):
        VERIFY.verify(raw, KEY, policy, now=NOW - 60 - 301)


def _as_it_comes(raw: bytes) -> dict[str, Any]:
    """A receipt of which nothing was looked at."""
    try:
        found: dict[str, Any] = json.loads(raw)
        found["signed"]["proof"].encode()
        json.dumps(found["signed"], ensure_ascii=False).encode()
    except (ValueError, TypeError):
        raise VERIFY.Rejected("receipt", "nothing to look at") from None
    return found


KINDS: Final = (VERIFY.STATEMENT, VERIFY.ROTATION, b"cosignature/v1\n")
"""How messages begin that are signed and no checkpoints."""


def _each_line(checkpoint: Any, policy: Any, now: float) -> list[object]:  # noqa: ANN401  # the verifier's
    """Count lines, and not witnesses: two of anybody are two of three."""
    keys = {(key.name, key.number): key for key in policy.witnesses.values()}
    lines = [(keys[name, data[:4]], data) for name, data in checkpoint.lines if (name, data[:4]) in keys]
    for key, data in lines:
        VERIFY.cosigned_at(checkpoint.text, "w", key, data[4:], now)
    if len(lines) < 2:
        raise VERIFY.Rejected("witnesses", "too few")
    return []


def _patched(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    """Take one check out of the verifier."""
    signed, key = VERIFY.is_signed, VERIFY.Policy.key

    def but(begins: bytes) -> Callable[[], object]:
        """Take every signature of some messages for good."""

        def passes(public: bytes, message: bytes, signature: bytes) -> bool:
            kind = next((each for each in KINDS if message.startswith(each)), b"")
            return kind == begins or signed(public, message, signature)

        return lambda: monkeypatch.setattr(VERIFY, "is_signed", passes)

    patches: dict[str, Callable[[], object]] = {
        "key": lambda: monkeypatch.setattr(VERIFY, "is_small", lambda _: False),
        "receipt": lambda: monkeypatch.setattr(VERIFY, "checked_receipt", _as_it_comes),
        "policy": lambda: monkeypatch.setattr(
            VERIFY.Policy, "key", staticmethod(lambda text, kind, of, where, _: key(text, kind, of, where, []))
        ),
        "rotation": but(VERIFY.ROTATION),
        "checkpoint": but(b""),
        "witnesses": but(b"cosignature/v1\n"),
        "counting": lambda: monkeypatch.setattr(VERIFY, "counting", lambda signed, _: tuple(signed)),
        "quorum": lambda: monkeypatch.setattr(VERIFY.Policy, "is_met", lambda *_: True),
        "ahead": lambda: monkeypatch.setattr(VERIFY, "AHEAD_S", 2**63),
        "once": lambda: monkeypatch.setattr(VERIFY, "checked_witnesses", _each_line),
        "entry": lambda: monkeypatch.setattr(VERIFY, "checked_entry", lambda text, _: json.loads(text)),
        "inclusion": lambda: monkeypatch.setattr(VERIFY, "check_inclusion", lambda *_: None),
        "statement": but(VERIFY.STATEMENT),
    }
    patches[check]()


@pytest.mark.parametrize("check", CHECKS)
def test_a_verifier_without_a_check_accepts_a_forgery(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _patched(monkeypatch, check)
    passed = [name for name in FORGED if forgery(name) is None]
    assert passed
    assert {FORGED[name]["check"] for name in passed} == {check}


@pytest.mark.parametrize(
    ("part", "check", "words"),
    [
        ("counting", "checkpoint", "after the rotation"),
        ("quorum", "witnesses", "type 0x01"),
        ("ahead", "witnesses", "dated ahead"),
        ("once", "witnesses", "counted twice"),
    ],
)
def test_a_verifier_without_a_part_of_a_check_accepts_the_forgery_of_it(
    part: str, check: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _patched(monkeypatch, part)
    passed = [name for name in FORGED if forgery(name) is None]
    assert any(words in FORGED[name]["name"] for name in passed)
    assert {FORGED[name]["check"] for name in passed} == {check}


def _changed(old: str, new: str) -> ModuleType:
    """The verifier with one place of its text written in another way."""
    text = FILE.read_text()
    assert text.count(old) == 1
    module = ModuleType("changed_verifier")
    sys.modules[module.__name__] = module
    exec(compile(text.replace(old, new), str(FILE), "exec"), module.__dict__)  # our own file
    return module


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("checkpoint.signed[-1].key.public, message", "checkpoint.signed[0].key.public, message", "at the size of"),
        ('reached = hashlib.sha256(b"\\x00" + leaf).digest()', "reached = leaf", "as if they were nodes"),
        ("len(rotations) > MOST_ROTATIONS", "False", "101 rotations"),
        (" or not PRINTABLE.fullmatch(name)", "", "turns what is read"),
    ],
)
def test_a_verifier_that_is_less_strict_accepts_the_forgery_of_it(old: str, new: str, words: str) -> None:
    (name,) = [name for name, said in FORGED.items() if words in said["name"]]
    verifier = _changed(old, new)
    own = FORGED[name]["check"] == "key"
    assert forgery(name) == FORGED[name]["check"]
    raw = (GOLDEN / name).read_bytes()
    assert verifier.verify(raw, None if own else verifier.Key.read((GOLDEN / "key.txt").read_text()))


def test_rotations_are_counted_before_any_signature_of_theirs_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VERIFY, "checked_rotation", lambda _: pytest.fail("looked at"))
    assert refused(json.dumps(MAKE.rotated(MAKE.NEXT, rotations=[MAKE.ROTATION] * 101)).encode()) == "rotation"


def test_groups_may_stand_in_groups_as_deeply_as_the_file_is_long() -> None:
    groups = [f"group g{at} any {f'g{at - 1}' if at else 'w1'}" for at in range(1000)]
    policy = VERIFY.Policy.read("\n".join([*MAKE.LINES, *groups, "quorum g999"]).encode())
    assert policy.is_met({"w1"})
    assert not policy.is_met({"w2"})


@given(st.data())
def test_no_changed_byte_passes(data: st.DataObject) -> None:
    """But one that changes the key in it, which is not looked at, or no meaning, such as a space of the layout."""
    raw = changed(data, GENUINE)
    if refused(raw) is None:
        assert json.loads(raw) | {"key": ""} == json.loads(GENUINE) | {"key": ""}


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "signature", "signed"]), inner),
    max_leaves=9,
)
JUNK: Final = st.binary(max_size=200) | st.text(max_size=80).map(str.encode) | VALUES.map(json.dumps).map(str.encode)


@given(JUNK)
def test_whatever_is_no_receipt_is_refused(raw: bytes) -> None:
    assert refused(raw) == "receipt"


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_signatures_of_rfc_8032(public: str, message: str, signature: str) -> None:
    key, text, made = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert VERIFY.is_signed(key, text, made)
    assert not VERIFY.is_signed(key, text + b"!", made)
    for at in range(0, 64, 7):
        assert not VERIFY.is_signed(key, text, made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :])


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=99))
def test_what_cryptography_signs_is_signed(secret: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    assert VERIFY.is_signed(private.public_key().public_bytes_raw(), message, private.sign(message))


@pytest.mark.parametrize(
    "encoded",
    [
        "00" * 32,
        "01" + "00" * 31,
        "01" + "00" * 30 + "80",
        "ec" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "ff" * 32,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ],
)
def test_no_key_of_small_order_or_in_another_spelling_signs(encoded: str) -> None:
    """Points of order 1, 2, 4 and 8, and y above the prime."""
    universal = (1).to_bytes(32, "little") + bytes(32)
    assert not any(VERIFY.is_signed(bytes.fromhex(encoded), b"%d" % n, universal) for n in range(20))


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", str(FILE), *arguments], capture_output=True, text=True, check=False
    )


def test_the_command_says_what_it_checked_and_what_not(tmp_path: Path) -> None:
    receipt, key = str(GOLDEN / "receipt.json"), (GOLDEN / "key.txt").read_text().strip()
    for given_key in (key, str(GOLDEN / "key.txt")):
        done = command(receipt, given_key)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("VERIFIED.\nUnder the key demur/")
        assert "Not checked:\n- whose objection it is" in done.stdout
    own = command(receipt, "--key-in-receipt")
    assert own.returncode == 0
    assert "VERIFIED" not in own.stdout
    assert "whoever made the receipt can have made it, too" in own.stdout
    forged = command(str(GOLDEN / "forged-01.json"), key)
    assert forged.returncode == 1
    assert forged.stdout.startswith("NOT VERIFIED. The check 'inclusion' fails: ")
    told = json.loads(command(receipt, key, "--json").stdout)
    assert (told["verified"], told["own_key"], len(told["unchecked"])) == (True, False, 4)
    cosigned, policy = str(GOLDEN / "receipt-cosigned.json"), str(GOLDEN / "policy.txt")
    done = command(cosigned, key, "--policy", policy)
    assert done.returncode == 0
    assert "cosigned by w1 at 2026-11-30T12:00:00+00:00, w2 at" in done.stdout
    assert "same log, unless any two quorums of the policy share an honest witness; or that" in done.stdout
    (tmp_path / "names.txt").write_text((GOLDEN / "policy.txt").read_text().replace("w1", "\N{SNOWMAN}1"), "utf-8")
    spelt = subprocess.run(
        [sys.executable, str(FILE), cosigned, key, "--policy", str(tmp_path / "names.txt")],
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cosigned by \\u26031 at" in spelt.stdout, "whatever the terminal can show"
    assert command(cosigned, key).stdout == command(receipt, key).stdout, "without a policy nothing changes"
    done = command(receipt, key, "--policy", policy)
    assert done.stdout.startswith("NOT VERIFIED. The check 'witnesses' fails: it is cosigned by nobody: ")
    done = command(receipt, key, "--policy", str(GOLDEN / "policy-unknown-name.txt"))
    assert "The check 'policy' fails: line 1 names w1, which no line before it defines." in done.stdout
    (tmp_path / "odd.txt").write_bytes(b"quorum \xff\n")
    assert "'policy' fails: line 1 names" in command(receipt, key, "--policy", str(tmp_path / "odd.txt")).stdout
    done = command(receipt, key, "--rotations", str(GOLDEN / "rotations.json"))
    assert "counts up to 6 entries: it was retired" in done.stdout
    assert command(receipt, key, "--policy", str(tmp_path / "none")).returncode == 2
    assert command(receipt).returncode == 2
    assert command(receipt, key, "--key-in-receipt").returncode == 2
    assert command(str(tmp_path / "none"), key).returncode == 2


def test_what_demur_proves_is_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tmp_path / "ws")

    def demur(*arguments: str) -> str:
        capsys.readouterr()
        assert run([*arguments, "-w", root]) == 0
        return capsys.readouterr().out

    assert run(["init", root, "--yes"]) == 0
    made: list[dict[str, Any]] = [
        json.loads(demur("object", "--account", f"forum:ann{number}", "--json")) for number in range(3)
    ]
    key = VERIFY.Key.read(demur("log", "key"))
    for number, each in enumerate(made, 1):
        text = demur("prove", each["reference"])
        found = VERIFY.verify(text.encode(), key)
        assert (found["entry"], found["size"], found["phase"]) == (number + 1, 4, "lodged")
        assert "forum" not in text
        assert each["reference"] not in text
    demur("withdraw", made[1]["reference"])
    demur("prove", made[1]["reference"], "--to", str(tmp_path / "receipt.json"))
    assert VERIFY.verify((tmp_path / "receipt.json").read_bytes(), key)["phase"] == "withdrawn"
    assert run(["prove", made[1]["reference"], "--to", str(tmp_path / "receipt.json"), "-w", root]) == 2
    assert "exists already" in capsys.readouterr().err
