"""The words of a page as they stand side by side: which follow which, and what stands between.

Invariants: plain words have consecutive numbers through the page; no phrase holds a break, or a word that is nobody's
name; the time is linear.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from demur.people.table import expanded
from demur.words.page import Bools, Ints, Page
from demur.words.shapes import Shape

REACH: Final = 3
"""Words that may stand between a given name and a surname."""


@dataclass(frozen=True)
class Phrases:
    """A page's words by place; arrays of words have shape (words,), of numbers (plain words,)."""

    page: Page

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
        kept = ~self.page.opaque[found]
        return fits[which[kept]], found[kept]
