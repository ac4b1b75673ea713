"""Cosignatures and policies of witnesses: what C2SP's examples say, and what is no cosignature and no policy."""

import base64
from contextlib import suppress
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import CheckFailed, UsageError
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.cosignature import WitnessKey, cosign, cosigned
from demur.transparency.note import NoteKey, open_note, sign_note
from demur.transparency.policy import WitnessPolicy

LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "demur/00/1"
LOG_KEY = NoteKey.of(ORIGIN, LOG)
PRIVATES = [Ed25519PrivateKey.from_private_bytes(bytes([each]) * 32) for each in range(1, 7)]
KEYS = [WitnessKey.of(f"w.example/{number}", private) for number, private in enumerate(PRIVATES, 1)]
SAID = Checkpoint(ORIGIN, 5, bytes(32))
NOTE = SAID.sign(LOG)
NOW = 1_796_000_000


def line(at: int, text: str = SAID.text, time: int = NOW) -> str:
    return cosign(text, KEYS[at], PRIVATES[at], time)


def test_a_cosigned_note_is_still_the_logs() -> None:
    note = (NOTE + line(0) + line(1)).encode()
    assert open_note(note, [LOG_KEY]) == SAID.text
    assert cosigned(note, KEYS) == {KEYS[0]: NOW, KEYS[1]: NOW}
    assert cosigned(note, [KEYS[1]]) == {KEYS[1]: NOW}, "an unknown witness is left alone"


def test_a_witness_that_signed_twice_counts_once_with_its_newest_time() -> None:
    note = NOTE + line(0, time=NOW + 9) + line(0) + line(0)
    assert cosigned(note.encode(), KEYS) == {KEYS[0]: NOW + 9}


def test_what_is_signed_is_what_the_specification_says() -> None:
    data = base64.b64decode(line(0).split(" ")[2])
    assert (data[:4], data[4:12], len(data)) == (KEYS[0].id, NOW.to_bytes(8), 76)
    PRIVATES[0].public_key().verify(data[12:], f"cosignature/v1\ntime {NOW}\n{SAID.text}".encode())
    assert base64.b64decode(KEYS[0].text.split("+", 2)[2])[0] == 4


def test_a_cosignature_of_another_text_refuses_the_note() -> None:
    other = line(0, Checkpoint(ORIGIN, 6, bytes(32)).text)
    for wrong in (other, other + line(0), line(0).replace(" ", "  ", 1)):
        with pytest.raises(CheckFailed):
            cosigned((NOTE + wrong).encode(), KEYS)


def test_a_plain_signature_by_a_witness_is_an_unknown_keys() -> None:
    plain = NoteKey(KEYS[0].name, KEYS[0].public)
    note = NOTE + sign_note(SAID.text, plain, PRIVATES[0]).removeprefix(SAID.text + "\n")
    assert cosigned(note.encode(), KEYS) == {}
    with pytest.raises(UsageError, match="no Ed25519 key of a witness"):
        WitnessKey.read(plain.text)


NAMES = ["x1", "x2", "x3", "y1", "y2", "y3"]
LINES = [f"witness {name} {key.text}" for name, key in zip(NAMES, KEYS, strict=True)]
GROUPS = [
    "# the example of C2SP tlog-policy",
    "",
    "group X\t2 x1 x2 x3",
    "  group Y any y1 y2 y3",
    "group both all X Y",
    "quorum both",
]


def policy(*lines: str) -> WitnessPolicy:
    return WitnessPolicy.read("\n".join(lines).encode() + b"\n")


def test_a_quorum_of_groups_is_counted() -> None:
    read = policy(f"log {LOG_KEY.text} https://log.example", *LINES, *GROUPS)
    for size in range(7):
        for chosen in combinations(range(6), size):
            met = sum(at < 3 for at in chosen) >= 2 and any(at >= 3 for at in chosen)
            assert read.is_met([KEYS[at] for at in chosen]) is met
    assert read.logs == (LOG_KEY,)


def test_no_quorum_and_a_single_one() -> None:
    assert policy("quorum none").is_met([])
    one = policy(LINES[0] + " https://w.example/1/", "quorum x1")
    assert (one.is_met([KEYS[0]]), one.is_met([KEYS[1]]), one.witnesses[0].url) == (True, False, "https://w.example/1")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["witness"], "Line 1 .* is none of log"),
        (["quorum x1"], "names x1, which no line before"),
        ([LINES[0]], 'no line that begins with "quorum"'),
        (["quorum none", "quorum none"], "Line 2 .* second quorum"),
        ([LINES[0], LINES[0].replace("x1", "x2"), "quorum none"], "Line 2 .* would count twice"),
        ([LINES[0], LINES[1].replace("x2", "x1"), "quorum none"], "the name x1, which is taken"),
        ([LINES[0].replace("x1", "none"), "quorum none"], "the name none, which is taken"),
        ([f"witness a {LOG_KEY.text}", "quorum a"], "no Ed25519 key of a witness"),
        ([f"log {KEYS[0].text}", "quorum none"], "no Ed25519 key of a log"),
        ([f"log {LOG_KEY.text}", f"log {NoteKey(ORIGIN + '9', LOG_KEY.public).text}", "quorum none"], "another log"),
        ([*LINES[:2], "group g 3 x1 x2", "quorum g"], "asks for 3 of 2"),
        ([*LINES[:2], "group g 0 x1 x2", "quorum g"], "asks for 0 of 2"),
        ([*LINES[:2], "group g 01 x1 x2", "quorum g"], "asks for 01 of 2"),
        ([*LINES[:2], "group g most x1 x2", "quorum g"], "asks for most"),
        ([*LINES[:2], "group g all x1 x1", "quorum g"], "puts x1 into a group again"),
        ([*LINES[:2], "group g any x1", "group h any x1", "quorum g"], "puts x1 into a group again"),
        ([*LINES[:1], "group g any x1 none", "quorum g"], "names none"),
        (["group g any g", "quorum g"], "names g"),
        ([LINES[0] + " ftp://w.example", "quorum x1"], "no address of the web"),
        (["quorum\x00none"], "control character"),
        (["quorum none\r"], "control character"),
    ],
)
def test_a_policy_that_is_none_is_refused_by_its_line(lines: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        policy(*lines)


@given(
    st.binary(max_size=80)
    | st.lists(st.sampled_from([*LINES, *GROUPS, "quorum x1", "group a 1 x1"])).map(
        lambda lines: "\n".join(lines).encode()
    )
)
def test_whatever_is_read_is_a_policy_or_one_sentence(raw: bytes) -> None:
    with suppress(UsageError):
        read = WitnessPolicy.read(raw)
        assert read.quorum == "none" or not read.is_met([])
