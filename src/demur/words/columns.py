"""The words of rows as a column of the corpus, by which every row is found that holds a word.

Invariants: what stands there is a function of the row's text and of its pictures' descriptions; a part of a key is
kept, so that a look-up may find rows which hold the word not: whoever looks up reads them again.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.identity import ascending

Ints = npt.NDArray[np.int64]
Integers = npt.NDArray[np.integer]

BITS: Final = 26
"""Bits that are kept of a key; the column takes as many. Of 20 million, one in three has another one's bits."""
_ROW_BITS: Final = 32 - BITS
_GATE: Final = (16, 24)
"""Bits by which nearly all keys are told from those that are looked for, of few keys and of many; a table of 64 kB
stays in the cache, and one of 16 MB is still ten times as fast as a search."""
_SPARSE: Final = 5
"""Bits more than the keys need: one in thirty passes for nothing."""


def word_lists(rows: int, *parts: tuple[Integers, Ints]) -> pa.ListArray:
    """The distinct words of each row, as :func:`shortened`, ascending.

    Args:
        rows: how many there are.
        parts: the row and the key of each word, of texts and of descriptions.
    """
    row = np.concatenate([part[0].astype(np.int64) for part in parts])
    key = np.concatenate([shortened(part[1]) for part in parts]).astype(np.uint32)
    row, key = _ascending(row, key)
    offsets = np.append(0, np.cumsum(np.bincount(row, minlength=rows))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(key.astype(np.int32)))


def _ascending(row: Ints, key: npt.NDArray[np.uint32]) -> tuple[Ints, npt.NDArray[np.uint32]]:
    """Rows and shortened keys, ascending and each pair once.

    Sorted are a few rows at a time, whose numbers fit into the 32 bits beside the keys: a sixth of the time of a sort
    of them all.
    """
    if (row[1:] < row[:-1]).any():
        order = np.argsort(row, kind="stable")  # some ascending runs, one behind the other, which it merges
        row, key = row[order], key[order]
    few = row >> _ROW_BITS
    both = (row & (2**_ROW_BITS - 1)).astype(np.uint32) << np.uint32(BITS) | key
    begins = np.flatnonzero(np.diff(few, prepend=-1))
    for begin, end in pairwise([*begins.tolist(), len(both)]):
        both[begin:end].sort()
    fresh = np.ones(len(both), bool)
    fresh[1:] = both[1:] != both[:-1]
    fresh[begins] = True
    both, few = both[fresh], few[fresh]
    return few << _ROW_BITS | (both >> np.uint32(BITS)).astype(np.int64), both & np.uint32(2**BITS - 1)


def in_rows(lists: pa.ListArray | pa.ChunkedArray) -> tuple[Ints, np.ndarray]:
    """The row of every value of a column of lists, and the values, which are not null; shape (n,) both."""
    whole = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    lengths = whole.value_lengths().to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(whole)), lengths), whole.flatten().to_numpy(zero_copy_only=False)


def shortened(keys: Ints) -> npt.NDArray[np.int32]:
    """The lower :data:`BITS` of keys, as int32."""
    lower: npt.NDArray[np.int32] = (keys & (2**BITS - 1)).astype(np.int32)
    return lower


class Wanted:
    """Keys that are looked for in such a column, as :func:`shortened`, shape (n,)."""

    def __init__(self, keys: np.ndarray) -> None:
        self._keys = ascending(keys.astype(np.int64)).astype(np.int32)
        bits = min(max(len(self._keys).bit_length() + _SPARSE, _GATE[0]), _GATE[1])
        self._low = np.int32(2**bits - 1)
        self._gate = np.zeros(2**bits, bool)
        self._gate[self._keys & self._low] = True

    def rows(self, lists: pa.ListArray) -> npt.NDArray[np.int64]:
        """The rows of a column that hold one of them, ascending."""
        values = lists.flatten().to_numpy(zero_copy_only=False)
        at = np.flatnonzero(self._gate[values & self._low])
        place = np.searchsorted(self._keys, values[at])
        at = at[self._keys.take(place, mode="clip") == values[at]] if len(self._keys) else at
        ends = np.cumsum(lists.value_lengths().to_numpy(zero_copy_only=False))
        row = np.searchsorted(ends, at, side="right")
        return np.asarray(row[np.diff(row, prepend=-1) > 0], np.int64)
