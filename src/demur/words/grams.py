"""Keyed hashes of several words in a row: what a copied passage is recognised by, and which of them are kept.

Invariants: a gram depends on the keys of its words and their order alone, so that whoever lacks the pepper can neither
make nor read one; whether it is sampled depends on its own words, too, never on what stands around it; the time is
linear. Sampling is by closed syncmers (Edgar: Syncmers are more sensitive than minimizers, PeerJ 9:e10805, 2021).
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from demur.words.keys import Keys

if TYPE_CHECKING:  # what reads texts, which whoever only compares keys does without
    from demur.words.batch import Flags, Ints

_BASE: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def grams(keys: Keys, size: int, first: "Ints | None" = None) -> Keys:
    """A key from 0 of every ``size`` keys in a row, shape (n - size + 1,); none where there are fewer.

    With ``first``: of those alone that begin at these indices.
    """
    rolled = _rolled(keys.view(np.uint64), size)
    return mixed(rolled if first is None else rolled[first])


def sampled(keys: Keys, size: int, part: int) -> "Flags":
    """Which of :func:`grams` are sampled: those whose smallest part of ``part`` words is their first or their last.

    That are two of ``size - part + 1``; and any ``2 * size - part - 1`` words in a row hold a sampled gram.
    """
    parts = grams(keys, part)
    lowest = parts
    span = size - part + 1
    for reach in _steps(span):
        lowest = np.minimum(lowest[: max(len(lowest) - reach, 0)], lowest[reach:])
    first, last = parts[: len(lowest)], parts[span - 1 :]
    return np.asarray((first == lowest) | (last == lowest))


def whole(keys: Keys, begins: "Ints") -> Keys:
    """One key over all keys of each group, in their order.

    Args:
        keys: shape (n,).
        begins: where groups begin, ascending, the first 0, none of them empty; shape (groups,).
    """
    sizes = np.diff(begins, append=len(keys))
    powers = np.cumprod(np.full(int(sizes.max(initial=0)), _BASE, np.uint64))
    place = np.arange(len(keys)) - np.repeat(begins, sizes)
    sums = np.add.reduceat(keys.view(np.uint64) * powers[place], begins) if len(begins) else np.zeros(0, np.uint64)
    return mixed(sums + sizes.astype(np.uint64))


def mixed(hashed: np.ndarray) -> Keys:
    """Spread over all bits (splitmix64), as 63 bits: the low ones serve as well as the high ones."""
    for shift, factor in zip((30, 27), _MIX, strict=True):
        hashed = (hashed ^ (hashed >> np.uint64(shift))) * factor
    return np.asarray((hashed ^ (hashed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def paired(one: Keys, other: "Ints") -> Keys:
    """A key of each key together with a number."""
    return mixed(one.view(np.uint64) * _BASE + other.astype(np.uint64))


def _rolled(keys: np.ndarray, size: int) -> np.ndarray:
    """A polynomial in the keys of every ``size`` in a row: of one half, and of the other."""
    count = max(len(keys) - size + 1, 0)
    if size == 1 or not count:
        return keys[:count]
    later = size // 2
    left = _rolled(keys, size - later)
    right = left if size == 2 * later else _rolled(keys, later)
    power = np.uint64(pow(int(_BASE), later, 2**64))
    return np.asarray(left[:count] * power + right[size - later : size - later + count])


def _steps(span: int) -> list[int]:
    """By how much to look ahead, time after time, so that ``span`` neighbours are seen."""
    steps, seen = [], 1
    while seen < span:
        steps.append(min(seen, span - seen))
        seen += steps[-1]
    return steps
