"""Tables of members (Parquet, CSV or JSON Lines, text also packed) -> batches of MEMBER.

Invariants: memory does not grow with the file; a value that can't be read is an error that names its line, never a
guess; an empty value is unknown, and unknown is null. Which column is which field, :mod:`.membercolumns` says; only
``account`` is needed. In CSV a list is written with ``|`` between its parts.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import MAXYEAR, UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import orjson
import pyarrow as pa

from demur.errors import IdentityError, SourceError
from demur.register import MEMBER
from demur.register.members.people import identify, mail_account
from demur.register.members.rows import BORN_FROM
from demur.sources.limits import MAX_MEMBER, MIB
from demur.sources.opened import PACKED, ending, is_utf8, look, not_utf8
from demur.sources.tables.files import Form, bounded, delimited, json_lines
from demur.sources.tables.membercolumns import SECTION, MemberOptions, Reading
from demur.sources.tables.parquet import parquet_batches
from demur.sources.tables.regions import country, locale
from demur.sources.values import ACCEPTED, TRUTH, Unfit, moment, odd_number

Row = Mapping[str, object]
Placed = tuple[str, Row]
"""A record, and where it stands in its file: ``line 7``."""

LIST_SEPARATOR: Final = "|"


def member_batches(path: Path, reading: Reading | None = None) -> Iterator[pa.RecordBatch]:
    """The members in a file, in its order, in batches of at most ``MAX_ROWS``.

    Raises:
        SourceError: when the file is missing, broken, or holds a value that can't be read.
    """
    reading = reading or Reading()
    reader = _READERS.get(ending(path))
    if reader is None or (reader is _parquet_rows and path.suffix.lower() in PACKED):
        raise SourceError(f"{path} is none of {', '.join(_READERS)}: convert it to one of these.")
    if not path.is_file():
        raise SourceError(f"{path} is no file: check the path.")
    members = _members(path, reader(path, reading), reading)
    for some in bounded((member, _weight(member)) for member in members):
        yield pa.RecordBatch.from_pylist(some, schema=MEMBER)


def _members(path: Path, rows: Iterable[Placed], reading: Reading) -> Iterator[Mapping[str, object]]:
    for place, row in rows:
        try:
            yield _member(f"{path} {place}", row, reading)
        except SourceError as error:
            reading.refuse(error)


def _weight(member: Mapping[str, object]) -> int:
    """About how many bytes a member takes."""
    texts = (each for value in member.values() for each in (value if isinstance(value, list) else [value]))
    return sum(len(each) + 50 for each in texts if isinstance(each, str))


def _csv_rows(path: Path, reading: Reading) -> Iterator[Placed]:
    options = reading.options
    form = Form(options.delimiter, options.encoding, SECTION)
    try:
        text = look(path, options.encoding)
        separator, skipped = delimited(text, form)
        with text.open() as stream, io.TextIOWrapper(stream, "utf-8", newline="") as file:
            lines = _lines(path, file)
            rows = csv.reader(
                (line for number, line in enumerate(lines) if number >= skipped), delimiter=separator, strict=True
            )
            names = next(rows, [])
            reading.check(path, names)
            reading.columns(path, names)
            yield from _csv_records(path, rows, names, reading)
    except UnicodeDecodeError:
        raise not_utf8(f"{path} is no valid CSV in UTF-8: a value", f"in {SECTION}") from None
    except csv.Error as error:
        raise SourceError(f"{path} is no valid CSV in UTF-8 ({error}): export it again.") from None


def _csv_records(path: Path, rows: Iterator[list[str]], names: list[str], reading: Reading) -> Iterator[Placed]:
    number = rows.line_num  # type: ignore[attr-defined]  # of a reader of the csv module
    for row in rows:
        begun, number = number + 1, rows.line_num  # type: ignore[attr-defined]  # as above
        if len(row) != len(names) and row:
            msg = f"{path} line {number} has another number of fields than the first line."
            reading.refuse(SourceError(msg))
        elif row:
            yield f"line {begun}", dict(zip(names, row, strict=True))


def _lines(path: Path, file: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a CSV file; the ``csv`` module bounds a value, not what it is cut from."""
    while line := file.readline(MAX_MEMBER):
        if len(line) == MAX_MEMBER:
            raise SourceError(f"{path} has a line of more than {MAX_MEMBER // MIB} MB: this is no table of members.")
        yield line


def _json_rows(path: Path, reading: Reading) -> Iterator[Placed]:
    seen: frozenset[str] = frozenset()
    with look(path, reading.options.encoding).open() as file:
        for number, line in enumerate(json_lines(path, file), 1):
            if len(line) > MAX_MEMBER:
                size = f"more than {MAX_MEMBER // MIB} MB"
                raise SourceError(f"{path} line {number} has {size}: this is no table of members.")
            if not line.strip():
                continue
            try:
                row = _json_row(path, number, line)
            except SourceError as error:
                reading.refuse(error)
                continue
            if not seen.issuperset(row):
                reading.columns(path, row)
                seen |= set(row)
            yield f"line {number}", row


def _json_row(path: Path, number: int, line: bytes) -> Row:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        if not is_utf8(line):
            raise not_utf8(f"{path} line {number}", f"in {SECTION}") from None
        raise SourceError(f"{path} line {number} is no valid JSON in UTF-8: write one object a line.") from None
    if not isinstance(row, dict):
        raise SourceError(f"{path} line {number} is no JSON object: write one object a line.")
    return row


