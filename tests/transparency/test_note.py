"""Signed notes, checkpoints and proofs: what others make is read, and nothing that a rule forbids."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import CheckFailed, UsageError
from demur.transparency.checkpoint import Checkpoint, InclusionProof
from demur.transparency.note import NoteKey, open_note, sign_note
from demur.transparency.tiles import Piece, pieces_of
from demur.transparency.tree import EMPTY, leaf_hash, node_hash

# golang.org/x/mod/sumdb/note, the example of its documentation
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
NAME = "demur/00/1"
KEY = NoteKey.of(NAME, PRIVATE)
LEAF = leaf_hash(b"one")
ROOT = node_hash(LEAF, leaf_hash(b"two"))
CHECKPOINT = Checkpoint(NAME, 2, ROOT)
NOTE = CHECKPOINT.sign(PRIVATE)
PROOF = InclusionProof(0, [leaf_hash(b"two")], NOTE)


def test_a_note_that_others_made_is_read() -> None:
    key = NoteKey.read(PETER)
    assert key.text == PETER
    assert open_note(PETERS.encode(), [key]) == PETERS.partition("\n\n")[0] + "\n"


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    assert Checkpoint.read(NOTE.encode(), [KEY]) == CHECKPOINT
    assert NoteKey.read(KEY.text + "\n") == KEY
    assert NOTE.encode() == CHECKPOINT.sign(PRIVATE).encode()


def signed(text: str) -> bytes:
    return sign_note(text, KEY, PRIVATE).encode()


ROOT_TEXT = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n02\n{ROOT_TEXT}\n",
        f"{NAME}\n+2\n{ROOT_TEXT}\n",
        f"{NAME}\n{2**63}\n{ROOT_TEXT}\n",
        f"{NAME}\n٢\n{ROOT_TEXT}\n",
        f"{NAME}\n2\n{base64.b64encode(ROOT[:31]).decode()}\n",
        f"{NAME}\n2\n{ROOT_TEXT.rstrip('=')}\n",
        f"{NAME}\n2\n{ROOT_TEXT[:-2]}N=\n" if ROOT_TEXT[-2] != "N" else f"{NAME}\n2\n{ROOT_TEXT[:-2]}O=\n",
        f"{NAME}\n2\n",
        f"\n2\n{ROOT_TEXT}\n",
        f"{NAME}\n2\n{ROOT_TEXT}\n\nmore\n",
        f"{NAME}\r\n2\n{ROOT_TEXT}\n",
        f"{NAME}\n2\n{ROOT_TEXT}\0\n",
    ],
)
def test_what_is_signed_and_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckFailed):
        Checkpoint.read(signed(text), [KEY])


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(CheckFailed, match="of another log"):
        Checkpoint.read(signed(f"demur/00/2\n2\n{ROOT_TEXT}\n"), [KEY])


def test_further_lines_are_read_over() -> None:
    assert Checkpoint.read(signed(f"{NAME}\n2\n{ROOT_TEXT}\nmore\n"), [KEY]) == CHECKPOINT


BODY, _, LINE = NOTE.rpartition("\n\n")
FOREIGN = sign_note(BODY + "\n", NoteKey.of(NAME, OTHER), OTHER).rpartition("\n\n")[2]
WITNESS = sign_note(BODY + "\n", NoteKey.of("witness.example", OTHER), OTHER).rpartition("\n\n")[2]
WRONG = sign_note(BODY + "!\n", KEY, PRIVATE).rpartition("\n\n")[2]
COLLIDING = f"— {NAME} {base64.b64encode(KEY.id + OTHER.sign(BODY.encode())).decode()}\n"


def test_signatures_of_unknown_keys_are_ignored() -> None:
    for lines in (FOREIGN + LINE, LINE + WITNESS, "".join([WITNESS] * 16) + LINE):
        assert Checkpoint.read(f"{BODY}\n\n{lines}".encode(), [KEY]) == CHECKPOINT


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (FOREIGN, "No known key signed"),
        (WITNESS, "No known key signed"),
        (WRONG, "is wrong"),
        (LINE + WRONG, "is wrong"),
        (WITNESS + WRONG, "is wrong"),
        (COLLIDING, "is wrong"),
        ("", "no signed note"),
        (LINE.removesuffix("\n"), "no signed note"),
        (LINE + "\n", "no signed note"),
        (LINE.replace("— ", "- "), "can't be read"),
        (LINE.replace("=", ""), "can't be read"),
        (LINE * 101, "no signed note"),
        (f"— {NAME} {base64.b64encode(KEY.id).decode()}\n", "can't be read"),
        (f"— {NAME} {base64.b64encode(KEY.id + bytes(63)).decode()}\n", "is wrong"),
        (f"—  {base64.b64encode(bytes(68)).decode()}\n", "can't be read"),
    ],
)
def test_no_other_signature_passes(lines: str, said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        Checkpoint.read(f"{BODY}\n\n{lines}".encode(), [KEY])


def test_a_signature_with_another_scalar_is_refused() -> None:
    """S + L: the same point, and no signature by RFC 8032, section 5.1.7."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = base64.b64decode(LINE.split(" ")[2])[4:]
    scalar = int.from_bytes(signature[32:], "little") + order
    forged = KEY.id + signature[:32] + scalar.to_bytes(32, "little")
    note = f"{BODY}\n\n— {NAME} {base64.b64encode(forged).decode()}\n"
    with pytest.raises(CheckFailed, match="is wrong"):
        Checkpoint.read(note.encode(), [KEY])


