"""The words of a page as they stand side by side: which follow which, and what stands between.

Invariants: plain words have consecutive numbers through the page; no phrase holds a break, or a word that is nobody's
name; the time is linear.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.people.indexed.table import expanded
from demur.people.lexicon import UNKNOWN, tongue
from demur.words.folding import fold_name
from demur.words.page import Bools, Ints, Page
from demur.words.shapes import Shape

_COMMA: Final = ", "
_NOUNS: Final = ("de", "lb")
_LONGEST_ENDING: Final = 5
_SET_OFF: Final = ("'", "’", "-", ":")
"""What stands before the ending of a foreign name: Steve'owi, Steve-vel, Steve:n."""
_HYPHENED: Final = frozenset(
    """val vel nak nek nal nel tol rol hoz hez ra re ert t et ot at ben ban be ba bol bel n on en kor ig kent e ek i ul
    ului lui il ele le lle lla lta lta ssa sta an""".split()  # noqa: SIM905  # a list of endings
)
"""Endings behind a hyphen, folded: Steve-vel, and no compound (Anna-bál)."""
_ENDINGS: Final = sum(map(tongue, ("pl", "cs", "sk", "hu", "fi", "et", "tr", "lt", "lv", "ro")))
REACH: Final = 3
"""Words that may stand between a given name and a surname."""

Integers = npt.NDArray[np.signedinteger[Any]]


