"""Windows: the pictures inside a picture, told by the even bands around them; and the fixed parts of an original.

A border, the bars of a phone's screenshot, a page around a photo and the gaps of a collage are rows or columns of one
colour. What lies between them is cut out, again and again, each way in turn (the recursive X-Y cut of Nagy and Seth,
1984). Invariants: pure; a window lies within its picture; the whole is always the first. A collage without gaps is
looked at by its quarters.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from demur.looks.pdq import Grey

Boxes = npt.NDArray[np.int64]
"""Top, left, bottom and right of windows, in pixels, bottom and right not included; shape (n, 4)."""

Box = tuple[int, int, int, int]

MOST: Final = 14
"""Windows of one picture that are looked at: the largest."""
ORIGINALS: Final = 3
"""Boxes by which a whole original is told."""
PARTS: Final = 10
"""Parts of an original: the whole, and nine windows of half its height and width."""

_EVEN: Final = 4.0
"""Standard deviation, of 255, up to which a row or column counts as one colour: what JPEG leaves of one."""
_LEAST: Final = 30
"""Pixels a side of the smallest window, where the longest side of the picture has 256."""
_SHARE: Final = 0.02
"""Of the picture's area that the smallest window has."""
_DEPTH: Final = 6
"""Cuts after each other: page, column, photo, border, and two more."""


def windows(grey: Grey) -> Boxes:
    """The windows of a picture: the whole, its quarters, then the largest of what even bands cut out."""
    height, width = grey.shape
    least = max(height, width) * _LEAST / 256
    whole = (0, 0, height, width)
    found: set[Box] = set()
    _cut(grey, whole, least, found, _DEPTH)
    large = [box for box in found - {whole} if _area(box) >= _SHARE * height * width]
    large.sort(key=lambda box: (-_area(box), box))
    halves = [(0, height // 2), (height // 2, height)], [(0, width // 2), (width // 2, width)]
    quarters = [(top, left, bottom, right) for top, bottom in halves[0] for left, right in halves[1]]
    return np.array([whole, *quarters, *large[:MOST]], np.int64)


def originals(grey: Grey) -> Boxes:
    """What an original is told by where it stands whole in another picture; shape (3, 4).

    The whole; what is left without even bands at its edges, as a window of a page is cut that has its ground; and the
    square in its middle, to which collages cut.
    """
    height, width = grey.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.array([(0, 0, height, width), _trimmed(grey), (top, left, top + side, left + side)], np.int64)


def parts() -> npt.NDArray[np.float64]:
    """The fixed parts of an original: top, left, bottom, right as shares of its height and width; shape (10, 4).

    The whole, and halves at every quarter: a crop that keeps 75 % of each side holds one of them, wherever it was cut.
    """
    halves = [(top, left, top + 0.5, left + 0.5) for top in (0.0, 0.25, 0.5) for left in (0.0, 0.25, 0.5)]
    return np.array([(0.0, 0.0, 1.0, 1.0), *halves])


def _trimmed(grey: Grey) -> Box:
    """A picture without the even rows and columns at its edges, again until there are none."""
    top, left, bottom, right = 0, 0, *grey.shape
    while True:
        here = grey[top:bottom, left:right].astype(np.float32)
        rows, columns = (np.flatnonzero(here.std(axis=axis) > _EVEN) for axis in (1, 0))
        if not len(rows) or not len(columns):
            return 0, 0, *grey.shape
        inner = (top + int(rows[0]), left + int(columns[0]), top + int(rows[-1]) + 1, left + int(columns[-1]) + 1)
        if inner == (top, left, bottom, right):
            return inner
        top, left, bottom, right = inner


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _cut(grey: Grey, box: Box, least: float, found: set[Box], depth: int) -> None:
    """Adds a box, and what is cut out of it."""
    if box in found:
        return
    found.add(box)
    if not depth:
        return
    top, left, bottom, right = box
    here = grey[top:bottom, left:right].astype(np.float32)
    for begin, end in _runs(here.std(axis=1) > _EVEN, least):
        if end - begin < bottom - top:
            _cut(grey, (top + begin, left, top + end, right), least, found, depth - 1)
    for begin, end in _runs(here.std(axis=0) > _EVEN, least):
        if end - begin < right - left:
            _cut(grey, (top, left + begin, bottom, left + end), least, found, depth - 1)


def _runs(full: npt.NDArray[np.bool_], least: float) -> list[tuple[int, int]]:
    """Where lines that are no even ones follow each other, in runs of at least ``least``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2) if end - begin >= least]
