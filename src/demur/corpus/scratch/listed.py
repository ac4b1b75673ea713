"""The pictures that an import's readings name, on disk until the import knows which items stay.

Invariants: a file's URI may name a person, so that each batch is sealed under a key that only this process has; memory
does not grow with the pictures; each is listed once a reading, however often the reading names it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.scratch.sealed import Sealed
from demur.identity import Pepper
from demur.kernel.keying import stored_uri
from demur.sources import is_picture
from demur.words.page import short_keys

LISTED: Final = pa.schema(
    [
        pa.field("position", pa.int64()),  # the number of the reading
        pa.field("item", pa.int64()),  # the short form of the item's key
        pa.field("uri", pa.string()),  # as the row has it, if it stays
        pa.field("file", pa.string()),  # the source's URI
    ]
)

_AT_ONCE: Final = 100_000
"""Pictures that are given back at once, and no more than a batch above it."""


class Listed:
    """A file of what readings name; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path, pepper: Pepper) -> None:
        self._file = Sealed(path)
        self._pepper = pepper
        self.count = 0

    def add(self, batch: pa.RecordBatch, first: int) -> None:
        """What a batch from a source (terms.ITEM) names; ``first`` is the number of its first reading."""
        media = batch.column("media")
        flat = media.flatten()
        if not len(flat):
            return
        rows = pc.list_parent_indices(media).to_pylist()
        named = zip(rows, flat.field("uri").to_pylist(), flat.field("type").to_pylist(), strict=True)
        found = list(dict.fromkeys((row, uri) for row, uri, kind in named if uri and is_picture(kind, uri)))
        if not found:
            return
        row = np.array([each for each, _ in found], np.int64)
        items = self._pepper.item_keys(batch.column("item").take(pa.array(row)))
        files = [uri for _, uri in found]
        uris = pa.array([stored_uri(uri, self._pepper) for uri in files], pa.string())
        columns = [pa.array(first + row), pa.array(short_keys(items)), uris, pa.array(files, pa.string())]
        self._file.add(pa.RecordBatch.from_arrays(columns, schema=LISTED))
        self.count += len(found)

    def parts(self) -> Iterator[pa.Table]:
        """What was listed, in its order, some at a time."""
        held: list[pa.RecordBatch] = []
        for batch in self._file.batches():
            held.append(batch)
            if sum(map(len, held)) >= _AT_ONCE:
                yield pa.Table.from_batches(held)
                held = []
        if held:
            yield pa.Table.from_batches(held)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
