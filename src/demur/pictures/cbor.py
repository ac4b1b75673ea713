"""CBOR (RFC 8949), as far as an assertion of Content Credentials needs it, out of bytes that nobody vouches for.

Invariants: reads in one pass, with a bound on depth; a length is believed only as far as bytes are there, so that
nothing is allocated for what is not. Tags are passed over; keys of a map that can't be hashed are refused.
"""

import math
import struct
from typing import Final

from demur.pictures.refusals import Damaged

Value = int | float | bool | None | bytes | str | list["Value"] | dict["Value", "Value"]

_DEPTH: Final = 16
"""Arrays, maps and tags within each other; an assertion has four."""
_INDEFINITE: Final = 31
_BREAK: Final = 0xFF
_SIMPLE: Final[dict[int, Value]] = {20: False, 21: True, 22: None, 23: None}
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)
"""Major types (RFC 8949, 3.1)."""


def value_of(data: bytes) -> Value:
    """The one value that the bytes are.

    Raises:
        Damaged: they are no value, or more than one.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise Damaged
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def value(self, depth: int) -> Value:
        if depth > _DEPTH:
            raise Damaged
        major, extra = divmod(self._take(1)[0], 32)
        if major == _OTHER:
            return self._other(extra)
        number = self._number(extra)
        if number is None and major in {_UNSIGNED, _NEGATIVE, _TAG}:
            raise Damaged
        found: Value
        if major in {_BYTES, _TEXT}:
            string = self._string(major, number)
            found = _text(string) if major == _TEXT else string
        elif major == _ARRAY:
            found = [self.value(depth + 1) for _ in self._counted(number)]
        elif major == _MAP:
            found = dict(self._pair(depth) for _ in self._counted(number))
        elif major == _TAG:  # what it says of its value does not matter here
            found = self.value(depth + 1)
        else:
            found = number if major == _UNSIGNED else -1 - (number or 0)
        return found

    def _pair(self, depth: int) -> tuple[Value, Value]:
        key = self.value(depth + 1)
        if isinstance(key, (list, dict)):
            raise Damaged
        return key, self.value(depth + 1)

    def _counted(self, number: int | None) -> "_Counting":
        return _Counting(self, number)

    def _string(self, major: int, number: int | None) -> bytes:
        if number is not None:
            return self._take(number)
        chunks = []
        while not self.ended():
            of, extra = divmod(self._take(1)[0], 32)
            length = self._number(extra)
            if of != major or length is None:
                raise Damaged
            chunks.append(self._take(length))
        return b"".join(chunks)

    def _number(self, extra: int) -> int | None:
        """An argument; None is an indefinite length."""
        if extra < 24:  # noqa: PLR2004  # RFC 8949, 3
            return extra
        if extra == _INDEFINITE:
            return None
        if extra > 27:  # noqa: PLR2004  # the same
            raise Damaged
        return int.from_bytes(self._take(1 << (extra - 24)), "big")

    def _other(self, extra: int) -> Value:
        if extra in _FLOATS:
            (value,) = struct.unpack(_FLOATS[extra], self._take(1 << (extra - 24)))
            return None if math.isnan(value) else float(value)
        if extra in _SIMPLE:
            return _SIMPLE[extra]
        raise Damaged

    def _take(self, length: int) -> bytes:
        if length > len(self._data) - self.at:
            raise Damaged
        self.at += length
        return self._data[self.at - length : self.at]

    def ended(self) -> bool:
        """Whether the end of an indefinite length stands here; passes it."""
        if self._data[self.at : self.at + 1] != bytes((_BREAK,)):
            return False
        self.at += 1
        return True


class _Counting:
    """Goes on as often as a length says, or until its end."""

    def __init__(self, reader: _Reader, number: int | None) -> None:
        self._reader, self._left = reader, number

    def __iter__(self) -> "_Counting":
        return self

    def __next__(self) -> None:
        if self._left is None:
            if self._reader.ended():
                raise StopIteration
            return
        if self._left == 0:
            raise StopIteration
        self._left -= 1


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Damaged from error
