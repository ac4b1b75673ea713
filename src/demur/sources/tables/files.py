"""Table files as batches: Parquet, CSV, JSON Lines, Arrow IPC.

Invariants: a batch has at most ``MAX_ROWS`` rows, and fewer where rows are large, so that memory does not grow with
the file, nor with how often a file says to repeat what it holds; what a file holds beyond the columns that are used
is not decoded; a broken file is one sentence that names it, and never shows what stands in it.
"""

import contextlib
import glob
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.base import MAX_BYTES, MAX_ROWS
from demur.sources.jsonbounds import exceeded
from demur.sources.limits import MAX_COLUMNS, MAX_CSV_ROW, MAX_RECORD, MIB
from demur.sources.meter import Passage
from demur.sources.opened import PACKED, Text, ending, is_utf8, look, not_utf8, reached
from demur.sources.tables.parquet import parquet_batches
from demur.sources.tables.sizes import cut

T = TypeVar("T")

Used = Callable[[Iterable[str]], list[str]]
"""Chooses, from the names of a table's columns, those to decode."""

_HEADER_BYTES: Final = MIB
_NO_CSV: Final = (
    (re.compile(rb"PK\x03\x04"), "a zip, as .xlsx and .ods are: unpack it, or save the sheet as CSV"),
    (re.compile(rb"\s*<[!?A-Za-z]"), "HTML or XML and no CSV: export the table as CSV"),
    (
        re.compile(rb"\s*(?:\[\s*[\[{]|\{\s*[\"}])"),
        "JSON and no CSV: write one object on each line, and name it .jsonl",
    ),
)
"""How files begin that are called CSV and are none, and what they are."""


@dataclass(frozen=True)
class Form:
    """How the text of a table is written, where that is declared."""

    delimiter: str | None = None
    """What separates the fields of CSV; None for what its first lines say."""
    encoding: str | None = None
    """What it is in; None for UTF-8, or what its first bytes say."""
    section: str = "[sources.table] of demur.toml"
    """Where both are declared, for error sentences."""


_WILD: Final = frozenset("*?[")


def shards(path: str) -> list[Path]:
    """The files at ``path``: a file, a folder of files (its known formats), or a pattern such as ``part-*.csv``.

    Raises:
        SourceError: when there is none.
    """
    given = Path(path)
    if given.is_dir():
        files = [one for one in sorted(given.rglob("*")) if one.is_file()]
        found = [one for one in files if _is_shard(one.relative_to(given))]
        if len(found) < len(files):
            meter.tell(f"{path}: {len(files) - len(found):,} of {len(files):,} files are no tables and were not read.")
    elif not given.exists() and _WILD & set(path):
        named = sorted(glob.glob(path, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
        found = [one for one in map(Path, named) if one.is_file()]
    else:
        found = [given]
    if not found:
        raise SourceError(f"{path}: there is no table: give files that end with {', '.join(sorted(_READERS))}.")
    for one in found:
        if not one.exists():
            raise SourceError(f"{one} does not exist: check the path.")
    return found


def _is_shard(name: Path) -> bool:
    return ending(name) in _READERS and not any(part.startswith((".", "_")) for part in name.parts)


def read_file(path: Path, used: Used, form: Form) -> Iterator[pa.RecordBatch]:
    """The batches of one file, by the ending of its name; text also packed, as in ``posts.csv.gz``.

    Raises:
        SourceError: for an unknown ending, or a file that is broken or not what its ending says.
    """
    reader = _READERS.get(ending(path))
    if reader is None:
        raise SourceError(f"{path}: the ending is unknown: name a table {', '.join(sorted(_READERS))}.")
    if reader in {_ipc, _parquet} and path.suffix.lower() in PACKED:
        raise SourceError(f"{path} is packed, and its format packs by itself: unpack it.")
    try:
        yield from reader(path, used, form)
    except pa.ArrowInvalid as error:
        raise SourceError(
            f"{path} is broken or no {path.suffix} file ({_first_words(error)}): write it again."
        ) from None
    except OSError as error:
        raise SourceError(f"{path} can't be read ({error.strerror or _first_words(error)}): write it again.") from None


def _first_words(error: Exception) -> str:
    """What Arrow says of an error, up to where it may show content."""
    return str(error).partition(":")[0].partition("\n")[0].strip("'\" ") or type(error).__name__


def check_columns(where: object, count: int) -> None:
    """Refuse a table that is too wide.

    Raises:
        SourceError: when it has more than ``MAX_COLUMNS`` columns.
    """
    if count > MAX_COLUMNS:
        raise SourceError(f"{where} has more than {MAX_COLUMNS:,} columns: export only those that are needed.")


def _parquet(path: Path, used: Used, _: Form) -> Iterator[pa.RecordBatch]:
    return parquet_batches(path, used)


def _ipc(path: Path, used: Used, _: Form) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path)) as source:
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        check_columns(path, len(reader.schema.names))
        columns = used(reader.schema.names)
        several = (reader.get_batch(number) for number in range(reader.num_record_batches)) if is_file else reader
        passage = Passage(source.tell if not is_file else _even(path, reader.num_record_batches))
        blocks = passage.blocks(batch.select(columns) for batch in several)
        yield from passage.rows(cut(blocks, str(path), path.stat().st_size))


