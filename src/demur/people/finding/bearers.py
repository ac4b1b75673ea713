"""Who may be meant on a page besides, by what is known of its threads.

Invariants: nothing but the context and the index is asked; somebody withheld who bears the same name is no witness
against another, since both are masked; the author of a text is none either, since people don't call themselves.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from demur.people.context import Context, Pairs, holds, in_thread
from demur.people.finding.sightings import Single
from demur.people.index import PeopleIndex
from demur.people.indexed.table import Table, expanded
from demur.words.page import Bools, Ints, Page


@dataclass(frozen=True)
class Known:
    """What is known of the threads of a page."""

    page: Page
    index: PeopleIndex
    context: Context

    @cached_property
    def withheld(self) -> tuple[Ints, Ints]:
        """Threads and people of the index who take part in them, sorted."""
        return among(self.context.takes_part, self.index.subjects)

    @cached_property
    def named(self) -> tuple[Ints, Ints]:
        """Threads and people of the index who are named in full there, sorted."""
        return among(self.context.named, self.index.subjects)

    def thread(self, words: Ints) -> Ints:
        """The thread of each word."""
        return self.page.writing.thread[self.page.words.row[words]]

    def author(self, words: Ints) -> Ints:
        """The author of each word."""
        return self.page.writing.author[self.page.words.row[words]]

    def takes_part(self, words: Ints, subjects: Ints) -> Bools:
        """Whether the person beside each word takes part in its thread; shape (n,)."""
        return holds(self.context.takes_part, self.thread(words), subjects)

    def is_named(self, words: Ints, subjects: Ints) -> Bools:
        """Whether the person beside each word is named in full in its thread; shape (n,)."""
        return holds(self.context.named, self.thread(words), subjects)

    def is_answered(self, words: Ints, subjects: Ints) -> Bools:
        """Whether the person beside each word wrote what its row answers; shape (n,)."""
        return holds(self.context.wrote, self.page.writing.parent[self.page.words.row[words]], subjects)

    def is_called(self, words: Ints, subjects: Ints, keys: Ints) -> Bools:
        """Whether the person beside each word signs with a key's word, or is called so in its thread; shape (n,)."""
        there = holds(self.context.called, in_thread(self.thread(words), subjects), keys)
        return np.asarray(holds(self.context.learnt, subjects, keys) | there)

    def others_bear(self, table: Table, seen: Single) -> Bools:
        """Whether somebody else in the thread is called by the same name: one who is not withheld by it; shape (n,)."""
        which, key = table.keys_of(seen.stem)
        return self.others_called(seen.word, seen.subject, which, key)

    def others_called(self, words: Ints, subjects: Ints, which: Ints, keys: Ints) -> Bools:
        """Whether somebody else in the thread of a word is called by one of some keys.

        Args:
            words: shape (n,).
            subjects: who is not else, beside each.
            which: positions in ``words``, ascending; shape (m,).
            keys: beside each of these; shape (m,).
        """
        thread, key, person = self._called
        asked = _mixed(self.thread(words)[which], keys)
        order, at = expanded(*(np.searchsorted(self._mixes, asked, side) for side in ("left", "right")))
        of = which[order]
        same = (thread[at] == self.thread(words)[of]) & (key[at] == keys[order])
        same &= (person[at] != subjects[of]) & (person[at] != self.author(words)[of])
        of, person = of[same], person[at[same]]
        itself = self.index.bears(person, self.page.words.key[words[of]])
        return np.asarray(np.bincount(of[~itself], minlength=len(words)) > 0)

    @cached_property
    def _called(self) -> tuple[Ints, Ints, Ints]:
        """Thread, word and person, of all that those who take part are called by; by the mix of the first two."""
        said = np.unique(np.concatenate([self.context.bears, self.context.learnt]))
        part = self.context.takes_part[np.isin(self.context.takes_part["one"], self.page.writing.thread)]
        there = in_thread(part["one"], part["other"])
        ways = ((said, part["other"]), (self.context.called, there))
        told = [beside(known, asked) for known, asked in ways]
        which, key = (np.concatenate(each) for each in zip(*told, strict=True))
        thread, person = part["one"][which], part["other"][which]
        order = np.argsort(_mixed(thread, key), kind="stable")
        return thread[order], key[order], person[order]

    @cached_property
    def _mixes(self) -> Ints:
        thread, key, _ = self._called
        return _mixed(thread, key)


def beside(known: Pairs, asked: Ints) -> tuple[Ints, Ints]:
    """Everything that stands beside each of some ones: the index of the one, and what stands there."""
    which, at = expanded(*(np.searchsorted(known["one"], asked, side) for side in ("left", "right")))
    return which, known["other"][at]


def among(known: np.ndarray, subjects: Ints) -> tuple[Ints, Ints]:
    """The pairs whose other is one of some people, ascending: the ones, and the people beside them."""
    if not len(known) or not len(subjects):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(subjects, known["other"]), len(subjects) - 1)
    kept = known[subjects[at] == known["other"]]
    return np.ascontiguousarray(kept["one"]), np.ascontiguousarray(kept["other"])


def _mixed(one: Ints, other: Ints) -> Ints:
    """A number of two, by which both are found together; whoever looks up compares them."""
    with np.errstate(over="ignore"):
        return one * np.int64(-7046029254386353131) ^ other
