"""What is found of people in the words of texts.

Invariants: finds are decided person by person, never by what was found of another; two may overlap.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np

from demur.words.page import Bools, Ints


class Tier(IntEnum):
    """Why words are taken for a person's name; the numbers are kept, and never change."""

    FULL_NAME = 1
    INITIAL_SURNAME = 2
    SURNAME_IN_CONTEXT = 3
    GIVEN_IN_CONTEXT = 4
    VOCATIVE = 5
    HANDLE = 6


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

    def __len__(self) -> int:
        return len(self.row)

    def take(self, where: Bools | Ints) -> Self:
        """A selection."""
        arrays = (self.row, self.start, self.end, self.subject, self.tier, self.score)
        return type(self)(*(values[where] for values in arrays))


def no_finds() -> Finds:
    """None at all."""
    return Finds(*(np.zeros(0, np.int64) for _ in range(6)))
