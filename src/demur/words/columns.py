"""The words of rows as a column of the corpus, by which an index finds every row that holds a word.

Invariants: what stands there is a function of the row's text and of its pictures' descriptions; half a key is kept,
so that a look-up may find rows which hold the word not: whoever looks up reads them again.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Integers = npt.NDArray[np.integer]


def word_lists(rows: int, *parts: tuple[Integers, Ints]) -> pa.ListArray:
    """The distinct words of each row, as :func:`halves`, ascending.

    Args:
        rows: how many there are.
        parts: the row and the key of each word, of texts and of descriptions.
    """
    row = np.concatenate([part[0].astype(np.int64) for part in parts])
    key = np.concatenate([halves(part[1]) for part in parts]).astype(np.int64)
    both = np.sort((row << 32) + (key + 2**31))  # np.unique hashes first, which takes ten times as long
    both = both[np.diff(both, prepend=-1) > 0]
    row, key = both >> 32, (both & (2**32 - 1)) - 2**31
    offsets = np.searchsorted(row, np.arange(rows + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(key.astype(np.int32)))


def halves(keys: Ints) -> np.ndarray:
    """The lower 32 bits of keys, as int32."""
    return (keys & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
