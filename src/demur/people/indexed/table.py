"""The names of many people as sorted arrays: which words belong to which part of whose name.

A *stem* is what a part of a name gives: its forms, keyed, and what each of them says. Equal parts under equal languages
are one stem, so that a million names hold some ten thousand. A *root* is what stems of one written word share, whatever
languages inflect it: names are looked up by the roots of two parts, and confirmed by the stems.

Invariants: an array never changes once it is here; keys are sorted and stand once; what is found of a person depends on
their own names, never on whose names share the table.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from demur.identity import inside
from demur.people.indexed.stored import Arrays
from demur.people.names import NameRole
from demur.words.page import Bools, Ints

_KEY_BITS: Final = 63
_SPARSITY_BITS: Final = 5
"""32 bits of the bitmap a key: 3 % of other words pass."""
_LEAST_BITS: Final = 10
_PIECE: Final = 1 << 16
"""Keys that are put into a bitmap at a time: it takes some 25 bytes a key."""
ASIDE: Final = [NameRole.INITIAL.value, NameRole.PARTICLE.value]
"""Roles of words that are never looked for by themselves."""
LOW: Final = np.int64(0xFFFFFFFF)
LEFT: Final = -2
"""The subject of names that count no more; nobody's key, and not what stands for an unknown author."""

Any32 = npt.NDArray[np.int32]


class Entries(NamedTuple):
    """What words say: for each, every stem whose form it is; arrays of shape (n,)."""

    which: Ints
    """Index of the word among those asked for."""
    stem: Ints
    role: Ints
    """A names.NameRole."""
    flags: Ints
    """compiled.FormFlag."""


class Pairs(NamedTuple):
    """Names that hold one part by one word and another by the next; arrays of shape (n,)."""

    which: Ints
    """Index of the pair of words among those asked for."""
    name: Ints
    first: Entries
    """What the given name's word says; ``which`` as above."""
    last: Entries


