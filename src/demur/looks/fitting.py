"""Which of the matches between two pictures agree on one way to lay the one upon the other.

A similarity (turn, scale, shift) follows from two matches; each pair of the best ones is tried, and the one that most
others agree with is refined to an affine map by least squares: RANSAC (Fischler and Bolles, 1981) without its chance.
Invariants: pure; the answer depends on the set of matches, not on their order.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.float64]
"""Across and down, in 4,096th parts of a picture's longest side; shape (n, 2)."""
Affine = npt.NDArray[np.float64]
"""What lays places of one picture upon another: ``places @ map[:2] + map[2]``; shape (3, 2)."""

LEAST: Final = 6
"""Matches below which nothing is fitted."""

_TRIED: Final = 48
"""Best matches of which each pair is tried."""
_APART: Final = 160.0
"""Distance of the two matches of a pair: nearer ones say little of turn and scale."""
_NEAR: Final = 48.0
"""How far from its place a match may be, at scale 1."""
_SCALES: Final = (0.1, 8.0)
_STRETCH: Final = 1.5
"""How much more an affine map may stretch one way than the other."""
_CELL: Final = 128.0
"""Matches nearer than this to each other count once."""


class Fit(NamedTuple):
    """The best way to lay one picture upon another."""

    map: Affine
    agreeing: int
    """Matches that agree with it, those in one place counted once."""


def fit(one: Places, other: Places, cost: npt.NDArray[np.int64]) -> Fit | None:
    """The map from places of one picture to those of another, or nothing where no two matches give one.

    Args:
        one: places of the matches in the first picture.
        other: the same in the second.
        cost: of each match, lower is better, shape (n,).
    """
    if len(one) < LEAST:
        return None
    order = np.lexsort((*one.T, *other.T, cost))
    one, other = one[order], other[order]
    z, w = one[:, 0] + 1j * one[:, 1], other[:, 0] + 1j * other[:, 1]
    i, j = np.triu_indices(min(len(z), _TRIED), 1)
    wide = (np.abs(z[i] - z[j]) >= _APART) & (np.abs(w[i] - w[j]) > 0)
    i, j = i[wide], j[wide]
    if not len(i):
        return None
    turn = (w[i] - w[j]) / (z[i] - z[j])
    size = np.abs(turn)
    kept = (size > _SCALES[0]) & (size < _SCALES[1])
    if not kept.any():
        return None
    turn, size, shift = turn[kept], size[kept], (w[i] - turn * z[i])[kept]
    far = np.abs(turn[:, None] * z + shift[:, None] - w)
    agree = far <= (_NEAR * np.clip(size, 0.5, 2.0))[:, None]
    count = agree.sum(axis=1)
    best = int(np.lexsort((np.where(agree, far, 0).sum(axis=1), -count))[0])
    a, b = turn[best], shift[best]
    found = np.array([[a.real, a.imag], [-a.imag, a.real], [b.real, b.imag]])
    return _refined(one, other, found, agree[best])


def _refined(one: Places, other: Places, found: Affine, agree: npt.NDArray[np.bool_]) -> Fit:
    """The affine map of least squares through what agrees, where that is near a similarity and nothing is lost."""
    for _ in range(2):
        if _distinct(one[agree], other[agree]) < LEAST:
            break
        source = np.column_stack([one[agree], np.ones(agree.sum())])
        better = np.linalg.lstsq(source, other[agree], rcond=None)[0]
        stretch = np.linalg.svd(better[:2], compute_uv=False)
        if stretch[0] > _STRETCH * stretch[1]:
            break
        size = np.sqrt(stretch[0] * stretch[1])
        near = np.hypot(*(laid(better, one) - other).T) <= _NEAR * np.clip(size, 0.5, 2.0)
        if near.sum() < agree.sum():
            break
        found, agree = better, near
    return Fit(found, _distinct(one[agree], other[agree]))


def laid(found: Affine, places: Places) -> Places:
    """Where a map lays places of the first picture."""
    return np.asarray(places @ found[:2] + found[2])


def _distinct(one: Places, other: Places) -> int:
    """How many matches there are in different places of both pictures: the fewer of the two counts."""
    return min(len(np.unique((each // _CELL).astype(np.int64), axis=0)) for each in (one, other)) if len(one) else 0
