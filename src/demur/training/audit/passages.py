"""Passages: the beginnings of rows, cut into what an attacker types and what the model would have to add.

Invariants: which rows of a person are taken follows from the seed and the person's place; a row that is shorter than a
passage gives none, and whoever has none is counted apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from demur.training.rows import Ints, Rows

Ids = npt.NDArray[np.int32]
"""Token ids of a row, shape (length,)."""
Persons = Sequence[Sequence[Ids]]
"""The rows of each person."""


def grouped(rows: Rows, person: Ints, people: int) -> list[list[Ids]]:
    """The token ids of each person's rows.

    Args:
        rows: with token ids.
        person: whose each row is, numbers from 0, shape (n,).
        people: how many there are.
    """
    found: list[list[Ids]] = [[] for _ in range(people)]
    for whose, start, size in zip(person.tolist(), rows.start.tolist(), rows.tokens.tolist(), strict=True):
        found[whose].append(rows.ids[start : start + size])
    return found


@dataclass(frozen=True)
class Cut:
    """Where rows are cut, and how many of each person are."""

    prefix: int = 8
    """Tokens that the attacker has, with the mark at the beginning."""
    suffix: int = 8
    """Tokens that the model would have to add."""
    each: int = 4
    """Rows of a person at most."""

    @property
    def length(self) -> int:
        """Tokens of a passage."""
        return self.prefix + self.suffix

    def said(self) -> str:
        """As a note says it."""
        return f"{self.prefix} tokens given, {self.suffix} wanted, up to {self.each} rows a person"


CUT: Final = Cut()


@dataclass(frozen=True, eq=False)
class Passages:
    """The passages of a group of people."""

    rows: Ints
    """Token ids, shape (n, prefix + suffix)."""
    person: Ints
    """Whose each is, numbers from 0 without a gap, shape (n,)."""
    persons: int
    """Who has one."""
    without: int
    """Who has none, as all their rows are too short."""

    @classmethod
    def of(cls, people: Persons, cut: Cut, seed: int = 0) -> Self:
        """Those of these people.

        Args:
            people: with the rows of each.
            cut: where they are cut.
            seed: of which rows are taken.
        """
        source, rows, person = np.random.default_rng(seed), [], []
        persons = 0
        for theirs in people:
            long = [at for at, row in enumerate(theirs) if len(row) >= cut.length]
            taken = source.permutation(len(long))[: cut.each]
            rows += [np.asarray(theirs[long[at]][: cut.length], np.int64) for at in taken.tolist()]
            person += [persons] * len(taken)
            persons += bool(long)
        whole = np.stack(rows) if rows else np.zeros((0, cut.length), np.int64)
        return cls(whole, np.array(person, np.int64), persons, len(people) - persons)

    def any(self, hit: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Of whom at least one passage was hit, shape (persons,)."""
        return np.bincount(self.person, hit, self.persons) > 0

    def note(self) -> str:
        """Who is not among them; "" where everybody is."""
        if not self.persons:
            return "nobody has a row that is long enough"
        return f"{self.without:,} more have no row that is long enough" if self.without else ""
