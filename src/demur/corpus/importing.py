"""Importing: items from a source go through the kernel into the corpus; an item's last reading wins.

Invariants: read = kept + left out, each reading counted once (law 5); every item that was read loses the row it had,
also when its last reading says that it may no longer be used or was deleted at the source; the rows that are new and
the rows they replace change in one commit; what a kill cuts off is undone by the next command; memory does not grow
with the input. Whatever the register took up meanwhile is honoured before the import returns.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus import journal, outcomes
from demur.corpus.datasets.base import ADDRESS, Addresses, Dataset
from demur.corpus.datasets.compaction import index_new, maintain_if_due, remove_uncommitted
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.keyed import Keyed
from demur.corpus.engines.face import Engine
from demur.corpus.engines.names import LOCAL
from demur.corpus.engines.starting import require, started
from demur.corpus.gathering import gathered
from demur.corpus.honour import honour_in
from demur.corpus.imports import CELLS, PICTURES
from demur.corpus.news import DELETED, News
from demur.corpus.picturing import PictureCounts, Shown, take_in
from demur.corpus.pool import Asked
from demur.corpus.reopening import reopen, sweep
from demur.corpus.scratch.cells import Cells
from demur.corpus.scratch.lines import Lines
from demur.corpus.scratch.listed import Listed
from demur.corpus.scratch.spool import Positions, ReadItems, Spool
from demur.corpus.scratch.waiting import Waited, Waiting
from demur.corpus.session import Session, writing
from demur.errors import SourceError
from demur.extras import need
from demur.files import make_folder, sync, tighten
from demur.identity import Pairs, inside
from demur.kernel.door import KEPT, REASONS, WAITS
from demur.kernel.evidence import EVIDENCE, FINGERPRINTS, UNCERTAIN, writing_of
from demur.kernel.govern import Answer
from demur.kernel.rules import Bools, Rules
from demur.kernel.schema import ROW
from demur.people.context import Context
from demur.people.find import adds
from demur.register import JSON, Register, Told
from demur.terms import EntryKind, Reason
from demur.workspace import Workspace

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

_READ_A_ROW: Final = 50
"""Lines of the evidence that are read in the time in which an index finds those of one row's thread."""

_NO_FILES: Final = Shown()

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
    pictures: PictureCounts | None = None
    """None where the policy lets none in."""


@dataclass
class _Reading:
    """What is noted while the items stream past, on disk but for the counts."""

    spool: Spool
    cells: Cells
    waiting: Waiting
    evidence: Lines
    fingerprints: Lines
    uncertain: Lines
    listed: Listed | None
    """The pictures that the items name; None where none come in."""
    progress: Progress
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        """What the kernel says of one batch."""
        positions = self.spool.rows + np.arange(len(answer.codes))
        self.spool.add(answer.items, answer.codes)
        assert answer.cells is not None  # it comes from a source
        self.cells.add(answer.cells)
        if len(answer.waiting):
            self.waiting.add(answer.waiting, positions[answer.codes == WAITS], answer.hinted)
        self.evidence.add(answer.evidence, positions)
        self.fingerprints.add(answer.fingerprints, positions)
        self.uncertain.add(answer.uncertain, positions)


@contextmanager
def _notes(scratch: Path, session: Session, progress: Progress) -> Iterator[_Reading]:
    come_in = session.policy.pictures.come_in
    with (
        Spool(scratch / "readings") as spool,
        Cells(scratch / "cells") as cells,
        Waiting(scratch / "waiting") as waiting,
        Lines(scratch / "evidence", EVIDENCE) as evidence,
        Lines(scratch / "fingerprints", FINGERPRINTS) as fingerprints,
        Lines(scratch / "uncertain", UNCERTAIN) as uncertain,
        Listed(scratch / "listed", session.keys.pepper) if come_in else nullcontext(None) as listed,
    ):
        yield _Reading(spool, cells, waiting, evidence, fingerprints, uncertain, listed, progress)


