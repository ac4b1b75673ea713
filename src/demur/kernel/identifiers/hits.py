"""What the search for direct identifiers answers with; no logic but the order of categories."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt


class Category(IntEnum):
    """A kind of direct identifier; the number is what :attr:`Hits.category` holds."""

    HANDLE = 0
    PROFILE_URL = 1
    MAIL = 2
    PHONE = 3
    IBAN = 4
    IP = 5


MASKS: Final = {
    Category.HANDLE: "[person]",
    Category.PROFILE_URL: "[person]",
    Category.MAIL: "[person]",
    Category.PHONE: "[phone]",
    Category.IBAN: "[iban]",
    Category.IP: "[ip]",
}
"""The neutral mask of each category: the same for everybody, so that it says nothing."""


class Hit(NamedTuple):
    """One identifier in one text."""

    start: int
    """Code points of the text, from 0."""
    end: int
    """Code points of the text, exclusive."""
    category: Category
    value: str | None
    """See :attr:`Hits.value`."""


@dataclass(frozen=True)
class Hits:
    """The identifiers in a batch of texts, as parallel arrays of shape (hits,), sorted by (row, start).

    Hits of one row never overlap. Offsets are code points of the row's text.
    """

    row: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    """Exclusive."""
    category: npt.NDArray[np.int8]
    """A :class:`Category`."""
    value: list[str | None]
    """HANDLE: ``user`` or ``user@host``, as written, without the leading ``@``. PROFILE_URL: the account,
    ``namespace:value``. MAIL: the address. Others: None."""

    def __len__(self) -> int:
        return len(self.row)
