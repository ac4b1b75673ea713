"""Batches on disk, under a key that only this process has: what a kill leaves behind can't be read by anybody.

Invariant: memory holds one batch.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from demur.identity import KEY_BYTES, seal, unseal

_LENGTH: Final = struct.Struct("<Q")


class Sealed:
    """A file of sealed batches of one schema; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("x+b")
        self._key = os.urandom(KEY_BYTES)

    def add(self, batch: pa.RecordBatch) -> None:
        """One more batch."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        sealed = seal(self._key, sink.getvalue().to_pybytes())
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What was added, in its order."""
        self._file.seek(0)
        while head := self._file.read(_LENGTH.size):
            yield from pa.ipc.open_stream(unseal(self._key, self._file.read(*_LENGTH.unpack(head))))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