def import_items(  # noqa: PLR0913  # all but the first three have defaults
    workspace: Workspace,
    source: str,
    batches: Iterable[pa.RecordBatch],
    *,
    pictures: Shown = _NO_FILES,
    workers: int = 1,
    engine: str = LOCAL,
    now: datetime | None = None,
    progress: Progress = lambda _: None,
) -> ImportReport:
    """Imports batches of terms.ITEM that the source called ``source`` read.

    Args:
        workspace: what they come into.
        source: its name.
        batches: in the order of reading.
        pictures: where the files come from that the items name, if the policy lets pictures in.
        workers: processes of this machine that govern, where no cluster is named.
        engine: where the kernel runs, one of engines.names.ENGINES.
        now: this moment.
        progress: is told how far it is.

    Raises:
        SourceError: from the source, when its input is broken; the workspace is then as it was.
        UsageError: the engine is not installed, or its workers have another demur; or what reads pictures is not.
        WorkspaceError: the engine gave up; the workspace is then as it was.
    """
    began = time.perf_counter()
    require(engine)
    if workspace.policy().pictures.come_in:
        require_pictures()
    with writing(workspace, "import", now) as session:
        honour_in(session)
        if session.policy.pictures.come_in:
            session.beside.begin_pictures()
        number = max(journal.finished(session.register), default=0) + 1
        under_way = journal.Journal(number, session.corpus.version, session.beside.versions)
        scratch = journal.begin(workspace.root, under_way)
        try:
            kernel = started(engine, session.rules()[0], workers, scratch / "rules")
            with kernel as governed, _notes(scratch, session, progress) as reading:
                report = _import(session, number, source, reading, batches, governed, pictures)
        finally:
            journal.settle(workspace.root, session.corpus, session.beside, session.register)
        if engine != LOCAL:
            remove_uncommitted(session.corpus)  # what workers wrote in attempts that don't count
        honour_in(session)
    seconds = time.perf_counter() - began
    return ImportReport(**(vars(report) | {"seconds": seconds}))


def require_pictures() -> None:
    """Make sure that pictures can be read.

    Raises:
        UsageError: when what reads them is not installed.
    """
    need("Reading pictures", "pictures", "PIL", "pillow_heif")


def _import(
    session: Session,
    number: int,
    source: str,
    reading: _Reading,
    batches: Iterable[pa.RecordBatch],
    kernel: Engine,
    pictures: Shown,
) -> ImportReport:
    root = session.workspace.root
    before = Corpus(session.corpus.dataset)
    batches = _named_as_before(session, source, batches)
    newest = session.corpus.last_fragment
    replaced, told = _store(session, batches, kernel, reading)
    counts = None
    if reading.listed is not None:
        again = _told_again(session.beside.pictures, reading.spool)
        counts = take_in(session, reading.listed, reading.spool, newest, again, pictures)
    ledger = journal.ledger(root, number)
    make_folder(ledger.parent)
    reading.spool.write_ledger(ledger)
    now = outcomes.carry_on(root, number, session.register, before, reading.spool)
    tighten([ledger, journal.left_out(root, number)])
    for path in (ledger, journal.left_out(root, number), ledger.parent):
        sync(path)
    report = replace(_report(number, source, reading, replaced), pictures=counts)
    session.note_import(number)
    payload: dict[str, JSON] = {**_payload(report), outcomes.NOW: dict(now), CELLS: reading.cells.counts(reading.spool)}
    session.register.log.note_import(payload, told if _may_be_stale(session.register) else None, now=session.now)
    return report


def _may_be_stale(register: Register) -> bool:
    """Whether there is a version that can be loaded: where there is none, nothing binds that an import tells."""
    published = {str(entry.payload["name"]) for entry in register.log.entries(EntryKind.VERSION_PUBLISHED)}
    return bool(published - journal.retired(register))


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


def _governed(
    session: Session, batches: Iterable[pa.RecordBatch], kernel: Engine, reading: _Reading
) -> "list[FragmentMetadata]":
    """The rows that may be used, in no version yet; every reading is spooled on the way.

    The register learns which keys are spellings of one account before any row with them is committed.
    """
    alike: Pairs = np.empty((0, 2), np.int64)

    def heard(answer: Answer) -> None:
        nonlocal alike
        reading.add(answer)
        if len(answer.alike):
            alike = np.unique(np.vstack([alike, answer.alike]), axis=0)

    asked = ((batch, None) for batch in gathered(_counted(batches, reading)))
    fragments = kernel.store(asked, session.corpus, heard)
    session.register.members.note_alike(alike, now=session.now)
    return fragments


def _counted(batches: Iterable[pa.RecordBatch], reading: _Reading) -> Iterator[pa.RecordBatch]:
    read = 0
    for batch in batches:
        if reading.listed is not None:
            reading.listed.add(batch, read)
        read += len(batch)
        for count in batch.column("kind").value_counts().to_pylist():
            reading.kinds[count["values"] or ""] += count["counts"]
        reading.progress(len(batch))
        yield batch


