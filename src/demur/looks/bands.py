"""Values of 256 bits that are near others, found by 16 bands of 16 bits each, looked up one by one.

Two values that differ in at most 31 bits have a band in which they differ in at most one (multi-index hashing, Norouzi,
Punjani and Fleet, CVPR 2012): whoever looks up each band, and each with one bit turned, misses none of these.
Invariants: read-only arrays, that may be mapped into memory; what is found of a value depends on it and on what is
searched for, never on what else is in the index.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from demur.looks.pdq import Bits, distances

BANDS: Final = 16
_VALUES: Final = 1 << 16
_ONE_TURNED: Final = np.concatenate([[0], 1 << np.arange(16)]).astype(np.uint16)
_CHUNK: Final = 1 << 18
"""Candidates that are compared at once."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bands:
    """An index of values by some of their bands."""

    bits: Bits
    """The values, shape (n, 32)."""
    begins: npt.NDArray[np.int64]
    """Where the entries of each band and value begin in ``entry``, shape (bands, 65537)."""
    entry: npt.NDArray[np.int32]
    """Numbers of values, by band and by what stands in it; shape (bands, n)."""

    @classmethod
    def build(cls, bits: Bits, bands: int = BANDS) -> Self:
        """The index of values by their first bands: with all 16 it is exact, with fewer it is small."""
        words = _words(bits)[:, :bands]
        entry = np.argsort(words, axis=0, kind="stable").T.astype(np.int32)
        counts = [np.bincount(words[:, band], minlength=_VALUES) for band in range(bands)]
        begins = np.zeros((bands, _VALUES + 1), np.int64)
        if counts:
            np.cumsum(np.stack(counts), axis=1, out=begins[:, 1:])
        return cls(np.ascontiguousarray(bits), begins, np.ascontiguousarray(entry))

    def near(self, asked: Bits, within: int, *, turned: bool) -> tuple[Ints, Ints, Ints]:
        """Which values of the index are near which of those asked for.

        Args:
            asked: shape (m, 32).
            within: bits in which they may differ.
            turned: whether bands with one bit turned are looked up, too; then, by all 16 bands, nothing within 31 bits
                is missed.

        Returns:
            Numbers of those asked for, ascending; of those in the index, ascending for each; and the distances.
        """
        probes = _words(asked)[:, : len(self.begins)]
        flips = _ONE_TURNED if turned else _ONE_TURNED[:1]
        parts = [np.zeros((3, 0), np.int64)]
        for band in range(len(self.begins)):
            words = (probes[:, band, None] ^ flips).astype(np.int64)
            low = self.begins[band][words].ravel()
            size = self.begins[band][words + 1].ravel() - low
            which = np.repeat(np.arange(len(size)), size)
            at = np.arange(len(which)) - np.repeat(np.cumsum(size) - size - low, size)
            value = self.entry[band][at].astype(np.int64)
            which //= len(flips)
            for first in range(0, len(which), _CHUNK):
                some = slice(first, first + _CHUNK)
                apart = distances(asked[which[some]], self.bits[value[some]])
                parts.append(np.stack([which[some], value[some], apart])[:, apart <= within])
        near = np.concatenate(parts, axis=1)
        near = near[:, np.lexsort((near[1], near[0]))]
        fresh = (np.diff(near[:2], axis=1, prepend=-1) != 0).any(axis=0)  # several bands find the same
        return near[0, fresh], near[1, fresh], near[2, fresh]


def _words(bits: Bits) -> npt.NDArray[np.uint16]:
    """The bands of values, shape (n, 16)."""
    return np.ascontiguousarray(bits).view(np.uint16)