def _even(path: Path, blocks: int) -> Callable[[], int]:
    """How far a file was read, each time a further one of so many blocks of about one size was."""
    size, numbers = path.stat().st_size, itertools.count(1)
    return lambda: size * min(next(numbers), blocks) // max(1, blocks)


def delimited(text: Text, form: Form) -> tuple[str, int]:
    """What separates the fields of a file of CSV, and how many lines stand before its names.

    Raises:
        SourceError: where its first lines leave that in doubt.
    """
    wanted = form.delimiter or ("\t" if ending(text.path) == ".tsv" else None)
    return text.separator(wanted, f'say what separates the fields, for instance delimiter = ";" in {form.section}')


def _csv(path: Path, used: Used, form: Form) -> Iterator[pa.RecordBatch]:
    text = look(path, form.encoding)
    separator, skipped = delimited(text, form)
    ragged: list[str] = []

    def refuse(row: Any) -> str:  # noqa: ANN401  # pyarrow ships no types
        ragged.append(f"row {row.number} has {row.actual_columns} fields instead of {row.expected_columns}")
        return "error"

    parse = pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=refuse)
    columns = used(_header(text, separator, skipped, form))
    convert = pa_csv.ConvertOptions(
        column_types={name: pa.string() for name in columns},
        include_columns=columns,
        strings_can_be_null=True,
        null_values=[""],
        quoted_strings_can_be_null=False,
    )
    read = pa_csv.ReadOptions(block_size=MAX_CSV_ROW, use_threads=False, skip_rows=skipped)  # rows in their order
    options = {"read_options": read, "parse_options": parse, "convert_options": convert}
    try:
        with contextlib.nullcontext() if text.plain else text.open() as stream:
            source = pa.OSFile(str(path)) if stream is None else pa.PythonFile(stream, "r")
            with pa_csv.open_csv(source, **options) as reader:
                even = _even(path, -(-path.stat().st_size // MAX_CSV_ROW))
                passage = Passage(even if stream is None else partial(reached, stream))
                yield from passage.rows(cut(passage.blocks(reader), str(path)))
    except pa.ArrowInvalid as error:
        if not ragged and "UTF8" in str(error):
            raise _csv_not_utf8(path, form) from None
        told = ragged[0] if ragged else _csv_trouble(str(error))
        raise SourceError(f"{path}: {told}: correct it, or export the table as Parquet.") from None


def _csv_not_utf8(path: Path, form: Form) -> SourceError:
    return not_utf8(f"{path}: a value", f"in {form.section}")


def _header(text: Text, separator: str, skipped: int, form: Form) -> list[str]:
    """The names of the columns, by Arrow's own reading of the first row."""
    path = text.path
    parse = pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    with text.open() as file:
        for _ in range(skipped):
            file.readline(_HEADER_BYTES)
        first = file.readline(_HEADER_BYTES)
        while first.count(b'"') % 2 and len(first) < _HEADER_BYTES and (more := file.readline(_HEADER_BYTES)):
            first += more
    if len(first) >= _HEADER_BYTES:
        raise SourceError(f"{path}: the first row, of names, has more than {_HEADER_BYTES // MIB} MB: correct it.")
    if what := next((what for start, what in _NO_CSV if start.match(first)), None):
        raise SourceError(f"{path} is {what}.")
    check_columns(path, first.count(separator.encode()) + 1)
    try:
        with pa_csv.open_csv(io.BytesIO(first), parse_options=parse) as reader:
            return list(reader.schema.names)
    except UnicodeDecodeError:
        raise _csv_not_utf8(path, form) from None
    except pa.ArrowInvalid as error:
        raise SourceError(f"{path}: {_csv_trouble(str(error))}: correct it, or export it as Parquet.") from None


def _csv_trouble(told: str) -> str:
    """What is wrong with a CSV file, in words that show nothing of it."""
    if "block" in told:
        return f"a row is larger than {MAX_CSV_ROW // MIB} MB, or a quote is never closed"
    return "it is empty" if "Empty" in told else "it is no table of comma-separated values"


def _json_lines(path: Path, used: Used, form: Form) -> Iterator[pa.RecordBatch]:
    """JSON Lines by Python, line by line: a field may be a string here and a number there."""
    text, read = look(path, form.encoding), 0

    def weighed() -> Iterator[tuple[dict[str, Any], int]]:
        nonlocal read
        for number, line in enumerate(json_lines(path, file), start=1):
            read += len(line)
            if (record := _parsed(line, path, number, form)) is not None:
                yield record, len(line)

    with text.open() as file:
        passage = Passage((lambda: read) if text.plain else partial(reached, file))
        yield from passage.rows(passage.blocks(gathered(weighed(), str(path), used)))


def json_lines(path: Path, file: io.BufferedReader) -> Iterator[bytes]:
    """The lines of a file of JSON Lines, empty ones included.

    Args:
        path: of the file, for error sentences.
        file: its text as UTF-8.

    Raises:
        SourceError: when parsing a line would cost more than :mod:`demur.sources.limits` allows.
    """
    for number, line in enumerate(iter(lambda: file.readline(MAX_RECORD), b""), start=1):
        if len(line) == MAX_RECORD:
            raise SourceError(f"{path}, line {number} has {MAX_RECORD // MIB} MB: this is no JSON Lines file.")
        if found := exceeded(line):
            raise SourceError(f"{path}, line {number} has {found}: correct it or leave it out.")
        yield line


def _parsed(line: bytes, path: Path, number: int, form: Form) -> dict[str, Any] | None:
    """The record of a line; None of an empty one."""
    if not line.strip():
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        if not is_utf8(line):
            raise not_utf8(f"{path}, line {number}", f"in {form.section}") from None
        record = None
    if not isinstance(record, dict):
        raise SourceError(f"{path}, line {number}: this is no JSON object in UTF-8: correct it or leave it out.")
    return record


def gathered(
    records: Iterable[tuple[Mapping[str, Any], int]], where: str, used: Used = list
) -> Iterator[pa.RecordBatch]:
    """Records, each with about how many bytes it holds, as batches of the fields that are used.

    The fields are those of the first batch's records; what no record of a later batch has is null there.

    Raises:
        SourceError: when the records of one batch have more than ``MAX_COLUMNS`` fields, or one is too large.
    """
    columns: list[str] = []
    for held in bounded(records):
        names = dict.fromkeys(name for record in held for name in record)
        check_columns(where, len(names))
        columns = columns or used(list(names))
        arrays = [_array([record.get(name) for record in held]) for name in columns]
        yield from cut([pa.RecordBatch.from_arrays(arrays, names=columns)], where)


def bounded(weighed: Iterable[tuple[T, int]]) -> Iterator[list[T]]:
    """Values, each with about how many bytes it holds, in lists of at most ``MAX_ROWS`` and about ``MAX_BYTES``."""
    held: list[T] = []
    weight = 0
    for value, more in weighed:
        held.append(value)
        weight += more
        if len(held) == MAX_ROWS or weight > MAX_BYTES:
            yield held
            held, weight = [], 0
    if held:
        yield held


def _array(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):  # of several types, or of one that Arrow does not know
        return pa.array([_spelt(one) for one in values])


def _spelt(value: Any) -> str | None:  # noqa: ANN401  # any value of JSON or SQL
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=str, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode().strip('"')


_READERS: Final[dict[str, Callable[[Path, Used, Form], Iterator[pa.RecordBatch]]]] = {
    ".arrow": _ipc,
    ".arrows": _ipc,
    ".feather": _ipc,
    ".ipc": _ipc,
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
    ".pq": _parquet,
}
