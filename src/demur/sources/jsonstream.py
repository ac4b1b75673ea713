"""JSON files of an export, record by record.

Invariants: memory holds one record, however large the file, and what a record may cost is bounded before a parser sees
it; a file that is broken is told in one sentence with line and byte, and never by showing what stands there, because
that is somebody's content.
"""

import decimal
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import ijson

from demur.errors import SourceError
from demur.sources.archive import Member
from demur.sources.jsonbounds import JsonBounds

_PEEK: Final = 1 << 16
_BOM: Final = b"\xef\xbb\xbf"
_BROKEN: Final = (ijson.JSONError, UnicodeDecodeError, decimal.InvalidOperation)
"""What the parser says of text that is no JSON, or of a number beyond all bounds (1e99999999999999999999)."""
_INNER: Final = frozenset({"map_key", "end_map", "end_array"})
_NESTED: Final = _INNER | {"start_map", "start_array"}
_FIRST_KEY: Final = re.compile(rb'\s*\{\s*"((?:[^"\\]|\\.)*)"\s*:\s*(.)', re.DOTALL)


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


def records_at(member: Member, prefix: str, *, weighed: bool = False) -> Iterator[Record]:
    """Every record at a path of the file, as ijson writes it: ``item.conversation.item``.

    ``weighed``: that each record is within bounds is known, and what stands beside them may be of any size.

    Raises:
        SourceError: as :func:`records` does.
    """
    where = member.where
    for number, value in enumerate(_stream(member, prefix, weighed=weighed), start=1):
        if not isinstance(value, str):
            yield Record(value, f"{where}, record {number}")


class Head(NamedTuple):
    """What an object says of itself beside its list of records."""

    values: dict[str, Any]
    """The plain values that were asked for: text, numbers, true, false and null."""
    records: int
    """How many records its list has."""


def heads(member: Member, prefixes: Sequence[str], keys: Sequence[str], listed: str) -> Iterator[tuple[str, Head]]:
    """For each object at one of ``prefixes``: where, its values of ``keys``, and how many records its list has.

    ``listed`` is the key of that list. What this read whole, :func:`records_at` may read as ``weighed``: so the records
    of several objects can be told apart, and no object is ever held.

    Raises:
        SourceError: as :func:`records` does.
    """
    elements = {f"{prefix}.{listed}.item": prefix for prefix in prefixes}
    with member.open() as file:
        reader = _Reader(file, member.where)
        try:
            yield from _heads(reader, elements, {f"{prefix}.{key}": key for key in keys for prefix in prefixes})
        except _BROKEN:
            slow_from = reader.passed - _PEEK
        else:
            return
    raise _located(member, "", slow_from, weighed=True)


def _heads(reader: "_Reader", elements: Mapping[str, str], keys: Mapping[str, str]) -> Iterator[tuple[str, Head]]:
    values: dict[str, Any] = {}
    objects = frozenset(elements.values())
    within = tuple(elements)
    count = 0
    for place, event, value in ijson.parse(reader, buf_size=_PEEK):
        if place in elements:
            if event not in _INNER:
                count += event != "string"
                reader.bounds.next_record()
        elif place in objects:
            if event == "end_map":
                yield place, Head(values, count)
                values, count = {}, 0
        elif place in keys and event not in _NESTED:
            values[keys[place]] = value
        elif event == "end_map" and not place.startswith(within):
            reader.bounds.next_record()


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


def _stream(member: Member, prefix: str, *, weighed: bool = False) -> Iterator[Any]:
    """The values under ``prefix``, parsed in C; when that fails, the last stretch is read again byte by byte."""
    with member.open() as file:
        reader = _Reader(file, member.where, weighed=weighed)
        try:
            for value in ijson.items(reader, prefix, buf_size=_PEEK):
                reader.bounds.next_record()
                yield value
        except _BROKEN:
            slow_from = reader.passed - _PEEK
        else:
            return
    raise _located(member, prefix, slow_from)


def _located(member: Member, prefix: str, slow_from: int, *, weighed: bool = False) -> SourceError:
    with member.open() as file:
        reader = _Reader(file, member.where, slow_from, weighed=weighed)
        try:
            for _ in (
                ijson.basic_parse(reader, buf_size=_PEEK) if weighed else ijson.items(reader, prefix, buf_size=_PEEK)
            ):
                reader.bounds.next_record()
        except _BROKEN:
            pass
        place = f"line {reader.lines}, byte {reader.passed}"
        what = "ends too early" if reader.ended else "is no valid JSON in UTF-8"
    return SourceError(f"{member.where} {what} ({place}): download the export again.")


class _Reader:
    """A stream that knows where it is, and can go byte by byte from some point on."""

    def __init__(
        self, file: io.BufferedReader, where: str, slow_from: int | None = None, *, weighed: bool = False
    ) -> None:
        self._file = file
        self._where = where
        self._slow_from = slow_from
        self._weighed = weighed
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
        if self._weighed:
            self.bounds.next_record()
        if found := self.bounds.exceeded(data):
            raise SourceError(f"{self._where} has {found} (before byte {self.passed + 1}): remove it from the export.")
        return data
