"""A batch of texts as those read it who look for people and for copies: its words, and where they may look.

Invariants: what is found depends on a row's own words, on what stands over them, and on whose row it is, never on
which rows share the batch; words in a mention, a tag or a mask are nobody's name and no part of a copy, whether or not
they are masked yet, so that nothing hangs on who was withheld first; nothing that is found crosses the edge of a quote.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.words.classes import packed
from demur.words.shapes import SHORT, separates

if TYPE_CHECKING:  # what reads texts, which whoever only asks for keys does without
    from demur.words.batch import Words

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Places = tuple[Ints, Ints, Ints]
"""Row, start and end (code points, exclusive) of places in texts, each of shape (n,), sorted by row and start."""


@dataclass(frozen=True)
class Writing:
    """Whose each row is; the arrays have shape (rows,), and hold -1 for what is unknown."""

    author: Ints
    """Subject key."""
    item: Ints
    """The first 8 bytes of the item's key, as :func:`short_keys` has them; thread and parent likewise."""
    thread: Ints
    """The item's own key where its source names no thread."""
    parent: Ints

    def take(self, rows: Ints) -> Self:
        """A selection, in its order."""
        return type(self)(self.author[rows], self.item[rows], self.thread[rows], self.parent[rows])


@dataclass(frozen=True, eq=False)
class Page:
    """See the module's docstring; a page equals itself alone."""

    texts: pa.LargeStringArray
    """Shape (rows,), no nulls."""
    words: "Words"
    """All words of all texts."""
    opaque: Bools
    """Per word: whether it stands in a mention, a tag or a mask, or is cut by the edge of a quote."""
    hidden: Bools
    """Per word: whether it stands in the mask of a name that was found in words; such a one is opaque, too."""
    quoted: Bools
    """Per word: whether it stands in a quote."""
    sides: Ints
    """Per word: how many edges of quotes stand before it, counted through the page; unlike numbers, another side."""
    writing: Writing
    language: pa.Array
    """Shape (rows,), BCP 47 or null."""

    @cached_property
    def edges(self) -> Bools:
        """Per word: whether it is the first one behind the edge of a quote."""
        return np.asarray(np.diff(self.sides, prepend=0) > 0)

    @cached_property
    def breaks(self) -> Bools:
        """Per word: whether it and the word before are no neighbours: another row, the edge of a quote, or a gap.

        The brackets of the mask of a name are none: its neighbours are those of the name.
        """
        fresh = np.diff(self.words.row.astype(np.int64), prepend=-1) != 0
        gap = self.words.gap.copy()
        gap[np.fromiter(self._bracketed(), np.int64)] = False
        return np.asarray(gap | fresh | self.edges)

    def _bracketed(self) -> Iterator[int]:
        """The words before which a bracket of the mask of a name stands, and besides nothing that sets words apart."""
        classes, plain = packed(), np.flatnonzero(self.words.plain)
        row, hidden = self.words.row[plain], self.hidden[plain]
        beside = (row[1:] == row[:-1]) & (hidden[1:] | hidden[:-1])
        for before, word in zip(plain[:-1][beside].tolist(), plain[1:][beside].tolist(), strict=True):
            first, last = int(self.words.end[before]), int(self.words.start[word])
            between = self.texts[int(self.words.row[word])].as_py()[first:last]
            between = between[int(self.hidden[before]) : len(between) - int(self.hidden[word])]
            short = not self.hidden[before] and first - int(self.words.start[before]) <= SHORT
            if not separates(reduce(or_, map(classes.__getitem__, map(ord, between)), 0), len(between), short=short):
                yield word

    @classmethod
    def of(
        cls,
        texts: pa.LargeStringArray,
        words: "Words",
        writing: Writing,
        language: pa.Array,
        *,
        opaque: Places,
        quotes: Places,
        hidden: Places | None = None,
    ) -> Self:
        """The page of a batch.

        Args:
            texts: no nulls.
            words: of these texts.
            writing: whose they are.
            language: of each.
            opaque: mentions, tags and masks, in any nesting.
            quotes: quotes, in any nesting; those without words count for nothing.
            hidden: those of the masks that stand for a name which was found in words; without them none does.
        """
        row, at = np.concatenate([quotes[0]] * 2), np.concatenate([quotes[1], quotes[2]])
        order = np.lexsort((at, row))
        row, at = row[order], at[order]
        return cls(
            texts,
            words,
            inside(words, opaque) | inside(words, (row, at, at)),  # a word with an edge in it stands on no side
            np.zeros(len(words), bool) if hidden is None else inside(words, hidden),
            inside(words, quotes),
            _passed(words.row.astype(np.int64), words, (row, at)),
            writing,
            language,
        )


def short_keys(keys: pa.Array) -> Ints:
    """The first 8 bytes of 16-byte keys, as numbers from 0; -1 where null. Shape (n,)."""
    filled = keys.fill_null(bytes(16)) if keys.null_count else keys
    data = np.frombuffer(filled.buffers()[1], ">u8")[2 * filled.offset :: 2][: len(filled)]
    short = (data >> np.uint64(1)).astype(np.int64)
    short[keys.is_null().to_numpy(zero_copy_only=False)] = -1
    return short


def _width(words: "Words", *ends: Ints) -> int:
    return 1 + max([int(words.end.max(initial=0)), *(int(each.max(initial=0)) for each in ends)])


def inside(words: "Words", places: Places) -> Bools:
    """Which words share a character with a place; shape (words,)."""
    found = np.zeros(len(words), bool)
    if not len(places[0]):
        return found
    some = np.zeros(words.rows, bool)
    some[places[0]] = True
    which = np.flatnonzero(some[words.row])
    row = words.row[which].astype(np.int64)
    width = _width(words, places[2])
    first, last = places[0] * width + places[1], places[0] * width + places[2]
    reached = np.maximum.accumulate(last)
    at = np.searchsorted(first, row * width + words.end[which], side="left") - 1  # the last that begins before its end
    found[which] = (at >= 0) & (reached[np.maximum(at, 0)] > row * width + words.start[which])
    return found


def _passed(row: Ints, words: "Words", edges: tuple[Ints, Ints]) -> Ints:
    """How many edges stand at or before the beginning of each word, in its row or before it."""
    if not len(edges[0]):
        return np.zeros(len(row), np.int64)
    width = _width(words, edges[1])
    places = np.sort(edges[0] * width + edges[1])
    return np.searchsorted(places, row * width + words.start, side="right").astype(np.int64)
