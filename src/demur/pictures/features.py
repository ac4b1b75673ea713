"""Local features of a picture: places that can be found again, and what each looks like (ORB).

After Rublee, Rabaud, Konolige and Bradski, "ORB: an efficient alternative to SIFT or SURF" (ICCV 2011). They find a
picture again where a hash of the whole can't: cropped, written over, beside others. Invariants: the same picture gives
the same features; they are spread over the picture, so that each part of a collage has its share.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

LONGEST: Final = 512
"""Pixels of the longest side of the grey picture that is asked for."""
UNITS: Final = 4096
"""Positions are told in this many parts of the picture's longest side, whatever its size in pixels."""
MOST: Final = 500
"""Features of one picture."""

_OCTAVE: Final = 256
_DRAWN: Final = 1500
_CELL: Final = 6
"""Pixels a side of a cell of which the strongest feature is kept: what stands on one corner at many scales is one."""
_LARGE: Final = 64
"""Pixels a side of the cells that features are spread over."""
_LEAST: Final = 32
"""Pixels a side below which a picture has no features."""


class Features(NamedTuple):
    """What was found in one picture."""

    positions: npt.NDArray[np.int16]
    """Across and down, in 4,096th parts of the longest side; direction, in 4,096th parts of a turn; and size, as its
    logarithm to the base of 2, in 256th parts; shape (n, 4)."""
    descriptors: npt.NDArray[np.uint8]
    """256 bits each, shape (n, 32)."""


def features(grey: npt.NDArray[np.uint8]) -> Features:
    """The features of a grey picture, strongest first within each part of it.

    Args:
        grey: luma, shape (height, width), best with a longest side of 512.
    """
    found = None
    if min(grey.shape) >= _LEAST:
        points, found = _detector().detectAndCompute(np.ascontiguousarray(grey), None)
    if found is None:
        return Features(np.zeros((0, 4), np.int16), np.zeros((0, 32), np.uint8))
    places = np.array([point.pt for point in points])
    strength = np.array([point.response for point in points])
    kept = _spread(places, strength)
    turn = np.array([point.angle for point in points])[kept] * (UNITS / 360) % UNITS
    size = np.log2([points[each].size / max(grey.shape) for each in kept]) * _OCTAVE
    positions = np.column_stack([places[kept] * (UNITS / max(grey.shape)), turn, size])
    return Features(np.rint(positions).astype(np.int16), found[kept].astype(np.uint8))


@lru_cache(maxsize=1)
def _detector() -> cv2.ORB:
    """The detector, with one thread: pictures are read in several processes."""
    cv2.setNumThreads(1)
    return cv2.ORB.create(nfeatures=_DRAWN, fastThreshold=10)


def _spread(places: npt.NDArray[np.float64], strength: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Which features are kept: the strongest of each small cell, then in turn the next of each large one."""
    order = np.lexsort((places[:, 1], places[:, 0], -strength))
    small = (places[order] // _CELL).astype(np.int64)
    _, first = np.unique(small[:, 0] << 32 | small[:, 1], return_index=True)
    order = order[np.sort(first)]
    large = (places[order] // _LARGE).astype(np.int64)
    cell = large[:, 0] << 32 | large[:, 1]
    grouped = np.argsort(cell, kind="stable")
    begins = np.flatnonzero(np.diff(cell[grouped], prepend=-1))
    turn = np.empty(len(order), np.int64)
    turn[grouped] = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return np.asarray(order[np.argsort(turn, kind="stable")[:MOST]], np.int64)
