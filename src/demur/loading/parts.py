"""Which rows of a version one of several readers takes, so that together they take each row exactly once.

Places are dealt out in blocks of consecutive rows, one after another, like cards. Who takes a place therefore depends
on the place alone, never on what was left out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from demur.errors import UsageError
from demur.loading.overlay import Places

BLOCK: Final = 64
"""Rows of a block, where nobody says otherwise."""


@dataclass(frozen=True)
class Part:
    """What one reader of several takes."""

    index: int = 0
    """Its number, from 0."""
    count: int = 1
    """How many readers there are."""
    block: int = BLOCK
    """Consecutive rows that one reader takes."""

    def __post_init__(self) -> None:
        if not (0 <= self.index < self.count and self.block > 0):
            raise UsageError(
                f"There is no part {self.index} of {self.count} in blocks of {self.block} rows: parts count from 0."
            )

    @property
    def whole(self) -> bool:
        """Whether there is one reader, who takes all."""
        return self.count == 1

    def within(self, start: int, end: int) -> Places:
        """The places from ``start`` to ``end``, exclusive, that are this reader's."""
        places = np.arange(start, end, dtype=np.int64)
        return places if self.whole else places[(places // self.block) % self.count == self.index]

    def of(self, other: "Part") -> "Part":
        """This part of another one: what a worker process takes of its rank's part."""
        return Part(other.index + other.count * self.index, other.count * self.count, self.block)