@dataclass(frozen=True, eq=False)
class Table:
    """See the module's docstring; S stems, N names, K keys, E entries."""

    keys: Ints
    """Shape (K,): every word's key, ascending."""
    offsets: Ints
    """Shape (K + 1,): where the entries of each key begin."""
    stem: Any32
    """Shape (E,): by key, ascending within one."""
    kind: npt.NDArray[np.uint8]
    """Shape (E,): role times 16, and flags."""
    strong: npt.NDArray[np.bool_]
    """Shape (K,): whether some name's form is no word that people write in lower case."""
    of_stem: Any32
    """Shape (E,): the entries, by stem."""
    bitmap: npt.NDArray[np.uint8]
    """A filter over the top bits of the keys that are asked for in texts: letters and particles have no bit."""
    particles: Ints
    """Keys of particles, ascending."""
    stem_begins: Ints
    """Shape (S + 1,): where the entries of each stem begin in ``of_stem``."""
    root: Any32
    """Shape (S,): of each stem."""
    part: npt.NDArray[np.uint8]
    """Shape (S,): the role of the part, a names.NameRole."""
    held: Ints
    """A stem and a name that holds it, in one number, ascending."""
    pair: Ints
    """Two roots in one number, given name and surname, ascending."""
    pair_name: Any32
    pair_first: Any32
    """The stem of the given name; or of its first letter."""
    pair_last: Any32
    subject: Ints
    """Shape (N,): whose name each is."""
    of_subject: Any32
    """Shape (N,): the names, by subject."""

    @classmethod
    def of(cls, arrays: Arrays) -> Self:
        """From arrays by the names of the fields."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    @property
    def arrays(self) -> Arrays:
        """All of them, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).of, ({name: np.asarray(array) for name, array in self.arrays.items()},)

    def without(self, subjects: Ints) -> Self:
        """The same table, in which the names of some people are nobody's; subjects ascending."""
        subject = np.where(inside(self.subject, subjects), LEFT, self.subject)
        return replace(self, subject=subject, of_subject=np.argsort(subject, kind="stable").astype(np.int32))

    def passing(self, keys: Ints) -> Ints:
        """The positions of all keys that may be in a name, and of few others."""
        places = keys >> np.int64(_KEY_BITS - _bits(self.bitmap))
        return np.flatnonzero(self.bitmap.take(places >> 3) & _bit(places))

    def ranks(self, keys: Ints) -> Ints:
        """The number of each key in this table; -1 where it is no word of a name that is looked for by itself."""
        at = self.passing(keys)
        ranks = self.exact(keys[at])
        ranks[self._aside(ranks)] = -1
        found = np.full(len(keys), -1)
        found[at] = ranks
        return found

    def _aside(self, ranks: Ints) -> Ints:
        """The positions of words that are a letter or a particle alone: the filter lets some pass, by others' names."""
        weak = np.flatnonzero((ranks >= 0) & ~self.strong[ranks] if len(self.strong) else ranks >= 0)
        entries = self.entries(ranks[weak])
        looked_for = np.zeros(len(weak), bool)
        looked_for[entries.which[~np.isin(entries.role, ASIDE)]] = True
        return weak[~looked_for]

    def exact(self, keys: Ints) -> Ints:
        """The number of each key, letters and particles too; -1 for none."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)

    def entries(self, ranks: Ints) -> Entries:
        """What words say, by the numbers of their keys (-1: nothing)."""
        known = np.maximum(ranks, 0)
        first = self.offsets[known] if len(self.keys) else known
        last = np.where(ranks >= 0, self.offsets[known + 1], first) if len(self.keys) else known
        which, at = expanded(first, last)
        kind = self.kind[at].astype(np.int64)
        return Entries(which, self.stem[at].astype(np.int64), kind >> 4, kind & 15)

    def names_of(self, stems: Ints) -> tuple[Ints, Ints]:
        """Index into ``stems`` and name, of every name that holds one of them."""
        which, at = expanded(*(np.searchsorted(self.held, stems + more << 32) for more in (0, 1)))
        return which, self.held[at] & LOW

    def keys_of(self, stems: Ints) -> tuple[Ints, Ints]:
        """Index into ``stems`` and key, of every form of each."""
        which, at = expanded(self.stem_begins[stems], self.stem_begins[stems + 1])
        entry = self.of_stem[at]
        return which, self.keys[np.searchsorted(self.offsets, entry, side="right") - 1]

    def names_of_subjects(self, subjects: Ints) -> tuple[Ints, Ints]:
        """Index into ``subjects`` and name, of every name of one of them."""
        ordered = self.subject[self.of_subject]
        which, at = expanded(*(np.searchsorted(ordered, subjects, side) for side in ("left", "right")))
        return which, self.of_subject[at].astype(np.int64)

    def words_of(self, subjects: Ints) -> tuple[Ints, Ints]:
        """Every word of the names of some people: whose it is, and its key; as often as their names hold it."""
        _, names = self.names_of_subjects(subjects)
        wanted = np.zeros(len(self.subject), bool)
        wanted[names] = True
        held = self.held[wanted[self.held & LOW]]
        which, keys = self.keys_of(held >> 32)
        return self.subject[(held & LOW)[which]], keys

    def holds(self, stems: Ints, names: Ints) -> Bools:
        """Which of some names hold the stems beside them; shape (n,)."""
        if not len(self.held):
            return np.zeros(len(stems), bool)
        asked = stems << 32 | names
        at = np.minimum(np.searchsorted(self.held, asked), len(self.held) - 1)
        return np.asarray(self.held[at] == asked)

    def pairs(self, first: Ints, last: Ints) -> Pairs:
        """The names in which one word stands for the given name, or its first letter, and another for the surname.

        Args:
            first: numbers of the keys of words, shape (n,), no -1.
            last: likewise.
        """
        one, other = self.entries(first), self.entries(last)
        which, roots = self._root_pairs(len(first), one, other)
        low, high = (np.searchsorted(self.pair, roots, side) for side in ("left", "right"))
        at, row = expanded(low, high)
        which = which[at]
        stem_first, stem_last = self.pair_first[row].astype(np.int64), self.pair_last[row].astype(np.int64)
        found_first, found_last = _find(one, which, stem_first), _find(other, which, stem_last)
        both = np.flatnonzero((found_first >= 0) & (found_last >= 0))
        name = self.pair_name[row[both]].astype(np.int64)
        chosen = [
            Entries(*(column[found[both]] for column in entries))
            for entries, found in _zip(one, other, found_first, found_last)
        ]
        return Pairs(which[both], name, *chosen)

    def _root_pairs(self, count: int, one: Entries, other: Entries) -> tuple[Ints, Ints]:
        """For each pair of words every two roots that they may be of, once each, as (index, roots)."""
        first = np.unique(one.which << 32 | self.root[one.stem])
        last = np.unique(other.which << 32 | self.root[other.stem])
        begins = np.searchsorted(last >> 32, np.arange(count + 1))
        which = first >> 32
        at, beside = expanded(begins[which], begins[which + 1])
        return which[at], (first[at] & LOW) << 32 | (last[beside] & LOW)


def expanded(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """All numbers of some ranges, as (index of the range, number)."""
    sizes = last - first
    which = np.repeat(np.arange(len(sizes)), sizes)
    begins = np.cumsum(sizes) - sizes
    return which, np.arange(len(which)) - begins[which] + first[which]


def numbered(*columns: npt.NDArray[np.signedinteger[Any]]) -> Ints:
    """A number for each line of some columns of one shape (n,): equal lines have equal ones, in no order."""
    numbers: Ints = np.unique(columns[0], return_inverse=True)[1].astype(np.int64)
    for column in columns[1:]:
        distinct_ones, which = np.unique(column, return_inverse=True)
        numbers = np.unique(numbers * len(distinct_ones) + which, return_inverse=True)[1].astype(np.int64)
    return numbers


def distinct(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """The pairs of two columns of shape (n,), sorted, once each."""
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    fresh = np.ones(len(one), bool)
    fresh[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return one[fresh], other[fresh]


def bitmap_of(keys: Ints) -> npt.NDArray[np.uint8]:
    """The filter of some keys."""
    bits = max(len(keys).bit_length() + _SPARSITY_BITS, _LEAST_BITS)
    bitmap = np.zeros(1 << (bits - 3), np.uint8)
    for begin in range(0, len(keys), _PIECE):
        places = keys[begin : begin + _PIECE] >> np.int64(_KEY_BITS - bits)
        np.bitwise_or.at(bitmap, places >> 3, _bit(places))
    return bitmap


def _find(entries: Entries, which: Ints, stem: Ints) -> Ints:
    """Where the entry of a word and a stem is, -1 for none; entries are sorted by both."""
    places = entries.which << 32 | entries.stem
    asked = which << 32 | stem
    if not len(places):
        return np.full(len(asked), -1)
    at = np.minimum(np.searchsorted(places, asked), len(places) - 1)
    return np.where(places[at] == asked, at, -1)


def _zip(one: Entries, other: Entries, first: Ints, last: Ints) -> tuple[tuple[Entries, Ints], tuple[Entries, Ints]]:
    return (one, first), (other, last)


def _bits(bitmap: npt.NDArray[np.uint8]) -> int:
    return (len(bitmap) << 3).bit_length() - 1


def _bit(places: Ints) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (places & 7).astype(np.uint8))
