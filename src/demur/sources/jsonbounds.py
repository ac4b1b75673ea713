"""What reading a piece of JSON would cost, told from its bytes before a parser sees them.

Invariants: memory does not grow with what is counted; brackets and commas within strings do not count; where the text
is no JSON the count may be wrong, but not before the byte at which every parser stops. The work is done by operations
on whole blocks of bytes, so that it takes a small part of the time that parsing takes.
"""

from typing import Final

import numpy as np

from demur.sources.limits import MAX_DEPTH, MAX_DIGITS, MAX_RECORD, MAX_STRING, MAX_VALUES, MIB

_OTHER: Final = bytes(set(range(256)) - set(b'[]{},"'))
_STEPS: Final = np.zeros(256, np.int32)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1
_NUMERIC: Final = b"0123456789+-.eE"
_IS_NUMERIC: Final = np.isin(np.arange(256), list(_NUMERIC))
_NUMBERS: Final = bytes(ord("0") if numeric else ord(" ") for numeric in _IS_NUMERIC)
_LONG: Final = b"0" * (MAX_DIGITS + 1)
_LOOKS: Final = 10
_STEP: Final = MAX_DIGITS // (_LOOKS + 1)
"""Bytes from one look for a long number to the next: so long a number meets at least ten that follow each other."""
_BLOCK: Final = 1 << 16


class JsonBounds:
    """Counts what a text of JSON holds, block by block."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes since the last record."""
        self.in_string = False
        """Whether the blocks so far end within a string."""
        self.string = 0
        """Bytes of the string that they end in."""
        self._escaped = False  # they end between a backslash and what it escapes
        self._digits = 0  # of the number they end in
        self._depth = 0
        self._values = 0

    def next_record(self) -> None:
        """A record was read: what follows is another one."""
        self.size = self._values = 0

    def exceeded(self, block: bytes) -> str | None:
        """What a further block has too much of, as in "It has ..."; None where all is within bounds."""
        self.size += len(block)
        if self.size > MAX_RECORD:
            return f"a record of more than {MAX_RECORD // MIB} MiB"
        plain = self._without_escapes(block)
        outside = plain.translate(None, _OTHER).replace(b'""', b"").split(b'"')
        was_in_string, self.in_string = self.in_string, self.in_string == (len(outside) % 2 == 1)
        if self._string_too_long(plain, was_in_string):
            return f"a string of more than {MAX_STRING // MIB} MiB"
        if self._number_too_long(plain, was_in_string):
            return f"a number of more than {MAX_DIGITS} digits"
        return self._too_deep_or_many(b"".join(outside[was_in_string::2]))

    def _too_deep_or_many(self, symbols: bytes) -> str | None:
        """What the brackets and commas outside strings are too many of."""
        if symbols:
            depth = self._depth + np.cumsum(_STEPS[np.frombuffer(symbols, np.uint8)])
            self._depth = int(depth[-1])
            self._values += len(symbols)
            if int(depth.max()) > MAX_DEPTH:
                return f"objects and lists within each other more than {MAX_DEPTH} deep"
        return f"a record of more than {MAX_VALUES:,} values" if self._values > MAX_VALUES else None

    def _without_escapes(self, block: bytes) -> bytes:
        """The block without escaped quotes and backslashes; an escape that it cuts in two is left to the next one."""
        if b"\\" not in block and not self._escaped:
            return block
        block = b"\\" + block if self._escaped else block
        self._escaped = (len(block) - len(block.rstrip(b"\\"))) % 2 == 1
        block = block[:-1] if self._escaped else block
        if len(block) < 2:  # noqa: PLR2004  # an escape is two bytes
            return b""
        each = np.frombuffer(block, np.uint8)
        escaping = each[:-1] == ord("\\")
        if np.any(escaping & (each[1:] == ord("\\"))):
            return block.replace(b"\\\\", b"").replace(b'\\"', b"")
        quotes = np.flatnonzero(escaping & (each[1:] == ord('"'))) + 1
        if not len(quotes):
            return block
        plain = each.copy()
        plain[quotes] = ord(" ")
        return plain.tobytes()

    def _string_too_long(self, plain: bytes, was_in_string: bool) -> bool:  # noqa: FBT001  # a state, not a choice
        """Whether a string of several blocks is too long; one of a single block is not."""
        first = plain.find(b'"')
        if first < 0:
            self.string += len(plain) if was_in_string else 0
            return self.string > MAX_STRING
        begun, self.string = self.string, len(plain) - plain.rfind(b'"') - 1
        return was_in_string and begun + first > MAX_STRING

    def _number_too_long(self, plain: bytes, was_in_string: bool) -> bool:  # noqa: FBT001  # as above
        """Whether a number outside a string is too long, one that began in an earlier block included."""
        begun, self._digits = self._digits, 0
        if begun and not was_in_string and begun + len(plain) - len(plain.lstrip(_NUMERIC)) > MAX_DIGITS:
            return True
        if not self.in_string and plain and plain[-1] in _NUMERIC:
            whole = len(plain) - len(plain.rstrip(_NUMERIC))
            self._digits = whole + (begun if whole == len(plain) else 0)
        looks = _IS_NUMERIC[np.frombuffer(plain, np.uint8)[::_STEP]]
        if b"\1" * _LOOKS not in looks.tobytes():
            return False
        return any(_LONG in part.translate(_NUMBERS) for part in plain.split(b'"')[was_in_string::2])


def exceeded(line: bytes) -> str | None:
    """What a line of JSON has too much of, as in "It has ..."; None where it is within bounds."""
    if len(line) < _BLOCK and line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
        return None  # so few bytes hold neither too many values nor too long ones; a long number is orjson's to refuse
    bounds = JsonBounds()
    for start in range(0, len(line), _BLOCK):
        if found := bounds.exceeded(line[start : start + _BLOCK]):
            return found
    return None