class Texts:
    """The texts of a page as characters: whoever asks row by row has each of them read once."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._row = -1
        self._text = ""

    def of(self, word: int) -> str:
        """The text of the row in which a word stands."""
        row = int(self._page.words.row[word])
        if row != self._row:
            self._row, self._text = row, self._page.texts[row].as_py()
        return self._text

    def word(self, word: int) -> str:
        """A word as it is written."""
        return self.of(word)[int(self._page.words.start[word]) : int(self._page.words.end[word])]

    def behind(self, word: int, most: int) -> str:
        """At most so many characters behind a word."""
        end = int(self._page.words.end[word])
        return self.of(word)[end : end + most]

    def before(self, word: int, most: int) -> str:
        """At most so many characters before a word."""
        start = int(self._page.words.start[word])
        return self.of(word)[max(start - most, 0) : start]

    def before_all(self, words: Ints, most: Integers) -> npt.NDArray[np.object_]:
        """At most so many characters before each of some words, in any order."""
        spans = self._spans(words, self._page.words.start[words], most)
        return _objects([text[max(start - room, 0) : start] for text, start, room in spans], len(words))

    def behind_all(self, words: Ints, most: Integers) -> npt.NDArray[np.object_]:
        """At most so many characters behind each of some words, in any order."""
        spans = self._spans(words, self._page.words.end[words], most)
        return _objects([text[end : end + room] for text, end, room in spans], len(words))

    def _spans(self, words: Ints, places: Integers, most: Integers) -> Iterator[tuple[str, int, int]]:
        """The text of each word, a place in it, and how far to read from there."""
        rows, which = np.unique(self._page.words.row[words], return_inverse=True)
        texts = self._page.texts.take(pa.array(rows)).to_pylist()
        return zip(map(texts.__getitem__, which.tolist()), places.tolist(), most.tolist(), strict=True)


def _objects(values: list[str], count: int) -> npt.NDArray[np.object_]:
    found = np.empty(count, np.object_)
    found[:] = values
    return found


@dataclass(frozen=True)
class Phrases:
    """A page's words by place; arrays of words have shape (words,), of numbers (plain words,)."""

    page: Page

    @cached_property
    def texts(self) -> Texts:
        """The page's texts; words are best asked for in ascending order."""
        return Texts(self.page)

    @cached_property
    def plain(self) -> Ints:
        """The index of each plain word, by its number."""
        return np.flatnonzero(self.page.words.plain)

    @cached_property
    def begins(self) -> Ints:
        """The first index of the words that begin at each number; one more at the end."""
        return np.searchsorted(self.page.words.place, np.arange(len(self.plain) + 1))

    @cached_property
    def breaks(self) -> Ints:
        """How many breaks stand before and at each number."""
        return np.cumsum(self.page.breaks[self.plain])

    @cached_property
    def capital(self) -> Bools:
        """Which words begin with a capital, or are of a script without case."""
        shape = self.page.words.shape
        return np.asarray(shape & np.uint8(Shape.INITIAL_UPPER | Shape.ALONE) > 0)

    @cached_property
    def letter(self) -> Bools:
        """Which words are a single plain letter."""
        shape = self.page.words.shape
        return np.asarray((shape & np.uint8(Shape.SINGLE) > 0) & (shape & np.uint8(Shape.ALSO) == 0))

    @cached_property
    def nouns(self) -> Bools:
        """Which rows are in a language that writes nouns with a capital; shape (rows,)."""
        language = pc.utf8_lower(pc.utf8_slice_codeunits(self.page.language.cast(pa.string()), 0, 2))
        return np.asarray(pc.is_in(language, pa.array(_NOUNS, pa.string())).to_numpy(zero_copy_only=False), bool)

    @cached_property
    def tongues(self) -> Ints:
        """The lexicon.tongue of each row; shape (rows,)."""
        encoded = self.page.language.cast(pa.string()).dictionary_encode()
        known = np.array([*(tongue(each) for each in encoded.dictionary.to_pylist()), UNKNOWN], np.int64)
        return np.asarray(known[encoded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)])

    @cached_property
    def usable(self) -> Bools:
        """Which words may be in a name: no mention or mask stands over them, and no edge of a quote within."""
        edges = np.cumsum(self.page.edges[self.plain])
        words = self.page.words
        whole = edges[words.place] == edges[words.last] if len(words) else np.zeros(0, bool)
        return np.asarray(~self.page.opaque & whole)

    def with_ending(self, words: Ints) -> Ints:
        """The last word of each name: the ending that some languages set off from it, if one follows: Steve'owi."""
        number = self.page.words.last[words].astype(np.int64) + 1
        fits = np.flatnonzero(number < len(self.plain))
        other, found = self.plain[number[fits]], words.astype(np.int64).copy()
        page = self.page.words
        near = (page.row[other] == page.row[words[fits]]) & (page.start[other] - page.end[words[fits]] == 1)
        near &= (page.end[other] - page.start[other] <= _LONGEST_ENDING) & self.usable[other] & ~self.page.edges[other]
        near &= (self.tongues[page.row[other]] & _ENDINGS > 0) & (
            page.shape[other] & np.uint8(Shape.INITIAL_UPPER) == 0
        )
        for at in np.flatnonzero(near).tolist():
            word = int(words[fits[at]])
            sign = self.texts.behind(word, 1)
            ending = sign in _SET_OFF and (sign != "-" or fold_name(self.texts.word(int(other[at]))) in _HYPHENED)
            if ending:
                found[fits[at]] = other[at]
        return found

    def behind_comma(self, words: Ints) -> tuple[Ints, Ints]:
        """Every word that a comma and a space set off from one with a capital, as (index into words, word)."""
        upper = np.flatnonzero(self.capital[words])
        target = self.page.words.last[words[upper]].astype(np.int64) + 1
        inside = target < len(self.plain)
        upper, target = upper[inside], target[inside]
        first = self.plain[target]
        near = self.page.words.gap[first] & ~self.page.edges[first] & ~self.page.words.opens[first]
        near &= self.page.words.start[first] - self.page.words.end[words[upper]] == len(_COMMA)
        upper, target = upper[near], target[near]
        which, found = expanded(self.begins[target], self.begins[target + 1])
        which = upper[which]
        kept = np.flatnonzero(self.capital[found] & self.usable[found])
        commas = [self.texts.behind(int(words[which[at]]), len(_COMMA)) == _COMMA for at in kept.tolist()]
        kept = kept[np.array(commas, bool)]
        return which[kept], found[kept]

    def following(self, words: Ints, distance: int, within: Bools) -> tuple[Ints, Ints]:
        """Every word that stands some plain words behind one, with no break between, as (index into words, word).

        Args:
            words: indices.
            distance: how many plain words stand between.
            within: which plain words, by number, may stand there.
        """
        place = self.page.words.last[words].astype(np.int64)
        target = place + 1 + distance
        fits = np.flatnonzero(target < len(self.plain))
        fits = fits[self.breaks[target[fits]] == self.breaks[place[fits]]]
        for step in range(1, distance + 1):
            fits = fits[within[place[fits] + step]]
        which, found = expanded(self.begins[target[fits]], self.begins[target[fits] + 1])
        kept = self.usable[found]
        return fits[which[kept]], found[kept]
