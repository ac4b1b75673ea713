"""What holders of a version's copies must remove now: rows by or about people suppressed since.

Invariants: a row is listed once, by its first trace; the list names rows by item key and holds no text and nobody's
subject key; it appears whole or not at all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from demur.errors import UsageError
from demur.suppression.keyset import KeySet
from demur.suppression.signed import aside
from demur.versions.traces import Trace, traces

RECALL: Final = pa.schema(
    [
        pa.field("item", pa.string(), nullable=False),  # 32 hexadecimal digits, as in the export
        pa.field("reason", pa.string(), nullable=False),  # a terms.Reason, a Trace, or `rewritten`
    ]
)
"""A line of a recall."""

_WRITERS: Final = {".csv": pyarrow.csv.CSVWriter, ".parquet": pq.ParquetWriter}


@dataclass(frozen=True)
class RecallReport:
    """What a recall lists."""

    path: Path
    reasons: dict[str, int]
    """Rows by reason."""

    @property
    def rows(self) -> int:
        """Rows to remove."""
        return sum(self.reasons.values())


def recall_rows(batches: Iterable[pa.RecordBatch], withheld: KeySet) -> Iterator[pa.RecordBatch]:
    """The rows of a version, schema ROW, that concern somebody in ``withheld``; schema RECALL, in their order."""
    names = np.array([trace.value for trace in Trace])
    for batch in batches:
        reason = np.full(batch.num_rows, len(names))
        for rank, (_, rows) in enumerate(traces(batch, withheld)):
            reason[rows] = np.minimum(reason[rows], rank)
        at = np.flatnonzero(reason < len(names))
        if len(at):
            items = [key.hex() for key in batch.column("item").take(pa.array(at)).to_pylist()]
            yield pa.RecordBatch.from_arrays([pa.array(items), pa.array(names[reason[at]])], schema=RECALL)


def write_recall(batches: Iterable[pa.RecordBatch], path: Path) -> RecallReport:
    """Write a recall, schema RECALL, to ``path``: CSV or Parquet, as its ending says; an older one is replaced.

    Raises:
        UsageError: for another ending.
        CorpusError: when the file can't be written.
    """
    if (writer := _WRITERS.get(path.suffix)) is None:
        raise UsageError(f"{path} ends neither in .csv nor in .parquet: name a file that does.")
    reasons: Counter[str] = Counter()
    with aside(path) as file, writer(str(file), RECALL) as out:
        for batch in batches:
            out.write_batch(batch)
            reasons.update(batch.column("reason").to_pylist())
    return RecallReport(path, dict(reasons))
