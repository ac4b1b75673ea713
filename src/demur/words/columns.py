"""The words of rows as a column of the corpus, by which every row is found that holds a word.

Invariants: what stands there is a function of the row's text and of its pictures' descriptions; a part of a key is
kept, so that a look-up may find rows which hold the word not: whoever looks up reads them again.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Integers = npt.NDArray[np.integer]

BITS: Final = 26
"""Bits that are kept of a key; the column takes as many. Of 20 million, one in three has another one's bits."""
_GATE: Final = 16
"""Bits by which nearly all keys are told from those that are looked for: a table of that size stays in the cache."""


def word_lists(rows: int, *parts: tuple[Integers, Ints]) -> pa.ListArray:
    """The distinct words of each row, as :func:`shortened`, ascending.

    Args:
        rows: how many there are.
        parts: the row and the key of each word, of texts and of descriptions.
    """
    row = np.concatenate([part[0].astype(np.int64) for part in parts])
    key = np.concatenate([shortened(part[1]) for part in parts]).astype(np.int64)
    both = np.sort((row << BITS) + key)  # np.unique hashes first, which takes ten times as long
    both = both[np.diff(both, prepend=-1) > 0]
    row, key = both >> BITS, both & (2**BITS - 1)
    offsets = np.searchsorted(row, np.arange(rows + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(key.astype(np.int32)))


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
        self._keys = np.unique(keys).astype(np.int32)
        self._gate = np.zeros(2**_GATE, bool)
        self._gate[self._keys & (2**_GATE - 1)] = True

    def rows(self, lists: pa.ListArray) -> npt.NDArray[np.int64]:
        """The rows of a column that hold one of them, ascending."""
        values = lists.flatten().to_numpy(zero_copy_only=False)
        at = np.flatnonzero(self._gate[values & (2**_GATE - 1)])
        place = np.searchsorted(self._keys, values[at])
        at = at[self._keys.take(place, mode="clip") == values[at]] if len(self._keys) else at
        ends = np.cumsum(lists.value_lengths().to_numpy(zero_copy_only=False))
        row = np.searchsorted(ends, at, side="right")
        return np.asarray(row[np.diff(row, prepend=-1) > 0], np.int64)
