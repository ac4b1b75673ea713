"""Importing: items from a source go through the kernel into the corpus; an item's last reading wins.

Invariants: read = kept + left out, each reading counted once (law 5); every item that was read loses the row it had,
also when its last reading says that it may no longer be used or was deleted at the source; the rows that are new and
the rows they replace change in one commit; what a kill cuts off is undone by the next command; memory does not grow
with the input. Whatever the register took up meanwhile is honoured before the import returns.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from demur.corpus import journal
from demur.corpus.compaction import index_new, maintain_if_due
from demur.corpus.honour import honour_in
from demur.corpus.kernel.door import REASONS
from demur.corpus.pool import governed
from demur.corpus.rules import Rules
from demur.corpus.session import Session, writing
from demur.corpus.spool import ReadItems, Spool
from demur.corpus.store import ADDRESS, Addresses, Corpus
from demur.files import make_folder, sync, tighten
from demur.register import JSON
from demur.terms import EntryKind, Reason
from demur.workspace import Workspace

Progress = Callable[[int], object]
"""Told how many items were read since it was last told."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    number: int
    """Of this import in the workspace, from 1."""
    source: str
    read: int
    kept: int
    left_out: dict[Reason, int]
    """In the order of terms.Reason, without zeros."""
    kinds: dict[str, int]
    """Items read by kind, "" where the source did not say."""
    replaced: int
    """Rows of earlier imports that this one replaced or removed."""
    seconds: float


@dataclass
class _Reading:
    """Counts while the items stream past."""

    spool: Spool
    progress: Progress
    kinds: Counter[str] = field(default_factory=Counter)


def import_items(
    workspace: Workspace,
    source: str,
    batches: Iterable[pa.RecordBatch],
    *,
    workers: int = 1,
    now: datetime | None = None,
    progress: Progress = lambda _: None,
) -> ImportReport:
    """Imports batches of terms.ITEM that the source called ``source`` read.

    Raises:
        SourceError: from the source, when its input is broken; the workspace is then as it was.
    """
    began = time.perf_counter()
    with writing(workspace, "import", now) as session:
        honour_in(session)
        number = max(journal.finished(session.register), default=0) + 1
        scratch = journal.begin(workspace.root, journal.Journal(number, session.corpus.version))
        try:
            with Spool(scratch / "readings") as spool:
                report = _import(session, number, source, _Reading(spool, progress), batches, workers)
        finally:
            journal.settle(workspace.root, session.corpus, session.register)
        honour_in(session)
    seconds = time.perf_counter() - began
    return ImportReport(**(vars(report) | {"seconds": seconds}))


def _import(
    session: Session, number: int, source: str, reading: _Reading, batches: Iterable[pa.RecordBatch], workers: int
) -> ImportReport:
    rules, _ = session.rules()
    replaced = _store(session.corpus, _kept_rows(batches, rules, reading, workers), reading.spool)
    ledger = journal.ledger(session.workspace.root, number)
    make_folder(ledger.parent)
    reading.spool.write_ledger(ledger)
    tighten([ledger])
    sync(ledger)
    sync(ledger.parent)
    report = _report(number, source, reading, replaced)
    session.register.append(EntryKind.IMPORT_FINISHED, _payload(report), now=session.now)
    return report


def _kept_rows(
    batches: Iterable[pa.RecordBatch], rules: Rules, reading: _Reading, workers: int
) -> Iterator[pa.RecordBatch]:
    """The rows that may be used; every reading is spooled on the way."""
    for answer in governed(_counted(batches, reading), rules, workers):
        reading.spool.add(answer.items, answer.codes)
        if len(answer.kept):
            yield answer.kept


def _counted(batches: Iterable[pa.RecordBatch], reading: _Reading) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for count in batch.column("kind").value_counts().to_pylist():
            reading.kinds[count["values"] or ""] += count["counts"]
        reading.progress(len(batch))
        yield batch


def _store(corpus: Corpus, rows: Iterator[pa.RecordBatch], spool: Spool) -> int:
    """Commits the rows; returns how many rows of earlier imports they replaced."""
    had_rows = corpus.count() > 0
    fragments = corpus.write(rows)
    gone = _read_again(corpus, spool) if had_rows else np.zeros(0, np.uint64)
    repeated = spool.supersede(spool.superseded())
    corpus.commit(gone, fragments, {"demur": "import"})
    if len(repeated):
        corpus.commit(corpus.last_rows(repeated, sum(f.physical_rows for f in fragments)), [], {"demur": "import"})
    if len(fragments):
        maintain_if_due(corpus)
        index_new(corpus)
    return len(gone)


def _read_again(corpus: Corpus, spool: Spool) -> Addresses:
    """The addresses of rows whose items were read again."""
    gone = [np.zeros(0, np.uint64)]
    for _, readings in spool.partitions():
        read = ReadItems(readings)
        for batch in corpus.batches(["item"]):
            addresses = batch.column(ADDRESS).to_numpy(zero_copy_only=False)
            gone.append(addresses[read.contains(batch.column("item"))].astype(np.uint64))
    return np.concatenate(gone)


def _report(number: int, source: str, reading: _Reading, replaced: int) -> ImportReport:
    *left_out, kept = reading.spool.outcomes().tolist()
    reasons = {reason: count for reason, count in zip(REASONS, left_out, strict=True) if count}
    kinds = dict(sorted(reading.kinds.items()))
    return ImportReport(number, source, reading.spool.rows, kept, reasons, kinds, replaced, 0.0)


def _payload(report: ImportReport) -> dict[str, JSON]:
    """What the register keeps of an import: counts, and nothing about anybody."""
    counts: dict[str, JSON] = {"number": report.number, "source": report.source}
    counts |= {"read": report.read, "kept": report.kept, "replaced": report.replaced}
    left_out: dict[str, JSON] = {str(reason): count for reason, count in report.left_out.items()}
    kinds: dict[str, JSON] = dict(report.kinds)
    return counts | {"left_out": left_out, "kinds": kinds}
