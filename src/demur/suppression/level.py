"""What lines of fingerprints say, by key: all lines of one moment, or what differs for some keys since.

Invariants: an item has one line; what is said of a key depends on the live lines that hold this key, and on nothing
else; a level never changes. Where some of several posts are taken, it is by the keys of their items: the number of a
line decides nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.identity import SubjectKeys, ascending, inside
from demur.people.indexed.stored import Arrays, read_arrays, write_arrays
from demur.suppression.keyset import Gate
from demur.suppression.shingles import PAIR, is_looked_up, kind_of
from demur.suppression.stock import is_stock
from demur.words.columns import in_rows
from demur.words.grams import paired
from demur.words.page import Bools, Ints

FORM: Final = "demur-fingerprints 1"
PUBLISHED: Final = "demur-copies 1"
"""Only what counts, as a suppression list has it: nothing of items, nor of who else wrote the same."""
ITEMS: Final = 4
"""Posts of one person that are kept for a key; what they write again and again is found by these."""
ENTRIES: Final = 12
"""Posts that are kept for a key in all: what more than three people wrote is stock."""
KEPT, STOCK, SEEN = np.uint8(1), np.uint8(2), np.uint8(4)
"""What an entry is: words by which copies are found; that count for nothing; or that somebody else's line has, too."""

Beside = tuple[Ints, Ints]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.uint8]


class Lines(NamedTuple):
    """Lines by the keys of their items, ascending, once each; arrays of shape (lines,)."""

    item: Ints
    author: Ints
    created: Ints
    """Microseconds since 1970-01-01, or UNDATED."""


class Said(NamedTuple):
    """What lines say, in no order."""

    lines: Lines
    key: Ints
    """Keys of every kind but PAIR, shape (n,)."""
    line: Ints
    """The number of the line in which each stands."""
    seen: Bools
    """Whether they are words of somebody else, which stand in it, too."""
    pairs: Beside
    """The number of the line and the key of every PAIR, shape (m,)."""

    @classmethod
    def of(cls, told: pa.Table) -> Self:
        """That of lines of kernel.evidence.FINGERPRINTS; of one item, several count as one."""
        told = told.combine_chunks()
        columns = (told.column(name).to_numpy() for name in Lines._fields)
        items, author, created = (np.asarray(column, np.int64) for column in columns)
        item, first, number = np.unique(items, return_index=True, return_inverse=True)
        (row, wrote), (other, seen) = (in_rows(told.column(name)) for name in ("wrote", "seen"))
        by_kind = kind_of(wrote) == PAIR
        pairs = number[row[by_kind]], wrote[by_kind]
        own, others = (number[row[~by_kind]], wrote[~by_kind]), (number[other], seen)
        if len(item) < len(items):
            pairs, own, others = _once(*pairs), _once(*own), _once(*others)
        (line, key), (other_line, other_key) = own, others
        return cls(
            Lines(item, author[first], created[first]),
            np.concatenate([key, other_key]),
            np.concatenate([line, other_line]),
            np.repeat([False, True], [len(key), len(other_key)]),
            pairs,
        )


class Derived(NamedTuple):
    """What makes look-ups short, and follows from the rest."""

    gate: Flags
    """A bitmap of the keys of which a level tells; at the bottom of those that are looked up."""
    order: Numbers
    """The entries by their lines, shape (n,)."""
    begins: Ints
    """Where those of each line begin there, shape (lines + 1,)."""
    authors: Numbers
    """The lines by author."""


