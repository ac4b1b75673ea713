"""The names of everybody withheld, as they are looked for in texts: built from what the register keeps of them.

Invariants: read-only; keys alone; a value that crosses to another process as its path, where it was loaded from one;
whoever joins a few people to many rebuilds nothing; the answer for a person never depends on who else is in it.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np

from demur.people.compiled import Compiled, FormFlag
from demur.people.context import Pairs, no_pairs
from demur.people.indexed.building import table_of
from demur.people.indexed.stored import read_arrays, write_arrays
from demur.people.indexed.table import LEFT, LOW, Table, expanded
from demur.people.names import NameRole
from demur.words.columns import shortened
from demur.words.page import Bools, Ints

FORM: Final = "demur-people 1"
ALONE: Final = (NameRole.SURNAME, NameRole.SINGLE, NameRole.HANDLE, NameRole.JOINED)
"""Roles of words that may name somebody wherever they stand, or of which one stands in every full name."""


class Asked(NamedTuple):
    """By which words the rows are found that may name some people: shortened (words.columns), ascending, once each."""

    alone: np.ndarray
    """Rows anywhere that hold one of them."""
    within: np.ndarray
    """Rows that hold one of them, in threads where they take part or are named in full: some of the others, too."""


class PeopleIndex:
    """See the module's docstring."""

    def __init__(self, tables: tuple[Table, ...], path: Path | None = None) -> None:
        self.tables = tables
        """Each with people of its own."""
        self._path = path

    @classmethod
    def build(cls, entries: Iterable[tuple[int, Compiled]]) -> Self:
        """The index of people, by subject key and spelling: as many spellings of one person as there are."""
        return cls((table_of(entries),))

    @classmethod
    def load(cls, path: Path) -> Self:
        """What :meth:`save` wrote, mapped into memory.

        Raises:
            RegisterError: when it is damaged, or of another version.
        """
        return cls((Table.of(read_arrays(path, FORM)),), path)

    def save(self, path: Path) -> None:
        """Writes the file; of an index that others were joined to, build one of all instead.

        Raises:
            ValueError: for a joined one.
        """
        (table,) = self.tables
        write_arrays(path, FORM, table.arrays)

    def joined(self, other: "PeopleIndex") -> "PeopleIndex":
        """The people of both, without building anything anew: each look-up costs as much as in both."""
        return PeopleIndex((*self.tables, *other.tables))

    def without(self, subjects: Ints) -> "PeopleIndex":
        """The same, but that nothing is known of some people, ascending; it costs as much as there are names."""
        return PeopleIndex(tuple(table.without(subjects) for table in self.tables))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.tables,)) if self._path is None else (type(self).load, (self._path,))

    @cached_property
    def subjects(self) -> Ints:
        """Everybody in it, ascending, once each."""
        found = np.unique(np.concatenate([np.zeros(0, np.int64), *(table.subject for table in self.tables)]))
        return np.asarray(found[found != LEFT])

    def candidates(self, keys: Ints) -> Bools:
        """Which words, by their keys, are in somebody's name; shape (n,)."""
        found = np.zeros(len(keys), bool)
        for table in self.tables:
            at = table.passing(keys)
            found[at] |= table.exact(keys[at]) >= 0
        return found

    def bears(self, subjects: Ints, keys: Ints) -> Bools:
        """Which of some people have a name of which the word beside them is a form; shape (n,)."""
        found = np.zeros(len(subjects), bool)
        for table in self.tables:
            which, name = table.names_of_subjects(subjects)
            entries = table.entries(table.ranks(keys[which]))
            held = table.holds(entries.stem, name[entries.which])
            found[which[entries.which[held]]] = True
        return found

    def asked(self, subjects: Ints, learnt: Pairs | None = None) -> Asked:
        """By which words to look for rows in which any of these people may be named.

        Args:
            subjects: of people in the index.
            learnt: what else they are called by, as contexts know it: counts in their threads alone.
        """
        alone, within = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for table in self.tables:
            keys, kind = _words_of(table, subjects)
            strong = np.isin(kind >> 4, ALONE) & (kind & FormFlag.ABBREVIATED == 0)
            alone.append(keys[strong])
            within.append(keys[~np.isin(kind >> 4, (NameRole.PARTICLE, NameRole.INITIAL))])
        learnt = no_pairs() if learnt is None else learnt
        within.append(learnt["other"][np.isin(learnt["one"], subjects)])
        return Asked(*(np.unique(shortened(np.concatenate(keys))) for keys in (alone, within)))

    def words_of(self, subjects: Ints) -> tuple[Ints, Ints]:
        """Every word of the names of some people, with whose it is: keys of people and of words, shape (n,) each.

        A word stands as often as names hold it, in no order.
        """
        parts = [(np.zeros(0, np.int64),) * 2, *(table.words_of(subjects) for table in self.tables)]
        whose, keys = (np.concatenate(column) for column in zip(*parts, strict=True))
        return whose, keys


def _words_of(table: Table, subjects: Ints) -> tuple[Ints, np.ndarray]:
    """The words of some people's names, and what each is."""
    _, names = table.names_of_subjects(subjects)
    stems = np.unique(table.held[np.isin(table.held & LOW, names)] >> 32)
    _, at = expanded(table.stem_begins[stems], table.stem_begins[stems + 1])
    entry = table.of_stem[at]
    return table.keys[np.searchsorted(table.offsets, entry, side="right") - 1], table.kind[entry]
