"""Rows that belong to items, found by a short form of the items' keys.

Invariants: those of :mod:`demur.corpus.datasets.base`; what an item's next reading says takes the place of what there
was, in one commit.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

import pyarrow as pa

from demur.corpus.datasets.base import ADDRESS, SCAN_FROM, Addresses, Dataset
from demur.suppression.keyset import KeySet
from demur.words.page import Ints

_FEW: Final = 2_000
"""Keys that an index is asked for, however few lines there are."""
_READ_A_KEY: Final = 50
"""Lines that are read in the time in which an index finds those of one key."""


class Keyed(Dataset):
    """Rows that belong to items, by the first 8 bytes of the items' keys (words.page.short_keys)."""

    FORMAT = 1
    FOLDER: ClassVar[str]
    """Where it lies beside the corpus."""
    FORMERLY: ClassVar[str | None] = None
    """Where an older demur kept it."""
    OUTLIVES: ClassVar[bool] = False
    """Whether what it says of an item stays when the item's source says that it is gone."""

    def where(self, column: str, keys: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows in which a column holds one of some keys.

        Args:
            column: ``item``, or another column of int64.
            keys: in any order, shape (n,).
            columns: those that are wanted; all, if they are not named.
        """
        wanted = list(columns or self.SCHEMA.names)
        if len(keys) > min(SCAN_FROM, max(self.count() // _READ_A_KEY, _FEW)):
            return self._scanned(column, KeySet(keys), wanted)
        found = self.holding_keys(f"{column} IN ({{}})", keys, wanted)
        parts = [pa.Table.from_batches([], self._schema(wanted)), *(each.select([*wanted, ADDRESS]) for each in found)]
        return pa.concat_tables(parts).combine_chunks()

    def replace(self, gone: Addresses, rows: Iterable[pa.RecordBatch]) -> None:
        """One commit in which the rows at some addresses go, and others come."""
        self.commit(gone, self.write(rows), {"demur": self.CALLED})

    def _scanned(self, column: str, keys: KeySet, wanted: list[str]) -> pa.Table:
        parts = [pa.Table.from_batches([], self._schema(wanted))]
        for batch in self.batches(list(dict.fromkeys([*wanted, column]))):
            held = keys.contains(batch.column(column).to_numpy(zero_copy_only=False))
            if held.any():
                parts.append(pa.Table.from_batches([batch.filter(pa.array(held))]).select([*wanted, ADDRESS]))
        return pa.concat_tables(parts).combine_chunks()

    def _schema(self, wanted: list[str]) -> pa.Schema:
        return pa.schema([*(self.SCHEMA.field(name) for name in wanted), pa.field(ADDRESS, pa.uint64())])
