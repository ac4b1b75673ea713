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
import pyarrow.compute as pc

from demur.corpus import journal, outcomes
from demur.corpus.compaction import index_new, maintain_if_due
from demur.corpus.honour import honour_in
from demur.corpus.pool import governed
from demur.corpus.session import Session, writing
from demur.corpus.spool import ReadItems, Spool
from demur.corpus.dataset import ADDRESS, Addresses
from demur.corpus.store import Corpus
from demur.errors import SourceError
from demur.files import make_folder, sync, tighten
from demur.identity import Pairs
from demur.kernel.door import REASONS
from demur.kernel.rules import Rules
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
    root = session.workspace.root
    before = Corpus(session.corpus.dataset)
    rules, _ = session.rules()
    batches = _named_as_before(session, source, batches)
    replaced = _store(session.corpus, _kept_rows(session, batches, rules, reading, workers), reading.spool)
    ledger = journal.ledger(root, number)
    make_folder(ledger.parent)
    reading.spool.write_ledger(ledger)
    now = outcomes.carry_on(root, number, session.register, before, reading.spool)
    tighten([ledger, journal.left_out(root, number)])
    for path in (ledger, journal.left_out(root, number), ledger.parent):
        sync(path)
    report = _report(number, source, reading, replaced)
    session.note_import(number)
    payload: dict[str, JSON] = {**_payload(report), outcomes.NOW: dict(now)}
    session.register.log.append(EntryKind.IMPORT_FINISHED, payload, now=session.now)
    return report


def _named_as_before(session: Session, source: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pass batches on; an error where ids begin with the source's name, but those of an older demur with a file's.

    A demur without :data:`outcomes.NOW` in its entries named the ids of tables after their file.

    Raises:
        SourceError: when what was imported then would come in a second time.
    """
    stated = session.policy.sources.get(source, {}).get("source")
    earlier = session.register.log.entries(EntryKind.IMPORT_FINISHED)
    doubtful = stated is None and any(
        entry.payload["source"] == source and outcomes.NOW not in entry.payload for entry in earlier
    )
    for batch in batches:
        if doubtful and pc.any(pc.starts_with(batch.column("item"), f"{source}:")).as_py():
            raise SourceError(
                "An earlier import named the ids of this source after its file, so that its items would come in twice: "
                f"write source in [sources.{source}] of demur.toml, as the name of that file without its ending, "
                f'as "filename-stem" to go on naming by files, or as "{source}" to begin anew.'
            )
        yield batch


def _kept_rows(
    session: Session, batches: Iterable[pa.RecordBatch], rules: Rules, reading: _Reading, workers: int
) -> Iterator[pa.RecordBatch]:
    """The rows that may be used; every reading is spooled on the way.

    The register learns which keys are spellings of one account before any row with them is committed.
    """
    alike: Pairs = np.empty((0, 2), np.int64)
    for answer in governed(_counted(batches, reading), rules, workers):
        reading.spool.add(answer.items, answer.codes)
        if len(answer.alike):
            alike = np.unique(np.vstack([alike, answer.alike]), axis=0)
        if len(answer.kept):
            yield answer.kept
    session.register.members.note_alike(alike, now=session.now)


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
