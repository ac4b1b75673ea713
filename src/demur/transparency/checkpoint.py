"""Checkpoints (C2SP tlog-checkpoint 1.0.0) and proofs of inclusion that stand alone (C2SP tlog-proof).

Invariants: a checkpoint is believed after its signature alone; whoever checks a proof takes size and root from the
signed checkpoint in it, and compares the origin with the one that is expected.
"""

import base64
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import CheckFailed
from demur.transparency.note import NoteKey, decoded, open_note, sign_note
from demur.transparency.tree import HASH_BYTES, check_inclusion

PROOF: Final = "c2sp.org/tlog-proof@v1"
"""The first line of a proof of inclusion."""
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_MOST: Final = 2**63
_MOST_HASHES: Final = 63


@dataclass(frozen=True)
class Checkpoint:
    """What a log says that it is, at one size."""

    origin: str
    """Which log."""
    size: int
    """How many leaves its tree has."""
    root: bytes
    """The tree's root, 32 bytes."""

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, private: Ed25519PrivateKey) -> str:
        """The note, signed by the log's key, whose name is the origin."""
        return sign_note(self.text, NoteKey.of(self.origin, private), private)

    @classmethod
    def read(cls, note: bytes, keys: Iterable[NoteKey]) -> Self:
        """The checkpoint in a note that a known key signed; further lines in it are signed, and mean nothing here.

        Raises:
            CheckFailed: when it is none, no known key signed it, or it is of a log that no known key is of.
        """
        known = list(keys)
        return cls.parse(open_note(note, known), {key.name for key in known})

    @classmethod
    def parse(cls, text: str, origins: Collection[str]) -> Self:
        """The checkpoint in the text of a note, whose signature the caller has checked, of one of some logs.

        Raises:
            CheckFailed: when it is none, or of another log.
        """
        origin, *rest = text.removesuffix("\n").split("\n")
        if origin not in origins:
            raise CheckFailed("The checkpoint is of another log.")
        if len(rest) < 2 or not all((origin, *rest)):  # noqa: PLR2004  # size and root
            raise CheckFailed("The checkpoint lacks a line: origin, size and root.")
        size = number(rest[0])
        try:
            root = decoded(rest[1])
        except ValueError:
            root = b""
        if size is None or len(root) != HASH_BYTES:
            raise CheckFailed("The checkpoint's size is no number, or its root no hash.")
        return cls(origin, size, root)


@dataclass(frozen=True)
class InclusionProof:
    """That some leaf is in a log, as one text that can be checked offline."""

    index: int
    """Its place, from 0."""
    hashes: Sequence[bytes]
    """From the leaf's neighbour up to below the root."""
    note: str
    """The signed checkpoint that it leads to."""

    @property
    def text(self) -> str:
        """As it is handed out."""
        lines = [
            PROOF,
            f"index {self.index}",
            *(base64.b64encode(each).decode() for each in self.hashes),
            "",
            self.note,
        ]
        return "\n".join(lines)

    @classmethod
    def read(cls, text: str) -> Self:
        """A proof, unchecked; extra data in it are left out, as nobody signed them.

        Raises:
            CheckFailed: when it is none.
        """
        head, gap, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        if lines and lines[0].startswith("extra "):
            del lines[0]
        if first != PROOF or not gap or not lines or len(lines) > 1 + _MOST_HASHES:
            raise CheckFailed(f"The proof is none of {PROOF}.")
        said, *encoded = lines
        index = number(said.removeprefix("index ")) if said.startswith("index ") else None
        if index is None:
            raise CheckFailed("The proof's index is no number.")
        try:
            hashes = [decoded(each) for each in encoded]
        except ValueError:
            raise CheckFailed("A hash of the proof can't be read.") from None
        return cls(index, hashes, note)

    def check(self, leaf: bytes, keys: Iterable[NoteKey]) -> Checkpoint:
        """Check that a leaf, by its hash, is in a log whose key is known; the checkpoint that says so.

        Raises:
            CheckFailed: when it does not show that.
        """
        checkpoint = Checkpoint.read(self.note.encode(), keys)
        check_inclusion(leaf, self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def number(text: str) -> int | None:
    """A number from 0 to 2^63 - 1 in its one decimal form; None for any other text."""
    found = int(text) if _NUMBER.fullmatch(text) else _MOST
    return found if found < _MOST else None
