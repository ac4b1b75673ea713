"""Where a picture is text, and whether text covers most of it: then its words decide, and what it looks like does not.

Screenshots of different posts look alike: of pairs in one look 3.3 % have hashes within 31 bits, and their letters,
avatars and buttons are local features in the same places. Invariants: pure; a cheap measure of the shrunk picture
alone, which reads nothing.

How: text is strokes, thinner than a few pixels, on the page's ground: one level that much of the picture has. A cell of
16x16 pixels is text when many of its pixels have the ground's level, nearly all others are on one side of it, and its
rows go up and down many times. A picture is mostly text when 42 % of the cells are that are not of one colour: avatars
and buttons are not.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from demur.looks.pdq import Grey

CELL: Final = 16
"""Pixels a side of a cell, where the longest side of the picture has 256."""

Cells = npt.NDArray[np.uint8]
"""What each cell is, shape (rows, columns)."""
EVEN: Final = 0
"""A cell of one colour."""
OTHER: Final = 1
TEXT: Final = 2

_RANGE: Final = 24
"""Levels, of 255, between darkest and brightest of a cell of one colour."""
_LEVELS: Final = 10
"""Levels to each side of the ground's that are the ground, too: JPEG leaves no ground even."""
_PAGE: Final = 0.25
"""Share of the picture that its ground has, where there is a page at all."""
_GROUND: Final = 0.3
"""Share of a text cell that its ground has."""
_SWING: Final = 0.2
"""Of a cell's range that a row goes up or down by, to count."""
_BEYOND: Final = 0.12
"""Share of a text cell on the other side of the ground's level: what shrinking and JPEG put around strokes."""
_TURNS: Final = 3.5
"""Ups and downs in a row of a text cell, on average over the rows that have any."""
_BUSY: Final = 0.25
"""Share of the rows of a text cell that have any."""
_MOST: Final = 0.42


def cells(grey: Grey) -> Cells:
    """What the whole cells of a picture are; what is left over at the right and at the bottom is not looked at."""
    rows, columns = (side // CELL for side in grey.shape)
    if not rows * columns:
        return np.zeros((rows, columns), np.uint8)
    cut = grey[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL).swapaxes(1, 2).astype(np.int16)
    low, high = cut.min(axis=(2, 3)), cut.max(axis=(2, 3))
    level, share = _ground(grey)
    near = (np.abs(cut - level) <= _LEVELS).mean(axis=(2, 3))
    under, over = ((sign * (cut - level) > _LEVELS).mean(axis=(2, 3)) for sign in (-1, 1))
    steps = np.abs(np.diff(cut, axis=3)) >= _SWING * (high - low)[..., None, None]
    busy = steps.any(axis=3)
    turns = steps.sum(axis=(2, 3)) / np.maximum(busy.sum(axis=2), 1)
    text = (near >= _GROUND) & (np.minimum(under, over) <= _BEYOND) & (turns >= _TURNS) & (busy.mean(axis=2) >= _BUSY)
    text &= share >= _PAGE
    return np.where(high - low < _RANGE, EVEN, np.where(text, TEXT, OTHER)).astype(np.uint8)


def _ground(grey: Grey) -> tuple[int, float]:
    """The level around which most pixels are, and what share of them is."""
    counts = np.bincount(grey.ravel(), minlength=256)
    around = np.convolve(counts, np.ones(2 * _LEVELS + 1, np.int64), mode="same")
    level = int(around.argmax())
    return level, float(around[level] / grey.size)


def mostly_text(found: Cells) -> bool:
    """Whether text covers most of what is not of one colour; a picture of one colour has none."""
    text, other = (int((found == kind).sum()) for kind in (TEXT, OTHER))
    return text > 0 and text >= _MOST * (text + other)
