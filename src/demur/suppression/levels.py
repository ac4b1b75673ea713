"""Levels of fingerprints, one above the other: what all lines say at one moment, and what differs since.

Invariant: levels answer exactly as one bottom of all live lines does. It holds as a level that is put above others says
all that there is to know of every key that a line which came or went holds.

The form is that of a log-structured merge tree (O'Neil et al., Acta Informatica 33, 1996).
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from demur.identity import SubjectKeys, ascending, inside
from demur.suppression.level import KEPT, SEEN, STOCK, Level, Lines, Said
from demur.suppression.shingles import is_looked_up
from demur.words.grams import paired
from demur.words.page import Bools, Ints


class Entries(NamedTuple):
    """Entries of keys that count, or are stock, as arrays of shape (n,)."""

    which: Ints
    """The number of the key among those that were asked for, ascending."""
    subject: Ints
    item: Ints
    """The key of the post's item, or its number, where nothing else is known of it."""
    stock: Bools


@dataclass(frozen=True, eq=False)
class Levels:
    """See the module's docstring."""

    all: tuple[Level, ...]
    """From the uppermost to the bottom; one at least."""

    @classmethod
    def of(cls, told: pa.Table) -> Self:
        """One, of all lines of kernel.evidence.FINGERPRINTS, in any order."""
        return cls((Level.bottom(told),))

    @property
    def bottom(self) -> Level:
        """The lowest one."""
        return self.all[-1]

    def changed(self, gone: Ints, told: pa.Table) -> Level:
        """The level that goes above these once lines went and others came.

        Args:
            gone: the items whose lines went; those that are replaced, too.
            told: the lines that came, of kernel.evidence.FINGERPRINTS.
        """
        said = Said.of(told)
        gone = ascending(np.concatenate([gone, said.lines.item]))
        keys = ascending(np.concatenate([said.key, self._keys_of(gone)]))
        key, seen, lines = [said.key], [said.seen], [Lines(*(column[said.line] for column in said.lines))]
        for level, asked in self._telling(keys):
            entry = level.all_of(keys[asked])
            entry = entry[~inside(level.item[level.line[entry]], gone)]
            line = level.line[entry]
            key.append(level.gram[entry])
            seen.append(level.flags[entry] & SEEN > 0)
            lines.append(Lines(level.item[line], level.author[line], level.created[line]))
        every = [np.concatenate([own, *others]) for own, *others in zip(said.lines, *lines, strict=True)]
        item, first = np.unique(every[0], return_index=True)
        place = np.searchsorted(item, np.concatenate([each.item for each in lines]))
        of_pair, pair = said.pairs
        whole = Said(
            Lines(item, every[1][first], every[2][first]),
            np.concatenate(key),
            place,
            np.concatenate(seen),
            (np.searchsorted(item, said.lines.item)[of_pair], pair),
        )
        return Level.above(whole, inside(item, said.lines.item), keys)

    def entries(self, keys: Ints) -> Entries:
        """What there is of some keys, of any kind but PAIR."""
        parts = []
        for level, asked in self._telling(keys):
            which, entry = level.kept_of(keys[asked])
            line = level.line[entry]
            parts.append(Entries(asked[which], level.author[line], level.item[line], level.flags[entry] & STOCK > 0))
        if len(parts) == 1:
            return parts[0]
        which, subject, item, stock = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(which, kind="stable")
        return Entries(which[order], subject[order], item[order], stock[order])

    def known(self, keys: Ints) -> Bools:
        """Of which keys there is anything; of kinds that are looked up, and in any order."""
        found, rest = np.zeros(len(keys), bool), np.arange(len(keys))
        for level in self.all[:-1]:
            told = level.tells(keys[rest])
            at, rest = rest[told], rest[~told]
            found[at] = level.keeps(keys[at])
        at = rest[self.bottom.gate.passing(keys[rest])]
        at = at[np.argsort(keys[at])]
        found[at] = self.bottom.keeps(keys[at])
        return found

    def asked(self, subjects: SubjectKeys) -> Ints:
        """The keys that are looked up of what some people wrote: stock, too; some of them twice."""
        parts = [np.zeros(0, np.int64)]
        for number, level in enumerate(self.all):
            entry = level.of_lines(level.lines_of(subjects))
            keys = level.gram[entry[level.flags[entry] & KEPT > 0]]
            parts.append(self._left(keys[is_looked_up(keys)], number))
        return np.concatenate(parts)

    def every(self) -> tuple[Ints, Ints, Bools]:
        """All entries: key, subject, and whether it is stock; in no order."""
        parts = []
        for number, level in enumerate(self.all):
            entry = np.flatnonzero(level.flags & KEPT)
            for above in self.all[:number]:
                entry = entry[~above.tells(level.gram[entry])]
            parts.append((level.gram[entry], level.author[level.line[entry]], level.flags[entry] & STOCK > 0))
        gram, subject, stock = (np.concatenate(column) for column in zip(*parts, strict=True))
        return gram, subject, stock

    def posts(self, items: Ints) -> "Posts":
        """What is known of posts that :meth:`entries` told of."""
        level, line = np.full(len(items), -1), np.zeros(len(items), np.int64)
        for number, each in enumerate(self.all):
            at, found = each.owned(items)
            fresh = level[at] < 0
            level[at[fresh]], line[at[fresh]] = number, found[fresh]
        return Posts(self.all, level, line)

    def _telling(self, keys: Ints) -> list[tuple[Level, Ints]]:
        """The levels, each with the places of those of some keys of which it is the one to tell."""
        parts, rest = [], np.arange(len(keys))
        for level in self.all[:-1]:
            told = level.tells(keys[rest])
            parts.append((level, rest[told]))
            rest = rest[~told]
        return [*parts, (self.bottom, rest)]

    def _left(self, keys: Ints, number: int) -> Ints:
        """Those of some keys of which no level above one tells."""
        for above in self.all[:number]:
            keys = keys[~above.tells(keys)]
        return keys

    def _keys_of(self, items: Ints) -> Ints:
        """The keys of all that the lines of some items say; some of them twice."""
        posts = self.posts(items)
        found = [np.zeros(0, np.int64)]
        for number, level in enumerate(self.all):
            found.append(level.gram[level.of_lines(posts.line[posts.level == number])])
        return np.concatenate(found)


@dataclass(frozen=True)
class Posts:
    """Posts, by where all of each is; arrays of shape (posts,)."""

    levels: tuple[Level, ...]
    level: Ints
    line: Ints

    @property
    def counts(self) -> Ints:
        """How many PAIRs each has."""
        counts = np.zeros(len(self.level), np.int64)
        for number, level in enumerate(self.levels):
            here = self.level == number
            counts[here] = level.count[self.line[here]]
        return counts

    def have(self, which: Ints, pairs: Ints) -> Bools:
        """Whether a post, by its number here, has the PAIR beside it; shape (n,)."""
        found = np.zeros(len(which), bool)
        for number, level in enumerate(self.levels):
            at = np.flatnonzero(self.level[which] == number)
            found[at] = among(paired(pairs[at], level.post[self.line[which[at]]]), level.pair)
        return found


def among(values: Ints, known: Ints) -> Bools:
    """Which values are among ascending ones."""
    found = np.zeros(len(values), bool)
    if len(known):
        order = np.argsort(values)
        at = np.minimum(np.searchsorted(known, values[order]), len(known) - 1)
        found[order] = known[at] == values[order]
    return found
