"""Which originals the features of a picture may point at: those that many of them agree on roughly.

Each pair of like features says how the original would lie: how far it is turned, how large it is, and where its middle
comes. Pairs that say nearly the same fall into one bin (a Hough transform, as Lowe's of 2004; with its direction and
size alone it is the weak geometric consistency of Jégou, Douze and Schmid, 2008). Bins overlap by half each way, so
that no edge of a bin parts two of a kind.

Invariants: pure; what is found of a picture and an original depends on no other original.
"""

from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.looks.looking import UNITS

Ints = npt.NDArray[np.int64]

LEAST: Final = 3
"""Features of the picture in one bin."""
_TURNS: Final = 16
"""Half bins in a turn."""
_SIZES: Final = 128
"""A half bin of sizes: half an octave."""
_PLACES: Final = 1024
"""A half bin of places: a quarter of the picture's longest side."""
_FAR: Final = 1 << 5
"""Half bins each way to the middle of a picture, at most."""


def agreed(group: Ints, feature: Ints, one: Ints, other: Ints, middle: Ints) -> Ints:
    """The groups in which at least three features agree.

    Args:
        group: what each pair of features belongs to: a picture and an original; from 0, shape (n,).
        feature: which feature of the picture it is, shape (n,).
        one: position of the original's feature, shape (n, 4).
        other: position of the picture's feature, shape (n, 4).
        middle: of the original, in its units, shape (n, 2).
    """
    sizes = np.bincount(group, minlength=1)
    many = np.flatnonzero(sizes[group] >= LEAST)
    group, feature, one, other, middle = (each[many] for each in (group, feature, one, other, middle))
    turn = (other[:, 2] - one[:, 2]) % UNITS
    size = other[:, 3] - one[:, 3]
    arm = ((middle - one[:, :2]) @ np.array([1, 1j])) * np.exp(2j * np.pi * turn / UNITS) * np.exp2(size / 256)
    place = other[:, :2] + np.column_stack([arm.real, arm.imag])
    bins = (
        turn // (UNITS // _TURNS),
        size // _SIZES + _FAR,
        *np.clip(place // _PLACES + _FAR, 0, 2 * _FAR - 2).astype(np.int64).T,
    )
    found = []
    for shift in product((0, 1), repeat=4):
        key = group
        for which, limit in zip(range(4), (_TURNS, 2 * _FAR, 2 * _FAR, 2 * _FAR), strict=True):
            key = key * limit + (bins[which] + shift[which]) % limit
        order = np.lexsort((feature, key))
        fresh = np.ones(len(order), bool)
        fresh[1:] = (np.diff(key[order]) != 0) | (np.diff(feature[order]) != 0)
        kept = key[order][fresh]  # in order: the third of a kind stands two places behind the first
        found.append(kept[LEAST - 1 :][kept[LEAST - 1 :] == kept[: 1 - LEAST]] // (_TURNS * (2 * _FAR) ** 3))
    return np.unique(np.concatenate(found))
