"""Batches of a source put together, so that what the kernel does once a batch is done for more rows.

Invariants: the rows stay in their order, and each comes once; a batch that says something of its accounts
(``terms.ALIKE``) is put together only with batches that say the same; memory stays within a batch's bounds.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa

ROWS: Final = 16_384
"""Items of a batch: each pattern is compiled once a batch, which costs as much as searching some thousand texts."""
BYTES: Final = 16 << 20
"""Where posts are long."""


def gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches, as far as :data:`ROWS` and :data:`BYTES` allow; a larger one is passed on.

    Args:
        batches: of one schema, whose metadata may differ.
    """
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        more = rows + len(batch), size + batch.nbytes
        if waiting and (more[0] > ROWS or more[1] > BYTES or waiting[0].schema.metadata != batch.schema.metadata):
            yield _one(waiting)
            waiting, more = [], (len(batch), batch.nbytes)
        waiting.append(batch)
        rows, size = more
    if waiting:
        yield _one(waiting)


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.concat_batches(batches) if len(batches) > 1 else batches[0]
