"""Where the tokens of a batch are, and what stands between them: array operations over its bytes.

Invariants: the bytes of the rows lie one behind the other with a zero byte before, between and behind them, so that
nothing reaches from one row into the next; the tokens are those of :mod:`demur.words.folding`; the time is linear.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.words.classes import ALONE, CONNECTOR, LETTER, VIRAMAS, WORD, table
from demur.words.shapes import LONGEST_TOKEN

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

PAD: Final = 32
"""Zero bytes behind the last row."""
_LEAST_HEAD: Final = 0xC0
_LEAST_OF_3: Final = 0xE0
_LEAST_OF_4: Final = 0xF0
_LANE: Final = 8
_MASKS: Final = np.array([(1 << 8 * size) - 1 for size in range(_LANE + 1)], np.uint64)
_BEHIND: Final = np.uint32(0x3F)
_UNROLLED: Final = 4
"""Bytes between two tokens that are looked at one by one."""


@dataclass(frozen=True)
class Scan:
    """The bytes of some rows, padded, and their classes."""

    data: Bytes
    begin: Ints
    """Where each row begins; shape (rows,)."""
    classes: Bytes
    """Of each byte that of its character; a connector between two words is WORD, too."""
    start: Ints
    """Where each token begins; shape (tokens,)."""
    end: Ints
    followers: npt.NDArray[np.int32] | None
    """How many bytes up to and with each one go on with a character; None where all are ASCII."""

    def points(self, positions: Ints) -> Ints:
        """How many characters begin before positions, which are no place within a character."""
        return positions if self.followers is None else positions - self.followers[positions]

    def between(self, start: Ints, end: Ints) -> Bytes:
        """All classes together of what stands from each start to each end, ascending and disjoint."""
        size = end - start
        found = np.where(size > 0, self.classes[start], 0).astype(np.uint8)
        for step in range(1, _UNROLLED):
            longer = np.flatnonzero(size > step)
            found[longer] |= self.classes[start[longer] + step]
        longest = np.flatnonzero(size > _UNROLLED)
        if len(longest):
            edges = np.column_stack([start[longest], end[longest]]).ravel()
            found[longest] = np.bitwise_or.reduceat(self.classes, edges)[::2]
        return found


def scan(texts: pa.LargeStringArray) -> Scan:
    """The tokens of some rows; a null is an empty text."""
    begin, data = _laid_out(texts)
    classes = _ascii_classes()[data]
    heads = np.flatnonzero(data >= _LEAST_HEAD)
    forced = _spread(data, heads, classes) if len(heads) else None
    _join(data, classes)
    start, end = _edges((classes & WORD).view(np.bool_), forced)
    long = end - start > LONGEST_TOKEN
    if long.any():
        _part(classes, start[long], end[long])
        start, end = _edges((classes & WORD).view(np.bool_), forced)
    return Scan(data, begin, classes, start, end, _followers(data) if len(heads) else None)


def _laid_out(texts: pa.LargeStringArray) -> tuple[Ints, Bytes]:
    """Where the rows begin in the bytes that they are laid out in, and these bytes."""
    ended = pc.binary_join_element_wise(texts, *_row_end())
    offsets = np.frombuffer(ended.buffers()[1], np.int64)[ended.offset : ended.offset + len(ended) + 1]
    data = np.zeros(1 + offsets[-1] - offsets[0] + PAD, np.uint8)
    data[1:-PAD] = np.frombuffer(ended.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    return 1 + offsets[:-1] - offsets[0], data


@cache
def _row_end() -> tuple[pa.LargeStringScalar, pa.LargeStringScalar]:
    """What a row is joined with, and by what; made when first used, for pyarrow's first value loads pandas."""
    return pa.scalar("", pa.large_string()), pa.scalar("\0", pa.large_string())


def _ascii_classes() -> Bytes:
    """By byte: those of ASCII, and 0."""
    found = np.zeros(256, np.uint8)
    found[:128] = table()[:128]
    return found


def _followers(data: Bytes) -> npt.NDArray[np.int32]:
    return np.cumsum((data & 0xC0) == 0x80, dtype=np.int32)  # noqa: PLR2004 - bytes that go on with a character (RFC 3629)


