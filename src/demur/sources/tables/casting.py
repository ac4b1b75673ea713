"""Casting the columns of a table to the types of an item's fields.

Invariants: a column of the right type is handed back as it is; what can't be cast is an error that names file, row
and column, and never shows the value; numbers and strings that tell an instant are read by the column.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import SourceError
from demur.sources.jsonbounds import exceeded
from demur.sources.values import ACCEPTED, TRUTH, moment, odd_number

_EARLIEST: Final = -62_135_596_800_000_000  # 0001-01-01 in microseconds, as in demur.sources.text
_LATEST: Final = 253_402_300_799_999_999  # 9999-12-31
_PER_UNIT: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}  # microseconds
_UNITS: Final = {"s": "seconds", "ms": "milliseconds"}
_FINER: Final = {"s": ("ms", "us"), "ms": ("us",), "us": ()}
_TOO_LATE: Final = 100_000_000_000
"""Seconds from 1970 to 5138; as many milliseconds reach to 1973."""
_IN_OUR_TIME: Final = 4_200_000_000
"""Seconds from 1970 to 2103."""
_YEARS: Final = (1900, 2100)
_INSTANT: Final = pa.timestamp("us", tz="UTC")
_FAILED: Final = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, TypeError)
_MOMENT: Final = f"point in time; read are {ACCEPTED}, or a number of created_unit since 1970"
_NUMBER: Final = r"^-?\d{1,18}(?:[.,]\d{1,12})?$"
_OFFSET: Final = r"[T ]\d\d:?\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"


@dataclass(frozen=True)
class Cell:
    """Where values stand, for error sentences."""

    where: str
    """The file or query."""
    first: int
    """The number of the batch's first row, from 1."""
    column: str
    rows: pa.Array | None = None
    """The batch's row that each value stands in, for values of lists; else they are the rows."""

    def refuse(self, bad: pa.BooleanArray, why: str) -> None:
        """Fail at the first row of the batch that is ``bad``.

        Raises:
            SourceError: naming the row.
        """
        row = pc.index(bad, True).as_py()
        if row >= 0:
            row = row if self.rows is None else self.rows[row].as_py()
            raise SourceError(
                f"{self.where}, row {self.first + row}, column {self.column!r}: {why}: correct it or leave it out."
            )

    def located(self, column: pa.Array, cast: Callable[[pa.Array], pa.Array], what: str) -> pa.Array:
        """``cast(column)``, or the error of the first row that it fails for.

        Raises:
            SourceError: naming the row.
        """
        try:
            return cast(column)
        except _FAILED:
            failed = pa.array([not _works(cast, column.slice(row, 1)) for row in range(len(column))])
            self.refuse(failed, f"the value is no {what}")
            raise SourceError(
                f"{self.where}, column {self.column!r}: a column of {_called(column.type)} is no {what}."
            ) from None


def _works(cast: Callable[[pa.Array], pa.Array], value: pa.Array) -> bool:
    try:
        cast(value)
    except _FAILED:
        return False
    return True


def text(column: pa.Array, wanted: pa.DataType, cell: Cell) -> pa.Array:
    """Strings, or whole numbers as strings; always valid UTF-8."""
    column = _decoded(column)
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), wanted)
    if not (_is_string(kind) or pa.types.is_integer(kind)):
        place = f"{cell.where}, column {cell.column!r}"
        raise SourceError(f"{place}: {_called(kind)} is no text: map another column, or cast it.")
    return cell.located(column, lambda part: _valid(part.cast(wanted)), "text in UTF-8")


