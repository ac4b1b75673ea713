"""The last word on each of many keys, in arrays: what a replay has to remember of millions of changes."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[Any]
"""A structured array."""

_SLACK: Final = 200_000
"""Rows that may wait before they are put in order."""


class Latest:
    """Rows of a structured type, of which a later one with the same key takes the place of an earlier one."""

    def __init__(self, dtype: np.dtype[Any], keys: Sequence[str]) -> None:
        self._dtype = dtype
        self._keys = tuple(keys)
        self._settled: Rows = np.empty(0, dtype)
        self._waiting: list[Rows] = []
        self._count = 0

    def put(self, **columns: npt.ArrayLike) -> None:
        """Add rows, given as columns; a single value stands for all of them."""
        shape = max(np.size(column) for column in columns.values())
        if any(np.size(column) == 0 for column in columns.values()):
            return
        rows = np.empty(shape, self._dtype)
        for name, column in columns.items():
            rows[name] = column
        self._waiting.append(rows)
        self._count += shape
        if self._count > len(self._settled) + _SLACK:
            self.rows()

    def rows(self) -> Rows:
        """The last row of each key, sorted by key."""
        if self._waiting:
            every = np.concatenate([self._settled, *self._waiting])
            order = np.lexsort([every[name] for name in reversed(self._keys)])  # stable: the last one stays last
            every = every[order]
            last = np.ones(len(every), np.bool_)
            last[:-1] = np.any([every[name][1:] != every[name][:-1] for name in self._keys], axis=0)
            self._settled, self._waiting, self._count = every[last], [], 0
        return self._settled


def matched(left: Rows, right: Rows, keys: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each row of ``left`` stands in ``right`` by some keys, -1 where it does not; and the other way round.

    Both have each key once.
    """
    both = np.concatenate([left[list(keys)].copy(), right[list(keys)].copy()])
    order = np.lexsort([both[name] for name in reversed(keys)])
    ahead = np.flatnonzero(np.all([both[name][order][1:] == both[name][order][:-1] for name in keys], axis=0))
    here, there = order[ahead], order[ahead + 1] - len(left)
    to_right, to_left = np.full(len(left), -1, np.int64), np.full(len(right), -1, np.int64)
    to_right[here], to_left[there] = there, here
    return to_right, to_left
