"""Why one picture is not read: every sentence there is.

Invariants: no sentence holds a byte, a name or metadata of the picture; the order is that of the pipe between the
processes (wire.py), so that a process which a picture took over can say one of these and nothing else.
"""

from enum import StrEnum
from typing import Final


class Why(StrEnum):
    """The end of a sentence that begins with the picture's place in the export."""

    EMPTY = "it is empty"
    BYTES = "it is larger than 64 MB"
    FORMAT = "it is no JPEG, PNG, WebP, GIF or HEIC"
    FILM = "film is not read yet"
    PIXELS = "it has more than 50 million pixels"
    METADATA = "its metadata is larger than 16 MB"
    BROKEN = "it is damaged or cut off"
    MEMORY = "reading it takes more memory than a picture gets"
    TIME = "reading it takes longer than a picture gets"
    DIED = "the process that read it ended"
    MINING = "its metadata forbids mining or training (plus:DataMining)"
    TDM = "its metadata reserves text and data mining (tdm:reservation)"
    CREDENTIALS = "its Content Credentials forbid or restrict mining or training"
    UNCLEAR = "its metadata speaks of such a reservation, and can't be read"


OF_RIGHTS: Final = frozenset({Why.MINING, Why.TDM, Why.CREDENTIALS, Why.UNCLEAR})
"""What somebody reserved; all others say that a picture can't be read."""

ORDER: Final = tuple(Why)


class Refused(Exception):  # noqa: N818  # it is an answer, not a fault
    """A picture is not read; ``why`` says why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class Damaged(Exception):  # noqa: N818  # of the metadata, not of the picture
    """A part of the metadata is not what it claims to be."""
