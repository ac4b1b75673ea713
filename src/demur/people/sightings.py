"""Where the words of somebody's name stand on a page, before anything is said of whether they are meant.

Invariants: a sighting is of one name and says nothing of others; those that need no context come from the page and the
table alone; the time is linear in the words, and in how many people bear a name that is found.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np

from demur.people.compiled import FormFlag
from demur.people.context import Context
from demur.people.names import NameRole
from demur.people.phrases import REACH, Phrases
from demur.people.table import Table, expanded
from demur.words.page import Bools, Ints

MOST_BEARERS: Final = 100
"""People of one name that a place is found for: a mask is the same for one and for all."""
_ONE_WORD: Final = (NameRole.GIVEN, NameRole.MIDDLE, NameRole.SURNAME, NameRole.SINGLE, NameRole.HANDLE, NameRole.NICK)


class Sightings(NamedTuple):
    """Words that are in names; arrays of shape (n,)."""

    first: Ints
    """Index of the word that the name begins with."""
    last: Ints
    """Of the one that it ends with; the same, where it is one word."""
    subject: Ints
    role: Ints
    """A names.NameRole: of the given name's word in a name of two words."""
    flags: Ints
    """compiled.FormFlag of the one word, or of the given name's."""
    last_role: Ints
    """Of the surname's word; -1 in a name of one word."""
    last_flags: Ints
    apart: Ints
    """How many words of no part of the name stand between the two."""

    def take(self, which: Bools | Ints) -> Self:
        """A selection."""
        return type(self)(*(column[which] for column in self))


@dataclass(frozen=True)
class Sighter:
    """Finds the words of one table's names on one page."""

    phrases: Phrases
    table: Table

    @cached_property
    def ranks(self) -> Ints:
        """The number of each word's key in the table, -1 for none, and for words that are nobody's name."""
        return np.where(self.phrases.page.opaque, -1, self.table.ranks(self.phrases.page.words.key))

    @cached_property
    def words(self) -> Ints:
        """The words that are in somebody's name."""
        return np.flatnonzero(self.ranks >= 0)

    def full(self) -> Sightings:
        """Names of two words, in either order: a given name or its first letter, and a surname."""
        parts = [self._pairs(first, last, apart) for first, last, apart in self._neighbours()]
        return _together(parts)

    def alone(self, roles: tuple[NameRole, ...]) -> Sightings:
        """Words of some roles, of everybody who bears them."""
        entries = self.table.entries(self.ranks[self.words])
        at = np.flatnonzero(np.isin(entries.role, roles))
        which, name = self._bearers(entries.stem[at])
        at = at[which]
        return _one_word(self.words[entries.which[at]], self.table.subject[name], entries.role[at], entries.flags[at])

    def within(self, words: Ints, word: Ints, subject: Ints) -> Sightings:
        """Words of the names of some people, wherever they may be meant.

        Args:
            words: indices of words that are in somebody's name.
            word: position in ``words``, beside whoever may be meant there.
            subject: whoever may.
        """
        which, name = self.table.names_of_subjects(subject)
        entries = self.table.entries(self.ranks[words])
        begins = np.searchsorted(entries.which, np.arange(len(words) + 1))
        at, entry = expanded(begins[word[which]], begins[word[which] + 1])
        held = self.table.holds(entries.stem[entry], name[at])
        at, entry = at[held], entry[held]
        return _one_word(words[entries.which[entry]], subject[which[at]], entries.role[entry], entries.flags[entry])

    def _neighbours(self) -> list[tuple[Ints, Ints, Ints]]:
        """Words that may be a given name and a surname: two and two, and how many stand between."""
        phrases = self.phrases
        letters = np.flatnonzero(phrases.letter & ~phrases.page.opaque)
        firsts = np.union1d(self.words, letters)
        found = []
        for distance in range(REACH + 1):
            which, other = phrases.following(firsts, distance, self._between)
            some = self.ranks[other] >= 0
            found.append((firsts[which[some]], other[some], np.full(int(some.sum()), distance)))
        which, other = phrases.following(self.words, 0, self._between)
        some = (self.ranks[other] >= 0) | phrases.letter[other]
        found.append((other[some], self.words[which[some]], np.zeros(int(some.sum()), np.int64)))
        return found

    @cached_property
    def _between(self) -> Bools:
        """Which plain words, by number, may stand between a given name and a surname."""
        phrases, words = self.phrases, self.phrases.page.words
        particle = np.isin(words.key[phrases.plain], self.table.particles)
        named = phrases.letter[phrases.plain] | phrases.capital[phrases.plain] | particle
        return np.asarray(named & ~phrases.page.opaque[phrases.plain])

    def _pairs(self, first: Ints, last: Ints, apart: Ints) -> Sightings:
        """The names in which two words are given name and surname."""
        rank_first, rank_last = self._any_rank(first), self._any_rank(last)
        both, which = np.unique(rank_first << 32 | rank_last, return_inverse=True)
        some = (both >> 32 >= 0) & (both & (2**32 - 1) < 2**31)
        both = np.where(some, both, 0)
        found = self.table.pairs(np.where(some, both >> 32, -1), np.where(some, both & (2**32 - 1), -1))
        begins = np.searchsorted(found.which, np.arange(len(both) + 1))
        begin, end = begins[which], np.minimum(begins[which + 1], begins[which] + MOST_BEARERS)
        at, pair = expanded(begin, end)
        left, right = np.minimum(first, last), np.maximum(first, last)
        return Sightings(
            left[at],
            right[at],
            self.table.subject[found.name[pair]],
            found.first.role[pair],
            found.first.flags[pair],
            found.last.role[pair],
            found.last.flags[pair],
            apart[at],
        )

    def _any_rank(self, words: Ints) -> Ints:
        """The number of each word's key, those of letters included."""
        ranks = self.ranks[words].copy()
        letters = np.flatnonzero((ranks < 0) & self.phrases.letter[words])
        ranks[letters] = self.table.exact(self.phrases.page.words.key[words[letters]])
        return ranks

    def _bearers(self, stems: Ints) -> tuple[Ints, Ints]:
        """Index into ``stems`` and name of those who hold them, at most so many each."""
        which, name = self.table.names_of(stems)
        begins = np.searchsorted(which, np.arange(len(stems)))
        few = np.arange(len(which)) - begins[which] < MOST_BEARERS
        return which[few], name[few]


def no_sightings() -> Sightings:
    """None at all."""
    return Sightings(*(np.zeros(0, np.int64) for _ in Sightings._fields))


def is_strong(sightings: Sightings) -> Bools:
    """Which are of words that nobody writes in lower case."""
    return np.asarray(sightings.flags & FormFlag.WORD == 0)


def _one_word(word: Ints, subject: Ints, role: Ints, flags: Ints) -> Sightings:
    none = np.full(len(word), -1)
    return Sightings(word, word, subject, role, flags, none, none, np.zeros(len(word), np.int64))


def _together(parts: list[Sightings]) -> Sightings:
    return Sightings(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