def _parquet_rows(path: Path, reading: Reading) -> Iterator[Placed]:
    def used(names: Iterable[str]) -> list[str]:
        columns = list(names)
        reading.check(path, columns)
        reading.columns(path, columns)
        return [name for name in columns if name not in reading.unused[str(path)]]

    number = 0
    try:
        for batch in parquet_batches(path, used):
            for number, row in enumerate(batch.to_pylist(), number + 1):  # noqa: B020  # it counts on
                yield f"row {number}", row
    except pa.ArrowException as error:
        raise SourceError(f"{path} is no valid Parquet file ({str(error).splitlines()[0]}).") from None


_NAMED_MAIL: Final = re.compile(r"[^<>]*<(?:mailto:)?([^<>]+)>|mailto:(.+)", re.IGNORECASE)
"""An address with its bearer's name, as mail programs copy it, or as a link."""


_READERS: Final[Mapping[str, Callable[[Path, Reading], Iterator[Placed]]]] = {
    ".parquet": _parquet_rows,
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
}


def _member(where: str, row: Row, reading: Reading) -> dict[str, object]:
    """One record in the types of MEMBER; the message never repeats a value, which may name a person."""
    member: dict[str, object] = {}
    for name, (convert, expected) in _COLUMNS.items():
        value = _value(name, row, reading.options)
        try:
            member[name] = None if value is None or value == "" else convert(value)
        except Unfit as error:
            raise SourceError(f"{where}: `{name}` {error}.") from None
        except (ValueError, TypeError, KeyError, OverflowError):
            raise SourceError(f"{where}: `{name}` has to be {expected}.") from None
    if member["account"] is None:
        raise SourceError(f"{where}: `account` is empty: every member needs one.")
    member["account"] = _account(where, "account", str(member["account"]), reading)
    linked = member["linked"]
    if isinstance(linked, list):
        member["linked"] = [_account(where, "linked", each, reading) for each in linked]
    return member


def _value(name: str, row: Row, options: MemberOptions) -> object:
    """What a record says of a field: its column, several of them as a list, or what holds for all."""
    if name in options.values:
        return options.values[name]
    column = options.columns.get(name, name)
    if isinstance(column, str):
        return row.get(column)
    return [
        part for each in column if (value := row.get(each)) for part in (_texts(value) if name == "linked" else [value])
    ]


def _account(where: str, name: str, written: str, reading: Reading) -> str:
    """An account with its namespace, which the register can take."""
    namespace = reading.options.namespace
    account = f"{namespace}:{written}" if namespace and ":" not in written else written
    try:
        identify(account, reading.names)
    except IdentityError:
        hint = "" if namespace else f", or set namespace in {SECTION}"
        raise SourceError(f"{where}: `{name}` is no account: write namespace:value, like forum:ann{hint}.") from None
    return account


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise TypeError
    return value.strip()


def _mail(value: object) -> str:
    """A mail address, bare or behind a name: what is none would reach nobody, and match no letter."""
    written = _text(value)
    named = _NAMED_MAIL.fullmatch(written)
    address = (named[1] or named[2] if named else written).strip()
    if mail_account(address) is None:
        raise ValueError
    return address


def _texts(value: object) -> list[str]:
    parts = value.split(LIST_SEPARATOR) if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise TypeError
    return [text for text in map(_text, parts) if text]


def _year(value: object) -> int:
    """A year, or that of a day."""
    if isinstance(value, date):
        return value.year
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    year = _number(value)
    year = _day(value).year if year is None else year
    if year != int(year) or not 0 < year <= MAXYEAR:
        raise ValueError
    if not BORN_FROM <= year <= datetime.now(UTC).year:
        raise Unfit(f"is outside {BORN_FROM}..{datetime.now(UTC).year}")
    return int(year)


def _number(value: float | str) -> float | None:
    """A number, written out or not; None of what is none.

    Raises:
        Unfit: for one that a spreadsheet made of a date.
    """
    try:
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except ValueError:
        return None
    if why := odd_number(number):
        raise Unfit(f"can't be read: {why}")
    return number


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, int | float) and not isinstance(value, bool):
        _number(value)
    return value if isinstance(value, date) else _days(_text(value))


@lru_cache(maxsize=4096)
def _days(written: str) -> date:
    _number(written)
    return moment(written).date()


def _truth(value: object) -> bool:
    return value if isinstance(value, bool) else TRUTH[_text(value).casefold()]


_regions = lru_cache(maxsize=1024)(country)
_locales = lru_cache(maxsize=1024)(locale)
_DAY: Final = f"a day, like 2026-12-31; read are {ACCEPTED}"


_COLUMNS: Final[Mapping[str, tuple[Callable[[object], object], str]]] = {
    "account": (_text, "a text: namespace:value, like instagram:ann"),
    "names": (_texts, f"a list of texts (in CSV with {LIST_SEPARATOR} between them)"),
    "locale": (lambda value: _locales(_text(value)), "a text, like de-AT"),
    "region": (lambda value: _regions(_text(value)), "a text: a two-letter country code, like DE"),
    "birth_year": (_year, "a year, like 1990"),
    "told_on": (_day, _DAY),
    "linked": (_texts, f"a list of accounts (in CSV with {LIST_SEPARATOR} between them)"),
    "consented": (_truth, "true or false"),
    "mail": (_mail, "a mail address, like ann@example.org"),
    "mail_verified": (_truth, "true or false"),
}
"""How each column is read, and what a value that can't be read should have been."""
