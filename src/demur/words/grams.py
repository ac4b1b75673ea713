"""Keyed hashes of several words in a row: what a copied passage is recognised by.

Invariants: a gram depends on the keys of its words and their order alone, so that whoever lacks the pepper can neither
make nor read one; further words (ALSO) have no part in it; no gram reaches from one row into the next; the time is
linear. Sampling is winnowing (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.words.batch import Ints, Words
from demur.words.keys import Keys

SIZE: Final = 8
"""Words of a gram."""
WINDOW: Final = 5
"""Grams in a row of which at least one is sampled: any 12 words in a row share one with each copy of them."""

NONE: Final = -1
"""What :func:`whole` says of a row without words."""
_BASE: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True)
class Grams:
    """Grams of texts: arrays of one length, sorted by (row, first)."""

    row: npt.NDArray[np.int32]
    first: Ints
    """Index of its first word in the words it was made of."""
    last: Ints
    """Index of its last word there: the gram ends where that ends."""
    gram: Keys
    """From 0."""

    def __len__(self) -> int:
        return len(self.row)


def grams(words: Words, size: int = SIZE) -> Grams:
    """Every run of ``size`` plain words within a row; none of a row with fewer."""
    plain = np.flatnonzero(words.plain)
    row = words.row[plain]
    count = max(len(plain) - size + 1, 0)
    keys = words.key[plain].view(np.uint64)
    hashed = np.zeros(count, np.uint64)
    for step in range(size):
        hashed = hashed * _BASE + keys[step : step + count]
    inside = np.flatnonzero(row[:count] == row[size - 1 : size - 1 + count])
    return Grams(row[inside], plain[inside], plain[inside + size - 1], _mixed(hashed[inside]))


def sampled(found: Grams, window: int = WINDOW) -> Grams:
    """The smallest gram, and of equal ones the last, of every ``window`` grams in a row; of a row with fewer, of all.

    Any run of ``size + window - 1`` words shares at least one sampled gram with every text that holds it, too.
    """
    if not len(found):
        return found
    begins = np.flatnonzero(np.diff(found.row, prepend=-1))
    ends = np.append(begins[1:], len(found))
    smallest = np.arange(len(found))
    for step in range(1, window):
        other = np.arange(step, len(found))
        here = smallest[: len(other)]
        better = (found.row[other] == found.row[: len(other)]) & (found.gram[other] <= found.gram[here])
        smallest[: len(other)][better] = other[better]
    until = np.repeat(ends, ends - begins)
    complete = np.arange(len(found)) + window <= until
    complete[begins] = True
    chosen = np.unique(smallest[complete])
    return Grams(found.row[chosen], found.first[chosen], found.last[chosen], found.gram[chosen])


def whole(words: Words) -> Keys:
    """One key of each row over all its plain words in their order, shape (rows,); -1 for a row without any."""
    plain = np.flatnonzero(words.plain)
    row = words.row[plain]
    begins = np.searchsorted(row, np.arange(words.rows + 1))
    sizes = np.diff(begins)
    found = np.full(words.rows, NONE, np.int64)
    some = np.flatnonzero(sizes)
    if len(some):
        powers = np.cumprod(np.full(int(sizes.max()), _BASE, np.uint64))
        place = np.arange(len(plain)) - np.repeat(begins[:-1], sizes)
        sums = np.add.reduceat(words.key[plain].view(np.uint64) * powers[place], begins[some])
        found[some] = _mixed(sums + sizes[some].astype(np.uint64))
    return found


def _mixed(hashed: npt.NDArray[np.uint64]) -> Keys:
    """Spread over all bits (splitmix64), as 63 bits: the low ones serve as well as the high ones."""
    for shift, factor in zip((30, 27), _MIX, strict=True):
        hashed = (hashed ^ (hashed >> np.uint64(shift))) * factor
    return np.asarray((hashed ^ (hashed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)
