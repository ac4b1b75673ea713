"""What an import's readings say that goes beside the rows, on disk until the import knows which readings count.

Invariants: keys and numbers alone, no text; a line belongs to a reading, and goes where a later reading of the same
item stands in the same import; memory does not grow with the lines.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pyarrow as pa

from demur.corpus.scratch.spool import Positions
from demur.identity import inside
from demur.kernel.evidence import ROW


class Lines:
    """A file of lines; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._names = schema.names
        self._schema = pa.schema([ROW, *schema])
        self._writer = pa.ipc.new_stream(str(path), self._schema)

    def add(self, lines: pa.RecordBatch, positions: Positions) -> None:
        """Lines of one batch: each begins with its row of the batch, whose readings have the numbers ``positions``."""
        if len(lines):
            position = pa.array(positions[lines.column(0).to_numpy(zero_copy_only=False)])
            self._writer.write_batch(pa.RecordBatch.from_arrays([position, *lines.columns[1:]], schema=self._schema))

    def counting(self, superseded: Positions) -> Iterator[pa.RecordBatch]:
        """The lines of the readings that count; ``superseded`` are the numbers of the others, ascending."""
        self._writer.close()
        with pa.ipc.open_stream(str(self._path)) as lines:
            for batch in lines:
                stays = ~inside(batch.column(0).to_numpy(zero_copy_only=False), superseded)
                yield batch.filter(pa.array(stays)).select(self._names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._writer.close()
