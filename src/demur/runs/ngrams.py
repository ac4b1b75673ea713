"""How often a token follows the tokens before it: integer counts of n-grams, n from 1 to 4.

A *context* is the tokens before a place, none to three of them, packed into 63 bits. Every place of a row but its first
counts once for each n whose context lies inside the row.

Invariants: counts of rows together are the sums of the counts of each, so that taking a row out is a subtraction, in
any order; two contexts have one number only where they are the same tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
ORDER: Final = 4
"""n at most."""
_BITS: Final = 21
MOST_IDS: Final = (1 << _BITS) - 1
"""Token ids that have a place in a context: fewer than this."""


class Continuations(Protocol):
    """Whatever knows what follows a context."""

    def continuations(self, context: int) -> tuple[Ints, Ints]:
        """The tokens that follow a context, ascending, and how often each does; shape (k,) both."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of some rows: pairs of a context and what follows, once each, ascending."""

    context: Ints
    """Shape (n,)."""
    following: Ints
    """Token ids, shape (n,)."""
    count: Ints
    """From 1, shape (n,)."""

    @classmethod
    def of(cls, rows: Sequence[Ids]) -> Self:
        """The counts of rows, given by the token ids of each."""
        sizes = np.array([len(each) for each in rows], np.int64)
        flat = np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64) + 1
        place = np.arange(len(flat)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        contexts, following = [], []
        packed = np.zeros(len(flat), np.int64)
        for before in range(ORDER):
            if before:
                packed[before:] |= flat[:-before] << (_BITS * (before - 1))
            there = place >= max(before, 1)
            contexts.append(packed[there])
            following.append(flat[there] - 1)
        pairs = np.stack([np.concatenate(contexts), np.concatenate(following)])
        order = np.lexsort((pairs[1], pairs[0]))
        pairs = pairs[:, order]
        new = np.ones(pairs.shape[1], bool)
        new[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
        begins = np.flatnonzero(new)
        return cls(pairs[0, begins], pairs[1, begins], np.diff(np.append(begins, pairs.shape[1])))

    def continuations(self, context: int) -> tuple[Ints, Ints]:
        """The tokens that follow a context, ascending, and how often each does; shape (k,) both."""
        first, end = np.searchsorted(self.context, (context, context + 1))
        return self.following[first:end], self.count[first:end]


def contexts_of(before: Sequence[int]) -> list[int]:
    """The contexts of the place behind some tokens, the shortest first."""
    found, packed = [0], 0
    for far, token in enumerate(reversed(before[-(ORDER - 1) :])):
        packed |= (token + 1) << (_BITS * far)
        found.append(packed)
    return found


def chances(counts: Continuations, before: Sequence[int], size: int) -> npt.NDArray[np.float64]:
    """How likely each token follows, shape (size,): of each n as much as its context was seen (Witten and Bell 1991).

    Args:
        counts: what follows what.
        before: token ids of the text so far.
        size: how many token ids there are.
    """
    found = np.full(size, 1 / size)
    for context in contexts_of(before):
        following, count = counts.continuations(context)
        if not len(following):
            break  # no longer context can have been seen
        whole = int(count.sum()) + len(following)
        found *= len(following) / whole
        found[following] += count / whole
    return found
