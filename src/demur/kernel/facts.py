"""What the kernel is told of people: plain records, filled by whoever keeps the register.

Invariants: every array of subject keys is int64, shape (n,), sorted and without duplicates.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.identity import Pairs, SubjectKeys

NEVER: Final = 2**31 - 1
"""The `told_on` of a member whom no notice reached: a day that never comes."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What members say of themselves, as far as the door asks for it: five columns of n rows, sorted by key."""

    keys: SubjectKeys
    region: npt.NDArray[np.bytes_]
    """S2, ISO 3166-1 alpha-2; b'' if unknown."""
    birth_year: npt.NDArray[np.int16]
    """0 if unknown."""
    told_on: npt.NDArray[np.int32]
    """Days since 1970-01-01 of the first notice; NEVER if none is known."""
    consented: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Known:
    """Who may not be used, and what is known of everybody else, at one moment."""

    suppressed: SubjectKeys
    """Every account of every person with a binding objection, by every spelling."""
    facts: Facts
    alike: Pairs = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """Keys that are spellings of one account."""
