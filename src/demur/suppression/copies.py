"""Copies: where others wrote what a withheld person wrote, found by keyed fingerprints (ADR 0033).

Invariants: a fingerprint is a keyed hash of words that the person wrote themselves; nothing is found in what they
wrote; a find covers whole words. Whatever is found holds a key that the corpus' index holds and that counts
(shingles.is_looked_up): so an import and an objection find the same rows.
"""

from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.identity import SubjectKeys, ascending, inside
from demur.people.finds import Finds, Tier, no_finds
from demur.people.indexed.stored import read_arrays, write_arrays
from demur.suppression.keyset import KeySet
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
    is_looked_up,
    kind_of,
    looked_up,
    pairs,
    runs,
)
from demur.suppression.stock import is_stock
from demur.words.columns import in_rows, shortened, word_lists
from demur.words.grams import paired
from demur.words.page import Bools, Ints, Page

FORM: Final = "demur-copies 1"
_ITEMS: Final = 4
"""Posts of one person that are kept for a key; what they write again and again is found by these."""
_ENTRIES: Final = 12
"""Posts that are kept for a key in all: what more than three people wrote is stock."""

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
    """What withheld people wrote: an entry for each key and post (item), and the pairs of words of short posts."""

    gram: Ints
    """Keys of every kind but PAIR, ascending, shape (n,)."""
    subject: Ints
    """Who wrote it, shape (n,)."""
    item: npt.NDArray[np.int32]
    """In which of the posts, counted from 0; shape (n,)."""
    stock: Bools
    """Whether it counts for nothing, shape (n,)."""
    pair: Ints
    """Keys of a PAIR with its post, ascending, shape (m,)."""
    count: npt.NDArray[np.int32]
    """How many PAIRs each post has, shape (posts,)."""
    path: Path | None = field(default=None, compare=False)

    @classmethod
    def build(cls, lines: pa.Table) -> Self:
        """Those of lines of kernel.evidence.FINGERPRINTS, in any order."""
        lines = lines.combine_chunks()
        items, item_of = np.unique(lines.column("item").to_numpy(), return_inverse=True)
        line, key = _values(lines, "wrote")
        item = item_of[line]
        is_pair = kind_of(key) == PAIR
        pair = np.sort(paired(key[is_pair], item[is_pair]))
        count = np.bincount(item[is_pair], minlength=len(items)).astype(np.int32)
        author, created = (lines.column(name).to_numpy() for name in ("author", "created"))
        line, key, item = line[~is_pair], key[~is_pair], item[~is_pair]
        others, seen = _values(lines, "seen")
        both = np.concatenate([line, others])
        stock = is_stock(np.concatenate([key, seen]), author[both], created[both])[: len(key)]
        stock &= is_looked_up(key)
        kept = _bounded(key, author[line], item)
        entries = (key[kept], author[line][kept], item[kept].astype(np.int32), stock[kept])
        return cls(*entries, pair, count)

    def save(self, path: Path) -> None:
        """Writes them to a file."""
        write_arrays(path, FORM, {name: getattr(self, name) for name in _NAMES})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Those that :meth:`save` wrote, mapped into memory."""
        found = read_arrays(path, FORM)
        return cls(**{name: found[name] for name in _NAMES}, path=path)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return type(self).load, (self.path,)
        return type(self), tuple(getattr(self, name) for name in _NAMES)

    def asked(self, subjects: SubjectKeys) -> np.ndarray:
        """The shortened keys of what these people wrote, as the corpus' index has them: stock, too, to be seen."""
        wrote = inside(self.subject, np.sort(subjects)) & is_looked_up(self.gram)
        return ascending(shortened(self.gram[wrote]).astype(np.int64))

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
        found = keys.take(self._known.contains(keys.key))
        own = found.take(~page.quoted[words.word[found.first]])  # a key reaches over no edge of a quote
        return words.row[own.first], own.key

    def writers(self, keys: Ints) -> Beside:
        """Whose words some keys are, as far as they are known: the number of the key and the subject, of each post."""
        which, entry = _spread(*(np.searchsorted(self.gram, keys, side) for side in ("left", "right")))
        return which, self.subject[entry]

    def standing(self, page: Page) -> Bools:
        """On which rows of a page a key stands that is looked up; :meth:`found` and :meth:`seen` tell of no others."""
        words, keys = _sought(page)
        rows = np.zeros(len(page.texts), bool)
        rows[words.row[keys.first[self._known.contains(keys.key)]]] = True
        return rows

    def _runs(self, page: Page, words: Readable, anchors: Met, stock: Bools) -> Places:
        """Runs of posts that have an anchor in common with their row."""
        at = anchors.take(anchors.kind == ANCHOR)
        rows = np.zeros(len(page.texts), bool)
        rows[words.row[at.first]] = True
        eight = runs(words)
        eight = eight.take(rows[words.row[eight.first]])
        met = self._met(page, words, eight, gated=False)
        wanted = np.unique(words.row[at.first] * len(self.count) + at.item)
        here = words.row[met.first] * len(self.count) + met.item
        return long_runs(words, met.take(_among(here, wanted)), stock)

    def _near(self, words: Readable, met: Met, stock: Bools) -> Places:
        """Units that hold nearly the same words as a short post."""
        at, unit = _nearest(words, met.take(met.kind == NEAR), len(self.count))
        pair = pairs(words)
        begins = np.searchsorted(words.unit[pair.first], [unit, unit + 1])
        which, place = _spread(begins[0], begins[1])
        key, first = pair.key[place], pair.first[place]
        shared = _among(paired(key, at.item[which]), self.pair)
        usual = shared & stock[first] & stock[np.minimum(first + 1, len(stock) - 1)]
        order = np.lexsort((first, ~usual, key, which))  # a pair that stands there twice counts once
        fresh = np.ones(len(which), bool)
        fresh[1:] = (which[order][1:] != which[order][:-1]) | (key[order][1:] != key[order][:-1])
        once = order[fresh]

        def counted(such: Bools) -> Ints:
            return np.bincount(which[once[such[once]]], minlength=len(unit))

        of_text, of_post = np.bincount(which[once], minlength=len(unit)), self.count[at.item].astype(np.int64)
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
            shingles = shingles.take(self._known.contains(shingles.key))
        shingles = shingles.take(np.argsort(shingles.key))  # one after the other they are found ten times as fast
        low, high = (np.searchsorted(self.gram, shingles.key, side) for side in ("left", "right"))
        which, entry = _spread(low, high)
        first = shingles.first[which]
        met = Met(
            first,
            self.item[entry].astype(np.int64),
            self.subject[entry],
            kind_of(shingles.key[which]),
            self.stock[entry],
        )
        return met.take(met.subject != page.writing.author[words.row[first]])

    @cached_property
    def _known(self) -> KeySet:
        return KeySet(self.gram[is_looked_up(self.gram)])


