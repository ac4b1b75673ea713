"""The tree of the subjects of rows that come in any order: sorted on disk, then made in one pass.

Invariants: memory does not grow with the keys; what a proof is made of is made in the same way as the root that a
manifest names, by the same lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from demur.identity import SubjectKeys
from demur.versions.sorting import Records, Sorter, as_strings
from demur.versions.subjects import DIGEST_BYTES, Proof, bits_for, digests_of, prove

KEY_BYTES: Final = 8
_NOBODY: Final[SubjectKeys] = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Tree:
    """The tree of a version's subjects (:mod:`demur.versions.subjects`)."""

    subjects: int
    """How many subject keys."""
    bits: int
    root: bytes
    proofs: list[Proof]
    """Of the keys that were asked for, in their order."""


class Subjects:
    """A bag of subject keys; each counts once."""

    def __init__(self, folder: Path) -> None:
        """Spools to ``folder``: 8 bytes for each key that is added, and 16 for each that there is."""
        self._folder = folder
        self._keys = Sorter(folder, "subjects", KEY_BYTES)

    def add(self, keys: SubjectKeys) -> None:
        """Put keys, shape (n,), into the bag.

        Raises:
            CorpusError: when the disk is full.
        """
        self._keys.add(big_endian(keys))

    def ascending(self) -> Iterator[Records]:
        """The keys, ascending and once each, shape (n, 8).

        Raises:
            CorpusError: when the disk is full.
        """
        for keys in self._keys.sorted():
            yield np.unique(as_strings(keys)).view(np.uint8).reshape(-1, KEY_BYTES)

    def tree(self, salt: bytes, shown: SubjectKeys = _NOBODY) -> Tree:
        """The tree of the keys under a salt, with a proof for each of the keys ``shown``, shape (n,).

        Raises:
            CorpusError: when the disk is full.
        """
        digests, count = Sorter(self._folder, "places", DIGEST_BYTES), 0
        for keys in self.ascending():
            digests.add(digests_of(salt, keys))
            count += len(keys)
        bits = bits_for(count)
        wanted = [digest.tobytes() for digest in digests_of(salt, big_endian(shown))]
        return Tree(count, bits, *prove(digests.sorted(), bits, wanted))


def big_endian(keys: SubjectKeys) -> Records:
    """The 8 bytes of each key, most significant first; shape (n, 8)."""
    return keys.astype(">i8").view(np.uint8).reshape(-1, KEY_BYTES)