def _spread(data: Bytes, heads: Ints, classes: Bytes) -> Flags | None:
    """Writes the classes of characters beyond ASCII to all their bytes; see :func:`_forced` for the answer."""
    points, sizes = _decoded(data, heads)
    found = table()[points]
    classes[heads] = found
    classes[heads + 1] = found
    for size in (3, 4):
        longer = sizes >= size
        if longer.any():
            classes[heads[longer] + size - 1] = found[longer]
    return _forced(heads, heads + sizes, points, found, classes)


def _decoded(data: Bytes, heads: Ints) -> tuple[npt.NDArray[np.uint32], Ints]:
    """The code points that begin at ``heads``, none of them ASCII, and their sizes in bytes."""
    first = data[heads].astype(np.uint32)
    points = (first & np.uint32(0x1F)) << np.uint32(6) | data[heads + 1] & _BEHIND
    sizes = np.full(len(heads), 2)
    for size, least, mask in ((3, _LEAST_OF_3, 0x0F), (4, _LEAST_OF_4, 0x07)):
        longer = np.flatnonzero(first >= least)
        if len(longer):
            at = heads[longer]
            head = first[longer] & np.uint32(mask)
            for step in range(1, size):
                head = head << np.uint32(6) | data[at + step] & _BEHIND
            points[longer], sizes[longer] = head, size
    return points, sizes


def _forced(heads: Ints, ends: Ints, points: npt.NDArray[np.uint32], found: Bytes, classes: Bytes) -> Flags | None:
    """At which bytes a token may begin within a word: letters of scripts without spaces, and what follows them."""
    alone = found & ALONE > 0
    if not alone.any():
        return None
    stacked = np.zeros(len(heads), np.bool_)
    stacked[1:] = np.isin(points[:-1], VIRAMAS) & (ends[:-1] == heads[1:])
    behind = ends[alone]
    forced = np.zeros(len(classes), np.bool_)
    forced[heads[alone & ~stacked]] = True
    forced[behind[classes[behind] & LETTER > 0]] = True
    return forced


def _join(data: Bytes, classes: Bytes) -> None:
    """Makes connectors that stand between two characters of words part of the word."""
    at = np.flatnonzero(classes & CONNECTOR)
    at = at[(data[at] & 0xC0) != 0x80]  # noqa: PLR2004 - its first byte
    sizes = 1 + (data[at] >= _LEAST_HEAD).astype(np.int64) + (data[at] >= _LEAST_OF_3)
    inside = (classes[at - 1] & WORD > 0) & (classes[at + sizes] & WORD > 0)
    at, sizes = at[inside], sizes[inside]
    for step in range(3):
        at, sizes = at[sizes > step], sizes[sizes > step]
        classes[at + step] |= WORD


def _part(classes: Bytes, start: Ints, end: Ints) -> None:
    """Makes the connectors within these tokens, which are too long, no part of them."""
    at = np.flatnonzero(classes & (CONNECTOR | WORD) == CONNECTOR | WORD)
    token = np.searchsorted(start, at, side="right") - 1
    at = at[(token >= 0) & (at < end[token])]
    classes[at] &= ~np.uint8(WORD)


def _edges(word: Flags, forced: Flags | None) -> tuple[Ints, Ints]:
    """Where tokens begin and end, the first byte being none's."""
    if forced is None:
        edges = np.flatnonzero(word[1:] != word[:-1]) + 1
        return edges[::2], edges[1::2]
    cut = ~(word[1:] & word[:-1]) | forced[1:]
    return np.flatnonzero(word[1:] & cut) + 1, np.flatnonzero(word[:-1] & cut) + 1


def lanes(data: Bytes, start: Ints, size: Ints) -> npt.NDArray[np.uint64]:
    """Up to eight bytes from each start as one number, those of ``size``; all of them lie well within the data."""
    view: npt.NDArray[np.uint64] = np.ndarray((len(data) - _LANE,), np.dtype("<u8"), data, strides=(1,))
    return np.asarray(view[start] & _MASKS[np.minimum(size, _LANE)])
