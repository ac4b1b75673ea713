"""A table of members (Parquet, CSV or JSON Lines) -> batches of MEMBER.

Invariants: memory does not grow with the file; a value that can't be read is an error that names its record, never
a guess (what a value may mean is the register's to judge); an empty value is unknown, and unknown is null. Columns
have the names of MEMBER and only ``account`` is needed; in CSV a list is written with ``|`` between its parts, a day
as 2026-12-31, a truth value as true or false.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import MAXYEAR, date, datetime
from pathlib import Path
from typing import Final, TextIO

import orjson
import pyarrow as pa

from demur.errors import SourceError, suggestion
from demur.register import MEMBER
from demur.sources.limits import MAX_MEMBER, MIB
from demur.sources.tables.files import bounded, json_lines
from demur.sources.tables.parquet import parquet_batches

Row = Mapping[str, object]

LIST_SEPARATOR: Final = "|"
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def member_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The members in a file, in its order, in batches of at most ``MAX_ROWS``.

    Raises:
        SourceError: when the file is missing, broken, or holds a value that can't be read.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SourceError(f"{path} is none of {', '.join(_READERS)}: convert it to one of these.")
    if not path.is_file():
        raise SourceError(f"{path} is no file: check the path.")
    members = (_member(path, number, row) for number, row in enumerate(reader(path), 1))
    for some in bounded((member, _weight(member)) for member in members):
        yield pa.RecordBatch.from_pylist(some, schema=MEMBER)


def _weight(member: Mapping[str, object]) -> int:
    """About how many bytes a member takes."""
    texts = (each for value in member.values() for each in (value if isinstance(value, list) else [value]))
    return sum(len(each) + 50 for each in texts if isinstance(each, str))


def _csv_rows(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(_lines(path, file), strict=True)
            _check_columns(path, reader.fieldnames or [])
            for row in reader:
                if None in row or None in row.values():
                    msg = f"{path} line {reader.line_num} has another number of fields than the first line."
                    raise SourceError(msg)
                yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} is no valid CSV in UTF-8 ({error}): export it again.") from None


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines of a CSV file; the ``csv`` module bounds a value, not what it is cut from."""
    while line := file.readline(MAX_MEMBER):
        if len(line) == MAX_MEMBER:
            raise SourceError(f"{path} has a line of more than {MAX_MEMBER // MIB} MB: this is no table of members.")
        yield line


def _json_rows(path: Path) -> Iterator[Row]:
    for number, line in enumerate(json_lines(path), 1):
        if len(line) > MAX_MEMBER:
            size = f"more than {MAX_MEMBER // MIB} MB"
            raise SourceError(f"{path} line {number} has {size}: this is no table of members.")
        if line.strip():
            yield _json_row(path, number, line)


def _json_row(path: Path, number: int, line: bytes) -> Row:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise SourceError(f"{path} line {number} is no valid JSON in UTF-8: write one object a line.") from None
    if not isinstance(row, dict):
        raise SourceError(f"{path} line {number} is no JSON object: write one object a line.")
    _check_columns(path, row)
    return row


def _parquet_rows(path: Path) -> Iterator[Row]:
    def used(names: Iterable[str]) -> list[str]:
        columns = list(names)
        _check_columns(path, columns)
        return columns

    try:
        for batch in parquet_batches(path, used):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise SourceError(f"{path} is no valid Parquet file ({str(error).splitlines()[0]}).") from None


_READERS: Final[Mapping[str, Callable[[Path], Iterator[Row]]]] = {
    ".parquet": _parquet_rows,
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
}


def _check_columns(path: Path, columns: Iterable[str]) -> None:
    names = list(columns)
    for name in names:
        if name not in MEMBER.names:
            raise SourceError(f"{path} has an unknown column `{name}`: {suggestion(str(name), MEMBER.names)}")
    if len(set(names)) < len(names):
        raise SourceError(f"{path} has a column twice: name each once.")
    if "account" not in names:
        raise SourceError(f"{path} has no column `account`: add it, with values like instagram:ann.")


def _member(path: Path, number: int, row: Row) -> dict[str, object]:
    """One record in the types of MEMBER; the message never repeats a value, which may name a person."""
    member: dict[str, object] = {}
    for name, (convert, expected) in _COLUMNS.items():
        value = row.get(name)
        try:
            member[name] = None if value is None or value == "" else convert(value)
        except (ValueError, TypeError, KeyError):
            raise SourceError(f"{path} record {number}: `{name}` has to be {expected}.") from None
    return member


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value.strip()


def _texts(value: object) -> list[str]:
    parts = value.split(LIST_SEPARATOR) if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise TypeError
    return [text for text in map(_text, parts) if text]


def _year(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    year = int(value)
    if not 0 < year <= MAXYEAR:
        raise ValueError
    return year


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(_text(value))


def _truth(value: object) -> bool:
    return value if isinstance(value, bool) else _TRUTH[_text(value).lower()]


_COLUMNS: Final[Mapping[str, tuple[Callable[[object], object], str]]] = {
    "account": (_text, "a text: namespace:value, like instagram:ann"),
    "names": (_texts, f"a list of texts (in CSV with {LIST_SEPARATOR} between them)"),
    "locale": (_text, "a text, like de-AT"),
    "region": (lambda value: _text(value).upper(), "a text: a two-letter country code, like DE"),
    "birth_year": (_year, "a year, like 1990"),
    "told_on": (_day, "a day, like 2026-12-31"),
    "linked": (_texts, f"a list of accounts (in CSV with {LIST_SEPARATOR} between them)"),
    "consented": (_truth, "true or false"),
    "mail": (_text, "a text"),
    "mail_verified": (_truth, "true or false"),
}
"""How each column is read, and what a value that can't be read should have been."""