_NAMES: Final = tuple(each.name for each in fields(Copies) if each.name != "path")


def _nearest(words: Readable, met: Met, posts: int) -> tuple[Met, Ints]:
    """The posts that units have most in common with, some of each person, and the units."""
    unit = words.unit[met.first]
    _, one, times = np.unique(unit * posts + met.item, return_index=True, return_counts=True)
    met, unit = met.take(one), unit[one]
    order = np.lexsort((met.item, -times, met.subject, unit))
    best = order[_rank(unit[order], met.subject[order]) < _ITEMS]
    return met.take(best), unit[best]


def _values(lines: pa.Table, name: str) -> Beside:
    """The line and the value of everything in a column of lists."""
    return in_rows(lines.column(name))


def _bounded(key: Ints, subject: Ints, item: Ints) -> Ints:
    """Which entries are kept, by key and post: of those of one key only the first, of each person and in all."""
    order = np.argsort(key)
    many = np.zeros(len(key), bool)
    same = key[order][1:] == key[order][:-1]
    many[1:] = same
    many[:-1] |= same
    at = order[many]
    at = at[np.lexsort((item[at], subject[at], key[at]))]
    by_person = _rank(key[at], subject[at])
    at = at[by_person < _ITEMS]
    at = at[np.lexsort((item[at], key[at]))]
    at = at[_rank(key[at], np.zeros(len(at), np.int64)) < _ENTRIES]
    kept = np.concatenate([order[~many], at])
    return kept[np.argsort(key[kept], kind="stable")]


def _rank(key: Ints, other: Ints) -> Ints:
    """The number of each within its group of equal ones, which stand together."""
    fresh = np.ones(len(key), bool)
    fresh[1:] = (key[1:] != key[:-1]) | (other[1:] != other[:-1])
    head = np.flatnonzero(fresh)
    return np.asarray(np.arange(len(key)) - head[np.cumsum(fresh) - 1])


def _spread(low: Ints, high: Ints) -> Beside:
    """Every number from each ``low`` to below its ``high``: whose it is, and the number."""
    sizes = high - low
    which = np.repeat(np.arange(len(low)), sizes)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes - low, sizes)


def _among(values: Ints, known: Ints) -> Bools:
    """Which values are among ascending ones."""
    found = np.zeros(len(values), bool)
    if len(known):
        order = np.argsort(values)
        at = np.minimum(np.searchsorted(known, values[order]), len(known) - 1)
        found[order] = known[at] == values[order]
    return found
