"""Rows of an import that wait until their threads are known: on disk, under a key that only this process has.

Invariants: what a kill leaves behind can't be read by anybody, as its key was never written; memory does not grow with
the rows that wait. Each row keeps the number of its reading, so that one which the same import read again can go.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import pyarrow as pa

from demur.corpus.scratch.sealed import Sealed
from demur.corpus.scratch.spool import Positions
from demur.kernel import schema
from demur.kernel.rules import Bools


class Waiting:
    """A file of sealed batches; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path) -> None:
        self._file = Sealed(path)
        self.rows = 0

    def add(self, rows: pa.RecordBatch, positions: Positions, hinted: Bools) -> None:
        """Rows of schema.STORED, with the numbers of their readings and kernel.govern.Answer.hinted, shape (rows,)."""
        self._file.add(rows.append_column("position", pa.array(positions)).append_column("hinted", pa.array(hinted)))
        self.rows += len(rows)

    def batches(self) -> Iterator["Waited"]:
        """What was added, in its order."""
        for numbered in self._file.batches():
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
