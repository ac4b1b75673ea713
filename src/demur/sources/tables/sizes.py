"""How many bytes the rows of a table come to when they are written out, and batches cut to fit in memory.

Invariants: a value that a column repeats by reference (a dictionary, a view) counts each time; nothing is written out
to learn it; a batch that fits already is handed on as it is, so that an honest table pays for a look at its types.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import SourceError
from demur.sources.base import MAX_BYTES, MAX_ROWS
from demur.sources.limits import FREE_BYTES, MAX_CELL, MAX_ELEMENTS, MAX_RATIO, MIB

Sizes = npt.NDArray[np.int64]


def cut(batches: Iterable[pa.RecordBatch], where: str, packed: int | None = None) -> Iterator[pa.RecordBatch]:
    """Batches in parts of at most ``MAX_ROWS`` rows and about ``MAX_BYTES``; one larger row stands alone.

    Args:
        batches: of one table.
        where: it stands, for error sentences.
        packed: the bytes it takes there, where these may be fewer than they come to.

    Raises:
        SourceError: for a row with a value of more than ``MAX_CELL`` bytes, or a list of more than ``MAX_ELEMENTS``,
            or a table that comes to more than ``MAX_RATIO`` times its size.
    """
    first, size = 1, 0
    most = None if packed is None else max(FREE_BYTES, MAX_RATIO * packed)
    for batch in batches:
        for start in range(0, batch.num_rows, MAX_ROWS):
            for part, weight in _parts(batch.slice(start, MAX_ROWS), where, first + start):
                size += weight
                if most is not None and size > most:
                    raise inflated(where)
                yield part
        first += batch.num_rows


def inflated(where: object) -> SourceError:
    """The error for a table that says to repeat what it holds beyond all bounds."""
    return SourceError(
        f"{where} comes to more than {MAX_RATIO} times its size, as what is made to fill a disk does: "
        "if you trust it, write it as CSV."
    )


def _parts(batch: pa.RecordBatch, where: str, first: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    """The parts of a batch, each with about how many bytes it comes to."""
    if batch.nbytes <= MAX_BYTES and not any(_repeats(column.type) for column in batch.columns):
        _refuse_long_lists(batch, where, first)
        yield batch, batch.nbytes
        return
    total = np.zeros(batch.num_rows, np.int64)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        sizes = sizes_of(column)
        if len(sizes) and int(sizes.max()) > MAX_CELL:
            row = first + int(sizes.argmax())
            raise SourceError(
                f"{where}, row {row}, column {name!r}: the value has more than {MAX_CELL // MIB} MB: leave it out."
            )
        total += sizes
    _refuse_long_lists(batch, where, first)
    ends = np.cumsum(total)
    start = 0
    while start < batch.num_rows:
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + MAX_BYTES, side="right")))
        yield batch.slice(start, stop - start), int(ends[stop - 1]) - before
        start = stop


def _refuse_long_lists(batch: pa.RecordBatch, where: str, first: int) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if _is_list(column.type) and len(column):
            lengths = pc.fill_null(pc.list_value_length(column), 0)
            if pc.max(lengths).as_py() > MAX_ELEMENTS:
                row = first + int(np.argmax(lengths.to_numpy(zero_copy_only=False)))
                place = f"{where}, row {row}, column {name!r}"
                raise SourceError(f"{place}: the list has more than {MAX_ELEMENTS:,} elements: leave it out.")


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _repeats(kind: pa.DataType) -> bool:
    """Whether values of a type, or what lies in them, may be given by reference."""
    if pa.types.is_dictionary(kind) or pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return True
    return any(_repeats(kind.field(number).type) for number in range(kind.num_fields))


def sizes_of(column: pa.Array) -> Sizes:
    """About how many bytes each value of a column takes when it is written out, shape (rows,)."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _referred_sizes(column)
    if _is_list(kind):
        return _list_sizes(column)
    if pa.types.is_struct(kind):
        parts = (sizes_of(column.field(number)) for number in range(kind.num_fields))
        return np.asarray(np.sum([np.zeros(len(column), np.int64), *parts], axis=0), np.int64)
    return _plain_sizes(column)


def _plain_sizes(column: pa.Array) -> Sizes:
    kind = column.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return _view_sizes(column)
    if _has_lengths(kind):
        return np.asarray(pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False), np.int64)
    return np.full(len(column), 8, np.int64)


def _referred_sizes(column: pa.DictionaryArray) -> Sizes:
    each = sizes_of(column.dictionary)
    if not len(each):
        return np.zeros(len(column), np.int64)
    chosen: Sizes = each[pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)]
    return chosen


def _has_lengths(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )


def _view_sizes(column: pa.Array) -> Sizes:
    """A view is 16 bytes that begin with its length (Arrow's columnar format, variable-size binary view layout)."""
    views = np.frombuffer(column.buffers()[1], "<i4").reshape(-1, 4)
    lengths = views[column.offset : column.offset + len(column), 0].astype(np.int64)
    return np.where(column.is_valid().to_numpy(zero_copy_only=False), lengths, 0)


def _list_sizes(column: pa.Array) -> Sizes:
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    within = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes_of(column.flatten()))])
    ends = np.cumsum(lengths)
    return np.asarray(within[ends] - within[ends - lengths] + 8 * lengths, np.int64)
