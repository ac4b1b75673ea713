"""Files of lines: JSON Lines, and the tables that ``pg_dump`` writes (PostgreSQL, COPY, "Text Format").

Invariants: memory holds one line, and what parsing it would cost is bounded before it is done; a broken line is told by
its number, and never by showing what stands there.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

import orjson

from demur.errors import SourceError
from demur.sources.archive import Member
from demur.sources.jsonbounds import exceeded
from demur.sources.jsonstream import Record
from demur.sources.limits import MAX_COLUMNS, MAX_RECORD, MIB

_BOM: Final = b"\xef\xbb\xbf"
_COPY: Final = re.compile(rb"COPY (?:\w+\.)?\"?(\w+)\"? \(([^()]*)\) FROM stdin;\s*")
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_NULL: Final = "\\N"
_END: Final = b"\\."


def lines(member: Member) -> Iterator[tuple[bytes, int]]:
    """Every line with its number, from 1.

    Raises:
        SourceError: for a line that is too long to be one.
    """
    with member.open() as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_RECORD), b""), start=1):
            if len(line) == MAX_RECORD:
                raise SourceError(f"{member.where}, line {number} has {MAX_RECORD // MIB} MB: leave it out.")
            yield line.removeprefix(_BOM) if number == 1 else line, number


def json_lines(member: Member) -> Iterator[Record]:
    """Every object of a file of JSON Lines; empty lines are passed over.

    Raises:
        SourceError: for a line that is no object, or whose parsing would cost too much.
    """
    file = member.where
    for line, number in lines(member):
        if line.isspace():
            continue
        where = f"{file}, line {number}"
        if found := exceeded(line):
            raise SourceError(f"{where} has {found}: leave it out.")
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            raise SourceError(f"{where} is no JSON object in UTF-8: leave it out, or export the data again.")
        yield Record(value, where)


class Row(NamedTuple):
    """A row of a table of a database."""

    table: str
    record: Record


def copied(member: Member, tables: Collection[str]) -> Iterator[Row]:
    """The rows of some tables of a dump in SQL, values as text, null where the dump says so.

    Raises:
        SourceError: for a row that has more or fewer fields than its table has columns, or is not in UTF-8.
    """
    table, names, file = "", list[str](), member.where
    for line, number in lines(member):
        if not names:
            if line.startswith(b"COPY ") and (begun := _COPY.fullmatch(line)):
                table = begun[1].decode()
                names = [name.strip().strip('"') for name in begun[2].decode("utf-8", "replace").split(",")]
        elif line.rstrip(b"\r\n") == _END:
            names = []
        elif table in tables:
            yield Row(table, _row(line, names, f"{file}, line {number}"))
    if names:
        raise SourceError(f"{member.where} ends too early: make the dump again.")


def _row(line: bytes, names: list[str], where: str) -> Record:
    if line.count(b"\t") != len(names) - 1 or len(names) > MAX_COLUMNS:
        raise SourceError(f"{where} has not the {len(names)} fields of its table: make the dump again.")
    try:
        values = line.decode().rstrip("\r\n").split("\t")
    except UnicodeDecodeError:
        raise SourceError(f"{where} is not in UTF-8: make the dump again.") from None
    return Record({name: _value(value) for name, value in zip(names, values, strict=True)}, where)


def _value(value: str) -> str | None:
    if "\\" not in value:
        return value
    return None if value == _NULL else _ESCAPED.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), value)
