"""Rows of an import that wait until their threads are known: on disk, under a key that only this process has.

Invariants: what a kill leaves behind can't be read by anybody, as its key was never written; memory does not grow with
the rows that wait. Each row keeps the number of its reading, so that one which the same import read again can go.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

import pyarrow as pa

from demur.corpus.scratch.spool import Positions
from demur.identity import KEY_BYTES, seal, unseal
from demur.kernel import schema
from demur.kernel.rules import Bools

_LENGTH: Final = struct.Struct("<Q")


class Waiting:
    """A file of sealed batches; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("x+b")
        self._key = os.urandom(KEY_BYTES)
        self.rows = 0

    def add(self, rows: pa.RecordBatch, positions: Positions, hinted: Bools) -> None:
        """Rows of schema.STORED, with the numbers of their readings and kernel.govern.Answer.hinted, shape (rows,)."""
        sink = pa.BufferOutputStream()
        numbered = rows.append_column("position", pa.array(positions)).append_column("hinted", pa.array(hinted))
        with pa.ipc.new_stream(sink, numbered.schema) as writer:
            writer.write_batch(numbered)
        sealed = seal(self._key, sink.getvalue().to_pybytes())
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)
        self.rows += len(rows)

    def batches(self) -> Iterator["Waited"]:
        """What was added, in its order."""
        self._file.seek(0)
        while head := self._file.read(_LENGTH.size):
            plain = unseal(self._key, self._file.read(*_LENGTH.unpack(head)))
            for numbered in pa.ipc.open_stream(plain):
                columns = (numbered.column(name).to_numpy(zero_copy_only=False) for name in ("position", "hinted"))
                yield Waited(numbered.select(schema.STORED.names), *columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class Waited(NamedTuple):
    """Rows that waited; arrays of shape (rows,)."""

    rows: pa.RecordBatch
    positions: Positions
    hinted: Bools

    def take(self, which: Bools) -> "Waited":
        """A selection."""
        return Waited(self.rows.filter(pa.array(which)), self.positions[which], self.hinted[which])
