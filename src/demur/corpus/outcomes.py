"""What the last reading of each item came to: which items are left out now, and why.

An import counts its own readings. What an item's *last* reading says takes all imports together: what one left out
and a later one kept is not left out, and what two left out is left out once. So each import writes the items whose
last reading left them out (``imports/NNNNNN.left-out.parquet``: keys and reasons, no text), from the file of the
import before and its own readings, and the register's entry holds their counts.

What is removed from the corpus after it was kept (an objection, an edit of the policy, an erasure) is no outcome of
reading: it stays uncounted until an import reads it again.

Invariants: an item is counted once at most; the cost follows the import and the items that are left out, not the
number of imports; memory holds a byte for each item that is left out, and the keys of 2 million readings.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demur.corpus import journal
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.scratch.spool import READING, ReadItems, Spool, keys_of
from demur.kernel.govern import LEFT_OUT
from demur.kernel.rules import Bools
from demur.register import JSON, Register
from demur.terms import EntryKind, Reason

NOW: Final = "left_out_now"
"""What the payload of `import.finished` calls the counts; one of November 2026 or before has none."""

_CHUNK_ROWS: Final = 2_000_000
_BATCH_ROWS: Final = 131_072

Read = Callable[[], Iterable[ReadItems]]
Left = Iterable[pa.RecordBatch]
"""Batches of govern.LEFT_OUT."""


def carry_on(root: Path, number: int, register: Register, corpus: Corpus, spool: Spool) -> dict[str, int]:
    """Writes the items that are left out once import ``number`` counts; how many, by reason.

    Args:
        root: the workspace.
        number: the import, whose readings are in ``spool`` and have been told apart from superseded ones.
        register: knows the imports before it.
        corpus: as it was before the import; read only after imports of a demur that kept no such files.
        spool: the import's readings.
    """
    with TemporaryDirectory(dir=journal.scratch_folder(root)) as folder:
        before = _before(root, register, corpus, Path(folder))
        read = lambda: (ReadItems(readings) for _, readings in spool.partitions())  # noqa: E731  # one line says it
        return _carried(before, read, _not_superseded(spool.left_out()), journal.left_out(root, number))


def left_out_now(root: Path, register: Register, corpus: Corpus) -> dict[str, int]:
    """The items whose last reading left them out, by reason, as of the last import."""
    entries = list(register.log.entries(EntryKind.IMPORT_FINISHED))
    if not entries:
        return {}
    counts = entries[-1].payload.get(NOW)
    if counts is not None:
        return dict(_numbers(counts))
    with TemporaryDirectory(prefix="demur-left-out-") as folder:
        _, found = _rebuilt(root, [int(str(entry.payload["number"])) for entry in entries], corpus, Path(folder))
        return found


def _before(root: Path, register: Register, corpus: Corpus, folder: Path) -> Path | None:
    """The file of the import before, made from the ledgers where there is none; None before the first import."""
    numbers = sorted(journal.finished(register))
    if not numbers:
        return None
    path = journal.left_out(root, numbers[-1])
    return path if path.exists() else _rebuilt(root, numbers, corpus, folder)[0]


def _rebuilt(root: Path, numbers: Iterable[int], corpus: Corpus, folder: Path) -> tuple[Path | None, dict[str, int]]:
    """What is left out now, from the ledgers of the imports and what is in the corpus.

    It can't tell an item that a later import kept, and that was removed from the corpus since, from one that nobody
    read again: such an item counts as left out.
    """
    path, counts = None, dict[str, int]()
    for number in numbers:
        ledger = journal.ledger(root, number)
        if ledger.exists():
            to = folder / f"{number}.parquet"
            counts = _carried(path, _in_ledger(ledger), _not_superseded(_batches(ledger)), to)
            path = to
    if path is not None:
        counts = _carried(path, lambda: _in_corpus(corpus), (), folder / "now.parquet")
        path = folder / "now.parquet"
    return path, counts


def _carried(before: Path | None, read: Read, left: Left, to: Path) -> dict[str, int]:
    """What was left out before and not read again, and ``left``, into the file ``to``; counts by reason."""
    counts: Counter[str] = Counter()
    with pq.ParquetWriter(to, LEFT_OUT, compression="zstd") as writer:
        for batch in _both(before, read, left):
            writer.write_batch(batch)
            for group in batch.column("reason").value_counts().to_pylist():
                counts[group["values"]] += group["counts"]
    return dict(sorted(counts.items()))


def _both(before: Path | None, read: Read, left: Left) -> Iterator[pa.RecordBatch]:
    if before is not None:
        stays = ~_again(before, read)
        at = 0
        for batch in _batches(before):
            yield batch.filter(pa.array(stays[at : at + len(batch)]))
            at += len(batch)
    yield from left


def _again(before: Path, read: Read) -> Bools:
    """Which items of a file were read again; shape (rows of the file,)."""
    again = np.zeros(pq.read_metadata(before).num_rows, bool)
    if len(again):
        for items in read():
            found = [items.contains(batch.column("item")) for batch in _batches(before)]
            again |= np.concatenate(found)
    return again


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=_BATCH_ROWS)


def _not_superseded(batches: Left) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.filter(pc.not_equal(batch.column("reason"), str(Reason.SUPERSEDED)))


def _in_ledger(ledger: Path) -> Read:
    return lambda: _read_items(batch.column("item") for batch in _batches(ledger))


def _in_corpus(corpus: Corpus) -> Iterator[ReadItems]:
    return _read_items(batch.column("item") for batch in corpus.batches(["item"]))


def _read_items(columns: Iterable[pa.Array]) -> Iterator[ReadItems]:
    """Columns of item keys, some millions at a time."""
    held, rows = [], 0
    for column in columns:
        readings = np.zeros(len(column), READING)
        halves = keys_of(column)
        readings["high"], readings["low"] = halves[:, 0], halves[:, 1]
        held.append(readings)
        rows += len(column)
        if rows >= _CHUNK_ROWS:
            yield ReadItems(np.concatenate(held))
            held, rows = [], 0
    if held:
        yield ReadItems(np.concatenate(held))


def _numbers(value: JSON) -> Iterator[tuple[str, int]]:
    assert isinstance(value, Mapping)
    return ((reason, int(str(count))) for reason, count in value.items())
