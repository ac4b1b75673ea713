"""Parquet files as batches, however they repeat what they hold.

Invariants: rows are decoded so few at a time that they fit in memory although each repeats the largest value of its
column; what the file says of its own size decides how it is read, and where that can't be enough it is refused.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from demur.errors import SourceError
from demur.sources.base import MAX_BYTES, MAX_ROWS
from demur.sources.limits import (
    FREE_BYTES,
    MAX_CELL,
    MAX_COLUMNS,
    MAX_DECODED,
    MAX_FURTHER,
    MAX_RATIO,
    MAX_ROWS_PER_BYTE,
    MIB,
)
from demur.sources.meter import count
from demur.sources.tables.sizes import cut, inflated, sizes_of

_FREE_ROWS: Final = 100_000
_FEW_ROWS: Final = 128  # of a column whose values continue the one before them (DELTA_BYTE_ARRAY)
_PROBED: Final = 1 << 16
"""Bytes that are read at once where only the beginning of a column is looked at."""
_ENTRIES: Final = 200_000  # of one list in the file's metadata: columns, row groups


def parquet_batches(path: Path, used: Callable[[Iterable[str]], list[str]]) -> Iterator[pa.RecordBatch]:
    """The batches of one file.

    Args:
        path: of the file.
        used: chooses, from the names of its columns, those to decode.

    Raises:
        SourceError: when it is too wide, or rows, lists or values are repeated beyond all bounds.
        pa.ArrowException: when it is broken.
    """
    with pq.ParquetFile(path, pre_buffer=False, thrift_container_size_limit=_ENTRIES) as file:
        names = file.schema_arrow.names
        if file.metadata.num_columns > MAX_COLUMNS:
            raise SourceError(f"{path} has more than {MAX_COLUMNS:,} columns: export only those that are needed.")
        if file.metadata.num_rows > max(_FREE_ROWS, MAX_ROWS_PER_BYTE * path.stat().st_size):
            raise SourceError(
                f"{path} says to repeat a few rows {file.metadata.num_rows:,} times: write every row once."
            )
        size = path.stat().st_size
        each = size / max(1, file.metadata.num_rows)
        for batch in cut(_merged(_decoded(path, file, used(names))), str(path), size):
            yield batch
            count(each * batch.num_rows)


def _decoded(path: Path, file: Any, columns: list[str]) -> Iterator[pa.RecordBatch]:  # noqa: ANN401  # no types
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    chosen = [number for number in range(file.metadata.num_columns) if _top(groups, number) in columns]
    begun, rows = 0, 0
    for number, group in enumerate(groups):
        _refuse_bombs(path, group, chosen)
        most = _rows_at_once(path, file, number, chosen)
        if rows and most != rows:
            yield from file.iter_batches(rows, row_groups=list(range(begun, number)), columns=columns)
            begun = number
        rows = most
    if groups:
        yield from file.iter_batches(rows, row_groups=list(range(begun, len(groups))), columns=columns)


def _top(groups: list[Any], number: int) -> str:
    """The table's column that a column of the file belongs to."""
    path = str(groups[0].column(number).path_in_schema) if groups else ""
    return path.partition(".")[0]


def _refuse_bombs(path: Path, group: Any, chosen: list[int]) -> None:  # noqa: ANN401  # as above
    """Refuse what can't be decoded in small parts: a page is unpacked whole, and so are the lists of one row."""
    for column in map(group.column, chosen):
        size, values = column.total_uncompressed_size, max(column.num_values, 1)
        if size > max(FREE_BYTES, MAX_RATIO * column.total_compressed_size):
            raise inflated(path)
        if size // values > MAX_CELL:
            place = f"{path}, column {column.path_in_schema!r}"
            raise SourceError(f"{place}: its values have more than {MAX_CELL // MIB} MB: leave it out.")
    if any(group.column(number).num_values - group.num_rows > MAX_FURTHER for number in chosen):
        raise SourceError(
            f"{path} has lists of more than {MAX_FURTHER:,} elements in one row group: write smaller row groups."
        )


def _rows_at_once(path: Path, file: Any, number: int, chosen: list[int]) -> int:  # noqa: ANN401  # as above
    """How many rows of a row group to decode at a time: fewer where the average row, or the largest value, is large."""
    group = file.metadata.row_group(number)
    average = group.total_byte_size // max(group.num_rows, 1)
    rows = max(1, min(MAX_ROWS, MAX_BYTES // max(average, 1)))
    repeating = []
    for place in chosen:
        column = group.column(place)
        if column.physical_type != "BYTE_ARRAY" or column.total_uncompressed_size * rows <= MAX_DECODED:
            continue
        if "DELTA_BYTE_ARRAY" in column.encodings:
            rows = min(rows, _FEW_ROWS)
        if column.has_dictionary_page or any("DICTIONARY" in each for each in column.encodings):
            repeating.append(column.path_in_schema)
    widest = _widest(path, file, number, repeating) if repeating else 0
    return int(max(1, min(rows, MAX_DECODED // max(widest, 1))))


def _widest(path: Path, file: Any, number: int, columns: list[str]) -> int:  # noqa: ANN401  # as above
    """The bytes of the largest value that the dictionaries of a row group hold."""
    found = 0
    some = {"pre_buffer": False, "buffer_size": _PROBED}  # not all of a column for its first row
    with pq.ParquetFile(path, read_dictionary=columns, metadata=file.metadata, **some) as probe:
        for batch in probe.iter_batches(1, row_groups=[number], columns=columns, use_threads=False):
            found = max((_largest(column) for column in batch.columns), default=0)
            break
    return found


def _largest(column: pa.Array) -> int:
    """The bytes of the largest value in the dictionaries of a column, or in the column itself."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return int(sizes_of(column.dictionary).max(initial=0))
    if pa.types.is_struct(kind):
        return max((_largest(column.field(each)) for each in range(kind.num_fields)), default=0)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _largest(column.values)
    return int(sizes_of(column).max(initial=0))


def _merged(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Small batches joined, so that what follows does not pay for each."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if held and (rows + batch.num_rows > MAX_ROWS or size + batch.nbytes > MAX_BYTES):
            yield held[0] if len(held) == 1 else pa.concat_batches(held)
            held, rows, size = [], 0, 0
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
    if held:
        yield held[0] if len(held) == 1 else pa.concat_batches(held)