@dataclass(frozen=True, eq=False)
class Level:
    """See the module's docstring."""

    gram: Ints
    """Keys of every kind but PAIR, ascending; of one key what is KEPT stands first, by item. Shape (n,)."""
    line: Numbers
    """In which line each stands, shape (n,)."""
    flags: Flags
    """What each is, shape (n,)."""
    item: Ints
    """The key of each line's item, ascending; shape (lines,)."""
    author: Ints
    """Whose each line is."""
    created: Ints
    """When; see :class:`Lines`."""
    own: Bools
    """Of which lines everything is here; of the others only the keys in ``changed``."""
    post: Ints
    """The number by which a line's PAIRs go: at the bottom its own, else the key of its item."""
    count: Numbers
    """How many PAIRs each line has."""
    pair: Ints
    """Keys of a PAIR with its post, ascending, shape (m,)."""
    pair_line: Numbers
    """The line of each, shape (m,); of shape (0,) at the bottom."""
    changed: Ints
    """Of which keys this tells, in place of what is below; ascending; of shape (0,) at the bottom."""
    derived: Derived | None = None
    """As it was kept; None where it has to be found."""
    path: Path | None = None
    """The file from which it is mapped."""

    @classmethod
    def bottom(cls, told: pa.Table) -> Self:
        """That of all lines of kernel.evidence.FINGERPRINTS, in any order."""
        said = Said.of(told)
        numbers = np.arange(len(said.lines.item))
        return cls._of(said, np.ones(len(numbers), bool), numbers, np.zeros(0, np.int64), by_line=False)

    @classmethod
    def above(cls, said: Said, own: Bools, changed: Ints) -> Self:
        """What tells of some keys in place of what is below.

        Args:
            said: everything that is said of these keys, and all that new lines say.
            own: which of the lines are new.
            changed: the keys, ascending.
        """
        return cls._of(said, own, said.lines.item, changed, by_line=True)

    @classmethod
    def _of(cls, said: Said, own: Bools, post: Ints, changed: Ints, *, by_line: bool) -> Self:
        (line, key), lines = said.pairs, said.lines
        both = paired(key, post[line])
        order = np.argsort(both) if by_line else np.zeros(0, np.int64)
        pair = both[order] if by_line else np.sort(both)
        count = np.bincount(line, minlength=len(post)).astype(np.int32)
        of_pair = line[order].astype(np.int32)
        return cls(*_entries(said), *lines, own, post, count, pair, of_pair, changed)

    def merged(self, below: "Level") -> "Level":
        """This and the next one below, which is not the bottom, as one."""
        stays = ~self.tells(below.gram)
        kept_line = np.zeros(len(below.item), bool)
        kept_line[below.line[stays]] = True
        item = ascending(np.concatenate([self.item, below.item[kept_line]]))
        count, post, own = np.zeros(len(item), np.int32), item, np.zeros(len(item), bool)
        author, created = np.zeros(len(item), np.int64), np.zeros(len(item), np.int64)
        left = below.own & inside(below.item, item) & ~inside(below.item, self.item[self.own])
        for level, counts in ((below, left), (self, self.own)):
            held = inside(level.item, item)
            at = np.searchsorted(item, level.item[held])
            author[at], created[at] = level.author[held], level.created[held]
            at = np.searchsorted(item, level.item[counts])
            own[at], count[at] = True, level.count[counts]

        def placed(level: Level, lines: Numbers) -> Numbers:
            return np.searchsorted(item, level.item[lines]).astype(np.int32)

        gram = np.concatenate([self.gram, below.gram[stays]])
        line = np.concatenate([placed(self, self.line), placed(below, below.line[stays])])
        order = np.argsort(gram, kind="stable")
        fits = left[below.pair_line]
        pair = np.concatenate([self.pair, below.pair[fits]])
        of_pair = np.concatenate([placed(self, self.pair_line), placed(below, below.pair_line[fits])])
        by_pair = np.argsort(pair)
        flags = np.concatenate([self.flags, below.flags[stays]])
        lines = (item, author, created, own, post, count)
        changed = ascending(np.concatenate([self.changed, below.changed]))
        return Level(gram[order], line[order], flags[order], *lines, pair[by_pair], of_pair[by_pair], changed)

    # files

    def save(self, path: Path, beside: dict[str, npt.NDArray[Any]]) -> None:
        """Writes it to a file, with other arrays beside it, whose names begin with a dot."""
        own = {name: getattr(self, name) for name in _NAMES}
        write_arrays(path, FORM, own | self._derived._asdict() | beside)

    @classmethod
    def load(cls, path: Path) -> "tuple[Level, Arrays]":
        """What :meth:`save` wrote, mapped into memory: the level, and what was beside it.

        Raises:
            RegisterError: when the file is of another form, or damaged.
        """
        found = read_arrays(path, FORM)
        derived = Derived(**{name: found[name] for name in Derived._fields})
        level = cls(**{name: found[name] for name in _NAMES}, derived=derived, path=path)
        return level, {name: array for name, array in found.items() if name.startswith(".")}

    def publish(self, path: Path) -> None:
        """Writes what counts of the bottom to a file, as :data:`PUBLISHED`."""
        kept = np.flatnonzero(self.flags & KEPT)
        line = self.line[kept]
        arrays: dict[str, npt.NDArray[Any]] = {"gram": self.gram[kept], "subject": self.author[line], "item": line}
        arrays |= {"stock": self.flags[kept] & STOCK > 0, "pair": self.pair, "count": self.count}
        write_arrays(path, PUBLISHED, arrays)

    @classmethod
    def published(cls, path: Path) -> "Level":
        """What :meth:`publish` wrote, mapped as far as that can be; nothing can be put above it.

        Raises:
            RegisterError: when the file is of another form, or damaged.
        """
        found = read_arrays(path, PUBLISHED)
        line, count = found["item"], found["count"]
        numbers, none = np.arange(len(count)), np.zeros(0, np.int64)
        author = np.full(len(count), -1)
        author[line] = found["subject"]
        flags = np.where(found["stock"], KEPT | STOCK, KEPT)
        lines = (numbers, author, np.zeros(len(count), np.int64), np.ones(len(count), bool), numbers, count)
        return cls(found["gram"], line, flags, *lines, found["pair"], none.astype(np.int32), none, path=path)

    def __reduce__(self) -> tuple[Callable[..., "Level"], tuple[Any, ...]]:
        if self.path is not None:
            return _reopened, (self.path,)
        return type(self), tuple(getattr(self, name) for name in _NAMES)

    # look-ups

    @cached_property
    def _derived(self) -> Derived:
        if self.derived is not None:
            return self.derived
        asked = self.gram[is_looked_up(self.gram) & (self.flags & KEPT > 0)]
        gate = Gate.of(self.changed if len(self.changed) else asked)
        order = np.argsort(self.line, kind="stable").astype(np.int32)
        begins = np.concatenate([[0], np.cumsum(np.bincount(self.line, minlength=len(self.item)))])
        return Derived(gate.bitmap, order, begins, np.argsort(self.author, kind="stable").astype(np.int32))

    @cached_property
    def gate(self) -> Gate:
        """Lets pass every key of which this tells, at the bottom every one that is looked up, and few others."""
        return Gate(self._derived.gate)

    def tells(self, keys: Ints) -> Bools:
        """Of which keys this tells in place of what is below; not for the bottom, which tells of all."""
        found = np.zeros(len(keys), bool)
        at = self.gate.passing(keys)
        found[at] = inside(keys[at], self.changed)
        return found

    def keeps(self, keys: Ints) -> Bools:
        """Which keys have an entry that is KEPT; ascending ones are found ten times as fast."""
        if not len(self.gram):
            return np.zeros(len(keys), bool)
        at = np.minimum(np.searchsorted(self.gram, keys), len(self.gram) - 1)
        return np.asarray((self.gram[at] == keys) & (self.flags[at] & KEPT > 0))

    def kept_of(self, keys: Ints) -> Beside:
        """The entries of keys that are KEPT: the number of the key, and of the entry."""
        low, high = (np.searchsorted(self.gram, keys, side) for side in ("left", "right"))
        which, entry = spread(low, np.minimum(high, low + ENTRIES))
        kept = self.flags[entry] & KEPT > 0
        return which[kept], entry[kept]

    def all_of(self, keys: Ints) -> Ints:
        """All entries of different keys."""
        return spread(*(np.searchsorted(self.gram, keys, side) for side in ("left", "right")))[1]

    def of_lines(self, lines: Ints) -> Ints:
        """The entries of some lines."""
        begins = self._derived.begins
        return self._derived.order[spread(begins[lines], begins[lines + 1])[1]].astype(np.int64)

    def lines_of(self, subjects: SubjectKeys) -> Ints:
        """The lines of some people."""
        authors = self._derived.authors
        ends = (np.searchsorted(self.author, ascending(subjects), side, authors) for side in ("left", "right"))
        return authors[spread(*ends)[1]].astype(np.int64)

    def owned(self, items: Ints) -> Beside:
        """The places of those of some items of which everything is here, and their lines."""
        if not len(self.item):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        line = np.minimum(np.searchsorted(self.item, items), len(self.item) - 1)
        at = np.flatnonzero((self.item[line] == items) & self.own[line])
        return at, line[at]


