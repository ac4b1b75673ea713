"""The form in which a row leaves the corpus: keys as lowercase hexadecimal text, all else as it is.

Invariants: the two forms say the same, null for null, and turn into each other without loss; a subject key has
16 digits (the 8 bytes of the int64, big-endian), an item key 32. Every 64-bit integer and every 16-byte value
of a row is a key, so that the types alone say what to turn.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demur.kernel.schema import KEY, ROW
from demur.store import Place

SUBJECT_DIGITS: Final = 16
ITEM_DIGITS: Final = 32


def _hex_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_int64(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_hex_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([_hex_field(kind.field(index)) for index in range(kind.num_fields)])
    return kind


def _hex_field(column: pa.Field) -> pa.Field:
    return pa.field(column.name, _hex_type(column.type), nullable=column.nullable)


EXPORTED: Final = pa.schema([_hex_field(column) for column in ROW])
"""A row as it is exported."""


def of_columns(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """Some columns of :data:`EXPORTED` or of ROW, in the order in which they are named."""
    return pa.schema([schema.field(name) for name in names])


def to_hex(batch: pa.RecordBatch, columns: Sequence[str] = ROW.names) -> pa.RecordBatch:
    """Columns of ``batch``, schema ROW with nulls allowed anywhere, as schema EXPORTED has them.

    Raises:
        KeyError: when a column is missing.
        pyarrow.ArrowInvalid: when a column has another type.
    """
    return _turn(batch, of_columns(ROW, columns), of_columns(EXPORTED, columns), _to_hex)


def from_hex(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of ``batch``, schema EXPORTED with nulls allowed anywhere, in schema ROW.

    Raises:
        KeyError: when a column is missing.
        ValueError: when a key is no hexadecimal text of its length, or a column has another type.
    """
    return _turn(batch, EXPORTED, ROW, _from_hex)


_Turn = Callable[[pa.Array, pa.DataType], pa.Array]


def _turn(batch: pa.RecordBatch, here: pa.Schema, there: pa.Schema, turn: _Turn) -> pa.RecordBatch:
    columns = [turn(batch.column(field.name).cast(field.type), there.field(field.name).type) for field in here]
    # A row that was changed by hand may hold a null anywhere; it is judged by what it means.
    schema = pa.schema([pa.field(field.name, field.type) for field in there])
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _to_hex(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_int64(array.type):
        keys = array.fill_null(0).to_numpy(zero_copy_only=False)
        return _digits(keys.astype(">i8").tobytes(), array, SUBJECT_DIGITS)
    if pa.types.is_fixed_size_binary(array.type):
        return _digits(_key_bytes(array), array, ITEM_DIGITS)
    return _nested(array, kind, _to_hex)


def _from_hex(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_int64(kind):
        keys = np.frombuffer(_packed(array, SUBJECT_DIGITS), dtype=">i8").astype(np.int64)
        return _nulled(pa.array(keys), array)
    if pa.types.is_fixed_size_binary(kind):
        packed = pa.py_buffer(_packed(array, ITEM_DIGITS))
        return _nulled(pa.FixedSizeBinaryArray.from_buffers(KEY, len(array), [None, packed]), array)
    return _nested(array, kind, _from_hex)


def _nested(array: pa.Array, kind: pa.DataType, turn: _Turn) -> pa.Array:
    """Lists and structs with their elements turned; anything else as it is."""
    if pa.types.is_list(kind):
        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        values = turn(array.flatten(), kind.value_type)
        return pa.ListArray.from_arrays(pa.array(offsets), values, type=kind, mask=array.is_null())
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        columns = [turn(column, field.type) for column, field in zip(array.flatten(), fields, strict=True)]
        return pa.StructArray.from_arrays(columns, fields=fields, mask=array.is_null())
    return array


def _key_bytes(array: pa.Array) -> bytes:
    """The 16-byte values of ``array`` end to end; where it is null, whatever stands there."""
    if len(array) == 0:
        return b""
    width = array.type.byte_width
    return bytes(array.buffers()[1][array.offset * width : (array.offset + len(array)) * width])


def _digits(packed: bytes, array: pa.Array, width: int) -> pa.Array:
    """Each value's hexadecimal digits, ``width`` of them."""
    offsets = np.arange(len(array) + 1, dtype=np.int32) * width
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(packed.hex().encode())]
    return _nulled(pa.StringArray.from_buffers(len(array), *buffers[1:]), array)


def _packed(array: pa.Array, width: int) -> bytes:
    """The bytes that digits stand for, end to end; zeros where ``array`` is null."""
    text = array.fill_null("0" * width)
    if not pc.all(pc.equal(pc.binary_length(text), width)).as_py() and len(text) > 0:
        raise ValueError(f"a key has {width} hexadecimal digits")
    packed = bytes.fromhex("".join(text.to_pylist()))
    if len(packed) * 2 != width * len(text):  # fromhex skips blanks
        raise ValueError(f"a key has {width} hexadecimal digits")
    return packed


def _nulled(values: pa.Array, like: pa.Array) -> pa.Array:
    """``values``, null where ``like`` is."""
    if like.null_count == 0:
        return values
    nothing: Any = pa.scalar(None, values.type)
    return pc.if_else(like.is_valid(), values, nothing)


@contextmanager
def shard(path: Place) -> Iterator[pq.ParquetFile]:
    """A Parquet file of an export, on a disk or in a store.

    Raises:
        OSError, ArrowException, ValueError: when it can't be read.
        UnavailableError: when its store refuses, or does not answer.
    """
    with ExitStack() as stack:
        source = path if isinstance(path, Path) else stack.enter_context(path.open())
        yield stack.enter_context(pq.ParquetFile(source))


def shards_in(folder: Place) -> Sequence[Place]:
    """Every Parquet file below a folder or a place in a store, by name.

    Raises:
        UnavailableError: when the store refuses, or does not answer.
    """
    if isinstance(folder, Path):
        return sorted(path for path in folder.rglob("*.parquet") if path.is_file())
    return [folder / name for name, _ in sorted(folder.objects()) if name.endswith(".parquet")]
