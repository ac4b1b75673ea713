"""CSV files of an export, row by row (RFC 4180), where a platform names the columns.

Invariants: memory holds one row, and what a row may cost is bounded before it is split; a broken file is told in one
sentence with its row, and never by showing what stands there. For tables that a user names the columns of,
:mod:`demur.sources.tables` is faster.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from demur.errors import SourceError
from demur.sources.archive import Member
from demur.sources.jsonstream import Record
from demur.sources.limits import MAX_COLUMNS, MAX_CSV_ROW, MAX_VALUES, MIB


def rows(member: Member) -> Iterator[Record]:
    """Every row as an object of its columns' names; empty rows are passed over.

    Raises:
        SourceError: when the file is no CSV in UTF-8, a row has more or fewer fields than there are columns, or
            exceeds :mod:`demur.sources.limits`.
    """
    csv.field_size_limit(MAX_CSV_ROW)
    with member.open() as file:
        lines = _Lines(io.TextIOWrapper(file, "utf-8-sig", newline=""))
        names: list[str] | None = None
        where = member.where
        for number, row in enumerate(_read(lines, where), start=1):
            names = names or _header(row, where)
            if row and number > 1:
                if len(row) != len(names):
                    what = f"{len(row)} fields instead of {len(names)}"
                    raise SourceError(f"{where}, row {number} has {what}: export the data again.")
                yield Record(dict(zip(names, row, strict=True)), f"{where}, row {number}")


def columns(start: bytes) -> set[str]:
    """The names of the columns of a file that begins so; none where it is no CSV."""
    first = start.partition(b"\n")[0].decode("utf-8", "replace").strip("\ufeff\r")
    try:
        return {name for name in next(csv.reader([first]), []) if name} if "," in first else set()
    except csv.Error:
        return set()


def _read(lines: "_Lines", where: str) -> Iterator[list[str]]:
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            yield row
            lines.row += 1
            lines.size = lines.commas = 0
    except UnicodeDecodeError:
        raise SourceError(f"{where}, row {lines.row} is not in UTF-8: export the data again.") from None
    except csv.Error:
        raise SourceError(f"{where}, row {lines.row} is no valid CSV: export the data again.") from None
    except _TooMuchError as error:
        raise SourceError(f"{where}, row {lines.row} has {error}: remove it from the export.") from None


def _header(row: list[str], where: str) -> list[str]:
    if len(row) > MAX_COLUMNS:
        raise SourceError(f"{where} has more than {MAX_COLUMNS:,} columns: export only those that are needed.")
    return row


class _TooMuchError(Exception):
    """A row exceeds a bound: what it has too much of."""


_MOST: Final = MAX_CSV_ROW + 1


class _Lines:
    """The lines of a file, and what those of the row that is read come to."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.row = 1
        self.size = 0
        self.commas = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(_MOST):
            self.size += len(line)
            self.commas += line.count(",") if self.size >= MIB else 0
            if self.size > MAX_CSV_ROW:
                raise _TooMuchError(f"more than {MAX_CSV_ROW // MIB} MB, or a quote that is never closed")
            if self.commas > MAX_VALUES:
                raise _TooMuchError(f"more than {MAX_VALUES:,} values")
            yield line
