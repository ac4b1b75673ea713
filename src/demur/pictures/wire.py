"""What goes over the pipes between a reader's process and the one that asks it: numbers and bytes, no objects.

Invariants: nothing of an answer is unpickled, evaluated or shown; each number in it is bound, so that a process which
a picture took over can make the asking one neither allocate nor believe what a reader would not say. A picture that
comes back has to be a JPEG of the few segments that our own encoder writes, to its last byte.
"""

import struct
from collections.abc import Callable
from typing import BinaryIO, Final

from demur.pictures.limits import LONGEST_SIDES, MAX_BYTES, MAX_REST, THUMBNAIL
from demur.pictures.refusals import ORDER, Why

READY: Final = b"demur pictures\n"
"""What a reader's process says once it can read."""

OUT_OF_MEMORY: Final = 70
"""Exit status of a process that a picture took all its memory."""

_ASKED: Final = struct.Struct(">IH")
_PICTURE: Final = len(ORDER)
_SIZES: Final = struct.Struct(">IHHHH")

Fields = tuple[bytes, int, int, bytes, int, int]
"""A picture: its file, width and height; its thumbnail, width and height."""


class Malformed(Exception):  # noqa: N818  # an answer that is none
    """What came is no answer of a reader."""


def ask(pipe: BinaryIO, data: bytes, longest_side: int) -> None:
    """Send one file; at most MAX_BYTES."""
    pipe.write(_ASKED.pack(len(data), longest_side))
    pipe.write(data)
    pipe.flush()


def asked(pipe: BinaryIO) -> tuple[bytes, int] | None:
    """One file and the longest side it may have, or None at the end."""
    head = pipe.read(_ASKED.size)
    if len(head) < _ASKED.size:
        return None
    length, longest_side = _ASKED.unpack(head)
    data = pipe.read(length)
    return (data, longest_side) if len(data) == length else None


def answer(pipe: BinaryIO, found: Fields | Why) -> None:
    """Send what became of one file."""
    if isinstance(found, Why):
        pipe.write(bytes((ORDER.index(found),)))
    else:
        data, width, height, thumbnail, across, down = found
        pipe.write(bytes((_PICTURE,)) + _SIZES.pack(len(data), width, height, across, down))
        pipe.write(data)
        pipe.write(thumbnail)
    pipe.flush()


def answered(read: Callable[[int], bytes], longest_side: int) -> Fields | Why:
    """What became of the file that was asked for.

    Args:
        read: gives exactly so many bytes, or raises.
        longest_side: what was asked.

    Raises:
        Malformed: it is no answer of a reader.
    """
    what: int = read(1)[0]
    if what < _PICTURE:
        return ORDER[what]
    length, width, height, across, down = _SIZES.unpack(read(_SIZES.size))
    fits = 0 < width <= longest_side and 0 < height <= longest_side
    if what > _PICTURE or length > MAX_REST or not fits or not (0 < across <= THUMBNAIL and 0 < down <= THUMBNAIL):
        raise Malformed
    data, thumbnail = read(length), read(across * down)
    if not is_plain(data, width, height):
        raise Malformed
    return data, width, height, thumbnail, across, down


_START, _END, _SCAN, _FRAME = 0xD8, 0xD9, 0xDA, 0xC0
_PLAIN: Final = frozenset({0xE0, 0xDB, 0xC4, _FRAME})
"""JFIF, quantisation and Huffman tables, frame (ITU-T T.81, Table B.1)."""
_JFIF: Final = 18
"""Bytes of a JFIF segment without a thumbnail."""


def is_plain(data: bytes, width: int, height: int) -> bool:
    """Whether a file is a JPEG of this size, of nothing but JFIF, tables, one frame, one scan, and its end."""
    at, framed = 2, False
    if data[:2] != bytes((0xFF, _START)) or data[-2:] != bytes((0xFF, _END)):
        return False
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  # a marker's first byte
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            return framed and _is_one_scan(data, at + 2 + length)
        if marker not in _PLAIN or length < 2 or (marker == 0xE0 and length + 2 != _JFIF):  # noqa: PLR2004  # itself
            return False
        if marker == _FRAME:
            framed = data[at + 5 : at + 9] == height.to_bytes(2, "big") + width.to_bytes(2, "big")
        at += 2 + length
    return False


def _is_one_scan(data: bytes, at: int) -> bool:
    """Whether coded data goes from here to the end: 0xFF is followed by 0 in it, and by the end's marker behind it."""
    body = data[at:]
    return body.count(b"\xff") - body.count(b"\xff\x00") == 1


assert max(LONGEST_SIDES) < 2**16 and MAX_BYTES < 2**32  # noqa: PT018  # the numbers have room
