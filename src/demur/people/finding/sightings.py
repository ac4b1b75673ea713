"""Where the words of somebody's name stand on a page, before anything is said of whether they are meant.

Invariants: a sighting is of one name and says nothing of others; it comes from the page and the table alone; the time
is linear in the words, and in how many people bear a name that is found.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np

from demur.people.compiled import FormFlag
from demur.people.finding.phrases import REACH, Phrases
from demur.people.indexed.table import LOW, Pairs, Table, expanded
from demur.people.names import NameRole
from demur.words.page import Bools, Ints
from demur.words.shapes import Shape

MOST_BEARERS: Final = 100
"""People of one name that a place is found for: its mask is the same for one and for all."""


class Single(NamedTuple):
    """Words that are in a name, each with one person who bears it; arrays of shape (n,)."""

    word: Ints
    """Index among the page's words."""
    subject: Ints
    stem: Ints
    role: Ints
    """A names.NameRole."""
    flags: Ints
    """compiled.FormFlag."""

    def take(self, which: Bools | Ints) -> Self:
        """A selection."""
        return type(self)(*(column[which] for column in self))


class Double(NamedTuple):
    """Two words that are a given name, or its first letter, and a surname of one name; arrays of shape (n,)."""

    given: Ints
    """Index among the page's words."""
    surname: Ints
    name: Ints
    subject: Ints
    apart: Ints
    """How many words stand between them."""
    role: Ints
    """A names.NameRole of the given name's word."""
    given_flags: Ints
    """compiled.FormFlag."""
    surname_role: Ints
    surname_flags: Ints

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
        return np.where(self.phrases.usable, self.table.ranks(self.phrases.page.words.key), -1)

    @cached_property
    def words(self) -> Ints:
        """The words that are in somebody's name, ascending."""
        return np.flatnonzero(self.ranks >= 0)

    def double(self) -> Double:
        """Names of two words, in either order, with up to so many other parts between."""
        parts = [self._named(*pair) for pair in self._neighbours()]
        found = Double(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        written = self._as_written(found.given, found.given_flags)
        return found.take(written & self._as_written(found.surname, found.surname_flags))

    def _as_written(self, words: Ints, flags: Ints) -> Bools:
        """Which forms stand as they are: ``Steve's`` in one word is none of another case, since Steve stands there."""
        several = self.phrases.page.words.last[words] > self.phrases.page.words.place[words]
        spaced = self.phrases.page.words.shape[words] & np.uint8(Shape.SPACED) > 0
        return np.asarray((flags & FormFlag.INFLECTED == 0) | ~several | spaced)

    def alone(self, words: Ints, roles: tuple[int, ...]) -> Single:
        """Words as parts of some roles, of whoever bears them: of each part so many people at most."""
        entries = self.table.entries(self.ranks[words])
        at = np.flatnonzero(np.isin(entries.role, roles) & self._as_written(words[entries.which], entries.flags))
        which, name = self.table.names_of(entries.stem[at])
        begins = np.searchsorted(which, np.arange(len(at)))
        few = np.arange(len(which)) - begins[which] < MOST_BEARERS
        at, name = at[which[few]], name[few]
        return Single(
            words[entries.which[at]], self.table.subject[name], entries.stem[at], entries.role[at], entries.flags[at]
        )

    def within(self, words: Ints, which: Ints, subject: Ints) -> Single:
        """Words of the names of some people, where they may be meant.

        Args:
            words: indices of words that are in somebody's name, ascending.
            which: position in ``words``, beside whoever may be meant there.
            subject: whoever may.
        """
        person, name = self.table.names_of_subjects(subject)
        entries = self.table.entries(self.ranks[words])
        begins = np.searchsorted(entries.which, np.arange(len(words) + 1))
        at, entry = expanded(begins[which[person]], begins[which[person] + 1])
        held = self.table.holds(entries.stem[entry], name[at])
        held &= self._as_written(words[entries.which[entry]], entries.flags[entry])
        at, entry = at[held], entry[held]
        return Single(
            words[entries.which[entry]],
            subject[person[at]],
            entries.stem[entry],
            entries.role[entry],
            entries.flags[entry],
        )

    def is_part(self, words: Ints, names: Ints) -> Bools:
        """Which words are a part of the name beside them, particles included; shape (n,)."""
        ranks = np.where(self.phrases.usable[words], self.table.exact(self.phrases.page.words.key[words]), -1)
        entries = self.table.entries(ranks)
        held = self.table.holds(entries.stem, names[entries.which]) & (entries.role != NameRole.INITIAL)
        found = np.zeros(len(words), bool)
        found[entries.which[held]] = True
        return found

    @cached_property
    def _between(self) -> Bools:
        """Which plain words, by number, may stand between a given name and a surname: a few too many.

        The mask of a name may, whatever stood there: so a name around it is found whoever objected first.
        """
        return np.asarray((self.phrases.usable | self.phrases.page.hidden)[self.phrases.plain])

    def _neighbours(self) -> list[tuple[Ints, Ints, int]]:
        """Words that may be a given name and a surname, and how many stand between them."""
        phrases = self.phrases
        lettered = np.union1d(self.words, np.flatnonzero(phrases.letter & phrases.usable))
        found = []
        for apart in range(REACH + 1):
            which, other = phrases.following(lettered, apart, self._between)
            known = (self.ranks[other] >= 0) | (
                phrases.letter[other] & (self.ranks[lettered[which]] >= 0) & (apart == 0)
            )
            found.append((lettered[which[known]], other[known], apart))
        which, other = phrases.following(self.words, 0, self._between)
        known = (self.ranks[other] >= 0) | phrases.letter[other]
        found.append((other[known], self.words[which[known]], 0))
        which, other = phrases.behind_comma(self.words)
        known = self.ranks[other] >= 0
        found.append((other[known], self.words[which[known]], 0))
        return found

    def _named(self, given: Ints, surname: Ints, apart: int) -> Double:
        """The names of which one word is the given name and another the surname."""
        both, which = np.unique(self._any_rank(given) << 32 | self._any_rank(surname) & LOW, return_inverse=True)
        known = (both >= 0) & (both & LOW < 2**31)
        both = both[known]
        place = np.cumsum(known) - 1
        at = np.flatnonzero(known[which]) if len(which) else which
        found = self.table.pairs(both >> 32, both & LOW)
        begins = np.searchsorted(found.which, np.arange(len(both) + 1))
        of_pair = place[which[at]]
        occurrence, pair = expanded(begins[of_pair], np.minimum(begins[of_pair + 1], begins[of_pair] + MOST_BEARERS))
        at = at[occurrence]
        return _double(self.table, found, pair, given[at], surname[at], apart)

    def _any_rank(self, words: Ints) -> Ints:
        """The number of each word's key, those of letters included."""
        ranks = self.ranks[words].copy()
        letters = np.flatnonzero((ranks < 0) & self.phrases.letter[words])
        ranks[letters] = self.table.exact(self.phrases.page.words.key[words[letters]])
        return ranks


def _double(table: Table, found: Pairs, pair: Ints, given: Ints, surname: Ints, apart: int) -> Double:
    name = found.name[pair]
    return Double(
        given,
        surname,
        name,
        table.subject[name],
        np.full(len(pair), apart),
        found.first.role[pair],
        found.first.flags[pair],
        found.last.role[pair],
        found.last.flags[pair],
    )