def _called(kind: pa.DataType) -> str:
    """A type as error sentences name it: of one that holds others, nothing of these, which may have long names."""
    return str(kind).partition("<")[0]


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _decoded(column: pa.Array) -> pa.Array:
    """A dictionary-encoded column as plain values."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _valid(column: pa.Array) -> pa.Array:
    column.validate(full=True)  # Parquet and IPC files may hold any bytes in a column of strings
    return column


def number(column: pa.Array, cell: Cell) -> pa.Array:
    """A column of numbers, or of strings that spell them."""
    return cell.located(_decoded(column), _floats, "number")


def _floats(column: pa.Array) -> pa.Array:
    """Numbers; where a spreadsheet writes a comma before decimals, and nothing else can be meant, that counts."""
    try:
        return column.cast(pa.float64())
    except _FAILED:
        if not _is_string(column.type):
            raise
    return pc.replace_substring_regex(column, r"^(-?\d+),(\d{1,2}|\d{4,})$", r"\1.\2").cast(pa.float64())


def boolean(column: pa.Array, cell: Cell) -> pa.Array:
    """A column of truth values, 0 and 1, or strings that spell them; unknown is false: it was not deleted."""
    column = cell.located(_decoded(column), _truths, "truth value")
    return pc.fill_null(column, False) if column.null_count else column  # noqa: FBT003  # Arrow's signature


def _truths(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.bool_())
    except _FAILED:
        if not _is_string(column.type):
            raise
    words = [word.strip().casefold() if word else None for word in column.to_pylist()]
    if any(word and word not in TRUTH for word in words):
        raise TypeError
    return pa.array([TRUTH[word] if word else None for word in words], pa.bool_())


def instant(column: pa.Array, unit: str, cell: Cell) -> pa.Array:
    """Timestamps, dates, ISO 8601 strings, or numbers of ``unit`` since 1970-01-01 UTC; without a zone it is UTC."""
    column = _decoded(column)
    if column.type != _INSTANT:
        _refuse_odd_numbers(column, unit, cell)
        column = cell.located(column, lambda part: _instants(part, unit), _MOMENT)
    bounds = pc.min_max(column.cast(pa.int64()))
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if low is not None and (low < _EARLIEST or high > _LATEST):
        ticks = column.cast(pa.int64())
        outside = pc.or_(pc.less(ticks, _EARLIEST), pc.greater(ticks, _LATEST))
        cell.refuse(pc.fill_null(outside, False), "the time lies outside the years 1 to 9999")  # noqa: FBT003
    return column


def _instants(column: pa.Array, unit: str) -> pa.Array:
    kind = column.type
    if pa.types.is_integer(kind):
        ticks = pc.multiply_checked(column.cast(pa.int64()), _PER_UNIT[unit])
        return ticks.cast(_INSTANT)
    if pa.types.is_floating(kind):
        ticks = pc.round(pc.multiply(column.cast(pa.float64()), float(_PER_UNIT[unit])))
        return ticks.cast(pa.int64()).cast(_INSTANT)
    if _is_string(kind):
        return _written(column.cast(pa.large_string()), unit)
    options = pc.CastOptions(_INSTANT, allow_time_truncate=True)  # finer than microseconds
    return pc.cast(column, options=options)


def _refuse_odd_numbers(column: pa.Array, unit: str, cell: Cell) -> None:
    """Refuse a column of numbers that hardly count from 1970: all of a batch look like what a spreadsheet writes."""
    numbers = _numbers(column)
    if numbers is None or (most := pc.max(numbers).as_py()) is None or (why := _odd(most, unit)) is None:
        return
    odd = [number is not None and _odd(number, unit) is not None for number in numbers.to_pylist()]
    cell.refuse(pa.array(odd), why)


def _odd(number: float, unit: str) -> str | None:
    """Why a number is hardly a count of ``unit`` since 1970; None where it may be."""
    if _YEARS[0] <= number <= _YEARS[1]:
        return "the number looks like a year: write a day, like 2026-03-01"
    seconds = number * _PER_UNIT[unit] / 1_000_000  # as it would be read
    finer = next((each for each in _FINER[unit] if number * _PER_UNIT[each] / 1_000_000 < _IN_OUR_TIME), None)
    if finer is not None and seconds >= _TOO_LATE:
        return f'the number counts no {_UNITS[unit]}: write created_unit = "{finer}" in [sources.table] of demur.toml'
    return odd_number(number)


def _numbers(column: pa.Array) -> pa.Array | None:
    """The numbers of a column, those among strings included; None where there can be none."""
    if _is_string(column.type):
        written = pc.if_else(pc.match_substring_regex(column, _NUMBER), column, pa.scalar(None, column.type))
        return pc.replace_substring(written, ",", ".").cast(pa.float64())
    kind = column.type
    return column.cast(pa.float64(), safe=False) if pa.types.is_integer(kind) or pa.types.is_floating(kind) else None


def _written(column: pa.Array, unit: str) -> pa.Array:
    """Strings that tell an instant; the form that is common in a column is read without Python per row."""
    column = pc.replace_with_mask(column, pc.equal(column, ""), pa.scalar(None, column.type))
    for read in (_spelt, lambda part: _spelt(_as_iso(part)), lambda part: _counted(part, unit)):
        try:
            return read(column)
        except _FAILED:
            continue
    return _told(column)


def _as_iso(column: pa.Array) -> pa.Array:
    """What Ruby, PostgreSQL and others write, as ISO 8601: the zone in letters, or behind a blank."""
    column = pc.replace_substring_regex(column, r" ?(?:UTC|GMT)$", "Z")
    return pc.replace_substring_regex(column, r" ([+-]\d\d(?::?\d\d)?)$", r"\1")


def _counted(column: pa.Array, unit: str) -> pa.Array:
    """Numbers that are written out."""
    try:
        return _instants(column.cast(pa.int64()), unit)
    except _FAILED:
        return _instants(column.cast(pa.float64()), unit)


def _told(column: pa.Array) -> pa.Array:
    """Every other form that :mod:`demur.sources.values` reads."""
    try:
        return pa.array([None if one is None else moment(one) for one in column.to_pylist()], _INSTANT)
    except ValueError:
        raise TypeError from None  # as for what Arrow can't cast


def _spelt(column: pa.Array) -> pa.Array:
    """ISO 8601 strings; some with an offset and some without may stand in one column."""
    offset = pc.fill_null(pc.match_substring_regex(column, _OFFSET), False)  # noqa: FBT003  # Arrow's signature
    without = pa.scalar(None, column.type)
    zoned = pc.if_else(offset, column, without).cast(_INSTANT)
    naive = pc.if_else(offset, without, column).cast(pa.timestamp("us")).cast(_INSTANT)
    return pc.coalesce(zoned, naive)


def nested(column: pa.Array, element: pa.DataType, cell: Cell) -> pa.Array:
    """A column of lists of structs, or of JSON text that spells them."""
    wanted = pa.list_(element)
    if column.type == wanted:
        return column
    column = _decoded(column)
    if _is_string(column.type):
        return cell.located(column, lambda part: pa.array(map(_parsed, part.to_pylist()), wanted), "list in JSON")
    return cell.located(column, lambda part: pa.array(part.to_pylist(), wanted), "list of such records")


def _parsed(spelt: str | None) -> Any:  # noqa: ANN401  # whatever the JSON says; Arrow refuses what is no list
    try:
        if spelt and exceeded(spelt.encode()):
            raise TypeError  # as for what is no list
        return orjson.loads(spelt) if spelt else None
    except orjson.JSONDecodeError:
        raise TypeError from None
