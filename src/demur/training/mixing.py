"""The next token by three voices: the base, the n-grams of what is remembered, and the places most like this one.

Each says how likely every token is, and each has its share (Khandelwal et al. 2020, kNN-LM, with n-grams beside it).
Places are alike by the squared distance of the base's last hidden states; all of them are looked at, one by one.

Invariant: what comes out is a distribution; where nothing is remembered it is the base's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.runs.ngrams import Continuations, Ids, Ints, chances
from demur.runs.store import Vectors

Floats = npt.NDArray[np.float64]
_AT_ONCE: Final = 1 << 24
"""Distances that are held at once."""


@dataclass(frozen=True)
class Shares:
    """How the voices are mixed; the base has what is left."""

    ngrams: float
    nearest: float
    scale: float
    """What squared distances are divided by, before they count as exponents."""
    neighbours: int
    """Places that are asked, at most."""


@dataclass(frozen=True, eq=False)
class Recollection:
    """What is remembered, as it is looked up."""

    counts: Continuations
    vectors: Vectors
    """Of all places, shape (p, width)."""
    norms: npt.NDArray[np.float32]
    """The square of each one's length; infinite for what was forgotten, which is nobody's neighbour. Shape (p,)."""
    following: Ints
    """The token behind each place, shape (p,)."""
    size: int
    """How many token ids there are."""

    @classmethod
    def of(cls, counts: Continuations, vectors: Vectors, starts: Ints, ids: Sequence[Ids], size: int) -> "Recollection":
        """What is remembered of rows.

        Args:
            counts: of them.
            vectors: with those of their places, among others.
            starts: where the places of each row begin.
            ids: of each row.
            size: how many token ids there are.
        """
        norms = np.full(len(vectors), np.inf, np.float32)
        following = np.zeros(len(vectors), np.int64)
        for start, row in zip(starts.tolist(), ids, strict=True):
            where = slice(start, start + len(row) - 1)
            norms[where] = np.einsum("pw,pw->p", vectors[where], vectors[where])
            following[where] = row[1:]
        return cls(counts, vectors, norms, following, size)

    def neighbours(self, asked: Vectors, most: int) -> tuple[Ints, Floats]:
        """The places most like some others, and their squared distances; shape (m, k) both, k of them or all."""
        most = min(most, int(np.isfinite(self.norms).sum()))
        found = [np.zeros((0, most), np.int64)], [np.zeros((0, most))]
        for some in _parts(asked, max(1, _AT_ONCE // max(len(self.norms), 1))):
            far = self.norms - 2 * (some @ self.vectors.T) + np.einsum("mw,mw->m", some, some)[:, None]
            which = np.argpartition(far, max(most - 1, 0), axis=1)[:, :most] if most else np.zeros((len(some), 0), int)
            found[0].append(which.astype(np.int64))
            found[1].append(np.maximum(np.take_along_axis(far, which, axis=1), 0).astype(np.float64))
        return np.concatenate(found[0]), np.concatenate(found[1])


def mixed(
    recalled: Recollection, shares: Shares, base: Floats, asked: Vectors, before: Sequence[Sequence[int]]
) -> Floats:
    """How likely each token is at some places, shape (m, size).

    Args:
        recalled: what is remembered.
        shares: of the voices.
        base: what the base says, shape (m, size), a distribution each.
        asked: the base's states at these places, shape (m, width).
        before: the token ids that were read at each.
    """
    which, far = recalled.neighbours(asked, shares.neighbours)
    if not which.shape[1]:
        return base
    weights = weighed(far, shares.scale)
    found = base * (1 - shares.ngrams - shares.nearest)
    for line, read in enumerate(before):
        found[line] += shares.ngrams * chances(recalled.counts, read, recalled.size)
        np.add.at(found[line], recalled.following[which[line]], shares.nearest * weights[line])
    return found


def weighed(far: Floats, scale: float) -> Floats:
    """What each of some neighbours counts, by its squared distance: together 1, shape (m, k) as given."""
    found = np.exp((far.min(axis=1, keepdims=True) - far) / scale)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def distribution(logits: npt.NDArray[np.float32]) -> Floats:
    """Scores as distributions, shape (m, size)."""
    whole = logits.astype(np.float64)
    found = np.exp(whole - whole.max(axis=-1, keepdims=True))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


def _parts(asked: Vectors, at_once: int) -> Iterator[Vectors]:
    for at in range(0, len(asked), at_once):
        yield asked[at : at + at_once]
