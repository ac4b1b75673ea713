"""What is looked at of a picture: as it comes in (a look), and as it is kept of somebody withheld (a print).

A look holds the hashes of a picture's windows in eight forms, and its local features. A print holds the hashes of an
original's whole and fixed parts as they are, and the features of it and of its mirror image. So an import compares each
of its windows, however it is turned, with few hashes; and features, which don't survive mirroring, need finding once in
each picture that comes in.

Invariants: hashes and descriptors are under the pepper (demur.looks.keyed); what decides nothing (of a quality below
50, or text) is left out; a picture that is mostly text gives an empty print. Positions are not keyed: where a picture
has its corners is told by them. Descriptors give a rough drawing of the picture back to whoever knows the key
(d'Angelo, Jacques, Alahi, Vandergheynst, "From Bits to Images", 2014): of all fingerprints they say the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from demur.looks.keyed import BitKey
from demur.looks.lettering import CELL, TEXT, Cells, cells, mostly_text
from demur.looks.pdq import QUALITY, SIDE, Bits, Grey, all_forms, grid, hashes
from demur.looks.windows import ORIGINALS, PARTS, originals, parts, windows

UNITS: Final = 4096
"""Positions are told in this many parts of a picture's longest side."""
HELD: Final = ORIGINALS + PARTS
"""Hashes of a print."""
KEPT: Final = 160
"""Features of a print, and as many of its mirror image: the strongest, spread over the picture."""

_LARGE: Final = 0.8
"""Of a picture's features the large ones come from here: half of a print are of them, for they outlive shrinking."""

Positions = npt.NDArray[np.int16]
"""Across, down, direction and size, as demur.pictures.features tells them; shape (n, 4)."""


@dataclass(frozen=True)
class PictureKeys:
    """The keys of a workspace's pictures."""

    secret: bytes = field(repr=False)
    """The pepper's 32 bytes."""

    @cached_property
    def of_hashes(self) -> BitKey:
        """What hashes are under."""
        return BitKey(self.secret, "hashes")

    @cached_property
    def of_features(self) -> BitKey:
        """What descriptors are under."""
        return BitKey(self.secret, "features")

    def __reduce__(self) -> tuple[type["PictureKeys"], tuple[bytes]]:
        return PictureKeys, (self.secret,)


class Seen(NamedTuple):
    """A picture as the reader hands it out: shrunk, grey, and never stored."""

    grey: Grey
    """Luma, longest side best 256 pixels."""
    positions: Positions
    """Of its features, strongest first (demur.pictures.features)."""
    descriptors: Bits
    """As they were found, shape (n, 32)."""


class Look(NamedTuple):
    """A picture that came in, as it is compared."""

    grey: Grey
    """As it was seen: what features point at is cut out of it."""
    hashes: Bits
    """Of its windows that decide, in eight forms each, shape (m, 32); those of the whole are the first, if it does."""
    positions: Positions
    """Of its features."""
    descriptors: Bits
    """Shape (n, 32)."""


