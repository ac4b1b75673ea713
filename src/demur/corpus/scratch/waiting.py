"""Rows of an import that wait until their threads are known: on disk, under a key that only this process has.

Invariants: what a kill leaves behind can't be read by anybody, as its key was never written; memory does not grow with
the rows that wait. Each row keeps the number of its reading, so that one which the same import read again can go.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

import numpy as np
import pyarrow as pa

from demur.corpus.scratch.spool import Positions
from demur.identity import KEY_BYTES, seal, unseal
from demur.kernel import schema

_LENGTH: Final = struct.Struct("<Q")


class Waiting:
    """A file of sealed batches; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("x+b")
        self._key = os.urandom(KEY_BYTES)
        self.rows = 0

    def add(self, rows: pa.RecordBatch, positions: Positions) -> None:
        """Rows of schema.ROW, with the numbers of their readings, shape (rows,)."""
        sink = pa.BufferOutputStream()
        numbered = rows.append_column("position", pa.array(positions))
        with pa.ipc.new_stream(sink, numbered.schema) as writer:
            writer.write_batch(numbered)
        sealed = seal(self._key, sink.getvalue().to_pybytes())
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)
        self.rows += len(rows)

    def batches(self) -> Iterator[tuple[pa.RecordBatch, Positions]]:
        """What was added, in its order."""
        self._file.seek(0)
        while head := self._file.read(_LENGTH.size):
            plain = unseal(self._key, self._file.read(*_LENGTH.unpack(head)))
            for numbered in pa.ipc.open_stream(plain):
                positions = numbered.column("position").to_numpy(zero_copy_only=False)
                yield numbered.select(schema.ROW.names), np.asarray(positions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