_NAMES: Final = tuple(each.name for each in fields(Level) if each.name not in {"derived", "path"})


def _reopened(path: Path) -> Level:
    """The level of a file, in another process."""
    with path.open("rb") as file:
        published = file.readline().decode(errors="replace").strip() == PUBLISHED
    return Level.published(path) if published else Level.load(path)[0]


def _once(line: Ints, key: Ints) -> Beside:
    """Every key of a line, once."""
    order = np.lexsort((key, line))
    line, key = line[order], key[order]
    fresh = np.ones(len(key), bool)
    fresh[1:] = (line[1:] != line[:-1]) | (key[1:] != key[:-1])
    return line[fresh], key[fresh]


def _entries(said: Said) -> tuple[Ints, Numbers, Flags]:
    """The first three columns of a level: by key, and what is KEPT of it first."""
    order = np.argsort(said.key)
    key, line, seen = said.key[order], said.line[order], said.seen[order]
    author, created = said.lines.author[line], said.lines.created[line]
    stock = is_stock(key, author, created) & is_looked_up(key) & ~seen
    many = np.zeros(len(key), bool)
    many[1:] = key[1:] == key[:-1]
    many[:-1] |= many[1:]
    kept, shared = ~seen, np.flatnonzero(many)
    own = shared[~seen[shared]]
    kept[own] = _bounded(key[own], author[own], line[own])
    flags: Flags = kept * KEPT | stock * STOCK | seen * SEEN
    after = shared[np.lexsort((line[shared], ~kept[shared], key[shared]))]
    line[shared], flags[shared] = line[after], flags[after]
    return key, line.astype(np.int32), flags


def _bounded(key: Ints, subject: Ints, line: Ints) -> Bools:
    """Which entries are kept: of those of one key only the first, of each person and in all."""
    kept = np.zeros(len(key), bool)
    at = np.lexsort((line, subject, key))
    at = at[rank(key[at], subject[at]) < ITEMS]
    at = at[np.lexsort((line[at], key[at]))]
    kept[at[rank(key[at], np.zeros(len(at), np.int64)) < ENTRIES]] = True
    return kept


def rank(key: Ints, other: Ints) -> Ints:
    """The number of each within its group of equal ones, which stand together."""
    fresh = np.ones(len(key), bool)
    fresh[1:] = (key[1:] != key[:-1]) | (other[1:] != other[:-1])
    head = np.flatnonzero(fresh)
    return np.asarray(np.arange(len(key)) - head[np.cumsum(fresh) - 1])


def spread(low: Ints, high: Ints) -> Beside:
    """Every number from each ``low`` to below its ``high``: whose it is, and the number."""
    sizes = high - low
    which = np.repeat(np.arange(len(low)), sizes)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes - low, sizes)
