"""JSON of an export: what a piece of it would cost to read, and the records of its files, one by one.

Invariants: memory holds one record, however large the file, and what a record may cost is told from its bytes before a
parser sees it; brackets and commas within strings do not count. Where the text is no JSON the count may be wrong, but
not before the byte at which every parser stops. Counting works on whole blocks of bytes, so that it takes a small part
of the time that parsing takes. A file that is broken is told in one sentence with line and byte, and never by showing
what stands there, because that is somebody's content.
"""

import decimal
import io
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import ijson
import numpy as np

from demur.errors import SourceError
from demur.sources.archive import Member
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

_PEEK: Final = 1 << 16
_BOM: Final = b"\xef\xbb\xbf"
_BROKEN: Final = (ijson.JSONError, UnicodeDecodeError, decimal.InvalidOperation)
"""What the parser says of text that is no JSON, or of a number beyond all bounds (1e99999999999999999999)."""
_FIRST_KEY: Final = re.compile(rb'\s*\{\s*"((?:[^"\\]|\\.)*)"\s*:\s*(.)', re.DOTALL)


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


class Record(NamedTuple):
    """One record of a file, and where it stands."""

    value: Any
    """What ``json`` makes of it; other numbers than integers are :class:`decimal.Decimal`."""
    where: str
    """File and number of the record, from 1, for error sentences."""


def records(member: Member, *keys: str) -> Iterator[Record]:
    """Every record of the lists under ``keys``, or of the root list.

    Without keys the records are found by shape: the elements of the root list, or of the list under the root's
    first key, or the root itself. A section that says in words that it is empty holds no record.

    Raises:
        SourceError: when the file is no JSON in UTF-8, or what it holds exceeds :mod:`demur.sources.limits`.
    """
    for prefix in _prefixes(member, keys):
        yield from records_at(member, prefix)


def records_at(member: Member, prefix: str) -> Iterator[Record]:
    """Every record at a path of the file, as ijson writes it: ``item.conversation.item``.

    Raises:
        SourceError: as :func:`records` does.
    """
    for number, value in enumerate(_stream(member, prefix), start=1):
        if not isinstance(value, str):
            yield Record(value, f"{member.where}, record {number}")


def first_value(member: Member, prefix: str = "") -> Any:  # noqa: ANN401  # whatever stands there
    """The first value at a path of the file, or the whole of a small file; null where nothing stands there.

    Raises:
        SourceError: as :func:`records` does.
    """
    return next(_stream(member, prefix), None)


def _prefixes(member: Member, keys: tuple[str, ...]) -> list[str]:
    with member.open() as file:
        start = file.peek(_PEEK).removeprefix(_BOM)
    _refuse_utf16(start, member)
    if start.lstrip()[:1] == b"[":
        return ["item"]
    if keys:
        return [f"{key}.item" for key in keys]
    first = _FIRST_KEY.match(start)
    if first is None or first[2] != b"[":
        return [""]
    name = next(ijson.items(io.BytesIO(b'["' + first[1] + b'"]'), "item"))
    return [f"{name}.item"]


def _refuse_utf16(start: bytes, member: Member) -> None:
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in start[:4]:
        raise SourceError(f"{member.where} is not in UTF-8 but in UTF-16 or UTF-32: export the data again.")


def _stream(member: Member, prefix: str) -> Iterator[Any]:
    """The values under ``prefix``, parsed in C; when that fails, the last stretch is read again byte by byte."""
    with member.open() as file:
        reader = _Reader(file, member.where)
        try:
            for value in ijson.items(reader, prefix, buf_size=_PEEK):
                reader.bounds.next_record()
                yield value
        except _BROKEN:
            slow_from = reader.passed - _PEEK
        else:
            return
    raise _located(member, prefix, slow_from)


def _located(member: Member, prefix: str, slow_from: int) -> SourceError:
    with member.open() as file:
        reader = _Reader(file, member.where, slow_from)
        try:
            for _ in ijson.items(reader, prefix, buf_size=_PEEK):
                reader.bounds.next_record()
        except _BROKEN:
            pass
        place = f"line {reader.lines}, byte {reader.passed}"
        what = "ends too early" if reader.ended else "is no valid JSON in UTF-8"
    return SourceError(f"{member.where} {what} ({place}): download the export again.")


class _Reader:
    """A stream that knows where it is, and can go byte by byte from some point on."""

    def __init__(self, file: io.BufferedReader, where: str, slow_from: int | None = None) -> None:
        self._file = file
        self._where = where
        self._slow_from = slow_from
        self.passed = 0
        """Bytes handed out, of the whole file."""
        self.lines = 1
        """The line reached, counted only where the place of an error is looked for."""
        self.bounds = JsonBounds()
        self.ended = False
        if file.peek(len(_BOM)).startswith(_BOM):
            file.read(len(_BOM))

    def read(self, size: int) -> bytes:
        """About ``size`` bytes; a long string is handed out whole, because the parser begins it anew with every block.

        Raises:
            SourceError: when a record exceeds a bound.
        """
        blocks = [self._block(size)]
        while self.bounds.in_string and len(blocks[-1]) == size and (len(blocks) == 1 or self.bounds.string >= size):
            blocks.append(self._block(size))
        return b"".join(blocks)

    def _block(self, size: int) -> bytes:
        if self._slow_from is not None:
            size = min(size, max(self._slow_from - self.passed, 1))
        data = self._file.read(size)
        if self._slow_from is not None:
            self.lines += data.count(b"\n")
        self.passed += len(data)
        self.ended = size > 0 and not data
        if found := self.bounds.exceeded(data):
            raise SourceError(f"{self._where} has {found} (before byte {self.passed + 1}): remove it from the export.")
        return data
