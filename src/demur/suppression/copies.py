"""Copies: where others wrote what a withheld person wrote, found by keyed fingerprints (ADR 0033).

Invariants: a fingerprint is a keyed hash of words that the person wrote themselves; nothing is found in what they
wrote; a find covers whole words. Whatever is found holds a key that the corpus' index holds and that counts
(shingles.is_looked_up): so an import and an objection find the same rows.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from demur.identity import SubjectKeys, ascending, inside
from demur.people.finds import Finds, Tier, no_finds
from demur.suppression.level import ITEMS, Level, rank, spread
from demur.suppression.levels import Levels, among
from demur.suppression.passages import (
    Met,
    Places,
    long_runs,
    passages,
    score_of_near,
    score_of_whole,
    together,
    within_stock,
)
from demur.suppression.prose import in_no_prose
from demur.suppression.shingles import (
    ANCHOR,
    NEAR,
    PAIR,
    SIZE,
    WHOLE,
    Readable,
    Shingles,
    fingerprints,
    kind_of,
    looked_up,
    pairs,
    runs,
)
from demur.words.columns import shortened, word_lists
from demur.words.page import Bools, Ints, Page

Beside = tuple[Ints, Ints]


def fingerprints_of(page: Page) -> Beside:
    """The fingerprints of what the authors of a page wrote themselves: row and key."""
    words = Readable.of(page, page.opaque | page.quoted | in_no_prose(page))
    found = fingerprints(words)
    return words.row[found.first], found.key


def gram_lists(page: Page) -> pa.ListArray:
    """What finds the rows of a page as copies: for each the shortened keys that are looked up, ascending."""
    words, found = _sought(page)
    return word_lists(len(page.texts), (words.row[found.first], found.key))


_of_pages: Final[WeakKeyDictionary[Page, tuple[Readable, Shingles]]] = WeakKeyDictionary()


def _sought(page: Page) -> tuple[Readable, Shingles]:
    """The words of a page that may be a copy, and their keys that are looked up: remembered as long as the page is."""
    if (known := _of_pages.get(page)) is None:
        words = Readable.of(page, page.opaque)
        known = _of_pages[page] = words, looked_up(words)
    return known


@dataclass(frozen=True, eq=False)
class Copies:
    """What withheld people wrote."""

    levels: Levels
    """What is known by key, and the pairs of words of short posts."""

    @classmethod
    def build(cls, lines: pa.Table) -> Self:
        """Those of lines of kernel.evidence.FINGERPRINTS, in any order."""
        return cls(Levels.of(lines))

    def changed(self, gone: Ints, lines: pa.Table) -> Self:
        """Those once lines went, by their items, and others came or took their place; at a cost that follows these."""
        return type(self)(Levels((self.levels.changed(gone, lines), *self.levels.all)))

    def save(self, path: Path) -> None:
        """Writes what counts of them to a file, which says nothing of items; of one level alone, as built of all lines.

        Raises:
            ValueError: for several levels.
        """
        (level,) = self.levels.all
        level.publish(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Those that :meth:`save` wrote, mapped into memory.

        Raises:
            RegisterError: when the file is of another form, or damaged.
        """
        return cls(Levels((Level.published(path),)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.levels,)

    def same_as(self, other: "Copies") -> bool:
        """Whether both are known to be the same, as they come from the same files; else they may differ or not."""
        mine, theirs = ([level.path for level in each.levels.all] for each in (self, other))
        return self is other or (mine == theirs and None not in mine)

    @cached_property
    def subjects(self) -> SubjectKeys:
        """Whose words there are, ascending, once each."""
        return ascending(self.levels.every()[1])

    def asked(self, subjects: SubjectKeys) -> np.ndarray:
        """The shortened keys of what these people wrote, as the corpus' index has them: stock, too, to be seen."""
        return ascending(shortened(self.levels.asked(subjects)).astype(np.int64))

    def found(self, page: Page) -> Finds:
        """Copies on a page."""
        words, keys = _sought(page)
        met = self._met(page, words, keys)
        live = met.take(~met.stock)
        if not len(live.first):
            return no_finds()
        stock = within_stock(words, met.take((met.kind == ANCHOR) | (met.kind == NEAR)))
        parts = [self._runs(page, words, live, stock), self._near(words, live, stock), self._wholes(page, words, live)]
        found = passages(page, words, together(parts))
        row = words.row[found.first]
        start = page.words.start[words.word[found.first]].astype(np.int64)
        end = page.words.end[words.word[found.last]].astype(np.int64)
        tier, unsaid = np.full(len(row), Tier.COPY), np.zeros(len(row), np.int64)
        finds = Finds(row, start, end, found.subject, tier, found.score, unsaid)
        return finds.take(np.lexsort((found.subject, end, start, row)))

    def seen(self, page: Page) -> Beside:
        """Where somebody wrote themselves what stands here as anybody's words, too: row and key."""
        words, keys = _sought(page)
        found = keys.take(self.levels.known(keys.key))
        own = found.take(~page.quoted[words.word[found.first]])  # a key reaches over no edge of a quote
        return words.row[own.first], own.key

    def writers(self, keys: Ints) -> Beside:
        """Whose words some keys are, as far as they are known: the number of the key and the subject, of each post."""
        found = self.levels.entries(keys)
        return found.which, found.subject

    def standing(self, page: Page) -> Bools:
        """On which rows of a page a key stands that is looked up; :meth:`found` and :meth:`seen` tell of no others."""
        words, keys = _sought(page)
        rows = np.zeros(len(page.texts), bool)
        rows[words.row[keys.first[self.levels.known(keys.key)]]] = True
        return rows

    def _runs(self, page: Page, words: Readable, anchors: Met, stock: Bools) -> Places:
        """Runs of posts that have an anchor in common with their row."""
        at = anchors.take(anchors.kind == ANCHOR)
        rows = np.zeros(len(page.texts), bool)
        rows[words.row[at.first]] = True
        eight = runs(words)
        eight = eight.take(rows[words.row[eight.first]])
        met = self._met(page, words, eight, gated=False)
        posts = ascending(at.item)
        met = met.take(inside(met.item, posts))
        wanted, here = (words.row[of.first] * len(posts) + np.searchsorted(posts, of.item) for of in (at, met))
        return long_runs(words, met.take(among(here, ascending(wanted))), stock)

    def _near(self, words: Readable, met: Met, stock: Bools) -> Places:
        """Units that hold nearly the same words as a short post."""
        at, unit = _nearest(words, met.take(met.kind == NEAR))
        posts = self.levels.posts(at.item)
        pair = pairs(words)
        begins = np.searchsorted(words.unit[pair.first], [unit, unit + 1])
        which, place = spread(begins[0], begins[1])
        key, first = pair.key[place], pair.first[place]
        shared = posts.have(which, key)
        usual = shared & stock[first] & stock[np.minimum(first + 1, len(stock) - 1)]
        order = np.lexsort((first, ~usual, key, which))  # a pair that stands there twice counts once
        fresh = np.ones(len(which), bool)
        fresh[1:] = (which[order][1:] != which[order][:-1]) | (key[order][1:] != key[order][:-1])
        once = order[fresh]

        def counted(such: Bools) -> Ints:
            return np.bincount(which[once[such[once]]], minlength=len(unit))

        of_text, of_post = np.bincount(which[once], minlength=len(unit)), posts.counts
        score = score_of_near(counted(shared & ~usual), counted(usual), of_text, of_post)
        begin, last = np.full(len(unit), len(words.word)), np.zeros(len(unit), np.int64)
        np.minimum.at(begin, which[shared], first[shared])
        np.maximum.at(last, which[shared], first[shared] + SIZE[PAIR] - 1)
        return Places(begin, last, at.subject, score).take(score > 0)

    def _wholes(self, page: Page, words: Readable, met: Met) -> Places:
        """Units that are the same as a short post."""
        at = met.take(met.kind == WHOLE)
        unit = words.unit[at.first]
        last = words.ends[unit] - 1
        size = (page.words.end[words.word] - page.words.start[words.word]).astype(np.int64)
        letters = np.concatenate([[0], np.cumsum(size)])
        score = score_of_whole(words.lengths[unit], letters[last + 1] - letters[at.first])
        return Places(at.first, last, at.subject, score)

    def _met(self, page: Page, words: Readable, shingles: Shingles, *, gated: bool = True) -> Met:
        """The entries of keys on a page, but for those of whoever wrote the row."""
        if gated:
            shingles = shingles.take(self.levels.known(shingles.key))
        shingles = shingles.take(np.argsort(shingles.key))  # one after the other they are found ten times as fast
        found = self.levels.entries(shingles.key)
        first = shingles.first[found.which]
        met = Met(first, found.item, found.subject, kind_of(shingles.key[found.which]), found.stock)
        return met.take(met.subject != page.writing.author[words.row[first]])


def _nearest(words: Readable, met: Met) -> tuple[Met, Ints]:
    """The posts that units have most in common with, some of each person, and the units."""
    unit = words.unit[met.first]
    posts, post = np.unique(met.item, return_inverse=True)
    _, one, times = np.unique(unit * len(posts) + post, return_index=True, return_counts=True)
    met, unit = met.take(one), unit[one]
    order = np.lexsort((met.item, -times, met.subject, unit))
    best = order[rank(unit[order], met.subject[order]) < ITEMS]
    return met.take(best), unit[best]
