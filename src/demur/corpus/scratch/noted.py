"""What a pass over rows at rest says beside them, on disk until the pass is through.

Invariants: keys and numbers alone, no text; the file has no name, so that nothing of it outlives the process; memory
does not grow with the lines, nor with the rows of the pass.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import numpy as np
import pyarrow as pa

from demur.identity import SubjectKeys, ascending

_FEW: Final = 100_000
"""Keys that are gathered before those that came before are struck off."""


class Noted:
    """Lines of one schema, in the order in which they came."""

    def __init__(self, schema: pa.Schema, folder: Path) -> None:
        """An empty one; ``folder`` is where its file takes room."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # this object's own, see __exit__
        self._writer = pa.ipc.new_stream(self._file, schema)
        self._schema = schema
        self.count = 0
        """How many lines there are."""

    def add(self, lines: pa.RecordBatch) -> None:
        """Lines with their schema's columns, and perhaps others."""
        if len(lines):
            self._writer.write_batch(lines.select(self._schema.names))
            self.count += len(lines)

    def parts(self, most: int) -> Iterator[pa.Table]:
        """All lines, some ``most`` at a time and no more than a batch above it; nothing is added any more."""
        self._writer.close()
        self._file.seek(0)
        part, count = list[pa.RecordBatch](), 0
        for lines in pa.ipc.open_stream(self._file):
            part.append(lines)
            count += len(lines)
            if count >= most:
                yield pa.Table.from_batches(part)
                part, count = [], 0
        if part:
            yield pa.Table.from_batches(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class Distinct:
    """Keys, each once."""

    def __init__(self) -> None:
        self._parts = [np.zeros(0, np.int64)]

    def add(self, keys: SubjectKeys) -> None:
        """More of them, shape (n,)."""
        if len(keys):
            self._parts.append(ascending(keys))
        if sum(map(len, self._parts[1:])) > max(_FEW, len(self._parts[0])):
            self._parts = [self.keys]

    @property
    def keys(self) -> SubjectKeys:
        """All of them, sorted."""
        return ascending(np.concatenate(self._parts))