@dataclass(frozen=True, eq=False)
class Print:
    """What is kept of a withheld person's picture."""

    size: tuple[int, int]
    """Width and height in units."""
    hashes: Bits
    """Of the three boxes that tell a whole original, and of its ten parts; shape (13, 32)."""
    decides: npt.NDArray[np.bool_]
    """Which of them do, shape (13,)."""
    positions: Positions
    """Of the features of the picture, then of those of its mirror image; shape (n, 4)."""
    mirrored: npt.NDArray[np.bool_]
    """Which are of the mirror image, shape (n,)."""
    descriptors: Bits
    """Shape (n, 32)."""

    @property
    def empty(self) -> bool:
        """Whether nothing of the picture can be found again."""
        return not self.decides.any() and not len(self.positions)

    def pack(self) -> bytes:
        """The print as bytes: the form's number, sizes, then the arrays, little-endian."""
        head = np.array([_FORM, *self.size, len(self.positions)], "<u2")
        flags = np.packbits(self.decides), np.packbits(self.mirrored)
        arrays = (head, *flags, self.hashes, self.descriptors, self.positions.astype("<i2"))
        return b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """What :meth:`pack` wrote.

        Raises:
            ValueError: when it is cut, or of another form.
        """
        form, width, height, count = np.frombuffer(packed[:8].ljust(8, b"\0"), "<u2").tolist()
        shapes = (2, -(-count // 8), HELD * 32, count * 32, count * 8)
        if form != _FORM or len(packed) != 8 + sum(shapes):
            raise ValueError("This is no fingerprint of a picture, or one of another version.")
        ends = np.cumsum([8, *shapes])
        held = [np.frombuffer(packed[begin:end], np.uint8) for begin, end in pairwise(ends.tolist())]
        decides, mirrored = (
            np.unpackbits(each, count=size).astype(bool) for each, size in zip(held, (HELD, count), strict=False)
        )
        positions = held[4].view("<i2").astype(np.int16).reshape(-1, 4)
        return cls((width, height), held[2].reshape(-1, 32), decides, positions, mirrored, held[3].reshape(-1, 32))


_FORM: Final = 1


def look(seen: Seen, keys: PictureKeys) -> Look:
    """A picture as it is compared with what is withheld."""
    text = cells(seen.grey)
    boxes = [box for box in windows(seen.grey).tolist() if not mostly_text(_within(text, box))]
    grids = [grid(seen.grey[top:bottom, left:right]) for top, left, bottom, right in boxes]
    found = all_forms(np.stack([*grids, np.zeros((SIDE, SIDE))]))  # the last decides nothing
    bits = found.bits[found.quality >= QUALITY].reshape(-1, 32)
    return Look(
        seen.grey,
        keys.of_hashes.keyed(bits),
        seen.positions,
        keys.of_features.keyed(seen.descriptors),
    )


def print_of(seen: Seen, mirrored: Seen, keys: PictureKeys) -> Print:
    """What is kept of a withheld person's picture.

    Args:
        seen: the picture.
        mirrored: its mirror image, seen in the same way.
        keys: the workspace's.
    """
    height, width = seen.grey.shape
    size = (round(width * UNITS / max(height, width)), round(height * UNITS / max(height, width)))
    text = cells(seen.grey)
    if mostly_text(text):
        return Print(size, np.zeros((HELD, 32), np.uint8), np.zeros(HELD, bool), *_no_features())
    shares = np.rint(parts() * np.array([height, width, height, width])).astype(np.int64)
    boxes = np.concatenate([originals(seen.grey), shares]).tolist()
    found = hashes(np.stack([grid(seen.grey[top:bottom, left:right]) for top, left, bottom, right in boxes]))
    decides = (found.quality >= QUALITY) & [not mostly_text(_within(text, box)) for box in boxes]
    own = [_outside_text(each) for each in (seen, mirrored)]
    positions, descriptors = (np.concatenate(column) for column in zip(*own, strict=True))
    hand = np.repeat([False, True], [len(each[0]) for each in own])
    bits = keys.of_hashes.keyed(found.bits)
    return Print(size, bits, decides, positions, hand, keys.of_features.keyed(descriptors))


def _within(text: Cells, box: Sequence[int]) -> Cells:
    """The cells of which more than half lies within a window."""
    top, left, bottom, right = ((edge + CELL // 2) // CELL for edge in box)
    return text[top:bottom, left:right]


def _outside_text(seen: Seen) -> tuple[Positions, Bits]:
    """The strongest features that stand in no text."""
    text = cells(seen.grey)
    places = seen.positions[:, :2].astype(np.int64) * max(seen.grey.shape) // (UNITS * CELL)
    inside = (places[:, 1] < text.shape[0]) & (places[:, 0] < text.shape[1])
    kept = np.ones(len(places), bool)
    kept[inside] = text[places[inside, 1], places[inside, 0]] != TEXT
    positions = seen.positions[kept]
    size = positions[:, 3]
    large = np.flatnonzero(size >= (np.quantile(size, _LARGE, method="lower") if len(size) else 0))
    first = np.concatenate([large[: KEPT // 2], np.arange(len(positions))])
    chosen = first[np.sort(np.unique(first, return_index=True)[1])][:KEPT]
    return positions[chosen], seen.descriptors[kept][chosen]


def _no_features() -> tuple[Positions, npt.NDArray[np.bool_], Bits]:
    return np.zeros((0, 4), np.int16), np.zeros(0, bool), np.zeros((0, 32), np.uint8)
