"""The words of many texts at once: struct of arrays, with the places they stand in.

Invariants: a row's words are those of :func:`demur.words.folding.fold` of its text, whatever other rows there are and
however the array was sliced; they are sorted by (row, place, last); the time is linear, and beyond what is returned
and the longest row memory stays the same, whatever the batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.words.assembling import NO_WORDS, Columns, together, words_of
from demur.words.keys import Keys, WordKeys
from demur.words.lexicon import lexicon
from demur.words.scanning import scan
from demur.words.shapes import Shape

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CHUNK: Final = 1 << 20
"""Bytes at a time: what is worked out for them stays in the processor's cache."""


@dataclass(frozen=True)
class Words:
    """Words of texts: arrays of one length, sorted by (row, place, last)."""

    row: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    """Code points of the row's text."""
    end: npt.NDArray[np.int32]
    """Exclusive; what belongs to the last character, such as combining marks, is within."""
    key: Keys
    """Of the folded word, from 0; see :class:`~demur.words.keys.WordKeys`."""
    shape: npt.NDArray[np.uint8]
    """Bits of :class:`~demur.words.shapes.Shape`."""
    gap: Flags
    """Something stronger than spaces, a line end or one connector stands before it; true for a row's first word."""
    opens: Flags
    """Begins the text, a line or a sentence."""
    place: Ints
    """Number of the first plain word whose place it holds, counted through all rows; a plain word's own number."""
    last: Ints
    """Number of the last plain word whose place it holds."""
    rows: int
    """How many texts there were."""

    def __len__(self) -> int:
        return len(self.row)

    @property
    def plain(self) -> Flags:
        """Which are plain words: in order, disjoint, none another reading of the others."""
        return np.asarray(self.shape & np.uint8(Shape.ALSO) == 0)

    @classmethod
    def of(cls, texts: pa.LargeStringArray, keys: WordKeys) -> Self:
        """The words of texts; a null has none."""
        if texts.null_count:
            texts = pc.fill_null(texts, "")
        known = lexicon(keys)
        parts = [NO_WORDS]
        numbers = 0
        with known.lock:
            known.begin()
            for first, count in _chunks(texts):
                columns, plain = words_of(scan(texts.slice(first, count)), known)
                parts.append(_counted_through(columns, first, numbers))
                numbers += plain
        row, start, end, *_ = found = together(parts)
        places = (row.astype(np.int32), start.astype(np.int32), end.astype(np.int32))
        return cls(*places, found.key, found.shape, found.gap, found.opens, found.place, found.last, len(texts))


def _chunks(texts: pa.LargeStringArray) -> Iterator[tuple[int, int]]:
    """Rows of about a chunk's bytes, at least one, as (first, how many)."""
    if not len(texts):
        return
    bounds = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    first = 0
    while first < len(texts):
        end = max(int(np.searchsorted(bounds, bounds[first] + _CHUNK, side="right")) - 1, first + 1)
        yield first, end - first
        first = end


def _counted_through(columns: Columns, row: int, number: int) -> Columns:
    """A chunk's words with rows and numbers counted from the first of the whole."""
    return columns._replace(row=columns.row + row, place=columns.place + number, last=columns.last + number)
