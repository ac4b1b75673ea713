"""Where suppressed people stand in stored rows, and the list of these rows for whoever holds a copy.

Invariants: every subject key of a row is looked at, in each place it can stand (as author, in a span, in a tag, or
only in `subjects`), whether or not the places agree; a null stands for nobody; a row is named once for each trace. What
texts say without markup is found by :mod:`demur.versions.words`.

A list names a row once, by its first trace; it names rows by item key and holds no text and nobody's subject key; it
appears whole or not at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import UsageError
from demur.suppression.keyset import KeySet
from demur.suppression.signed import aside
from demur.terms import Role

Positions = npt.NDArray[np.int64]
"""Positions of rows in their batch, ascending, once each."""

_NONE: Final = np.zeros(0, np.int64)

RECALL: Final = pa.schema(
    [
        pa.field("item", pa.string(), nullable=False),  # 32 hexadecimal digits, as in the export
        pa.field("reason", pa.string(), nullable=False),  # a terms.Reason, a Trace, or `rewritten`
    ]
)
"""A line of a recall."""


class Trace(StrEnum):
    """How a row concerns a person; the order is that in which a row's reason is chosen."""

    AUTHOR = "author"
    RESHARE = "reshare"
    QUOTE = "quote"
    MENTION = "mention"
    TAG = "tag"
    COPY = "copy"  # holds words that they wrote, under another's name
    NAME = "name"  # names them without markup
    SUBJECT = "subject"  # named by `subjects`, and in no other place that could be told


def traces(batch: pa.RecordBatch, withheld: KeySet) -> Iterator[tuple[Trace, Positions]]:
    """The rows of ``batch``, schema ROW with nulls allowed anywhere, that concern somebody in ``withheld``."""
    yield Trace.AUTHOR, np.flatnonzero(_held(batch.column("author"), withheld))
    told = [np.zeros(0, dtype=np.int64)]
    for trace, rows in _named(batch, withheld):
        told.append(rows)
        yield trace, rows
    subjects = batch.column("subjects")
    rows = np.unique(_parents(subjects)[_held(subjects.flatten(), withheld)])
    yield Trace.SUBJECT, np.setdiff1d(rows, np.concatenate(told))


def count_traced(batch: pa.RecordBatch, withheld: KeySet) -> int:
    """How many rows of ``batch`` concern somebody in ``withheld``; fast where none does."""
    *_, named = batch.column("spans").flatten().flatten()
    *_, tags = batch.column("media").flatten().flatten()
    keys = (batch.column("author"), batch.column("subjects").flatten(), named, tags.flatten())
    if not any(_held(each, withheld).any() for each in keys):
        return 0
    return len(np.unique(np.concatenate([rows for _, rows in traces(batch, withheld)])))


def _named(batch: pa.RecordBatch, withheld: KeySet) -> Iterator[tuple[Trace, Positions]]:
    """Rows with suppressed people in their spans, by role, and in their tags."""
    spans = batch.column("spans")
    _, _, roles, subjects = spans.flatten().flatten()
    rows, held = _parents(spans), _held(subjects, withheld)
    names = roles.to_numpy(zero_copy_only=False)
    for role in (Role.RESHARE, Role.QUOTE, Role.MENTION):
        yield Trace(role.value), np.unique(rows[held & (names == role.value)])
    tagged = _tagged(batch.column("media"), withheld)
    yield Trace.TAG, np.unique(np.concatenate([rows[held & (names == Role.TAG.value)], tagged]))


def _tagged(media: pa.Array, withheld: KeySet) -> Positions:
    """Rows whose media show somebody in ``withheld``."""
    *_, tags = media.flatten().flatten()
    return _parents(media)[_parents(tags)[_held(tags.flatten(), withheld)]]


def _held(keys: pa.Array, withheld: KeySet) -> npt.NDArray[np.bool_]:
    """Which of ``keys``, int64, stand for somebody in ``withheld``; shape (n,)."""
    held = withheld.contains(keys.fill_null(0).to_numpy(zero_copy_only=False))
    valid: npt.NDArray[np.bool_] = keys.is_valid().to_numpy(zero_copy_only=False)
    return held & valid


def _parents(lists: pa.Array) -> Positions:
    """The position of the list that each element of ``lists.flatten()`` stands in."""
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lists), dtype=np.int64), lengths)


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


InWords = Callable[[pa.RecordBatch], Iterable[tuple[Trace, Positions]]]
"""Tells which rows name withheld people, or hold what these wrote, without markup."""


def first_traces(batch: pa.RecordBatch, withheld: KeySet, words: InWords = lambda _: ()) -> list[Trace | None]:
    """For each row of ``batch`` the first of its traces of somebody in ``withheld``."""
    found: list[Trace | None] = [None] * batch.num_rows
    by_trace = {trace: rows for part in (words(batch), traces(batch, withheld)) for trace, rows in part}
    for trace in reversed(Trace):
        for row in by_trace.get(trace, _NONE).tolist():
            found[row] = trace
    return found


def recall_rows(
    batches: Iterable[pa.RecordBatch], withheld: KeySet, words: InWords = lambda _: ()
) -> Iterator[pa.RecordBatch]:
    """The rows of a version, schema ROW, that concern somebody in ``withheld``; schema RECALL, in their order."""
    for batch in batches:
        told = [(row, trace) for row, trace in enumerate(first_traces(batch, withheld, words)) if trace]
        if told:
            rows, names = zip(*told, strict=True)
            items = [key.hex() for key in batch.column("item").take(pa.array(rows)).to_pylist()]
            yield pa.RecordBatch.from_arrays([pa.array(items), pa.array([str(name) for name in names])], schema=RECALL)


def write_recall(batches: Iterable[pa.RecordBatch], path: Path) -> RecallReport:
    """Write a recall, schema RECALL, to ``path``: CSV or Parquet, as its ending says; an older one is replaced.

    Raises:
        UsageError: for another ending.
        CorpusError: when the file can't be written.
    """
    from pyarrow.csv import CSVWriter  # noqa: PLC0415  # as the next
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415  # who only looks for traces writes no list

    if (writer := {".csv": CSVWriter, ".parquet": ParquetWriter}.get(path.suffix)) is None:
        raise UsageError(f"{path} ends neither in .csv nor in .parquet: name a file that does.")
    reasons: Counter[str] = Counter()
    with aside(path) as file, writer(str(file), RECALL) as out:
        for batch in batches:
            out.write_batch(batch)
            reasons.update(batch.column("reason").to_pylist())
    return RecallReport(path, dict(reasons))
