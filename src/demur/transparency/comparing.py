"""Two states of one log, held against each other: does the larger one begin with the smaller, or is it a fork?

Invariants: both are believed after their signatures alone; a fork is said only where the log's own key signed both, so
that the two files prove it to whoever has the key; two rotations of one key are one, too; where the hashes that it
takes are not there, nothing is said.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from demur.errors import CheckFailed, UsageError
from demur.transparency.checkpoint import Checkpoint, InclusionProof
from demur.transparency.note import NoteKey
from demur.transparency.rotation import FILE, KeyHistory, Rotation, read_all
from demur.transparency.tiles import Piece, TileNodes, split, width_at
from demur.transparency.tree import EMPTY, HASH_BYTES, check_consistency, consistency_proof, root_at

CHECKPOINT: Final = "checkpoint"
"""Its name in a folder."""
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Compared:
    """What two states of a log are to each other."""

    sizes: tuple[int, int]
    """Entries of the first and of the second one."""
    same: bool
    """Whether the larger one begins with the smaller one; else one of the two is a fork."""


@dataclass(frozen=True)
class _State:
    path: Path
    said: Checkpoint

    def root(self, size: int) -> bytes:
        """The root of its first entries, from the tiles beside it.

        Raises:
            UsageError: when they are not there, or not those that were signed.
        """
        if not self.path.is_dir():
            raise UsageError(
                f"{self.path} is of {self.said.size:,} entries, the other one of {size:,}: to compare them, give the "
                "folder that `demur log export` wrote for the larger one."
            )
        nodes = TileNodes(self._hashes)
        root, proof = root_at(nodes, size), consistency_proof(nodes, size, self.said.size)
        try:
            check_consistency(size, self.said.size, proof, root, self.said.root)
        except CheckFailed:
            raise UsageError(
                f"The tiles in {self.path} are not those of its checkpoint: get that folder anew."
            ) from None
        return root

    def _hashes(self, level: int, n: int) -> Sequence[bytes]:
        width = width_at(level, n, self.said.size)
        for piece in (Piece(level, n, width), Piece(level, n)):  # a partial one may have given way to the full one
            path = self.path / piece.path
            if path.is_file():
                hashes = split(path.read_bytes())
                if len(hashes) == piece.width and len(hashes[-1]) == HASH_BYTES:
                    return hashes[:width]
        raise UsageError(f"{self.path} lacks {Piece(level, n, width).path}, or it is cut short: get that folder anew.")


def compare(one: Path, other: Path, key: NoteKey, rotations: Sequence[Rotation] = ()) -> Compared:
    """Compare two states of a log: each a folder of `demur log export`, a checkpoint, a proof, or a receipt.

    Args:
        one: the first.
        other: the second.
        key: one of the log's.
        rotations: how its key was rotated, as far as that is known besides what receipts and folders say.

    Raises:
        UsageError: when one is none of these, or the tiles that it takes are not there.
        CheckFailed: when the key did not sign one of them, or was rotated in two ways.
    """
    history = _history(key, [rotations, _rotations(one), _rotations(other)])
    states = _State(one, _read(one, history)), _State(other, _read(other, history))
    smaller, larger = sorted(states, key=lambda state: state.said.size)
    sizes = (states[0].said.size, states[1].said.size)
    if sizes[0] == sizes[1]:
        return Compared(sizes, smaller.said.root == larger.said.root)
    if smaller.said.size == 0:
        return Compared(sizes, smaller.said.root == EMPTY)
    return Compared(sizes, larger.root(smaller.said.size) == smaller.said.root)


def _history(key: NoteKey, said: Sequence[Sequence[Rotation]]) -> KeyHistory:
    """The keys of the log, by all that is known of how they followed one another.

    Raises:
        CheckFailed: when one of them was rotated in two ways, which it signed both.
    """
    whole = dict[NoteKey, Rotation]()
    for chain in said:
        try:
            KeyHistory.of(key, chain)
        except CheckFailed:  # it is another log's, or somebody else's: it says nothing
            continue
        for each in chain:
            known = whole.setdefault(each.old, each)
            if (known.new, known.size) != (each.new, each.size):
                raise CheckFailed(
                    f"The log's key {each.old.name}+{each.old.id.hex()} was rotated twice, at entry {known.size:,} and "
                    f"at entry {each.size:,}: one of the two is a fork. The key signed both; keep the two files."
                )
    return KeyHistory.of(key, sorted(whole.values(), key=lambda each: each.size))


def _rotations(path: Path) -> Sequence[Rotation]:
    """How the key was rotated, by what lies beside a checkpoint or in a receipt; none where nothing can be read."""
    file = path / FILE if path.is_dir() else path
    with suppress(OSError, ValueError, CheckFailed, AttributeError):
        said = orjson.loads(_bytes(file))
        return read_all(said if path.is_dir() else said.get("rotations", []))
    return ()


def _bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MOST_BYTES)


def _read(path: Path, history: KeyHistory) -> Checkpoint:
    """The checkpoint at a place."""
    file = path / CHECKPOINT if path.is_dir() else path
    try:
        raw = _bytes(file)
    except OSError as error:
        raise UsageError(f"{file} can't be read ({error.strerror}): name a checkpoint, or a folder of one.") from None
    try:
        return history.read(_note(raw))
    except CheckFailed as error:
        raise CheckFailed(f"{path}: {error}") from None


def _note(raw: bytes) -> bytes:
    """The checkpoint in a receipt or a proof; else it is one."""
    with suppress(ValueError, KeyError, TypeError):  # else it is no receipt
        raw = str(orjson.loads(raw)["signed"]["proof"]).encode()
    if not raw.startswith(b"c2sp.org/tlog-proof@"):
        return raw
    return InclusionProof.read(raw.decode(errors="replace")).note.encode()