@given(st.data())
def test_no_changed_byte_passes(data: st.DataObject) -> None:
    raw = bytearray(NOTE.encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CheckFailed):
        Checkpoint.read(bytes(raw), [KEY])


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_whatever_is_no_note_is_refused_in_one_sentence(raw: bytes) -> None:
    with pytest.raises(CheckFailed):
        Checkpoint.read(raw, [KEY])


@pytest.mark.parametrize(
    "text",
    ["", "name", PETER.replace("c74f20a3", "c74f20a4"), PETER[:-4], "a b+" + PETER.partition("+")[2], "+" + PETER],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="key of"):
        NoteKey.read(text)


def test_a_proof_is_read_as_it_was_written_and_checked() -> None:
    assert PROOF.text.startswith("c2sp.org/tlog-proof@v1\nindex 0\n")
    assert InclusionProof.read(PROOF.text) == PROOF
    assert PROOF.check(LEAF, [KEY]) == CHECKPOINT
    with_extra = PROOF.text.replace("index", "extra YQ==\nindex", 1)
    assert InclusionProof.read(with_extra) == PROOF
    with pytest.raises(CheckFailed, match="leads to another root"):
        PROOF.check(leaf_hash(b"three"), [KEY])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("index 0", "index 00"),
        ("index 0", "index -0"),
        ("index 0", f"index {2**64}"),
        ("index 0", "index"),
        ("index 0\n", ""),
        ("@v1", "@v2"),
        ("=\n\n", "\n\n"),
        ("\n\n", "\n"),
        ("index 0\n", "index 0\n" + "A" * 43 + "=\n" * 64),
    ],
)
def test_what_is_no_proof_is_refused(old: str, new: str) -> None:
    assert old in PROOF.text
    with pytest.raises(CheckFailed):
        InclusionProof.read(PROOF.text.replace(old, new)).check(LEAF, [KEY])


def test_an_empty_log_has_a_checkpoint_and_no_leaf() -> None:
    empty = InclusionProof(0, [], Checkpoint(NAME, 0, EMPTY).sign(PRIVATE))
    with pytest.raises(CheckFailed, match="has no leaf 0"):
        empty.check(LEAF, [KEY])


@pytest.mark.parametrize(
    ("piece", "path"),
    [
        (Piece(0, 0), "tile/0/000"),
        (Piece(1, 1234067), "tile/1/x001/x234/067"),
        (Piece(None, 273, 112), "tile/entries/273.p/112"),
        (Piece(63, 999, 1), "tile/63/999.p/1"),
    ],
)
def test_pieces_lie_where_the_specification_says(piece: Piece, path: str) -> None:
    assert piece.path == path
    assert Piece.at(path) == piece


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/64/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/01",
        "tile/0/../000",
        "tile/0/000\n",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/data/000",
    ],
)
def test_every_other_path_is_none(path: str) -> None:
    assert Piece.at(path) is None


def test_a_tree_of_70000_has_the_tiles_of_the_specification_s_example() -> None:
    tiles = [piece for piece in pieces_of(70_000) if piece.level is not None]
    assert sum(piece.level == 0 and piece.width == 256 for piece in tiles) == 273
    partial = [(piece.level, piece.n, piece.width) for piece in tiles if piece.width < 256]
    assert partial == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert sum(piece.level == 1 and piece.width == 256 for piece in tiles) == 1
    assert sum(piece.level is None for piece in pieces_of(70_000)) == 274
    assert [piece.path for piece in pieces_of(256)] == ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"]
    assert list(pieces_of(0)) == []
