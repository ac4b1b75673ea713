"""Two states of a log: the larger begins with the smaller, or both together prove a fork."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.cli import run
from demur.errors import CheckFailed, UsageError
from demur.transparency.checkpoint import Checkpoint, InclusionProof
from demur.transparency.comparing import Compared, compare
from demur.transparency.cosignature import WitnessKey, cosign
from demur.transparency.note import NoteKey
from demur.transparency.rotation import Rotation
from demur.transparency.tiles import TileNodes, pieces_of, tile_root
from demur.transparency.tree import EMPTY, inclusion_proof, leaf_hash, root_at

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "demur/00/1"
KEY = NoteKey.of(NAME, PRIVATE)
HASHES = [leaf_hash(b"%d" % number) for number in range(700)]
OTHERS = [*HASHES[:400], *(leaf_hash(b"other %d" % number) for number in range(300))]


def nodes_of(hashes: list[bytes]) -> TileNodes:
    """A tree by its leaves."""

    def of(level: int, n: int) -> list[bytes]:
        if level == 0:
            return hashes[256 * n : 256 * n + 256]
        return [tile_root(hashes[256 * at : 256 * at + 256]) for at in range(len(hashes) // 256)]

    return TileNodes(of)


def checkpoint(size: int, hashes: list[bytes]) -> str:
    return Checkpoint(NAME, size, root_at(nodes_of(hashes), size)).sign(PRIVATE)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a log as files."""

    def write(size: int, hashes: list[bytes] = HASHES) -> Path:
        to = tmp_path / f"log-{len(list(tmp_path.iterdir()))}"
        for piece in pieces_of(size):
            if piece.level is not None:
                path = to / piece.path
                path.parent.mkdir(parents=True, exist_ok=True)
                whole = hashes if piece.level == 0 else [tile_root(hashes[at : at + 256]) for at in (0, 256)]
                path.write_bytes(b"".join(whole[256 * piece.n : 256 * piece.n + piece.width]))
        (to / "checkpoint").write_text(checkpoint(size, hashes))
        return to

    return write


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a text."""

    def write(text: str) -> Path:
        path = tmp_path / f"file-{len(list(tmp_path.iterdir()))}"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("size", [1, 255, 256, 257, 400, 513, 700])
def test_a_log_begins_with_what_it_was(size: int, folder: Callable[..., Path], file: Callable[[str], Path]) -> None:
    earlier = file(checkpoint(size, HASHES))
    assert compare(earlier, folder(700), KEY) == Compared((size, 700), same=True)
    assert compare(folder(700), folder(size), KEY) == Compared((700, size), same=True)


@pytest.mark.parametrize(("size", "same"), [(400, True), (401, False), (512, False), (700, False)])
def test_a_fork_is_seen_from_where_it_parts(
    size: int,
    same: bool,  # noqa: FBT001  # a column
    folder: Callable[..., Path],
    file: Callable[[str], Path],
) -> None:
    assert compare(file(checkpoint(size, OTHERS)), folder(700), KEY).same is same


def test_two_roots_of_one_size_are_a_fork_without_any_tile(file: Callable[[str], Path]) -> None:
    one, other = file(checkpoint(500, HASHES)), file(checkpoint(500, OTHERS))
    assert not compare(one, other, KEY).same
    assert compare(one, one, KEY).same


def test_every_log_begins_with_the_empty_one(file: Callable[[str], Path]) -> None:
    large = file(checkpoint(500, HASHES))
    assert compare(file(Checkpoint(NAME, 0, EMPTY).sign(PRIVATE)), large, KEY).same
    assert not compare(file(Checkpoint(NAME, 0, bytes(32)).sign(PRIVATE)), large, KEY).same


def test_a_receipt_and_a_proof_are_a_state_as_well(folder: Callable[..., Path], file: Callable[[str], Path]) -> None:
    hashes = inclusion_proof(nodes_of(HASHES), 7, 300)
    proof = InclusionProof(7, hashes, checkpoint(300, HASHES)).text
    for text in (proof, json.dumps({"signed": {"proof": proof}})):
        assert compare(file(text), folder(700), KEY) == Compared((300, 700), same=True)


def test_a_key_that_was_rotated_since_is_followed(folder: Callable[..., Path], file: Callable[[str], Path]) -> None:
    """Whichever of the keys one has: the larger state, or a receipt, says how one followed the other."""
    following = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
    new = NoteKey.of(NAME, following)
    rotation = Rotation.make(NAME, 500, PRIVATE, following)
    large, early = folder(700), file(checkpoint(300, HASHES))
    said = Checkpoint(NAME, 700, root_at(nodes_of(HASHES), 700))
    (large / "checkpoint").write_text(said.sign(following))
    for key in (KEY, new):
        with pytest.raises(CheckFailed, match="No known key signed"):
            compare(early, large, key)
    (large / "rotations.json").write_text(json.dumps([rotation.json]))
    for key in (KEY, new):
        assert compare(early, large, key) == Compared((300, 700), same=True)
        assert compare(file(checkpoint(400, OTHERS)), large, key).same
        assert not compare(file(checkpoint(450, OTHERS)), large, key).same, "a fork by the old key, while it counted"
        with pytest.raises(CheckFailed, match="does not count there"):
            compare(file(checkpoint(600, HASHES)), large, key)
    proof = InclusionProof(7, inclusion_proof(nodes_of(HASHES), 7, 700), said.sign(following)).text
    receipt = file(json.dumps({"signed": {"proof": proof}, "rotations": [rotation.json]}))
    assert compare(receipt, large, KEY).same
    (large / "rotations.json").unlink()
    assert compare(early, large, new, [rotation]).same


def test_two_rotations_of_one_key_are_a_fork(folder: Callable[..., Path]) -> None:
    """The longer chain does not win: where two part, the key that signed both ways proves it."""
    one, other, third = (Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at in (1, 2, 3))
    first, second = Rotation.make(NAME, 500, PRIVATE, one), Rotation.make(NAME, 500, PRIVATE, other)
    longer, later = Rotation.make(NAME, 600, one, third), Rotation.make(NAME, 400, PRIVATE, one)
    small, large = folder(300), folder(700)
    said = Checkpoint(NAME, 700, root_at(nodes_of(HASHES), 700))
    (large / "checkpoint").write_text(said.sign(third))
    (large / "rotations.json").write_text(json.dumps([first.json, longer.json]))
    for parts in (second, later):
        (small / "rotations.json").write_text(json.dumps([parts.json]))
        with pytest.raises(CheckFailed, match=r"was rotated twice, at entry .*one of the two is a fork"):
            compare(small, large, KEY)
    (small / "rotations.json").write_text(json.dumps([first.json]))
    for key in (KEY, NoteKey.of(NAME, one)):
        assert compare(small, large, key) == Compared((300, 700), same=True)
    strange = Rotation.make("demur/01/1", 500, PRIVATE, other)
    assert compare(small, large, KEY, [strange]).same, "another log's says nothing"


def test_a_cosigned_state_is_a_state_as_well(folder: Callable[..., Path], file: Callable[[str], Path]) -> None:
    large = folder(700)
    for size, hashes, same in ((300, HASHES, True), (500, OTHERS, False)):
        text = Checkpoint(NAME, size, root_at(nodes_of(hashes), size)).text
        line = cosign(text, WitnessKey.of("w.example/1", PRIVATE), PRIVATE, 1_796_000_000)
        assert compare(file(checkpoint(size, hashes) + line), large, KEY).same is same


def test_what_can_not_be_said_is_not_said(folder: Callable[..., Path], file: Callable[[str], Path]) -> None:
    small, large = file(checkpoint(300, HASHES)), file(checkpoint(700, HASHES))
    with pytest.raises(UsageError, match="give the folder that `demur log export` wrote for the larger one"):
        compare(small, large, KEY)
    whole = folder(700)
    (whole / "tile/0/001").write_bytes(b"".join(OTHERS[256:512]))
    with pytest.raises(UsageError, match="are not those of its checkpoint"):
        compare(small, whole, KEY)
    (whole / "tile/0/001").write_bytes(bytes(100))
    with pytest.raises(UsageError, match=r"lacks tile/0/001, or it is cut short"):
        compare(small, whole, KEY)
    with pytest.raises(UsageError, match="can't be read"):
        compare(small, whole / "tile", KEY)
    with pytest.raises(CheckFailed, match="No known key signed"):
        compare(small, large, NoteKey(NAME, bytes(32)))
    for text in ("", "{}", "c2sp.org/tlog-proof@v1\n", '{"signed": {"proof": 1}}'):
        with pytest.raises(CheckFailed):
            compare(file(text), large, KEY)


def test_the_command_needs_no_workspace(
    folder: Callable[..., Path], file: Callable[[str], Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = file(KEY.text)
    whole, earlier, forked = folder(700), file(checkpoint(300, HASHES)), file(checkpoint(500, OTHERS))
    nowhere = ["-w", str(tmp_path / "none")]
    assert run(["log", "compare", str(earlier), str(whole), "--key", str(key), *nowhere]) == 0
    assert capsys.readouterr().out == "One log: 700 entries, which begin with the 300 of the other one.\n"
    assert run(["log", "compare", str(forked), str(whole), "--key", KEY.text, *nowhere]) == 1
    assert "FORK: the log's key signed both" in capsys.readouterr().err
    assert run(["log", "compare", str(forked), str(whole), *nowhere]) == 2
