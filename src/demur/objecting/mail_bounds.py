"""How much work a mail makes for Python's parser, told from its bytes alone, before anything parses it.

Invariants: one pass over the bytes for each thing that is counted, whatever they hold; nothing is counted too low:
what merely looks like a header, a part or an end of a line counts as one. The parser compares each line with every
part that is open, and reads the parameters of a content field in quadratic time: so lines times nesting, and the
fields, are what is bounded.
"""

import re
from dataclasses import dataclass
from typing import Final

FIELD_BYTES: Final = 4096
"""Of a Content-Type or Content-Disposition: twice what the longest file name takes when it is encoded (RFC 2231)."""
FIELD_PARAMETERS: Final = 100

_STATUS: Final = b"message/delivery-status"
_STATUS_LEVELS: Final = 50
"""What one is reckoned as: each blank line in it makes a message, which takes as long as so many comparisons."""
_FIELD: Final = re.compile(rb"content-(?:type|disposition)[^\r\n]*+(?:\r?\n?[ \t][^\r\n]*+)*+")
_BOUNDARY: Final = re.compile(rb"boundary[\s\x1c-\x1f*0-9]*=")


@dataclass(frozen=True)
class Bounds:
    """The most that is parsed."""

    lines: int
    parts: int
    """Lines that may begin a part."""
    work: int
    """Comparisons of a line with a part that may be open."""


def exceeded(content: bytes, most: Bounds) -> str | None:
    """What a mail has too much of, as in "This mail has ..."; None where it is within bounds."""
    lowered = content.lower()
    lines = _lines(lowered)
    if lines > most.lines:
        return "lines without end"
    if lowered.count(b"\n--") + lowered.count(b"\r--") > most.parts:
        return "parts without end"
    if lines * _levels(lowered) > most.work:
        return "mails or parts within each other without end"
    if any(len(each[0]) > FIELD_BYTES or each[0].count(b";") > FIELD_PARAMETERS for each in _FIELD.finditer(lowered)):
        return "headers without end"
    return None


def _lines(lowered: bytes) -> int:
    return lowered.count(b"\n") + lowered.count(b"\r") - lowered.count(b"\r\n")


def _levels(lowered: bytes) -> int:
    """How deep it can be nested at most: a digest's parts are mails without saying so."""
    parted = min(lowered.count(b"multipart/"), sum(1 for _ in _BOUNDARY.finditer(lowered)))
    status = _STATUS_LEVELS if _STATUS in lowered else 0
    return 2 * parted + lowered.count(b"message/") + status
