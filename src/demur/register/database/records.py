"""What goes into and comes out of the log: frozen records, no logic and no database types.

Invariants: every array of subject keys is int64, shape (n,), sorted and without duplicates; every time is aware and
UTC; no record carries a raw account identifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from demur import canonical
from demur.identity import SubjectKeys
from demur.terms import EntryKind

JSON = canonical.JSON


@dataclass(frozen=True)
class Head:
    """The end of the log."""

    seq: int
    """Number of the last entry, 0 while there is none."""
    binding: int
    """Number of the last binding entry (terms.BINDING), 0 while there is none."""


@dataclass(frozen=True)
class Entry:
    """One entry of the log, as it was appended."""

    seq: int
    """1, 2, 3, ... without a gap."""
    kind: EntryKind
    time: datetime
    payload: Mapping[str, JSON]
    commitment: bytes
    """32 bytes; see entries.py."""


@dataclass(frozen=True, eq=False)
class Told:
    """What imports tell that may change the answer about a row which names or copies somebody withheld."""

    threads: npt.NDArray[np.int64]
    """Threads (words.page.short_keys) in which such a person writes, or is named in full; ascending, shape (n,)."""
    wrote: SubjectKeys
    """Such people of whose words other copies may be found."""

    def __bool__(self) -> bool:
        return bool(len(self.threads) or len(self.wrote))


@dataclass(frozen=True, eq=False)
class Changes:
    """What the binding entries after some number may have changed."""

    subjects: SubjectKeys
    """The keys whose standing may be another one now."""
    policy: bool
    """True if the policy changed, which may concern everybody."""
    head: Head
    told: Told
    """What imports told since of people who are withheld: their standing stays as it is."""

    @property
    def of_rows(self) -> bool:
        """Whether a row may have to be judged anew that was published before."""
        return self.policy or bool(len(self.subjects) or self.told)
