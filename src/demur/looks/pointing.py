"""Whether local features of a picture point at an original, and whether it looks like that there.

Features of both are matched, a map is fitted to the matches, and where the map lays the original, and those of its
parts that lie within the picture, a hash is made of what is there. It has to be near the original's: so a crop, a
picture within a page, or one that is written over is compared with the right part of the original, and no other.

Invariants: pure; of two pictures and the key alone.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from demur.looks.fitting import LEAST, Affine, Places, fit, laid
from demur.looks.keyed import BitKey
from demur.looks.looking import UNITS, Look, Print
from demur.looks.pdq import LEVEL, QUALITY, SIDE, Grid, distances, hashes
from demur.looks.windows import ORIGINALS, parts

_FARTHEST: Final = 64
"""Bits in which two descriptors of one corner may differ."""
_RATIO: Final = 0.88
"""How much nearer the best match has to be than the second (Lowe, 2004)."""
_COMPARED: Final = 2
"""Features that are compared at least: the best and the second."""
_EDGE: Final = 0.03
"""Of a part's height and width that may lie outside of the picture."""
_SAMPLES: Final = 2
"""Points each way that a place of a grid is the mean of."""

UNKNOWN: Final = 256
"""The distance where nothing could be compared."""


class Pointed(NamedTuple):
    """What features say of one picture and one original."""

    agreeing: int
    """Matches that agree on where the original lies."""
    apart: int
    """Bits in which what lies there differs from the original, the middle of what could be compared; or 256."""


def pointed(look: Look, known: Print, key: BitKey, *, mirrored: bool) -> Pointed:
    """What the features of a picture say of an original, or of its mirror image."""
    here = np.flatnonzero(known.mirrored == mirrored)
    one, other, cost = _matches(known.positions[here], known.descriptors[here], look)
    found = fit(one, other, cost)
    if found is None or found.agreeing < LEAST:
        return Pointed(0, UNKNOWN)
    return Pointed(found.agreeing, _apart(look, known, found.map, key, mirrored=mirrored))


def _matches(
    positions: npt.NDArray[np.int16], descriptors: npt.NDArray[np.uint8], look: Look
) -> tuple[Places, Places, npt.NDArray[np.int64]]:
    """Pairs of features, each of the picture at most once, and each of the original."""
    if len(descriptors) < _COMPARED or not len(look.descriptors):
        return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int64)
    apart = distances(look.descriptors[:, None], descriptors[None])
    best = apart.argmin(axis=1)
    rows = np.arange(len(best))
    nearest = apart[rows, best]
    apart[rows, best] = UNKNOWN
    kept = np.flatnonzero((nearest <= _FARTHEST) & (nearest <= _RATIO * apart.min(axis=1)))
    order = kept[np.lexsort((*look.positions[kept].T, nearest[kept], best[kept]))]
    first = np.flatnonzero(np.diff(best[order], prepend=-1))
    order = order[first]
    return positions[best[order], :2].astype(float), look.positions[order, :2].astype(float), nearest[order]


def _apart(look: Look, known: Print, found: Affine, key: BitKey, *, mirrored: bool) -> int:
    """In how many bits what lies in the places of the original, or of those of its parts that are there, differs."""
    decides = known.decides[ORIGINALS:]
    boxes = parts()[decides] * np.array([known.size[1], known.size[0]] * 2)
    height, width = (side * UNITS / max(look.grey.shape) for side in look.grey.shape)
    corners = np.stack([boxes[:, [1, 0]], boxes[:, [3, 0]], boxes[:, [1, 2]], boxes[:, [3, 2]]], axis=1)
    corners = _turned(corners, known, mirrored=mirrored)
    lies = laid(found, corners.reshape(-1, 2)).reshape(-1, 4, 2)
    slack = _EDGE * (lies.max(axis=1) - lies.min(axis=1))[:, None]
    inside = ((lies >= -slack) & (lies <= np.array([width, height]) + slack)).all(axis=(1, 2))
    if not inside.any():
        return UNKNOWN
    whole = bool(decides[0] and inside[0])
    chosen = np.flatnonzero(inside)[:1] if whole else np.flatnonzero(inside)
    grids = np.stack([_cut(look, boxes[each], known, found, mirrored=mirrored) for each in chosen])
    made = hashes(grids)
    kept = made.quality >= QUALITY
    if not kept.any():
        return UNKNOWN
    apart = distances(key.keyed(made.bits[kept]), known.hashes[ORIGINALS:][decides][chosen[kept]])
    return int(np.sort(apart)[len(apart) // 2])


def _turned(places: Places, known: Print, *, mirrored: bool) -> Places:
    """Places of an original in its mirror image, where that is asked for."""
    return np.stack([known.size[0] - places[..., 0], places[..., 1]], axis=-1) if mirrored else places


def _cut(look: Look, box: npt.NDArray[np.float64], known: Print, found: Affine, *, mirrored: bool) -> Grid:
    """The grid of what lies where a map lays a part of the original."""
    count = SIDE * _SAMPLES
    steps = (np.arange(count) + 0.5) / count
    down, across = np.meshgrid(box[0] + steps * (box[2] - box[0]), box[1] + steps * (box[3] - box[1]), indexing="ij")
    places = laid(found, _turned(np.stack([across.ravel(), down.ravel()], axis=1), known, mirrored=mirrored))
    height, width = look.grey.shape
    x, y = (places * (max(height, width) / UNITS) - 0.5).T
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.minimum(x.astype(np.int64), width - 2), np.minimum(y.astype(np.int64), height - 2)
    right, low = x - left, y - top
    grey = look.grey.astype(np.float64)
    above = grey[top, left] * (1 - right) + grey[top, left + 1] * right
    below = grey[top + 1, left] * (1 - right) + grey[top + 1, left + 1] * right
    values = above * (1 - low) + below * low
    return np.asarray(np.rint(LEVEL * values.reshape(SIDE, _SAMPLES, SIDE, _SAMPLES).mean(axis=(1, 3))))
