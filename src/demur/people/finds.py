"""What is found of people in the words of texts: their names, and words that they wrote.

Invariants: finds are decided person by person, never by what was found of another; two may overlap.
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np

from demur.words.page import Bools, Ints


class Tier(IntEnum):
    """Why words are taken for a person's name, or for theirs; the numbers are kept, and never change."""

    FULL_NAME = 1
    INITIAL_SURNAME = 2
    SURNAME_IN_CONTEXT = 3
    GIVEN_IN_CONTEXT = 4
    VOCATIVE = 5
    HANDLE = 6
    COPY = 7
    """No name: words that they wrote."""


@dataclass(frozen=True)
class Finds:
    """Places where a person is named, as parallel arrays of shape (n,), sorted by row, start and end."""

    row: Ints
    start: Ints
    """Code points of the row's text; the place cuts no grapheme."""
    end: Ints
    subject: Ints
    """A subject key of whoever is named."""
    tier: Ints
    """A :class:`Tier`."""
    score: Ints
    """0 to 100: how sure it is that they are meant."""
    reasons: Ints
    """What speaks for it and against it: bits of finding.tiers.Reason; 0 for a copy, whose score is its length."""

    def __len__(self) -> int:
        return len(self.row)

    def take(self, where: Bools | Ints) -> Self:
        """A selection."""
        return type(self)(*(getattr(self, field.name)[where] for field in fields(self)))


def no_finds() -> Finds:
    """None at all."""
    return Finds(*(np.zeros(0, np.int64) for _ in fields(Finds)))


def joined(one: Finds, other: Finds) -> Finds:
    """Both, sorted."""
    pairs = ((getattr(one, field.name), getattr(other, field.name)) for field in fields(Finds))
    finds = Finds(*(np.concatenate(pair) for pair in pairs))
    return finds.take(np.lexsort((finds.subject, finds.end, finds.start, finds.row)))