def _store(session: Session, batches: Iterable[pa.RecordBatch], kernel: Engine, reading: _Reading) -> tuple[int, Told]:
    """Commits rows, and what goes beside them; how many earlier rows they replaced, and what they tell."""
    corpus, spool, beside = session.corpus, reading.spool, session.beside
    before = corpus.last_fragment
    fragments = _governed(session, batches, kernel, reading)
    superseded = spool.superseded()
    repeated = spool.supersede(superseded)
    gone = _read_again(corpus, spool) if corpus.count() else np.zeros(0, np.uint64)
    news = News.of(beside, reading.evidence, reading.fingerprints, spool, superseded, kernel.rules)
    _replace(beside.evidence, reading.evidence, spool, superseded)
    _replace(beside.fingerprints, reading.fingerprints, spool, superseded)
    fragments += corpus.write(_decided(session, kernel, reading, superseded))
    _replace(beside.uncertain, reading.uncertain, spool, superseded)
    corpus.commit(gone, fragments, {"demur": "import"})
    if len(repeated):
        corpus.commit(corpus.last_rows(repeated, sum(f.physical_rows for f in fragments)), [], {"demur": "import"})
    told = news.told(beside.evidence, kernel.rules)
    reopen(session, told.threads, kernel.rules, before)
    if len(fragments):
        maintain_if_due(corpus)
        index_new(corpus)
    sweep(session, told.wrote)
    return len(gone), told


def _replace(dataset: Keyed, lines: Lines, spool: Spool, superseded: Positions) -> None:
    """What the readings say takes the place of what earlier readings of the same items said."""
    gone = _told_again(dataset, spool) if dataset.count() else np.zeros(0, np.uint64)
    dataset.replace(gone, lines.counting(superseded))
    if dataset.count():
        maintain_if_due(dataset)
        index_new(dataset)


def _decided(session: Session, kernel: Engine, reading: _Reading, superseded: Positions) -> Iterator[pa.RecordBatch]:
    """The rows that waited and may be used, now that all threads are known; their outcomes are noted."""
    free: deque[Waited] = deque()
    asked: deque[Positions] = deque()

    def hanging() -> Iterator[Asked]:
        for clear, waited, context in _by_thread(session, kernel.rules, reading.waiting, superseded):
            free.append(clear)
            asked.append(waited.positions)
            yield waited.rows.select(ROW.names), context

    for answer in kernel.answers(hanging()):
        while free:
            rows, positions, _ = free.popleft()
            reading.spool.resolve(positions, np.full(len(rows), KEPT, np.int8))
            if len(rows):
                yield rows
        positions = asked.popleft()
        reading.spool.resolve(positions, answer.codes)
        reading.uncertain.add(answer.uncertain, positions)
        if len(answer.kept):
            yield answer.kept


def _by_thread(
    session: Session, rules: Rules, waiting: Waiting, superseded: Positions
) -> Iterator[tuple[Waited, Waited, Context]]:
    """Rows that waited, batch by batch: those that may stay as they are, the others, and what their threads tell."""
    if rules.people is None:
        return  # nothing waited
    people, threads = rules.people, session.threads(rules)
    if waiting.rows * _READ_A_ROW > session.beside.evidence.count():
        threads = threads.recalled()
    for batch in waiting.batches():
        waited = batch.take(~inside(batch.positions, superseded))
        writing = writing_of(waited.rows)
        context = threads.context(writing.thread)
        hangs = waited.hinted | adds(context, people, writing.thread, waited.rows.column("words"))
        yield waited.take(~hangs), waited.take(hangs), context.within(writing.thread[hangs], writing.parent[hangs])


def _told_again(dataset: Keyed, spool: Spool) -> Addresses:
    """The addresses of lines whose items were read again; a reading that says it is gone keeps its fingerprints."""

    def among(read: ReadItems, items: pa.Array) -> Bools:
        return read.holds(items.to_numpy(zero_copy_only=False))

    return _of_read(dataset, spool, among, but=DELETED if dataset.OUTLIVES else None)


def _read_again(corpus: Corpus, spool: Spool) -> Addresses:
    """The addresses of rows whose items were read again."""
    return _of_read(corpus, spool, ReadItems.contains)


def _of_read(
    dataset: Dataset, spool: Spool, among: Callable[[ReadItems, pa.Array], Bools], *, but: int | None = None
) -> Addresses:
    """The addresses in a dataset of what was read; ``among`` tells it by the column ``item``, ``but`` is no reading."""
    gone = [np.zeros(0, np.uint64)]
    for _, readings in spool.partitions():
        read = ReadItems(readings if but is None else readings[readings["code"] != but])
        for batch in dataset.batches(["item"]):
            addresses = batch.column(ADDRESS).to_numpy(zero_copy_only=False)
            gone.append(addresses[among(read, batch.column("item"))].astype(np.uint64))
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
    pictures: dict[str, JSON] = {} if report.pictures is None else {PICTURES: report.pictures.payload()}
    return counts | {"left_out": left_out, "kinds": kinds} | pictures
