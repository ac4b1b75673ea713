"""PDQ: 256 bits that say what a picture looks like, of which two copies differ in few.

After Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (2019), and its reference
implementation: a grid of 64x64 by two passes of a box filter each way (Jarosz's tent), the lowest 16x16 frequencies of
its discrete cosine transform, one bit for each that is above their median, and a quality from 0 to 100 that says how
much there is to see. Two hashes within 31 bits are called a match there, and one of a quality below 50 decides nothing.

Invariants: pure; luma comes in as the reader shrank it, and nothing is decoded here; what is said of a picture does
not depend on which others share the batch; the hash of a turned or mirrored picture is told from the same transform.
All sums are of whole numbers below 2^53, in whatever order a machine adds them, so that every machine gives the same.

What differs from the reference: places are the mean of a tent around their middle, where it takes the nearest pixel
after its two boxes. Of a grid of 64x64 the hashes are the reference's to the bit; of photographs they differ from its
hashes in 9 bits of 256 in the middle. Both of what is compared come from here. The reference writes the bits in the
reverse order.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
"""Hashes, 256 bits each, most significant bit first; shape (..., 32)."""
Grey = npt.NDArray[np.uint8]
"""Luma (BT.601) of a picture, shape (height, width)."""
Grid = npt.NDArray[np.float64]
"""Luma at 64x64 places of a picture, in 16ths of a level, as whole numbers; shape (64, 64)."""
Grids = npt.NDArray[np.float64]
"""Some of them, shape (n, 64, 64)."""

SIDE: Final = 64
FORMS: Final = 8
"""A picture as it is, turned by 90, 180 and 270 degrees, upside down, mirrored, and along both diagonals."""
QUALITY: Final = 50
"""Below it a hash decides nothing: of featureless pictures (fog, a wall, a gradient) all look alike."""
WITHIN: Final = 31
"""Bits in which two hashes of copies may differ, of 256."""

LEVEL: Final = 16
"""Of a grid's numbers one level of luma is so many."""

_KEPT: Final = 16
_WHOLE: Final = 1 << 14
"""What a weight of 1 is, in whole numbers."""
_LEAST: Final = 5
"""Pixels a side below which there is nothing to see."""


class Hashes(NamedTuple):
    """The hashes of some grids."""

    bits: Bits
    """Shape (n, 32), or (n, 8, 32) by form."""
    quality: npt.NDArray[np.int64]
    """0 to 100, shape (n,): the same for all forms of a grid."""


def grid(grey: Grey) -> Grid:
    """The grid of a picture, or of a window that was cut from one; shape (64, 64).

    Of less than five pixels a side it is black, so that its quality is 0.
    """
    height, width = grey.shape
    if min(height, width) < _LEAST:
        return np.zeros((SIDE, SIDE))
    return np.rint(_shrinking(height) @ grey.astype(np.float64) @ _shrinking(width).T * (LEVEL / _WHOLE**2))


def hashes(grids: Grids) -> Hashes:
    """The hash of each grid as it is."""
    return Hashes(_bits(_frequencies(grids)), quality(grids))


def all_forms(grids: Grids) -> Hashes:
    """The hashes of each grid in its eight forms, shape (n, 8, 32): as it is, 90, 180, 270 degrees, flips.

    To turn or flip a picture changes signs of its frequencies, and swaps rows with columns.
    """
    found = _frequencies(grids)
    swapped = found.swapaxes(1, 2)
    odd = np.where(np.arange(_KEPT) % 2 == 0, -1.0, 1.0)  # row 0 is the first frequency, an odd one
    down, across = odd[:, None], odd[None, :]
    forms = [found, down * swapped, down * across * found, across * swapped]
    forms += [down * found, across * found, swapped, down * across * swapped]
    return Hashes(_bits(np.stack(forms, axis=1)), quality(grids))


def quality(grids: Grids) -> npt.NDArray[np.int64]:
    """How much there is to see: the sum of what neighbours differ by, in whole hundredths of the range; at most 100."""
    steps = (np.abs(np.diff(grids.astype(np.int64), axis=axis)) * 100 // (255 * LEVEL) for axis in (1, 2))
    total = sum(each.sum(axis=(1, 2)) for each in steps)
    return np.asarray(np.minimum(np.asarray(total) // 90, 100))


def distances(one: Bits, other: Bits) -> npt.NDArray[np.int64]:
    """In how many bits hashes differ; shapes are broadcast but for the last axis."""
    these, those = (np.ascontiguousarray(each).view(np.uint64) for each in (one, other))
    words = (np.bitwise_count(these[..., word] ^ those[..., word]) for word in range(these.shape[-1]))
    return np.asarray(sum(each.astype(np.int64) for each in words))


def _bits(frequencies: npt.NDArray[np.float64]) -> Bits:
    """Which frequencies are above the 128th smallest, shape (..., 32)."""
    flat = frequencies.reshape(*frequencies.shape[:-2], _KEPT * _KEPT)
    middle = np.partition(flat, 127, axis=-1)[..., 127:128]
    return np.packbits(flat > middle, axis=-1)


def _frequencies(grids: Grids) -> npt.NDArray[np.float64]:
    """The frequencies 1 to 16 each way, as whole numbers, shape (n, 16, 16)."""
    waves = _waves()
    return np.asarray(waves @ grids @ waves.T)


@lru_cache(maxsize=1)
def _waves() -> npt.NDArray[np.float64]:
    """The rows 1 to 16 of the discrete cosine transform of 64 values, as whole numbers, shape (16, 64)."""
    rows, columns = np.ogrid[1 : _KEPT + 1, :SIDE]
    return np.asarray(np.rint(_WHOLE * np.cos(np.pi / (2 * SIDE) * rows * (2 * columns + 1))))


@lru_cache(maxsize=2048)
def _shrinking(length: int) -> npt.NDArray[np.float64]:
    """What shrinks ``length`` pixels to 64 places: a tent around the middle of each, as whole numbers.

    It is as wide as a place is, as the reference's two boxes are together, but at least as wide as interpolation asks.
    The weights of a place add up to 2^14. Shape (64, length).
    """
    place = length / SIDE
    middle = (np.arange(SIDE) + 0.5) * place
    far = np.abs(np.arange(length) + 0.5 - np.clip(middle, 0.5, length - 0.5)[:, None])
    weight = np.maximum(1 - far / max(place / 2, 1), 0)
    whole = np.rint(weight * (_WHOLE / weight.sum(axis=1, keepdims=True)))
    most = whole.argmax(axis=1)
    whole[np.arange(SIDE), most] += _WHOLE - whole.sum(axis=1)
    return np.asarray(whole)
