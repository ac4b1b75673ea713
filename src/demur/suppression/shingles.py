"""What a copy is recognised by: keys of the words that stand together in a text.

Invariants: a key depends on its own words and their order alone, and says of which kind it is; no key reaches over an
edge of a quote, or over words that may not be read; whether a key is among those that the corpus' index holds depends
on its words (and, of small ones, on the length of the text between two edges), so that whoever looks a copy up, and
whoever meets it, ask for the same keys.

Kinds of keys:

=======  ===============================================================================================
GRAM     eight words
ANCHOR   eight words that are sampled: any twelve words in a row hold one
NEAR     six words that are sampled, of a post of NEAR_WORDS: any nine words in a row hold one
WHOLE    all words of a post of WHOLE_WORDS
PAIR     two words of a post of NEAR_WORDS; compared with those of one post, and never looked up
=======  ===============================================================================================
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from demur.words.grams import grams, sampled, whole
from demur.words.page import Bools, Ints, Page
from demur.words.shapes import Shape

GRAM, ANCHOR, NEAR, WHOLE, PAIR = range(5)

WORD: Final = 2
"""Lengths are counted in half words: a character of a script without spaces (Han, kana, Thai) is half a word."""
NEAR_WORDS: Final = (10 * WORD, 47 * WORD)
"""With three words edited, longer posts still hold twelve words in a row."""
WHOLE_WORDS: Final = (4 * WORD, 11 * WORD)
SIZE: Final = {GRAM: 8, ANCHOR: 8, NEAR: 6, PAIR: 2}
"""Words of a key."""
PART: Final = {ANCHOR: 3, NEAR: 2}
"""Words of the parts that say whether a key is sampled."""

_KIND: Final = 32
"""The bits above these tell a key's kind: they are not among those that the corpus keeps (words.columns.shortened)."""
_KINDS: Final = np.int64(7 << _KIND)


@dataclass(frozen=True, eq=False)
class Readable:
    """The plain words of a page that may be read; arrays of shape (n,) in the order of the page."""

    word: Ints
    """Index in the page's words."""
    row: Ints
    key: Ints
    stretch: Ints
    """Rises where a word does not follow the one before it directly."""
    unit: Ints
    """Number of its unit: a text, or the part of one between two edges of quotes."""
    begins: Ints
    """Where each unit begins, shape (units,)."""
    length: Ints
    """Half words before each word, and at last of all; shape (n + 1,)."""

    @classmethod
    def of(cls, page: Page, hidden: Bools) -> "Readable":
        """Those of a page without ``hidden`` words, shape (words,)."""
        words = page.words
        word = np.flatnonzero(words.plain & ~hidden)
        row, edges, place = words.row[word].astype(np.int64), page.sides[word], words.place[word]
        other = np.ones(len(word), bool)
        other[1:] = (row[1:] != row[:-1]) | (edges[1:] != edges[:-1])
        apart = other.copy()
        apart[1:] |= place[1:] != place[:-1] + 1
        worth = np.where(words.shape[word] & np.uint8(Shape.ALONE), 1, WORD)
        length = np.concatenate([[0], np.cumsum(worth)])
        unit = np.cumsum(other) - 1
        return cls(word, row, words.key[word], np.cumsum(apart), unit, np.flatnonzero(other), length)

    @property
    def lengths(self) -> Ints:
        """Half words of each unit, shape (units,)."""
        return np.asarray(self.length[self.ends] - self.length[self.begins])

    @property
    def ends(self) -> Ints:
        """Behind the last word of each unit, shape (units,)."""
        return np.append(self.begins[1:], len(self.word))


@dataclass(frozen=True, eq=False)
class Shingles:
    """Keys and where their words stand, as arrays of shape (n,), by place."""

    key: Ints
    first: Ints
    """Index in the Readable of the first of its words."""

    def take(self, which: Bools | Ints) -> "Shingles":
        """A selection."""
        return Shingles(self.key[which], self.first[which])


def kind_of(keys: Ints) -> Ints:
    """The kind of each key."""
    return np.asarray((keys & _KINDS) >> _KIND)


def is_looked_up(keys: Ints) -> Bools:
    """Which keys are of a kind that the corpus' index holds."""
    return np.isin(kind_of(keys), [ANCHOR, NEAR, WHOLE])


def runs(words: Readable) -> Shingles:
    """Every GRAM and ANCHOR."""
    first = _together(words, SIZE[GRAM])
    chosen = sampled(words.key, SIZE[ANCHOR], PART[ANCHOR])[first]
    return Shingles(_of_kind(grams(words.key, SIZE[GRAM], first), np.where(chosen, ANCHOR, GRAM)), first)


def anchors(words: Readable) -> Shingles:
    """Every ANCHOR."""
    first = _together(words, SIZE[ANCHOR])
    first = first[sampled(words.key, SIZE[ANCHOR], PART[ANCHOR])[first]]
    return Shingles(_of_kind(grams(words.key, SIZE[ANCHOR], first), ANCHOR), first)


def near(words: Readable) -> Shingles:
    """Every NEAR."""
    some = _within(words, NEAR_WORDS)
    size = SIZE[NEAR]
    first = _together(words, size)
    first = first[some[words.unit[first]]]
    first = first[sampled(words.key, size, PART[NEAR])[first]]
    return Shingles(_of_kind(grams(words.key, size, first), NEAR), first)


def pairs(words: Readable) -> Shingles:
    """Every PAIR."""
    some = _within(words, NEAR_WORDS)
    first = _together(words, SIZE[PAIR])
    first = first[some[words.unit[first]]]
    return Shingles(_of_kind(grams(words.key, SIZE[PAIR], first), PAIR), first)


def wholes(words: Readable) -> Shingles:
    """Every WHOLE."""
    some = _within(words, WHOLE_WORDS)
    inside = some[words.unit]
    begins = np.flatnonzero(np.diff(words.unit[inside], prepend=-1))
    return Shingles(_of_kind(whole(words.key[inside], begins), WHOLE), words.begins[some])


def looked_up(words: Readable) -> Shingles:
    """Every key that the corpus' index holds of these words: in no order."""
    parts = [anchors(words), near(words), wholes(words)]
    return Shingles(np.concatenate([each.key for each in parts]), np.concatenate([each.first for each in parts]))


def fingerprints(words: Readable) -> Shingles:
    """Every key of these words."""
    parts = [runs(words), near(words), wholes(words), pairs(words)]
    return Shingles(np.concatenate([each.key for each in parts]), np.concatenate([each.first for each in parts]))


def _together(words: Readable, size: int) -> Ints:
    """Where so many words follow each other."""
    count = max(len(words.word) - size + 1, 0)
    return np.flatnonzero(words.stretch[:count] == words.stretch[size - 1 : size - 1 + count])


def _within(words: Readable, bounds: tuple[int, int]) -> Bools:
    """Which units are of a length."""
    lengths = words.lengths
    return np.asarray((lengths >= bounds[0]) & (lengths <= bounds[1]))


def _of_kind(keys: Ints, kind: Ints | int) -> Ints:
    return np.asarray(keys & ~_KINDS | np.asarray(kind, np.int64) << _KIND)
