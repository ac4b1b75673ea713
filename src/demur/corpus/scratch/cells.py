"""How many items an import read, and kept, by each cell: on disk until the import knows which readings count.

Invariants: two bytes for each reading and cell, and nothing that tells an item; what comes out is counts alone, by one
cell at a time, so that no two of them can be crossed; memory does not grow with the readings.
"""

from pathlib import Path
from typing import BinaryIO, Final, Self

import numpy as np
import pyarrow as pa

from demur.canonical import JSON
from demur.corpus.scratch.spool import Spool
from demur.kernel.cells import CELLS, UNKNOWN
from demur.kernel.door import KEPT, REASONS
from demur.terms import Reason

_CODES: Final = np.dtype("<u2")
_MOST: Final = 1 << 16
_NOT_THERE: Final = [REASONS.index(reason) for reason in (Reason.SUPERSEDED, Reason.DELETED)]
"""Readings that a later one replaced, or that say that the item is gone: nothing was there to be left out."""


class Cells:
    """A file of codes; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("x+b")
        self._known: list[dict[str, int]] = [{UNKNOWN: 0} for _ in CELLS]

    def add(self, cells: pa.RecordBatch) -> None:
        """The cells of one batch, as kernel.cells gives them."""
        codes = np.zeros((len(cells), len(CELLS)), _CODES)
        for at, (column, known) in enumerate(zip(cells.columns, self._known, strict=True)):
            of = [self._code(known, value) for value in column.dictionary.to_pylist()]
            codes[:, at] = np.array(of, _CODES)[column.indices.to_numpy(zero_copy_only=False)]
        self._file.write(codes.tobytes())

    def counts(self, spool: Spool) -> dict[str, JSON]:
        """By cell and value how many items were there to be read and how many of them were kept, as JSON.

        Args:
            spool: the readings, in the same order, with all their outcomes.
        """
        self._file.flush()
        totals = [np.zeros((2, len(known)), np.int64) for known in self._known]
        for start, chunk in spool.chunks():
            self._file.seek(start * _CODES.itemsize * len(CELLS))
            data = self._file.read(len(chunk) * _CODES.itemsize * len(CELLS))
            codes = np.frombuffer(data, _CODES).reshape(-1, len(CELLS))
            read, kept = ~np.isin(chunk["code"], _NOT_THERE), chunk["code"] == KEPT
            for at, total in enumerate(totals):
                total += [np.bincount(codes[which, at], minlength=total.shape[1]) for which in (read, kept)]
        return {
            name: {value: total[:, code].tolist() for value, code in sorted(known.items()) if total[0, code]}
            for name, known, total in zip(CELLS, self._known, totals, strict=True)
        }

    @staticmethod
    def _code(known: dict[str, int], value: str) -> int:
        """The number of a value; of those beyond what two bytes tell apart, that of the unknown."""
        return known.setdefault(value, len(known)) if len(known) < _MOST else known.get(value, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
