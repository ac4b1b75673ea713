"""What is known of the threads of a batch: who takes part, who wrote what, what they are called, who is named in full.

Invariants: a value made of keys alone, picklable, the same whatever order it was gathered in; it holds at least what
concerns the threads of the batch it is made for, and more of it changes nothing about these; pairs are sorted and stand
once each, so that a look-up is a binary search.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from demur.words.grams import paired
from demur.words.page import Bools, Ints

PAIR: Final = np.dtype([("one", "<i8"), ("other", "<i8")])
Pairs = npt.NDArray[np.void]
"""Pairs of :data:`PAIR`, shape (n,), sorted, once each."""


def pairs(one: Ints, other: Ints) -> Pairs:
    """Pairs of two arrays of the same shape (n,)."""
    order = np.lexsort((other, one))
    found = np.zeros(len(order), PAIR)
    found["one"], found["other"] = one, other = np.asarray(one)[order], np.asarray(other)[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return found[fresh]


def no_pairs() -> Pairs:
    """None at all."""
    return np.zeros(0, PAIR)


def holds(known: Pairs, one: Ints, other: Ints) -> Bools:
    """Which of the pairs (one, other), each of shape (n,), are known; shape (n,)."""
    if not len(known):
        return np.zeros(len(one), bool)
    asked = np.zeros(len(one), PAIR)
    asked["one"], asked["other"] = one, other
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.asarray(known[at] == asked)


def in_thread(threads: Ints, people: Ints) -> Ints:
    """A number for each person in a thread, of which no two have the same; both of shape (n,)."""
    return paired(np.ascontiguousarray(threads), people)


def others(known: Pairs, one: int) -> Ints:
    """Everything that stands beside ``one``, ascending."""
    first, last = np.searchsorted(known["one"], [one, one + 1])
    return np.asarray(known["other"][first:last])


@dataclass(frozen=True, eq=False)
class Context:
    """See the module's docstring; items and threads are :func:`demur.words.page.short_keys`, people subject keys."""

    takes_part: Pairs = field(default_factory=no_pairs)
    """Thread, and somebody who wrote in it: whether or not what they wrote was kept."""
    wrote: Pairs = field(default_factory=no_pairs)
    """Item, and who wrote it."""
    bears: Pairs = field(default_factory=no_pairs)
    """Somebody who takes part, and the key of a word that they are or were called by, as members say."""
    learnt: Pairs = field(default_factory=no_pairs)
    """Somebody withheld, and the key of a word that they sign with, in whichever thread."""
    called: Pairs = field(default_factory=no_pairs)
    """Somebody in a thread (:func:`in_thread`), and the key of a word by which others call them there, or they sign."""
    named: Pairs = field(default_factory=no_pairs)
    """Thread, and somebody withheld whose full name stands, or stood, in it."""

    def within(self, threads: Ints, items: Ints) -> Self:
        """What concerns rows of some threads alone, which answer some items; both in any order."""
        part, named = (known[np.isin(known["one"], threads)] for known in (self.takes_part, self.named))
        people = np.concatenate([part["other"], named["other"]])
        bears, learnt = (known[np.isin(known["one"], people)] for known in (self.bears, self.learnt))
        called = self.called[np.isin(self.called["one"], in_thread(part["one"], part["other"]))]
        return type(self)(part, self.wrote[np.isin(self.wrote["one"], items)], bears, learnt, called, named)

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """All that several say."""
        every = list(parts)
        names = [each.name for each in fields(cls)]
        return cls(*(np.unique(np.concatenate([no_pairs(), *(getattr(one, n) for one in every)])) for n in names))
